"""Ensembles: the probabilities of several contenders of the same run, combined cell by cell.

Nothing is trained on what is scored: weights come from the members' inner probabilities, which are
those of models that did not see the sample's group.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import UnpairedError, UsageError, unknown_name
from headtohead.core.progress import QUIET, Reporter
from headtohead.heads.base import CellLookup, FoldJob, FoldResult, SampleLabels
from headtohead.training.records import FitMetrics, Floats, Ints, fit_metrics

__all__ = [
    "COMBINATION_RULES",
    "CombinationRule",
    "EnsembleHead",
    "combination_rule",
    "combine",
    "greedy_counts",
    "mixture_weights",
]

CombinationRule = Literal["mean", "weighted", "stacked", "greedy"]
COMBINATION_RULES: tuple[CombinationRule, ...] = get_args(CombinationRule)
Combiner = Callable[[Floats], Floats]

STACK_C = 0.1  # a strong penalty: a few members' log-odds, highly correlated, from a few hundred samples
CROSS_FOLDS = 5  # as in the inner folds of the members
MIN_PROBABILITY = 1e-6  # one confident mistake must not decide the weights
MIN_GAIN = 1e-4  # nats of log loss; below it a further member is noise


def combination_rule(word: str) -> CombinationRule:
    """Return a combination rule by its name.

    Raises:
        UnknownNameError: no such rule.

    >>> combination_rule("mean")
    'mean'
    """
    if word not in COMBINATION_RULES:
        raise unknown_name("way of joining an ensemble", word, COMBINATION_RULES)
    return word


class EnsembleHead:
    """Combine contenders of the same run into one.

    Args:
        members: names of the contenders.
        lookup: loads their finished cells.
        how: "mean", "weighted", "stacked" or "greedy".

    Raises:
        UsageError: fewer than two members.
    """

    def __init__(self, members: Sequence[str], lookup: CellLookup, how: str = "mean") -> None:
        if len(members) < 2:
            raise UsageError(f"An ensemble joins at least two contenders; got {list(members)}.")
        self._members, self._lookup, self._how = tuple(members), lookup, combination_rule(how)

    def fit_predict(
        self, job: FoldJob, data: SampleLabels, workdir: Path, reporter: Reporter = QUIET
    ) -> FoldResult:
        """Combine the members' results of this fold."""
        del workdir, reporter
        results = [self._lookup(name, job) for name in self._members]
        train = job.train
        return combine(
            results,
            self._how,
            data.labels[train],
            data.groups[train],
            seed=job.seed,
            names=self._members,
        )


def combine(
    members: Sequence[FoldResult],
    how: CombinationRule,
    labels: Ints,
    groups: npt.NDArray[Any],
    *,
    seed: int = 0,
    names: Sequence[str] = (),
) -> FoldResult:
    """Combine the results of several contenders on one fold.

    Args:
        members: their results.
        how: "mean" of the probabilities; "weighted", their mixture of greatest likelihood on the
            inner probabilities; "stacked", logistic regression on the members' log-odds there;
            "greedy", the best single member there and then, one by one, whichever helps most.
        labels, groups: (n_train,) of the fold's training part, in its order.
        seed: of the inner folds on which weights are cross-fitted.
        names: of the members, for the record of what was combined.

    Returns:
        A result whose `inner_probabilities` are cross-fitted: the weights that combine a sample's
        inner probabilities were found without its group. Without the mean's weights to find,
        "mean" needs no inner probabilities.

    Raises:
        UnpairedError: the members predict different numbers of samples or classes.
        UsageError: weights are asked for and a member has no inner probabilities.
    """
    if len({(m.probabilities.shape, m.inner_probabilities.shape) for m in members}) != 1:
        raise UnpairedError("The members of an ensemble must predict the same samples and classes of a cell.")
    test = np.stack([member.probabilities for member in members])
    inner = np.stack([member.inner_probabilities for member in members])
    names = list(names) or [f"member {i + 1}" for i in range(len(members))]
    known = np.asarray(~np.isnan(inner).any(axis=(0, 2)))
    if how != "mean":
        _require_inner(inner, names, known, labels)
    combiner, weights = _fit(how, inner[:, known], labels[known])
    joined = np.full(inner.shape[1:], np.nan)
    if known.any():
        joined[known] = _cross_fitted(how, inner[:, known], labels[known], groups[known], seed)
    chosen = {"how": how, "members": names, **weights}
    # members do not store their training predictions, so an ensemble has no training quality
    # A training on all images tests none, and scikit-learn predicts no empty table.
    joint = combiner(test) if test.shape[1] else np.empty(test.shape[1:])
    return FoldResult(joint, joined, FitMetrics(None, None), fit_metrics(labels, joined), chosen)


def mixture_weights(rows: Floats, labels: Ints, rounds: int = 500) -> Floats:
    """Return weights (m,) >= 0 with sum 1 whose mixture of probabilities has the greatest likelihood.

    The problem is concave; expectation-maximisation finds its optimum (Dempster et al. 1977).

    Args:
        rows: (m, n, k) probabilities of each member; labels: (n,).

    >>> good, poor = [[0.9, 0.1], [0.1, 0.9]], [[0.5, 0.5], [0.5, 0.5]]
    >>> mixture_weights(np.array([good, poor]), np.array([0, 1])).round(3).tolist()
    [1.0, 0.0]
    """
    picked = np.clip(rows[:, np.arange(len(labels)), labels], MIN_PROBABILITY, None)
    weights = np.full(len(rows), 1.0 / len(rows))
    for _ in range(rounds):
        shares = weights[:, None] * picked
        weights = (shares / shares.sum(axis=0)).mean(axis=1)
    return weights


def greedy_counts(rows: Floats, labels: Ints, rounds: int = 12) -> Ints:
    """Return how often each member is taken (m,): the best first, then whichever lowers the log loss most.

    Taking stops when nothing helps any more (Caruana et al. 2004, ensemble selection with replacement).

    Args:
        rows: (m, n, k) inner probabilities; labels: (n,).

    >>> good, poor = [[0.9, 0.1], [0.1, 0.9]], [[0.5, 0.5], [0.5, 0.5]]
    >>> greedy_counts(np.array([poor, good]), np.array([0, 1])).tolist()
    [0, 1]
    """
    picked = np.clip(rows[:, np.arange(len(labels)), labels], MIN_PROBABILITY, None)
    counts = np.zeros(len(rows), dtype=np.int64)
    total, best = np.zeros(len(labels)), np.inf
    for taken in range(1, rounds + 1):
        losses = -np.log((total + picked) / taken).mean(axis=1)
        member = int(losses.argmin())
        if losses[member] > best - MIN_GAIN:
            break
        best = float(losses[member])
        counts[member] += 1
        total += picked[member]
    return counts


def _fit(how: CombinationRule, rows: Floats, labels: Ints) -> tuple[Combiner, dict[str, Any]]:
    """Return how to combine (m, n, k) probabilities, and the weights that were fitted."""
    if how == "mean":
        return lambda members: np.asarray(members.mean(axis=0), dtype=np.float64), {}
    if how in ("weighted", "greedy"):
        counts = greedy_counts(rows, labels) if how == "greedy" else None
        weights = mixture_weights(rows, labels) if counts is None else counts / counts.sum()
        return lambda members: np.tensordot(weights, members, axes=1), {"weights": weights.tolist()}
    return _stack(rows, labels)


def _stack(rows: Floats, labels: Ints) -> tuple[Combiner, dict[str, Any]]:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=STACK_C, max_iter=2000).fit(_log_odds(rows), labels)
    fitted = {"C": STACK_C, "coefficients": model.coef_.tolist(), "intercept": model.intercept_.tolist()}
    return lambda members: np.asarray(model.predict_proba(_log_odds(members)), dtype=np.float64), fitted


def _log_odds(rows: Floats) -> Floats:
    """Return (n, m * k'), each member's log-odds of the later classes against the first."""
    logs = np.log(np.clip(rows, MIN_PROBABILITY, 1.0))
    odds = logs[..., 1:] - logs[..., :1]  # k - 1 numbers say all that k probabilities do
    return np.asarray(np.concatenate(list(odds), axis=1), dtype=np.float64)


def _cross_fitted(
    how: CombinationRule, rows: Floats, labels: Ints, groups: npt.NDArray[Any], seed: int
) -> Floats:
    if how == "mean":
        return np.asarray(rows.mean(axis=0), dtype=np.float64)
    from headtohead.data.splits.folds import inner_folds

    out = np.full(rows.shape[1:], np.nan)
    for fit, validation in inner_folds(labels, groups, CROSS_FOLDS, seed):
        combiner, _ = _fit(how, rows[:, fit], labels[fit])
        out[validation] = combiner(rows[:, validation])
    return out


def _require_inner(inner: Floats, names: Sequence[str], known: npt.NDArray[np.bool_], labels: Ints) -> None:
    without = [name for name, rows in zip(names, inner, strict=True) if np.isnan(rows).all()]
    if without:
        raise UsageError(
            f"Weights of an ensemble come from inner probabilities, and {', '.join(without)} has none. "
            "Use how=mean, or give the fine-tuned members inner_folds."
        )
    if len(np.unique(labels[known])) < inner.shape[2]:
        raise UsageError("The members' inner probabilities do not cover every class; use how=mean.")
