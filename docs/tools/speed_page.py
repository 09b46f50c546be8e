"""Write the tables of `docs/speed.md` from `docs/speed.json`, the measurements that `benchmarks/speed` keeps.

Run by those benchmarks, or by hand: `python -m docs.tools.speed_page`. A test holds page and measurements equal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["page_with_tables", "tables", "write_page"]

DOCS = Path(__file__).resolve().parents[1]
PAGE, RESULTS = DOCS / "speed.md", DOCS / "speed.json"
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"
ABSENT = "*Not measured yet.*"
# What each command is, in the order of the table, and the ratio of wall seconds (or those now) that was aimed at.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "flagship": ("`compare`, both flagship networks at full size (random weights), 15 cells each", "0.6"),
    "kept": ("the same by OpenVINO, networks converted before", "0.5"),
    "small": ("`compare`, `efficientnet-lite0` and `dinov2-small`, 120 synthetic images", ""),
    "cells": ("the same, with only the cells of one contender left to compute", "3 s"),
    "again": ("the same once more, with nothing left to compute", "1 s"),
    "npz": ("`compare`, `efficientnet-lite0`, 5,856 images of 28 pixels, given split", "0.35"),
    "audit": ("`audit`, 1,000 images of 64 pixels", "0.35"),
}
PREFIX, PEERS = "whole ", "peers "


def write_page() -> bool:
    """Bring the page's tables up to date, and return whether anything changed."""
    old = PAGE.read_text(encoding="utf-8")
    measured = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    new = page_with_tables(old, measured)
    if new != old:
        PAGE.write_text(new, encoding="utf-8")
    return new != old


def page_with_tables(page: str, measured: Mapping[str, Any]) -> str:
    """Return the page with the tables of these measurements between its two marks.

    Raises:
        ValueError: the page has not exactly one pair of marks.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in after or END in after:
        raise ValueError(f"the page needs {BEGIN} and {END} once each")
    return f"{before}{BEGIN}\n\n{tables(measured)}\n{END}{after}"


def tables(measured: Mapping[str, Any]) -> str:
    """Return all tables, each with a line in its place where it was not measured.

    Args:
        measured: what `benchmarks/speed` and `benchmarks/peers` keep: "probe", "runtimes", "growth", "whole NAME" and
            "peers NETWORK" with their figures.
    """
    whole = {name.removeprefix(PREFIX): row for name, row in measured.items() if name.startswith(PREFIX)}
    parts = ["## Whole commands", "", _commands(whole) if whole else ABSENT, "", "## Linear probes", ""]
    parts += [_probes(measured["probe"]) if "probe" in measured else ABSENT, ""]
    parts += ["## Runtimes of frozen networks", ""]
    parts += [_runtimes(measured["runtimes"]) if "runtimes" in measured else ABSENT, "", "## Growth", ""]
    parts += [_growth(measured["growth"]) if "growth" in measured else ABSENT, ""]
    others = {name.removeprefix(PEERS): row for name, row in measured.items() if name.startswith(PEERS)}
    return "\n".join(
        [*parts, "## Fine-tuning beside other tools", "", _peers(others) if others else ABSENT, ""]
    )


def _commands(rows: Mapping[str, Mapping[str, float]]) -> str:
    lines = [
        "| command | wall s before | now | ratio | aimed at | CPU s before | now | ratio | rounds |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name in [*(one for one in COMMANDS if one in rows), *sorted(rows.keys() - COMMANDS.keys())]:
        words, aim = COMMANDS.get(name, (name, ""))
        row = rows[name]
        keys = ("seconds_before", "seconds", "wall_ratio", "", "cpu_before", "cpu", "cpu_ratio", "rounds")
        cells = [aim if not key else f"{row[key]:g}" for key in keys]
        lines.append(f"| {words} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _probes(rows: Mapping[str, Mapping[str, float]]) -> str:
    lines = [
        "| features | wall, now over before | CPU, now over before | CPU, now over scikit-learn | largest change |",
        "|---|--:|--:|--:|--:|",
    ]
    keys = ("wall", "cpu", "cpu_over_sklearn", "largest_change")
    lines += [f"| {name} | {' | '.join(f'{row[key]:g}' for key in keys)} |" for name, row in rows.items()]
    return "\n".join(lines)


def _runtimes(found: Mapping[str, Any]) -> str:
    amx = "with AMX" if found["amx"] else "without AMX"
    lines = [
        f"Milliseconds of one core (processor {amx}) for an image, and its seconds of converting and compiling.",
        "",
        "| network | torch fp32 | OpenVINO fp32 | torch bf16 | OpenVINO bf16 | convert s | compile s |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    keys = ("torch_fp32", "openvino_fp32", "torch_bf16", "openvino_bf16", "convert", "compile")
    for name, row in found["networks"].items():
        lines.append(f"| `{name}` | {' | '.join(f'{row[key]:g}' for key in keys)} |")
    return "\n".join(lines)


def _growth(found: Mapping[str, Any]) -> str:
    lines = [
        "| images | wall s | CPU s | MiB at the peak | MiB of the run folder |",
        "|--:|--:|--:|--:|--:|",
    ]
    for row in found["rows"]:
        cells = [f"{row['n']:,}", *(f"{row[key]:.0f}" for key in ("wall", "cpu", "peak_mib", "run_mib"))]
        lines.append(f"| {' | '.join(cells)} |")
    if len(found["rows"]) > 1:
        lines += ["", f"CPU seconds grow with the number of images to the power of {found['exponent']:.2f}."]
    return "\n".join(lines)


def _peers(found: Mapping[str, Any]) -> str:
    lines = [
        "| network | trained by | images/s | headtohead over it | versions |",
        "|---|---|--:|--:|---|",
    ]
    for network, row in found.items():
        lines.append(f"| `{network}` | headtohead, {row['arithmetic']} | {row['images_per_second']:g} | | |")
        lines += [
            f"| | {name} | {one['images_per_second']:g} | {one['ratio']:.2f} | {one['versions']} |"
            for name, one in row["peers"].items()
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    print("written" if write_page() else "up to date")
