"""Classifiers that never see the organ: what they reach is what the set gives away for nothing.

Each probe is a small classifier on features that hold no medical content (the file's own facts, a
16 x 16 thumbnail, the border, the background), judged on grouped folds with an interval over
groups. The study runs the file-facts probe as one more contender in its own outer folds, through
`file_fact_features` and `make_classifier`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import InsufficientDataError
from headtohead.core.parallel import single_threaded_blas
from headtohead.stats.intervals.auroc_bootstrap import AurocInterval, bootstrap_auroc

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from headtohead.audit.descriptors.image_pass import ImageSummaries
    from headtohead.data.dataset import Dataset

__all__ = [
    "ShortcutProbe",
    "file_fact_features",
    "make_classifier",
    "out_of_fold",
    "run_shortcut_probe",
    "thumbnail_features",
]

FEWEST = 5
"""Groups that each class needs for a grouped probe."""

TREES = 50
"""Of the file-facts classifier. On brain MRI 30 to 150 have AUROCs within 0.004 of one another; time grows alike."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ShortcutProbe:
    """What one shortcut reached.

    Attributes:
        interval: AUROC (macro one-vs-rest beyond two classes) with its 95 % interval over groups.
        probabilities: (n, k) out-of-fold.
        curve: (false positive rate, sensitivity) points of the positive class, for two classes.
    """

    interval: AurocInterval
    probabilities: Floats
    curve: tuple[tuple[float, float], ...]


def file_fact_features(dataset: Dataset) -> tuple[Floats, tuple[str, ...]]:
    """Return what is known of each file without looking at a pixel.

    Width, height, aspect, bytes and bytes per pixel (logarithms), and one column for each stored
    mode, content format and suffix that occurs. The vocabulary is taken from all samples, which
    needs no label.

    Args:
        dataset: its samples' records are read, no file is opened.

    Returns:
        X (n, d) float64 and the d column names.
    """
    samples = dataset.samples
    width = np.array([s.width for s in samples], dtype=np.float64)
    height = np.array([s.height for s in samples], dtype=np.float64)
    size = np.array([max(1, s.n_bytes) for s in samples], dtype=np.float64)
    columns = {
        "log_width": np.log(width),
        "log_height": np.log(height),
        "log_aspect": np.log(width / height),
        "log_bytes": np.log(size),
        "log_bytes_per_pixel": np.log(size / (width * height)),
    }
    for field in ("mode", "format", "suffix"):
        values = [str(getattr(s, field)) for s in samples]
        for value in sorted(set(values)):
            columns[f"{field}={value}"] = np.array([v == value for v in values], dtype=np.float64)
    return np.column_stack(list(columns.values())), tuple(columns)


def thumbnail_features(images: ImageSummaries) -> Floats:
    """Return the (n, 256) grey values, 0 to 1, of 16 x 16 thumbnails; shape and detail are gone."""
    return images.stack("thumbnail") / 255.0


def make_classifier(seed: int, kind: str = "facts") -> Pipeline:
    """Return an unfitted classifier of a shortcut, with `fit(X, y)` and `predict_proba(X)`.

    Args:
        seed: of its own random choices.
        kind: "facts" for few mixed columns (extremely randomised trees: cut-offs on sizes matter), "pixels" for
            many alike (standardise, principal components, logistic regression).

    >>> X, y = np.eye(8).repeat(4, axis=0), np.tile([0, 0, 1, 1], 8)
    >>> make_classifier(0).fit(X, y).predict_proba(X).shape
    (32, 2)
    """
    from sklearn.decomposition import PCA
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if kind == "facts":
        trees = ExtraTreesClassifier(TREES, min_samples_leaf=3, max_features=None, random_state=seed)
        return make_pipeline(StandardScaler(), trees)
    logistic = LogisticRegression(C=0.1, max_iter=2000)
    # a share of the variance takes all components, which the randomised solver does not find
    return make_pipeline(PCA(0.95, svd_solver="full"), StandardScaler(), logistic)


def out_of_fold(
    features: Floats, labels: Ints, groups: npt.NDArray[Any], *, kind: str = "facts", seed: int = 0
) -> Floats:
    """Return (n, k) probabilities from models that did not see the sample's group.

    Args:
        features: (n, d).
        labels: (n,) class indices 0..k-1.
        groups: (n,) samples of one group are never on both sides.
        kind: of classifier, see `make_classifier`.
        seed: of folds and classifier.

    Raises:
        InsufficientDataError: a class has fewer than five groups, so five grouped folds cannot be made.
    """
    n_classes = int(labels.max()) + 1
    per_class = [len(set(groups[labels == c].tolist())) for c in range(n_classes)]
    if n_classes < 2 or min(per_class) < FEWEST:
        raise InsufficientDataError(
            f"A grouped probe needs two classes with {FEWEST} groups each; got {per_class} groups by class."
        )
    rows = np.full((len(labels), n_classes), np.nan)
    with single_threaded_blas():
        for train, test in _folds(labels.astype(np.int64).tobytes(), tuple(groups.tolist()), seed):
            rows[test] = 0.0  # stays for a class that the training part lacks
            if not np.ptp(features[train], axis=0).any():
                # Nothing varies, so nothing can be learned but how often each class occurs.
                rows[test] = np.bincount(labels[train], minlength=n_classes) / len(train)
                continue
            model = make_classifier(seed, kind).fit(features[train], labels[train])
            rows[np.ix_(test, model.classes_)] = model.predict_proba(features[test])
    return rows


@lru_cache(maxsize=2)
def _folds(labels: bytes, groups: tuple[Any, ...], seed: int) -> tuple[tuple[Ints, Ints], ...]:
    """Return train and test rows of each fold: the probes of one audit share them, and finding them takes long."""
    from sklearn.model_selection import StratifiedGroupKFold

    known = np.frombuffer(labels, np.int64)
    folds = StratifiedGroupKFold(FEWEST, shuffle=True, random_state=seed)
    return tuple(folds.split(known[:, None], known, np.array(groups, dtype=object)))


def run_shortcut_probe(
    features: Floats, labels: Ints, groups: npt.NDArray[Any], *, kind: str = "facts", seed: int = 0
) -> ShortcutProbe:
    """Judge one shortcut: out-of-fold probabilities, AUROC and its interval over groups.

    Args:
        features: (n, d).
        labels: (n,) class indices.
        groups: (n,).
        kind: of classifier, see `make_classifier`.
        seed: of folds, classifier and bootstrap.
    """
    rows = out_of_fold(features, labels, groups, kind=kind, seed=seed)
    interval = bootstrap_auroc(rows, labels, groups, seed=seed)
    return ShortcutProbe(interval, rows, _curve(rows, labels))


def _curve(rows: Floats, labels: Ints, points: int = 60) -> tuple[tuple[float, float], ...]:
    if rows.shape[1] != 2:
        return ()
    from sklearn.metrics import roc_curve

    fpr, tpr, _ = roc_curve(labels, rows[:, 1])
    keep = np.unique(np.linspace(0, len(fpr) - 1, min(points, len(fpr))).astype(int))
    return tuple((round(float(fpr[i]), 4), round(float(tpr[i]), 4)) for i in keep)
