"""Judge predictions and published figures from Python."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from headtohead.api.arguments import path_of, reporter_for
from headtohead.core.errors import UsageError
from headtohead.core.records import Verdict
from headtohead.evaluate.published_claim import Claim
from headtohead.evaluate.published_claim import claim as judge_claim

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["claim", "verdict"]


def claim(
    correct: int,
    total: int,
    *,
    versus: tuple[int, int] | None = None,
    paired: tuple[int, int] | None = None,
    level: float = 0.95,
) -> Claim:
    """Judge a published accuracy: interval, exact test, cases needed, one sentence.

    Args:
        correct: cases that were right.
        total: cases in all.
        versus: (correct, total) of the other figure, on other cases.
        paired: on the same cases: how many only the first had right, how many only the other.
        level: confidence of the intervals, above 0.5 and below 1.

    Returns:
        the claim with its interval, test and sentence.

    Raises:
        UsageError: counts that cannot be.

    >>> claim(35, 36, versus=(43, 50)).verdict
    'no_evidence'
    """
    return judge_claim(correct, total, versus=versus, paired=paired, level=level)


def verdict(
    predictions: pd.DataFrame | str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    metric: str = "auroc",
    positive: str | None = None,
    baselines: Iterable[str] = (),
    rope: float | None = None,
    prevalence: float | None = None,
    by: Iterable[str] = (),
    level: float = 0.95,
    n_boot: int = 2000,
    seed: int = 0,
    quiet: bool = False,
) -> Verdict:
    """Compare models on predictions made elsewhere, with the statistics of `compare`.

    Args:
        predictions: a data frame, or CSV or Parquet files: sample, label, score or prob_<class>; and, if known, group,
            model, repeat, fold.
        metric: the primary metric, fixed beforehand.
        positive: the positive one of two classes; needed where neither name reads as negative.
        baselines: models that are controls.
        rope: half-width of the margin of equivalence, in units of the metric.
        prevalence: share of positives where the model is to be used, in (0, 1).
        by: subgroup columns.
        level: confidence of the intervals.
        n_boot: bootstrap resamples of groups.
        seed: of the resampling.
        quiet: show no progress.

    Returns:
        scores with intervals, paired comparisons, and the answer in one sentence.

    Raises:
        HeadToHeadError: predictions that cannot be read or used; a metric that is not defined for them.
    """
    from headtohead.evaluate.external_predictions import parse_predictions, read_predictions
    from headtohead.evaluate.verdict import VerdictConfig, compute_verdict

    columns = [by] if isinstance(by, str) else list(by)
    import pandas as pd

    if isinstance(predictions, pd.DataFrame):
        found = parse_predictions(predictions, positive=positive, by=columns)
    elif isinstance(predictions, (str, os.PathLike)):
        found = read_predictions([path_of(predictions, "predictions")], positive=positive, by=columns)
    elif isinstance(predictions, Iterable):
        found = read_predictions(_paths(predictions), positive=positive, by=columns)
    else:
        raise UsageError(
            f"Got predictions of type {type(predictions).__name__}; expected a data frame or paths."
        )
    config = VerdictConfig(
        classes=found.classes, positive=found.positive, metric=metric, baselines=tuple(baselines), rope=rope,
        prevalence=prevalence, level=level, n_boot=n_boot, seed=seed,
    )  # fmt: skip
    return compute_verdict(found.frame, config, by=found.by, notes=found.notes, reporter=reporter_for(quiet))


def _paths(paths: Iterable[str | os.PathLike[str]]) -> list[Path]:
    return [path_of(path, "predictions") for path in paths]
