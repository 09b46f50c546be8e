"""What a run knows of itself, from which the items of a reporting checklist are filled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from headtohead.core.records import Verdict

__all__ = ["ChecklistInput", "Facts", "Filler"]

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChecklistInput:
    """What a run knows of itself: the verdict, the configuration, and facts by name."""

    verdict: Verdict
    config: Facts
    dataset: Facts


Filler = Callable[[ChecklistInput], str]
"""Returns the text of an item, "" where the run does not know it."""
