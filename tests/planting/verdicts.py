"""A verdict on planted predictions, its settings given by name."""

from __future__ import annotations

from typing import Any

import pandas as pd

from headtohead.core.records import Verdict
from headtohead.evaluate.verdict import VerdictConfig, compute_verdict

__all__ = ["judge"]


def judge(predictions: pd.DataFrame, **options: Any) -> Verdict:
    """Return the verdict; each option is a field of the configuration or an argument of `compute_verdict`."""
    fields = {name: value for name, value in options.items() if name in VerdictConfig.model_fields}
    others = {name: value for name, value in options.items() if name not in VerdictConfig.model_fields}
    return compute_verdict(predictions, VerdictConfig(**fields), **others)
