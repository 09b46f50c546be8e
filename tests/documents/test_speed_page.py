"""The tables of speed are those of the measurements; what was not measured says so."""

from __future__ import annotations

import json
from typing import Any

import pytest
from docs.tools import speed_page
from docs.tools.speed_page import ABSENT, BEGIN, END, page_with_tables, tables

ROW = {
    "seconds_before": 95.2, "seconds": 47.1, "cpu_before": 160.0, "cpu": 80.0, "wall_ratio": 0.495,
    "cpu_ratio": 0.5, "rounds": 3.0,
}  # fmt: skip
PROBE = {"253 images": {"wall": 0.3, "cpu": 0.25, "cpu_over_sklearn": 0.4, "largest_change": 9.2e-6}}
RUNTIMES = {
    "amx": True,
    "networks": {
        "a": {
            "torch_fp32": 1.0,
            "openvino_fp32": 2.0,
            "torch_bf16": 3.0,
            "openvino_bf16": 4.0,
            "convert": 5.0,
            "compile": 6.0,
        }
    },
}
GROWN = [{"n": n, "wall": 30.2, "cpu": 50.1, "peak_mib": 900, "run_mib": 12.3} for n in (1000, 5000)]
GROWTH = {"rows": GROWN, "exponent": 0.97}
PEERS = {
    "images_per_second": 7.16,
    "arithmetic": "bf16",
    "rounds": 3,
    "peers": {"Trainer, defaults": {"images_per_second": 3.12, "ratio": 2.295, "versions": "torch 2.9"}},
}


def test_the_page_agrees_with_the_measurements() -> None:
    """After a measurement that was not written with `store`: `python -m docs.tools.speed_page`."""
    found: dict[str, Any] = {}
    if speed_page.RESULTS.is_file():
        found = json.loads(speed_page.RESULTS.read_text(encoding="utf-8"))
    page = speed_page.PAGE.read_text(encoding="utf-8")
    assert page == page_with_tables(page, found)
    assert page != page_with_tables(page, {**found, "whole flagship": {**ROW, "seconds": 1e6}}), (
        "would be seen"
    )


def test_what_was_not_measured_says_so() -> None:
    parts = {"probe": PROBE, "whole npz": ROW, "runtimes": RUNTIMES, "growth": GROWTH, "peers a": PEERS}
    assert tables({}).count(ABSENT) == 5
    assert [tables({name: part}).count(ABSENT) for name, part in parts.items()] == [4] * 5
    assert ABSENT not in tables(parts)


def test_every_figure_stands_in_its_column() -> None:
    made = tables(
        {
            "whole other": ROW,
            "whole flagship": ROW,
            "probe": PROBE,
            "runtimes": RUNTIMES,
            "growth": GROWTH,
            "peers net": PEERS,
        }
    )
    head, _, flagship, other = (line for line in made.splitlines()[2:6])
    assert head.split(" | ")[1:4] == ["wall s before", "now", "ratio"]
    cells = [cell.strip() for cell in flagship.strip("|").split("|")]
    assert cells[1:] == ["95.2", "47.1", "0.495", "0.6", "160", "80", "0.5", "3"]
    assert "both flagship networks" in cells[0] and other.startswith("| other | 95.2 |")
    assert "| 253 images | 0.3 | 0.25 | 0.4 | 9.2e-06 |" in made
    assert "| `a` | 1 | 2 | 3 | 4 | 5 | 6 |" in made and "processor with AMX" in made
    assert (
        "| `net` | headtohead, bf16 | 7.16 | | |\n| | Trainer, defaults | 3.12 | 2.29 | torch 2.9 |" in made
    )
    assert "| 5,000 | 30 | 50 | 900 | 12 |" in made and "to the power of 0.97" in made


@pytest.mark.parametrize("page", ["no marks", BEGIN, f"{END}{BEGIN}", f"{BEGIN}{END}{BEGIN}"])
def test_a_page_without_its_marks_is_refused(page: str) -> None:
    with pytest.raises(ValueError, match="once each"):
        page_with_tables(page, {})
