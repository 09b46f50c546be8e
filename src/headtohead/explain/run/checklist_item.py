"""What the reporting checklists say of the maps, once a run has some."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headtohead.core.run_folder import write_record

__all__ = ["fill_explainability", "maps_sentence"]

TOPIC = "Explainability"  # item 31 of CLAIM 2024, and a topic that STARD-AI adds


def fill_explainability(run: Path) -> None:
    """Write what the maps of a run are, and which passed their checks, into `checklist.json`, where there is one."""
    path, grids = run / "checklist.json", run / "maps" / "grids.json"
    if not path.is_file() or not grids.is_file():
        return
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    text = maps_sentence(json.loads(grids.read_text(encoding="utf-8")))
    for row in content["items"]:
        if row["topic"] == TOPIC:
            row |= {"text": text, "status": "partly"}
    write_record(path, {key: value for key, value in content.items() if key != "format"})


def maps_sentence(grids: Mapping[str, Any]) -> str:
    """Return one sentence or two on the maps of a run.

    Args:
        grids: the content of `maps/grids.json`.
    """
    by_result: dict[str, list[str]] = {}
    for name, by_sample in grids["contenders"].items():
        told = {str(one.get("sanity", "not checked")).partition(":")[0] for one in by_sample.values()}
        by_result.setdefault(" and ".join(sorted(told)), []).append(name)
    method = grids.get("method_words", grids["method"])
    checks = "; ".join(f"{', '.join(names)}: {result}" for result, names in by_result.items())
    return (
        f"Saliency maps: {method}, each image by the head that did not see it. Checks of the maps (permuted labels, "
        f"deletion): {checks}."
    )
