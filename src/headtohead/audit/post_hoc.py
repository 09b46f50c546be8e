"""What the audit could ask but not answer before contenders had run: H2H305 and H2H402, answered from their lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.audit.check import Observation, count_outcomes, finding, sort_by_severity
from headtohead.audit.checks.labels import find_label_errors
from headtohead.audit.checks.shortcuts import compare_with_shortcuts
from headtohead.audit.registry import get_check
from headtohead.core.records import Finding
from headtohead.stats.intervals.auroc_bootstrap import AurocInterval

__all__ = ["update_post_hoc"]


def update_post_hoc(
    record: dict[str, Any],
    *,
    best: tuple[str, float] | None,
    ids: Sequence[str],
    rows: npt.NDArray[np.float64],
    labels: npt.NDArray[np.int64],
) -> dict[str, Any]:
    """Return the audit's record with the two questions answered; what the user set aside stays so.

    Args:
        record: the content of `audit.json`.
        best: (name, AUROC) of the best contender, or None where none has an AUROC.
        ids: (n,) samples that were scored; rows: (n, k) their out-of-fold probabilities, the mean of
            the contenders; labels: (n,) class indices.
    """
    findings = [Finding.model_validate(one) for one in record["findings"]]
    home = {one: name for name, members in record["groups"]["shared"].items() for one in members}
    # groups of one are not in the record
    groups = np.array([home.get(one, one) for one in ids], dtype=object)
    answers = {"H2H402": find_label_errors(np.array(ids, dtype=object), rows, labels, groups)}
    if best is not None:
        answers["H2H305"] = compare_with_shortcuts(best, _shortcuts(findings))
    done = sort_by_severity(_replaced(one, answers, best) for one in findings)
    updated = [finding.model_dump(mode="json") for finding in done]
    return {**record, "findings": updated, "counts": count_outcomes(done)}


def _shortcuts(findings: Sequence[Finding]) -> dict[str, AurocInterval]:
    return {one.data["probe"]: AurocInterval(**one.data["auroc"]) for one in findings if "probe" in one.data}


def _replaced(one: Finding, answers: dict[str, Observation], best: tuple[str, float] | None) -> Finding:
    if one.code in answers and one.outcome != "ignored":
        return finding(get_check(one.code), answers[one.code])
    if "probe" in one.data and best is not None:
        shown = {**one.data, "best_contender": {"name": best[0], "auroc": best[1]}}
        return one.model_copy(update={"data": shown})
    return one
