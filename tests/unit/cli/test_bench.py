"""`headtohead bench`: a ceiling, a line for each network, and figures that belong together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import pytest
import torch
from tests.planting.threads import single_thread

from headtohead.backbones.benchmark import BenchSize, benchmark
from headtohead.backbones.catalog import resolve
from headtohead.backbones.load import load_backbone
from headtohead.cli.app import main

NAMES = ("scratch:test_efficientnet", "scratch:test_vit")


def test_figures_of_a_network_belong_together() -> None:
    with single_thread():
        found = benchmark([resolve(name) for name in NAMES], BenchSize(128, 1, 1), device="cpu")
    assert [line["name"] for line in found["backbones"]] == list(NAMES)
    assert found["machine"]["device"] == "cpu"
    for line in found["backbones"]:
        assert set(line["rates"]) == set(found["ceilings_tflops"])
        for precision, rate in line["rates"].items():
            flops = rate["images_per_second"] * line["gflop_per_image"] / 1e3
            assert rate["share_of_ceiling"] == pytest.approx(flops / found["ceilings_tflops"][precision])
        assert line["latency_ms"] > 0 and line["load_seconds"] > 0
        assert (line["drift"] is None) == (len(line["rates"]) == 1)
        network = load_backbone(resolve(line["name"]))
        assert line["weights_bytes"] == 4 * sum(p.numel() for p in network.parameters())


def test_operations_are_counted_as_two_for_each_product() -> None:
    from headtohead.backbones.benchmark import _flops
    from headtohead.backbones.network import Backbone

    class One(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = torch.nn.Linear(3 * 4 * 4, 10, bias=False)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.linear(x.flatten(1))
            return found

    assert _flops(cast(Backbone, One()), 4) == 2 * 3 * 4 * 4 * 10


def test_the_command_prints_a_table_and_writes_json_and_figure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with single_thread():
        status = main(["bench", "--quick", "-c", NAMES[0], "--device", "cpu", "--out", str(tmp_path)])
    said = capsys.readouterr().out
    assert status == 0
    assert "TFLOP/s in fp32" in said and NAMES[0][:20] in said
    stored = json.loads((tmp_path / "bench.json").read_text())
    assert stored["format"] == 1 and stored["backbones"][0]["name"] == NAMES[0]
    assert (tmp_path / "bench.svg").read_text().startswith("<svg")


def test_without_weights_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("headtohead.backbones.weights.fetch.listing", list)
    assert main(["bench"]) == 1
    assert "weights fetch" in capsys.readouterr().err
