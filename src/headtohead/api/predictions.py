"""Judge predictions and published figures from Python."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtohead.api.arguments import names_of, path_of, reporter_for
from headtohead.core.errors import UsageError
from headtohead.core.records import Verdict
from headtohead.evaluate.published_claim import Claim

if TYPE_CHECKING:
    import pandas as pd

    from headtohead.evaluate.external_predictions import External, ReadArguments

__all__ = ["claim", "verdict"]


def claim(
    correct: int | None = None,
    total: int | None = None,
    *,
    accuracy: str | float | None = None,
    auroc: str | float | None = None,
    sensitivity: str | float | tuple[int, int] | None = None,
    specificity: str | float | tuple[int, int] | None = None,
    positives: int | None = None,
    negatives: int | None = None,
    versus: str | tuple[Any, ...] | None = None,
    paired: tuple[int, int] | None = None,
    matters: float | None = None,
    level: float = 0.95,
) -> Claim:
    """Judge a published figure: its interval, the difference from another with a test that fits it, one sentence.

    Args:
        correct: cases that were right.
        total: cases in all.
        accuracy: instead of `correct`, as the paper has it: "97.2%" or 0.972 (its last digit says how it was rounded).
        auroc: instead of a count, with `positives` and `negatives`; "0.95" may stand for 0.945 to 0.955, and all is
            covered.
        sensitivity: with `specificity`: (18, 20), or "90%" with `positives`.
        specificity: (70, 80), or "87.5%" with `negatives`.
        positives: cases of the positive class.
        negatives: cases of the negative class.
        versus: the other figure, on other cases: (43, 50) or "86%/50"; for an AUROC (0.90, 30, 70); for sensitivity
            and specificity ((17, 20), (75, 80)) or "17/20,75/80".
        paired: on the same cases: how many only the first had right, how many only the other.
        matters: the difference of shares that would matter, chosen beforehand; the number of cases needed to show it is
            then reported.
        level: confidence of the intervals, above 0.5 and below 1.

    Returns:
        the claim with its interval, test and sentence.

    Raises:
        UsageError: figures that cannot be, or that do not go together.

    >>> claim(35, 36, versus=(43, 50)).verdict
    'no_evidence'
    >>> claim(accuracy="97.2%", total=36).sentence[:14]
    '35 of 36 right'
    """
    from headtohead.evaluate.published.figures import ReportedFigures, judge

    figures = ReportedFigures(
        correct, total, accuracy, auroc, sensitivity, specificity, positives, negatives, versus, paired
    )
    return judge(figures, matters=matters, level=level)


def verdict(
    predictions: pd.DataFrame | str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    metric: str = "auroc",
    positive: str | None = None,
    baselines: str | Iterable[str] = (),
    rope: float | None = None,
    primary: str | Iterable[str] = (),
    matters: float | None = None,
    prevalence: float | None = None,
    by: str | Iterable[str] = (),
    columns: Mapping[str, str] | None = None,
    complete_cases: bool = False,
    score: str = "probability",
    ordered_classes: str | Iterable[str] = (),
    per: str | None = None,
    level: float = 0.95,
    n_boot: int = 2000,
    seed: int = 0,
    quiet: bool = False,
) -> Verdict:
    """Compare models on predictions made elsewhere, with the statistics of `compare`.

    Args:
        predictions: a data frame, or CSV, Parquet, JSON or XLSX files: sample, label, score or prob_<class>; and, if
            known, group, model, repeat, fold. Or wide: one column of probabilities per model.
        metric: the primary metric, fixed beforehand.
        positive: the positive one of two classes; needed where neither name reads as negative.
        baselines: models that are controls.
        rope: half-width of the margin of equivalence, in units of the metric.
        primary: two models that are compared first, at the full level; the other pairs follow only if these differ.
        matters: the difference that would matter: how many patients are needed to show it is then reported.
        prevalence: share of positives where the model is to be used, in (0, 1).
        by: subgroup columns.
        columns: role (sample, label, score, group, model, repeat, fold) -> column, where its name does not say it.
        complete_cases: leave out, for all models, samples that lack a label, a number or a model's line.
        score: what the numbers are: "probability", "percent", "logit" (natural), or "ordinal" for grades and other
            scores of which only the order counts; what needs probabilities is then not defined.
        ordered_classes: three or more classes that are grades, all of them, from the least to the most; weighted kappa
            (`kappa_linear`, `kappa_quadratic`) is then reported and may be the metric.
        per: "case" (or "case:mean") scores each group once, by the mean probability of its samples; "case:max" by that
            of the sample with the highest probability of the positive class.
        level: confidence of the intervals.
        n_boot: bootstrap resamples of groups.
        seed: of the resampling.
        quiet: show no progress.

    Returns:
        scores with intervals, paired comparisons, and the answer in one sentence.

    Raises:
        HeadToHeadError: predictions that cannot be read or used; a metric that is not defined for them.
    """
    from headtohead.evaluate.external.class_order import in_stated_order
    from headtohead.evaluate.external.scales import as_scale
    from headtohead.evaluate.external_predictions import per_case
    from headtohead.evaluate.verdict import VerdictConfig, compute_verdict

    subgroups = list(_names(by, "by"))
    how: ReadArguments = {
        "positive": positive, "by": subgroups, "columns": dict(columns or {}), "complete_cases": complete_cases,
        "score": as_scale(score),
    }  # fmt: skip
    found = _read(predictions, how)
    if per is not None:
        found = per_case(found, per)
    ordered = _names(ordered_classes, "ordered_classes")
    config = VerdictConfig(
        classes=in_stated_order(found.classes, ordered) if ordered else found.classes, ordered=bool(ordered),
        positive=found.positive, metric=metric, baselines=_names(baselines, "baselines"), rope=rope,
        contenders=tuple(sorted(set(found.frame["contender"]))), primary=_names(primary, "primary"), matters=matters,
        unit=found.unit, ranks_only=score == "ordinal", prevalence=prevalence, level=level, n_boot=n_boot, seed=seed,
    )  # fmt: skip
    return compute_verdict(found.frame, config, by=found.by, notes=found.notes, reporter=reporter_for(quiet))


def _read(
    predictions: pd.DataFrame | str | os.PathLike[str] | Iterable[str | os.PathLike[str]], how: ReadArguments
) -> External:
    """Return the predictions of a data frame, a file or several files.

    Raises:
        UsageError: something else.
    """
    import pandas as pd

    from headtohead.evaluate.external_predictions import parse_predictions, read_predictions

    if isinstance(predictions, pd.DataFrame):
        return parse_predictions(predictions, **how)
    if isinstance(predictions, (str, os.PathLike)):
        return read_predictions([path_of(predictions, "predictions")], **how)
    if isinstance(predictions, Iterable):
        return read_predictions(_paths(predictions), **how)
    raise UsageError(f"Got predictions of type {type(predictions).__name__}; expected a data frame or paths.")


def _names(value: str | Iterable[str], what: str) -> tuple[str, ...]:
    """Return the names of a list, which may be empty, or of one text with commas."""
    given = value if isinstance(value, str) else tuple(value)
    return names_of(given, what) if given else ()


def _paths(paths: Iterable[str | os.PathLike[str]]) -> list[Path]:
    return [path_of(path, "predictions") for path in paths]
