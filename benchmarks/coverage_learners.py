"""Coverage study of learners: does the verdict's rule hold when the contenders are trained?

Two learners that are equal by construction are trained and tested by repeated grouped K-fold
cross-validation, study after study, on new samples: the same algorithm on two feature sets of one
distribution, drawn independently given the class ("copies" 0) or as noisy copies of common features
("copies" r: the correlation of the two sets within a class). So any "better" is false, and the method's
expected score is the mean over all studies. The interval and decision of `learner_rule` are counted (a test
holds the product to it), and beside them those of frozen predictions (the jackknife as it is) and of Nadeau
and Bengio.

    python benchmarks/coverage_learners.py --quick          # a few settings, 100 studies, about a minute
    python benchmarks/coverage_learners.py --set check --studies 1000 --workers 2 --out check.json
    python benchmarks/coverage_learners.py --set flips --out flips.json
    python benchmarks/coverage_learners.py --table check.json    # print the markdown table again

Sets: `design` (SLOPE was chosen on these), `check` (settings and seeds not used for any choice), `flips`
(other seeds, folds and repeats for the same sample), `folds` (numbers of folds and repeats), `ceiling`
(nearly perfect scores, few events), `gain` (one contender truly better), `drift` (no training: equal scores
whose scale drifts from fold to fold), `real` (frozen features of images, given by --features FILE.npz with
arrays X (n, p) and y (n,)).
"""

from __future__ import annotations

import argparse
import json
import math
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import learner_rule as rule
import numpy as np
import numpy.typing as npt
from scipy import stats
from threadpoolctl import threadpool_limits

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Fit = Callable[[Floats, Ints, Floats, float], Floats]
LEVEL = 0.95
POWER = 0.8  # of the oracle, which knows the true spread of the difference
CLIP = 1e-15  # as the product clips log loss


@dataclass(frozen=True, slots=True)
class Setting:
    """One kind of study.

    Attributes:
        learner: a key of LEARNERS; strength: its penalty, number of neighbours or depth.
        groups, size: patients, and images per patient (half of the noise is the patient's).
        features, distance: number, and Mahalanobis distance of the class means on all features.
        copies: correlation of the two contenders' features within a class.
        signal: "dense" or "sparse" (five features); spectrum: "flat" or "power" (1/j); heavy: t5 noise per image.
        prevalence: share of positive groups; mixed: labels within groups instead of by group.
        folds, repeats: of cross-validation. metrics: whether probabilities are judged too.
        drift: standard deviation of the second contender's shift per fold, on the logit scale ("drift" only).
        gain: by which the second contender's distance exceeds the first's (a true alternative).
    """

    learner: str
    strength: float
    groups: int
    features: int
    distance: float
    size: int = 1
    copies: float = 0.0
    signal: str = "dense"
    spectrum: str = "flat"
    heavy: bool = False
    prevalence: float = 0.4
    mixed: bool = False
    folds: int = 5
    repeats: int = 3
    metrics: bool = False
    drift: float = 0.0
    gain: float = 0.0
    seed: int = 0


# ----------------------------------------------------------------------------------------------- learners


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

# ------------------------------------------------------------------------------------------------ samples


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
    group = np.repeat(np.arange(s.groups), s.size)
    if s.mixed:
        label = (rng.random(len(group)) < s.prevalence).astype(np.int64)
        label[:2] = (0, 1)
        kinds = np.bincount(group, label, s.groups).astype(np.int64)
    else:
        kinds = (np.arange(s.groups) < max(2, round(s.prevalence * s.groups))).astype(np.int64)
        label = kinds[group]
    n, p = len(group), s.features
    spread = np.ones(p) if s.spectrum == "flat" else 1 / np.arange(1, p + 1)
    spread = np.sqrt(spread / spread.mean())
    towards = np.sqrt(spread) if s.signal == "dense" else (np.arange(p) < 5).astype(np.float64)
    towards = towards / math.sqrt(float((towards**2 / spread**2).sum()))

    def noise() -> Floats:
        if s.size == 1:
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


_REAL: dict[str, Floats] = {}


def real_sample(rng: np.random.Generator, s: Setting) -> tuple[list[Floats], Ints, Ints, Ints]:
    """Return noisy copies of real feature rows: a row drawn with replacement, common noise, own noise.

    Principal components of standardised features; the smoothed set of images is the population. Rows drawn
    twice differ by the common noise (half of a component's standard deviation) and are kept in one group.
    """
    rows, y = _REAL["X"], _REAL["y"].astype(np.int64)
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


# ------------------------------------------------------------------------------------------- what is counted


def judged(name: str, scores: Floats, label: Ints, group: Ints, fold: Ints) -> dict[str, float]:
    """Return value, half-widths and single intervals of one metric by the rule, keyed by `name`."""
    design = rule.design_of(fold)
    normal = [rule.normal_scores(p, label) for p in scores]
    if name == "auroc":
        parts = [rule.auroc_parts(p, label, group, fold) for p in scores]
    elif name == "accuracy":
        parts = [
            rule.mean_parts(((p >= 0.5) == label).astype(np.float64), group, u)
            for p, u in zip(scores, normal, strict=True)
        ]
    elif name == "balanced_accuracy":
        parts = [
            rule.recall_parts(((p >= 0.5) == label).astype(np.float64), label, group, u)
            for p, u in zip(scores, normal, strict=True)
        ]
    elif name == "brier":
        parts = [rule.mean_parts((p - label) ** 2, group, u) for p, u in zip(scores, normal, strict=True)]
    else:
        losses = [-np.log(np.clip(np.where(label == 1, p, 1 - p), CLIP, 1)) for p in scores]
        parts = [rule.mean_parts(x, group, u) for x, u in zip(losses, normal, strict=True)]
    against = name in ("auroc", "balanced_accuracy")
    ends = [rule.estimate(p, label, group, fold, against=against) for p in parts]
    gap = rule.estimate(parts[0] - parts[1], label, group, fold, against=against)
    low, high = rule.plain_interval(gap, LEVEL)
    wide = (
        (low, high)
        if name == "log_loss"
        else rule.wider_interval(parts[0], parts[1], gap, ends[0], ends[1], LEVEL)
    )
    found = {
        "gap": gap.value,
        "low": low,
        "high": high,
        "wide_low": wide[0],
        "wide_high": wide[1],
        "frozen": gap.t(LEVEL) * math.sqrt(gap.group_variance),
        "variance": gap.group_variance,
        "factor": gap.factor,
        "share": math.nan if gap.share is None else gap.share,
        "nadeau_bengio": corrected(scores, label, fold, design) if name == "auroc" else math.nan,
    }
    for place, one in enumerate(ends):
        down, up = rule.score_interval(one, LEVEL) if name != "log_loss" else rule.plain_interval(one, LEVEL)
        found |= {
            f"value{place}": one.value,
            f"low{place}": down,
            f"high{place}": up,
            f"factor{place}": one.factor,
            f"variance{place}": one.group_variance,
            f"t{place}": one.t(LEVEL),
        }
    return {f"{name}|{key}": value for key, value in found.items()}


def corrected(scores: Floats, label: Ints, fold: Ints, design: rule.Design) -> float:
    """Return the half-width of Nadeau and Bengio's corrected t over the folds' AUROC differences."""
    values = []
    for r in range(fold.shape[0]):
        for k in np.unique(fold[r]):
            cell = fold[r] == k
            if len(np.unique(label[cell])) == 2:
                unit = np.zeros(int(cell.sum()), dtype=np.int64)
                won = [
                    rule.pair_sums(p[r, cell], label[cell], unit)[0][label[cell] == 1].sum() for p in scores
                ]
                values.append((won[0] - won[1]) / ((label[cell] == 1).sum() * (label[cell] == 0).sum()))
    spread = float(np.var(values, ddof=1)) * (1 / len(values) + design.over_train / design.folds)
    return float(stats.t.ppf((1 + LEVEL) / 2, len(values) - 1)) * math.sqrt(spread)


def study(s: Setting, index: int, kind: str) -> dict[str, float]:
    """Return everything one simulated study says."""
    rng = np.random.default_rng([s.seed, s.groups, s.features, index])
    if kind == "drift":
        return drifting(rng, s)
    data = (real_sample if kind == "real" else sample)(rng, s)
    _, label, group, _ = data
    scores, fold = predictions(rng, s, data)
    found = {f"main|{k}": v for k, v in judged("auroc", scores, label, group, fold).items()}
    found |= {f"once|{k}": v for k, v in judged("auroc", scores[:, :1], label, group, fold[:1]).items()}
    if s.metrics:
        for name in ("accuracy", "balanced_accuracy", "brier", "log_loss"):
            found |= {f"main|{k}": v for k, v in judged(name, scores, label, group, fold).items()}
    if kind == "flips":
        others = {"seed": s, "ten": replace(s, folds=10), "many": replace(s, repeats=10)}
        for name, other in others.items():
            again, fold = predictions(rng, other, data)
            found |= {f"{name}|{k}": v for k, v in judged("auroc", again, label, group, fold).items()}
    return found


def drifting(rng: np.random.Generator, s: Setting) -> dict[str, float]:
    """Return a study of fixed, equally good scores; those of the second shift from fold to fold."""
    label = (np.arange(s.groups) < round(s.prevalence * s.groups)).astype(np.int64)
    group, shared = np.arange(s.groups), rng.normal(size=s.groups)
    fold = split(rng, label, group, s.folds, s.repeats)
    scores = np.empty((2, s.repeats, s.groups))
    base = [
        s.distance * (label - 0.5) + math.sqrt(0.5) * (shared + rng.normal(size=s.groups)) for _ in range(2)
    ]
    for place in range(2):
        for r in range(s.repeats):
            scores[place, r] = base[place] + place * rng.normal(0, s.drift, s.folds)[fold[r]]
    found = {f"main|{k}": v for k, v in judged("auroc", scores, label, group, fold).items()}
    found |= {f"once|{k}": v for k, v in judged("auroc", scores[:, :1], label, group, fold[:1]).items()}
    parts = [rule.auroc_parts(p, label, group, np.zeros_like(fold)) for p in scores]  # all folds as one
    gap = rule.estimate(parts[0] - parts[1], label, group, fold)
    found |= {"pooled|gap": gap.value, "pooled|frozen": gap.t(LEVEL) * math.sqrt(gap.group_variance)}
    return found


# ------------------------------------------------------------------------------------------------- summaries


def summary(s: Setting, rows: Sequence[dict[str, float]], seconds: float) -> dict[str, Any]:
    """Return the rates over studies, each with the number of studies they rest on."""
    column = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    out: dict[str, Any] = {"setting": asdict(s), "studies": len(rows), "seconds": round(seconds, 1)}
    for block in dict.fromkeys(key.rsplit("|", 1)[0] for key in column):
        c = {key.rsplit("|", 1)[1]: v for key, v in column.items() if key.rsplit("|", 1)[0] == block}
        if block.startswith("pooled"):
            out[block] = {"frozen": _rate(np.abs(c["gap"]) > c["frozen"])}
            continue
        truth = float(c["gap"].mean()) if s.gain else 0.0
        spread = math.sqrt(float(((c["gap"] - truth) ** 2).mean()))
        gap = c["gap"] - truth
        oracle = spread * (stats.norm.ppf((1 + LEVEL) / 2) + stats.norm.ppf(POWER))
        means = (
            [float(np.concatenate([c["value0"], c["value1"]]).mean())] * 2
            if not s.gain
            else [float(c["value0"].mean()), float(c["value1"].mean())]
        )
        known = np.isfinite(c["low0"]) & np.isfinite(c["low1"])
        cover = [(c[f"low{i}"] <= means[i]) & (means[i] <= c[f"high{i}"]) for i in range(2)]
        single = np.concatenate([c["value0"] - means[0], c["value1"] - means[1]])
        up, down = c["high"] - c["gap"], c["gap"] - c["low"]
        out[block] = {
            "value": means[0],
            "better": _rate((gap > down) | (gap < -up)),
            "better_wide": _rate((c["wide_low"] - truth > 0) | (c["wide_high"] - truth < 0)),
            "frozen": _rate(np.abs(gap) > c["frozen"]),
            "nadeau_bengio": _rate(np.abs(gap) > c["nadeau_bengio"]),
            "cover": [float(np.mean([x[known].mean() for x in cover])), int(known.sum())],
            "power": float((np.mean(gap + oracle > down) + np.mean(oracle - gap > up)) / 2 / POWER),
            "power_wide": float(
                (np.mean(c["wide_low"] - truth + oracle > 0) + np.mean(oracle - c["wide_high"] + truth > 0))
                / 2
                / POWER
            ),
            "oracle_difference": oracle,
            "spread": spread,
            "true_factor": spread**2 / float(c["variance"].mean()),
            "factor": float(c["factor"].mean()),
            "share": float(c["share"].mean()),
            "true_factor_single": float((single**2).mean())
            / float(np.mean([c["variance0"], c["variance1"]])),
            "factor_single": float(np.mean([c["factor0"], c["factor1"]])),
        }
        if s.gain:
            g = c["gap"]
            out[block]["found"] = float(np.mean((c["low"] > 0) | (c["high"] < 0)))
            out[block]["oracle"] = float(np.mean(np.abs(g) > stats.norm.ppf((1 + LEVEL) / 2) * spread))
    main = {key.rsplit("|", 1)[1]: v for key, v in column.items() if key.startswith("main|auroc")}
    for name in ("once", "seed", "ten", "many"):
        other = {key.rsplit("|", 1)[1]: v for key, v in column.items() if key.startswith(f"{name}|auroc")}
        if other:
            shift = out["main|auroc"]["oracle_difference"]
            words = [
                [(d["low"] + x > 0).astype(int) - (d["high"] + x < 0) for d in (main, other)]
                for x in (0.0, shift)
            ]
            out[f"{name}|flips"] = [float(np.mean(a != b)) for a, b in words]
    return out


def _rate(hits: npt.NDArray[np.bool_]) -> list[float]:
    """Return a share with its 95 % Clopper-Pearson bounds."""
    k, n = int(hits.sum()), len(hits)
    low = float(stats.beta.ppf(0.025, k, n - k + 1)) if k else 0.0
    high = float(stats.beta.ppf(0.975, k + 1, n - k)) if k < n else 1.0
    return [k / n, low, high]


# ------------------------------------------------------------------------------------------------- settings


def design_settings() -> list[Setting]:
    """Return the settings on which SLOPE was chosen."""
    r = [
        Setting("ridge", 0.3, g, p, d)
        for g, p, d in (
            (100, 20, 1.0),
            (200, 200, 1.5),
            (60, 100, 1.8),
            (150, 400, 4.5),
            (200, 20, 1.0),
            (400, 100, 1.0),
            (100, 20, 2.5),
        )
    ]
    return [
        *r,
        Setting("ridge", 0.3, 100, 20, 1.0, copies=0.8),
        Setting("ridge", 0.3, 200, 200, 1.5, copies=0.8),
        Setting("ridge", 0.05, 200, 100, 1.5),
        Setting("lda", 0.0, 200, 20, 1.2),
        Setting("lda", 0.01, 200, 100, 2.5),
        Setting("lda", 0.01, 200, 100, 2.5, copies=0.8),
        Setting("knn", 15, 100, 20, 1.2),
        Setting("knn", 9, 200, 40, 2.0, copies=0.8),
        Setting("tree", 3, 200, 20, 1.5, signal="sparse"),
        Setting("tree", 3, 100, 20, 2.0, signal="sparse"),
        Setting("logistic", 1.0, 100, 20, 1.5, metrics=True),
        Setting("lasso", 0.5, 150, 100, 1.2, signal="sparse"),
        Setting("lasso", 0.4, 150, 100, 1.5, signal="sparse", copies=0.9),
        Setting("lasso", 0.7, 150, 50, 1.5, signal="sparse", copies=0.98),
        Setting("ridge", 0.3, 60, 100, 1.8, size=3, spectrum="power", heavy=True),
        Setting("ridge", 0.3, 500, 20, 1.5),
        Setting("ridge", 0.3, 300, 10, 2.0),
        Setting("logistic", 1.0, 500, 20, 2.2, metrics=True),
        Setting("lda", 0.0, 300, 10, 1.2),
    ]


def check_settings() -> list[Setting]:
    """Return the settings of the table: none was used to choose anything."""
    s = Setting
    plain = [
        s("ridge", 0.3, 60, 20, 1.3),
        s("ridge", 0.1, 60, 400, 5.0),
        s("ridge", 1.0, 100, 100, 2.0),
        s("ridge", 0.3, 200, 20, 2.5),
        s("ridge", 0.3, 200, 400, 2.8),
        s("ridge", 1.0, 400, 50, 1.7),
        s("ridge", 0.3, 600, 20, 1.3),
        s("ridge", 0.3, 600, 200, 3.2),
        s("ridge", 0.3, 100, 50, 1.6, copies=0.5),
        s("ridge", 0.3, 300, 40, 1.8, prevalence=0.1),
        s("ridge", 0.3, 120, 100, 2.5, spectrum="power", heavy=True),
        s("ridge", 0.3, 80, 50, 1.8, size=3),
        s("ridge", 0.3, 60, 200, 3.2, size=3, copies=0.5),
        s("ridge", 0.3, 60, 50, 2.0, size=4, mixed=True),
        s("lda", 0.0, 100, 40, 2.2),
        s("lda", 0.0, 300, 20, 2.6),
        s("lda", 0.0, 150, 100, 2.5),
        s("lda", 0.1, 400, 150, 2.5, copies=0.7),
        s("knn", 15, 200, 20, 1.6),
        s("knn", 25, 400, 40, 3.0),
        s("knn", 9, 100, 100, 2.5, copies=0.5),
        s("knn", 15, 60, 20, 2.5, size=3),
        s("tree", 3, 200, 30, 2.5, signal="sparse"),
        s("tree", 4, 400, 20, 2.0, signal="sparse", copies=0.5),
        s("tree", 2, 80, 20, 2.5, signal="sparse"),
        s("logistic", 1.0, 100, 50, 1.8, metrics=True),
        s("logistic", 10.0, 200, 60, 3.0, metrics=True),
        s("logistic", 1.0, 300, 20, 1.0, metrics=True),
        s("logistic", 10.0, 60, 50, 2.2, size=3, metrics=True),
        s("logistic", 10.0, 150, 200, 2.8, copies=0.8, metrics=True),
        s("logistic", 10.0, 300, 30, 2.0, prevalence=0.15, metrics=True),
        s("lasso", 0.3, 100, 50, 1.3, signal="sparse"),
        s("lasso", 0.5, 200, 200, 1.3, signal="sparse"),
        s("lasso", 0.4, 200, 100, 1.0, signal="sparse", copies=0.9),
        s("lasso", 0.6, 300, 50, 1.0, signal="sparse", copies=0.98),
        s("lasso", 0.8, 100, 100, 1.6, signal="sparse", copies=0.5),
        s("ridge", 0.3, 40, 30, 1.5, size=8, mixed=True),
        s("logistic", 1.0, 80, 20, 1.5, size=3, mixed=True, metrics=True),
        s("lasso", 0.3, 150, 80, 1.5, signal="sparse"),
        s("lasso", 0.2, 200, 50, 1.0, signal="sparse"),
        s("logistic", 1.0, 150, 80, 2.0),
        s("lda", 0.0, 150, 40, 1.5, copies=0.5),
    ]
    return [replace(one, seed=61) for one in plain]


def settings_of(kind: str) -> list[Setting]:
    """Return the settings of a set."""
    s = Setting
    if kind == "design":
        return design_settings()
    if kind == "check":
        return check_settings()
    if kind == "flips":
        return [
            replace(one, seed=29)
            for one in (
                s("ridge", 0.3, 100, 20, 1.3),
                s("ridge", 0.3, 200, 50, 1.6),
                s("ridge", 0.3, 100, 50, 1.6, copies=0.8),
                s("lda", 0.0, 200, 20, 2.0),
                s("knn", 15, 200, 20, 1.6),
                s("ridge", 0.3, 80, 20, 1.8, size=3),
            )
        ]
    if kind == "folds":
        base = [s("ridge", 0.3, 200, 50, 1.6), s("lda", 0.0, 200, 20, 2.0), s("knn", 15, 150, 20, 1.6)]
        return [
            replace(one, folds=k, repeats=r, seed=31)
            for one in base
            for k, r in ((2, 5), (3, 3), (5, 2), (5, 10), (10, 3))
        ]
    if kind == "ceiling":
        return [
            replace(one, seed=47)
            for one in (
                s("ridge", 0.3, 60, 10, 3.2),
                s("ridge", 0.3, 60, 50, 4.5),
                s("ridge", 0.3, 100, 20, 3.2),
                s("ridge", 0.3, 100, 20, 4.0),
                s("ridge", 0.3, 200, 20, 4.5),
                s("ridge", 0.3, 100, 20, 3.2, copies=0.7),
                s("ridge", 0.3, 60, 50, 4.5, prevalence=0.2),
                s("logistic", 1.0, 100, 50, 4.5),
                s("knn", 9, 100, 20, 3.5),
                s("ridge", 0.3, 300, 20, 3.2, prevalence=0.05),
                s("ridge", 0.3, 40, 50, 3.5, size=5),
            )
        ]
    if kind == "gain":
        return [
            replace(one, seed=37)
            for one in (
                s("ridge", 0.3, 200, 50, 1.6, gain=0.35),
                s("lda", 0.0, 300, 20, 1.5, gain=0.3),
                s("ridge", 0.3, 200, 50, 1.6, gain=0.25, copies=0.5),
                s("knn", 15, 200, 20, 1.6, gain=0.25),
                s("lasso", 0.5, 200, 50, 1.3, gain=0.3, signal="sparse"),
                s("ridge", 0.3, 80, 50, 1.8, size=3, gain=0.45),
            )
        ]
    if kind == "drift":
        return [
            s("ridge", 0.0, n, 1, 1.6, drift=d, seed=41)
            for n, d in ((200, 0.0), (200, 0.5), (200, 1.0), (200, 1.5), (500, 1.0), (100, 1.0))
        ]
    return [
        replace(s(name, strength, n, p, noise, copies=0.0, prevalence=0.6, seed=43))
        for name, strength, n, p, noise in (
            ("ridge", 1.0, 100, 30, 1.5),
            ("logistic", 10.0, 150, 30, 2.0),
            ("knn", 9, 150, 30, 1.5),
            ("lda", 0.1, 200, 60, 2.0),
            ("ridge", 1.0, 100, 60, 3.0),
        )
    ]


# ------------------------------------------------------------------------------------------------------ runs


def part(job: tuple[Setting, int, int, str, str | None]) -> list[dict[str, float]]:
    """Return a slice of one setting's studies."""
    s, start, stop, kind, features = job
    if features and not _REAL:
        loaded = np.load(features)
        rows = (loaded["X"] - loaded["X"].mean(axis=0)) / (loaded["X"].std(axis=0) + 1e-9)
        left, strengths, _ = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
        scores = left * strengths
        _REAL["X"], _REAL["y"] = scores / scores[:, :20].std(), loaded["y"]
    with threadpool_limits(limits=1):
        return [study(s, index, kind) for index in range(start, stop)]


def run(
    kind: str, studies: int, workers: int, features: str | None, out: Path | None, only: slice, budget: float
) -> list[dict[str, Any]]:
    """Return the summary of each setting; print one line each; stop a setting's studies at the time budget."""
    found = []
    chunk = 25
    with ProcessPoolExecutor(workers) as pool:
        for s in settings_of(kind)[only]:
            began, rows, start = time.perf_counter(), list[dict[str, float]](), 0
            while start < studies and (start == 0 or time.perf_counter() - began < budget):
                jobs = [
                    (s, a, min(a + chunk, studies), kind, features)
                    for a in range(start, min(start + chunk * workers, studies), chunk)
                ]
                for rows_ in pool.map(part, jobs):
                    rows += rows_
                start += chunk * workers
            one = summary(s, rows, time.perf_counter() - began)
            found.append(one)
            m = one["main|auroc"]
            print(
                f"{s.learner} n {s.groups}x{s.size} p {s.features}: {one['studies']} studies, "
                f"better {m['better'][0]:.3f}, "
                f"cover {m['cover'][0]:.3f}, power {m['power']:.2f}, "
                f"factor {m['factor']:.2f} true {m['true_factor']:.2f}, {one['seconds']:.0f} s",
                flush=True,
            )
            if out:
                out.write_text(json.dumps(found, indent=1))
    return found


def table(found: Sequence[dict[str, Any]]) -> str:
    """Return the markdown table."""
    head = (
        "learner",
        "groups",
        "per group",
        "features",
        "copies",
        "K x R",
        "AUROC",
        "studies",
        "better, %",
        "bound",
        "frozen, %",
        "N-B, %",
        "cover, %",
        "power / oracle",
        "factor",
        "true",
        "better 1 repeat, %",
        "cover 1 repeat, %",
        "power 1 repeat",
    )
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for one in found:
        s, m, o = one["setting"], one["main|auroc"], one["once|auroc"]
        cells = [
            f"{s['learner']} {s['strength']:g}",
            s["groups"],
            s["size"],
            s["features"],
            s["copies"],
            f"{s['folds']} x {s['repeats']}",
            f"{m['value']:.3f}",
            one["studies"],
            f"**{100 * m['better'][0]:.1f}**",
            f"{100 * m['better'][2]:.1f}",
            f"{100 * m['frozen'][0]:.1f}",
            f"{100 * m['nadeau_bengio'][0]:.1f}",
            f"{100 * m['cover'][0]:.1f}",
            f"{m['power']:.2f}",
            f"{m['factor']:.2f}",
            f"{m['true_factor']:.2f}",
            f"{100 * o['better'][0]:.1f}",
            f"{100 * o['cover'][0]:.1f}",
            f"{o['power']:.2f}",
        ]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument(
        "--set",
        default="check",
        choices=("design", "check", "flips", "folds", "ceiling", "gain", "drift", "real"),
    )
    words.add_argument("--studies", type=int, default=1000)
    words.add_argument("--workers", type=int, default=1)
    words.add_argument("--quick", action="store_true", help="every sixth setting, 100 studies")
    words.add_argument("--only", default=":", help="slice of the settings, such as 0:10 or ::2")
    words.add_argument(
        "--budget", type=float, default=math.inf, help="seconds per setting after which it stops"
    )
    words.add_argument("--features", help="npz file with X and y, for --set real")
    words.add_argument("--out", type=Path, help="JSON file")
    words.add_argument("--table", type=Path, nargs="+", help="print the table of these JSON files and stop")
    given = words.parse_args()
    if given.table:
        print(table([row for path in given.table for row in json.loads(path.read_text())]))
        return
    only = slice(*(int(x) if x else None for x in given.only.split(":")))
    found = run(
        given.set,
        100 if given.quick else given.studies,
        given.workers,
        given.features,
        given.out,
        slice(None, None, 6) if given.quick else only,
        given.budget,
    )
    print(table(found))


if __name__ == "__main__":
    main()
