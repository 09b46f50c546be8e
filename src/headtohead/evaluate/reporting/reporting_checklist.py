"""Reporting lists filled from a run: what the run knows is written, what only the author knows is named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headtohead.core.records import Verdict
from headtohead.evaluate.reporting.checklist_fillers import FILLERS
from headtohead.evaluate.reporting.checklist_input import ChecklistInput
from headtohead.evaluate.reporting.checklist_items import CLAIM_2024, TRIPOD_AI
from headtohead.evaluate.reporting.stard_items import STARD_AI

__all__ = ["build_checklists"]

Facts = Mapping[str, Any]
LISTS = (("CLAIM 2024", CLAIM_2024), ("TRIPOD+AI", TRIPOD_AI), ("STARD-AI", STARD_AI))


def build_checklists(verdict: Verdict, config: Facts, dataset: Facts) -> list[dict[str, str]]:
    """Return one row per item of CLAIM 2024, TRIPOD+AI and STARD-AI.

    Args:
        config: the study's configuration as a mapping (`StudyConfig.model_dump()`).
        dataset: facts of the run by name; known are source, n_files, excluded (number of files refused),
            recipe (what was applied), versions, weights, families, training (a sentence per contender),
            chosen (what was chosen on inner folds), leaks (number of leaks in the split) and maps. What is
            absent stays blank: nothing is asserted that the run does not know.

    Returns:
        Rows with list, item, topic, status ("filled", "partly" or "author"), text (from the run) and
        ask (what the author must add; empty where nothing is missing).
    """
    run = ChecklistInput(verdict, config, dataset)
    return [
        _row(name, item.number, item.topic, item.key, item.ask, _text(item.key, run))
        for name, items in LISTS
        for item in items
    ]


def _row(name: str, number: str, topic: str, key: str, ask: str, text: str) -> dict[str, str]:
    done = ask.startswith("Nothing more")
    status = "author" if not text else "filled" if done else "partly"
    blank = f"Not known to the run: {topic.lower()}. Write it." if key and not text and done else ask
    return {
        "list": name,
        "item": number,
        "topic": topic,
        "status": status,
        "text": text,
        "ask": "" if status == "filled" and ask == "Nothing more." else blank,
    }


def _text(key: str, run: ChecklistInput) -> str:
    return FILLERS[key](run) if key else ""
