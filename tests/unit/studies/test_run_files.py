"""What every study writes into its run folder; it goes on only with the weights that it was begun with."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import timm
import torch
from safetensors.torch import save_file
from tests.planting.reported import verdict

from headtohead.backbones.catalog import resolve
from headtohead.core.errors import ChangedWeightsError
from headtohead.core.progress import QUIET
from headtohead.core.records import Verdict
from headtohead.core.run_folder import RunFolder
from headtohead.studies.run_files import (
    fetch_weights,
    record_facts,
    write_folds,
    write_provenance,
    write_verdict,
)


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


def test_a_verdict_is_written_whole_and_in_its_parts(tmp_path: Path) -> None:
    run, said = RunFolder(tmp_path), verdict()
    write_verdict(run, said)
    assert Verdict.model_validate(run.json("verdict.json")) == said
    assert run.json("scores.json")["scores"] == run.json("verdict.json")["scores"] != []
    assert run.json("comparisons.json")["comparisons"] == run.json("verdict.json")["comparisons"] != []


def test_folds_are_written_with_their_proof(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    table = pd.DataFrame({"sample": ["a"], "repeat": [0], "fold": [1], "part": ["test"]})
    write_folds(run, table, [{"groups": 0}], [{"test": "a"}])
    assert run.table("folds.parquet").equals(table)
    proof = run.json("leak_proof.json")
    assert (proof["proof"], proof["leaks"]) == ([{"groups": 0}], [{"test": "a"}])


def test_where_a_result_comes_from_is_written_once(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.write("spent.json", {"spent": {"a": 1}, "budget": "8 trials"})
    write_provenance(run, 7)
    first = run.json("provenance.json")
    assert (first["seed"], first["spent"], first["budget"]) == (7, {"a": 1}, "8 trials")
    assert "python" in first and "packages" in first
    write_provenance(run, 8)
    assert run.json("provenance.json") == first, "a later call reports, and computes nothing"


def test_facts_of_a_backbone_are_added_to_those_before(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    record_facts(run, "timm:a/b", {"weights": {"sha256": "x"}})
    record_facts(run, "timm:a/b", {"how": {"precision": "fp32"}})
    (file,) = (tmp_path / "contenders").iterdir()
    found = run.json(f"contenders/{file.name}")
    assert found["weights"] == {"sha256": "x"} and found["how"] == {"precision": "fp32"}


def test_weights_are_recorded_without_where_they_lie(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    fetch_weights(run, [resolve("scratch:test_resnet")], 3, QUIET)
    (file,) = (tmp_path / "contenders").iterdir()
    found = run.json(f"contenders/{file.name}")
    assert "path" not in found["weights"] and found["record"]["name"] == "scratch:test_resnet"
