"""Samples and learners of the coverage study: features with known classes, and algorithms that are trained on them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from learner_settings import Setting

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Fit = Callable[[Floats, Ints, Floats, float], Floats]


def ridge(rows: Floats, labels: Ints, tests: Floats, penalty: float) -> Floats:
    """Return predictions of least squares on 0 and 1 with an L2 penalty of `penalty` per sample."""
    middle = rows.mean(axis=0)
    a, b = rows - middle, labels - labels.mean()
    n, p = a.shape
    if p <= n:
        w = np.linalg.solve(a.T @ a + penalty * n * np.eye(p), a.T @ b)
    else:
        w = a.T @ np.linalg.solve(a @ a.T + penalty * n * np.eye(n), b)
    return np.asarray((tests - middle) @ w + labels.mean())


def lda(rows: Floats, labels: Ints, tests: Floats, shrinkage: float) -> Floats:
    """Return the linear discriminant, its covariance shrunk towards the sphere."""
    means = [rows[labels == c].mean(axis=0) for c in (0, 1)]
    inside = rows - np.where(labels[:, None] == 1, means[1], means[0])
    s = inside.T @ inside / (len(rows) - 2)
    p = len(s)
    s = (1 - shrinkage) * s + shrinkage * np.trace(s) / p * np.eye(p)
    return np.asarray(tests @ np.linalg.solve(s, means[1] - means[0]))


def logistic(rows: Floats, labels: Ints, tests: Floats, penalty: float) -> Floats:
    """Return probabilities of L2 logistic regression on standardised features (C = 1 / penalty), by Newton."""
    middle, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    a, t = (rows - middle) / spread, (tests - middle) / spread
    if a.shape[1] > a.shape[0]:  # the solution lies in the span of the rows
        values, vectors = np.linalg.eigh(a @ a.T)
        keep = values > 1e-9 * values[-1]
        root = np.sqrt(values[keep])
        t = t @ (a.T @ (vectors[:, keep] / root))
        a = vectors[:, keep] * root
    a = np.c_[a, np.ones(len(a))]
    theta = np.zeros(a.shape[1])
    ridge_ = np.full(a.shape[1], penalty)
    ridge_[-1] = 1e-8
    for _ in range(15):
        q = 1 / (1 + np.exp(-(a @ theta)))
        step = np.linalg.solve(
            (a * (q * (1 - q))[:, None]).T @ a + np.diag(ridge_), a.T @ (q - labels) + ridge_ * theta
        )
        theta -= step
        if np.abs(step).max() < 1e-3:
            break
    return np.asarray(1 / (1 + np.exp(-np.clip(t @ theta[:-1] + theta[-1], -30, 30))))


def knn(rows: Floats, labels: Ints, tests: Floats, k: float) -> Floats:
    """Return the share of positive ones among the k nearest."""
    distance = (rows**2).sum(axis=1) - 2 * tests @ rows.T
    return np.asarray(labels[np.argpartition(distance, int(k), axis=1)[:, : int(k)]].mean(axis=1))


def tree(rows: Floats, labels: Ints, tests: Floats, depth: float) -> Floats:
    """Return probabilities of one small tree with at least five samples a leaf."""
    from sklearn.tree import DecisionTreeClassifier

    model = DecisionTreeClassifier(max_depth=int(depth), min_samples_leaf=5, random_state=0).fit(rows, labels)
    return np.asarray(model.predict_proba(tests)[:, 1])


def lasso(rows: Floats, labels: Ints, tests: Floats, share: float) -> Floats:
    """Return predictions of the Lasso at `share` of the smallest penalty that selects nothing."""
    from sklearn.linear_model import Lasso

    middle = rows.mean(axis=0)
    a, b = rows - middle, labels - labels.mean()
    alpha = share * float(np.abs(a.T @ b).max()) / len(a)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ConvergenceWarning: 200 rounds are this learner's definition
        model = Lasso(alpha=alpha, fit_intercept=False, max_iter=200, tol=1e-3).fit(a, b)
    return np.asarray((tests - middle) @ model.coef_ + labels.mean())


LEARNERS: dict[str, Fit] = {
    "ridge": ridge,
    "lda": lda,
    "logistic": logistic,
    "knn": knn,
    "tree": tree,
    "lasso": lasso,
}


def split(rng: np.random.Generator, kinds: Ints, group: Ints, k: int, repeats: int) -> Ints:
    """Return (R, n) folds of groups, stratified by the groups' kinds."""
    found = []
    for _ in range(repeats):
        fold, placed = np.empty(len(kinds), dtype=np.int64), 0
        for c in np.unique(kinds):
            index = np.flatnonzero(kinds == c)
            rng.shuffle(index)
            fold[index] = (np.arange(len(index)) + placed) % k
            placed += len(index)
        found.append(fold[group])
    return np.array(found)


def sample(rng: np.random.Generator, s: Setting) -> tuple[list[Floats], Ints, Ints, Ints]:
    """Return the features of both contenders, labels, groups and the groups' kinds."""
    sizes = np.full(s.groups, s.size)
    sizes[: s.giants] = s.giant
    group = np.repeat(np.arange(s.groups), sizes)
    if s.mixed:
        label = (rng.random(len(group)) < s.prevalence).astype(np.int64)
        label[:2] = (0, 1)
        kinds = np.bincount(group, label, s.groups).astype(np.int64)
    else:
        kinds = (np.arange(s.groups) < max(2, round(s.prevalence * s.groups))).astype(np.int64)
        if s.giants:
            kinds[: s.giants] = np.arange(s.giants) % 2
        label = kinds[group]
    n, p = len(group), s.features
    spread = np.ones(p) if s.spectrum == "flat" else 1 / np.arange(1, p + 1)
    spread = np.sqrt(spread / spread.mean())
    towards = np.sqrt(spread) if s.signal == "dense" else (np.arange(p) < 5).astype(np.float64)
    towards = towards / math.sqrt(float((towards**2 / spread**2).sum()))

    def noise() -> Floats:
        if s.size == 1 and not s.giants:
            return rng.normal(size=(n, p))
        return math.sqrt(0.5) * (rng.normal(size=(s.groups, p))[group] + rng.normal(size=(n, p)))

    scale = np.sqrt(rng.chisquare(5, n) / 5)[:, None] if s.heavy else 1.0
    common = noise() if s.copies else 0.0
    sets = []
    for place in range(2):
        own = math.sqrt(s.copies) * common + math.sqrt(1 - s.copies) * noise()
        distance = s.distance * (1 + s.gain * place)
        sets.append(own * spread / scale + np.outer(label - 0.5, distance * towards))
    return sets, label, group, kinds


REAL: dict[str, Floats] = {}
"""Rows "X" and labels "y" of the features that were given; filled by each worker process."""


def real_sample(rng: np.random.Generator, s: Setting) -> tuple[list[Floats], Ints, Ints, Ints]:
    """Return noisy copies of real feature rows: a row drawn with replacement, common noise, own noise.

    Principal components of standardised features; the smoothed set of images is the population. Rows drawn
    twice differ by the common noise (half of a component's standard deviation) and are kept in one group.
    """
    rows, y = REAL["X"], REAL["y"].astype(np.int64)
    counts = (round(s.prevalence * s.groups), s.groups - round(s.prevalence * s.groups))
    index = np.concatenate(
        [rng.choice(np.flatnonzero(y == c), m) for c, m in ((1, counts[0]), (0, counts[1]))]
    )
    _, group = np.unique(index, return_inverse=True)
    base = rows[index, : s.features] + 0.5 * rng.normal(size=(len(index), s.features))
    sets = [base + s.distance * rng.normal(size=base.shape) for _ in range(2)]
    label = y[index]
    kinds = (np.bincount(group, label) > 0).astype(np.int64)
    return sets, label, group, kinds


def predictions(
    rng: np.random.Generator, s: Setting, data: tuple[list[Floats], Ints, Ints, Ints]
) -> tuple[Floats, Ints]:
    """Return out-of-fold scores (2, R, n) and folds (R, n)."""
    sets, label, group, kinds = data
    fold = split(rng, kinds, group, s.folds, s.repeats)
    scores, fit = np.empty((2, s.repeats, len(label))), LEARNERS[s.learner]
    for r in range(s.repeats):
        for k in range(s.folds):
            test = fold[r] == k
            for place, rows in enumerate(sets):
                scores[place, r, test] = fit(rows[~test], label[~test], rows[test], s.strength)
    return scores, fold
