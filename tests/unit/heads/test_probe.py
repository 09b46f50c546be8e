"""The probe is scikit-learn's logistic regression, chooses C inside, and never sees the test part."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from headtohead.core.errors import HeadToHeadError
from headtohead.core.progress import QUIET
from headtohead.heads.base import FoldJob, SampleLabels
from headtohead.heads.linear_probe import ProbeHead, inner_probabilities
from headtohead.training.logistic import fit_probe
from headtohead.training.records import fit_metrics

Floats = npt.NDArray[np.float64]


def problem(n: int, d: int, k: int, seed: int = 0) -> tuple[Floats, npt.NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % k
    rows = rng.normal(size=(n, d))
    rows[:, :k] += 1.5 * np.eye(k)[labels]
    return rows, labels.astype(np.int64)


def reference(
    rows: Floats, labels: npt.NDArray[np.int64], c: float, asked: Floats, weight: str | None = None
) -> Floats:
    """Return scikit-learn's probabilities, each problem solved to far more digits than are compared."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    exact = LogisticRegression(C=c, solver="newton-cholesky", max_iter=20000, tol=1e-12, class_weight=weight)
    found: Floats = make_pipeline(StandardScaler(), exact).fit(rows, labels).predict_proba(asked)
    return found


SHAPES = [(60, 200, 2), (200, 10, 2), (60, 200, 3), (120, 8, 4), (80, 80, 2), (81, 80, 3)]


@pytest.mark.parametrize(("n", "d", "k"), SHAPES)
@pytest.mark.parametrize("c", [1e-4, 1e-2, 1.0])
def test_equals_sklearn_on_standardised_rows(n: int, d: int, k: int, c: float) -> None:
    rows, labels = problem(n, d, k)
    asked = np.random.default_rng(9).normal(size=(20, d))
    ours = fit_probe(rows, labels, c).predict_proba(asked)
    np.testing.assert_allclose(ours, reference(rows, labels, c, asked), atol=3e-6)


@pytest.mark.parametrize(("n", "d", "k"), [(90, 200, 2), (300, 40, 3)])
def test_equals_sklearn_on_correlated_and_repeated_rows(n: int, d: int, k: int) -> None:
    """As features of networks are: a few strong directions, copies of images, columns that never vary."""
    rng = np.random.default_rng(4)
    base, labels = problem(n, 12, k)
    rows = np.maximum(base @ (rng.normal(size=(12, d)) * np.geomspace(30, 0.01, d)) + 1e-3, 0)
    rows, labels = np.concatenate([rows, rows[: n // 3]]), np.concatenate([labels, labels[: n // 3]])
    for c in (1e-3, 1.0):
        ours = fit_probe(rows, labels, c).predict_proba(rows)
        np.testing.assert_allclose(ours, reference(rows, labels, c, rows), atol=1e-5)


@pytest.mark.parametrize(("n", "d", "k"), [(90, 200, 2), (300, 20, 3)])
def test_balanced_weights_are_sklearns_before_the_frequencies_are_put_back(n: int, d: int, k: int) -> None:
    rows, labels = problem(n, d, k)
    kept = np.flatnonzero((labels != 1) | (np.arange(n) % 4 == 1))
    rows, labels = rows[kept], labels[kept]
    ours = fit_probe(rows, labels, 0.05, balanced=True).predict_proba(rows)
    odds = reference(rows, labels, 0.05, rows, "balanced") * np.bincount(labels)
    np.testing.assert_allclose(ours, odds / odds.sum(axis=1, keepdims=True), atol=3e-6)


@pytest.mark.parametrize("d", [12, 300])
def test_inner_folds_that_share_a_factorisation_equal_fits_of_their_own(d: int) -> None:
    rows, labels = problem(150, d, 3)
    parts = np.arange(150) % 5
    folds = [(np.flatnonzero(parts != f), np.flatnonzero(parts == f)) for f in range(5)]
    together = inner_probabilities(rows, labels, folds, (1e-3, 1.0), 3)
    for c, found in together.items():
        for fit, validation in folds:
            alone = reference(rows[fit], labels[fit], c, rows[validation])
            np.testing.assert_allclose(found[validation], alone, atol=3e-6)


def test_no_digit_depends_on_the_number_of_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, labels = problem(150, 300, 2)
    parts = np.arange(150) % 5
    folds = [(np.flatnonzero(parts != f), np.flatnonzero(parts == f)) for f in range(5)]
    found = []
    for cores in ("1", "4"):
        monkeypatch.setenv("OMP_NUM_THREADS", cores)
        found.append(inner_probabilities(rows, labels, folds, (1e-2, 1.0), 2))
    for c in (1e-2, 1.0):
        np.testing.assert_array_equal(found[0][c], found[1][c])


def test_features_beyond_the_factored_size_are_fitted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("design", "solver"):
        monkeypatch.setattr(f"headtohead.training.logistic.{module}.FACTORED", 5)
    rows, labels = problem(200, 10, 3)
    ours = fit_probe(rows, labels, 0.1).predict_proba(rows)
    np.testing.assert_allclose(ours, reference(rows, labels, 0.1, rows), atol=3e-6)


def test_says_what_is_wrong_with_the_rows() -> None:
    rows, labels = problem(40, 5, 2)
    with pytest.raises(HeadToHeadError, match=r"every class .* \[40\]"):
        fit_probe(rows, np.zeros(40, np.int64), 1.0)
    with pytest.raises(HeadToHeadError, match=r"every class .* \[20, 0, 20\]"):
        fit_probe(rows, 2 * labels, 1.0)
    rows[3, 2] = np.nan
    with pytest.raises(HeadToHeadError, match="1 of 5 features are not finite"):
        fit_probe(rows, labels, 1.0)


def test_a_constant_column_does_no_harm() -> None:
    rows, labels = problem(40, 5, 2)
    rows[:, 4] = 7.0
    assert np.isfinite(fit_probe(rows, labels, 1.0).predict_proba(rows)).all()


def cell(
    n: int, groups: npt.NDArray[np.int64], k: int, labels: npt.NDArray[np.int64]
) -> tuple[FoldJob, SampleLabels]:
    test = np.flatnonzero(groups % 4 == 0)
    train = np.setdiff1d(np.arange(n), test)
    data = SampleLabels(labels, groups.astype(str).astype(object), tuple(f"c{i}" for i in range(k)))
    return FoldJob(0, 0, train, test, seed=5), data


def test_what_is_scored_cannot_reach_the_choice(tmp_path: Path) -> None:
    rows, labels = problem(120, 30, 2)
    one, data = cell(120, np.arange(120) // 2, 2, labels)
    first = ProbeHead(lambda: rows).fit_predict(one, data, tmp_path, QUIET)
    spoiled = labels.copy()
    spoiled[one.test] = 1 - spoiled[one.test]
    other = SampleLabels(spoiled, data.groups, data.classes)
    second = ProbeHead(lambda: rows).fit_predict(one, other, tmp_path, QUIET)
    np.testing.assert_array_equal(first.probabilities, second.probabilities)
    assert first.chosen == second.chosen


def test_permuted_labels_get_chance(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    rows, _ = problem(400, 60, 2)
    labels = rng.permutation(np.arange(400) % 2).astype(np.int64)
    one, data = cell(400, np.arange(400) // 2, 2, labels)
    result = ProbeHead(lambda: rows).fit_predict(one, data, tmp_path, QUIET)
    found = fit_metrics(labels[one.test], result.probabilities)
    assert found.accuracy is not None
    assert abs(found.accuracy - 0.5) < 0.15


def test_inner_probabilities_come_from_models_that_did_not_see_the_group(tmp_path: Path) -> None:
    """Twins share rows and group; labels are noise. A model that saw the twin would be right."""
    rng = np.random.default_rng(1)
    rows = np.repeat(rng.normal(size=(60, 200)), 2, axis=0)
    labels = np.repeat(rng.permutation(np.arange(60) % 2), 2).astype(np.int64)
    one, data = cell(120, np.arange(120) // 2, 2, labels)
    result = ProbeHead(lambda: rows, (1.0,)).fit_predict(one, data, tmp_path, QUIET)
    inner = fit_metrics(labels[one.train], result.inner_probabilities).accuracy
    assert result.train.accuracy is not None and inner is not None
    assert result.train.accuracy > 0.8
    assert inner < 0.7
