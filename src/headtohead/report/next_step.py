"""The command that makes a model of a run's contender, as the terminal and the page print it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from headtohead.core.records import Verdict
from headtohead.report.tables.direction import metric_sign

__all__ = ["train_command"]


def train_command(verdict: Verdict, contenders: Sequence[str], run: str) -> str | None:
    """Return the command that trains the contender with the best score on the primary metric.

    Args:
        verdict: of the run.
        contenders: of the run, without baselines.
        run: the run folder, as the user writes it.

    Returns:
        the command in one line, or None where no contender has a score.
    """
    sign = metric_sign(verdict.metric)
    values = {
        score.contender: sign * score.value
        for score in verdict.scores
        if score.metric == verdict.metric and score.value is not None and score.contender in contenders
    }
    if not values:
        return None
    best = max(values, key=values.__getitem__)
    words = ["headtohead", "train", "--from", run, "--contender", best, "--out", f"{run}-model"]
    refused = any(c.verdict == "refused" and best in (c.a, c.b) for c in verdict.comparisons)
    return shlex.join([*words, *(["--accept-refused"] if refused else [])])
