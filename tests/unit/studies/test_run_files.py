"""A run folder goes on only with the weights that it was begun with."""

from __future__ import annotations

from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from headtohead.backbones.catalog import resolve
from headtohead.core.errors import ChangedWeightsError
from headtohead.core.progress import QUIET
from headtohead.core.run_folder import RunFolder
from headtohead.studies.run_files import fetch_weights, record_facts


def _write(path: Path, seed: int) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        state = timm.create_model("test_resnet").state_dict()
    save_file({name: value.contiguous() for name, value in state.items()}, path)


def test_a_weights_file_that_was_replaced_between_two_calls_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.safetensors"
    name = f"path:{file}?arch=test_resnet"
    run = RunFolder(tmp_path / "run")
    _write(file, 1)
    fetch_weights(run, [resolve(name)], 0, QUIET)
    fetch_weights(run, [resolve(name)], 0, QUIET)  # the same file goes on
    _write(file, 2)
    with pytest.raises(ChangedWeightsError, match="Put them back"):
        fetch_weights(run, [resolve(name)], 0, QUIET)


def test_the_measured_speed_stays_where_a_later_call_read_the_cache(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    measured = {"precision": "fp32", "seconds": 2.0, "images_per_second": 50.0, "computed": 100}
    record_facts(run, "net", {"how": measured})
    record_facts(
        run, "net", {"how": {"precision": "bf16", "seconds": 0.1, "images_per_second": None, "computed": 0}}
    )
    assert run.json("contenders/net.json")["how"] == measured | {"precision": "bf16"}
    record_facts(run, "net", {"how": {**measured, "images_per_second": 80.0}})
    assert run.json("contenders/net.json")["how"]["images_per_second"] == 80.0
