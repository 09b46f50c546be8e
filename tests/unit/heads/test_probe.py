"""The probe is scikit-learn's logistic regression, chooses C inside, and never sees the test part."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from headtohead.core.progress import QUIET
from headtohead.heads.base import FoldJob, SampleLabels
from headtohead.heads.linear_probe import ProbeHead
from headtohead.training.logistic import fit_probe
from headtohead.training.records import fit_metrics

Floats = npt.NDArray[np.float64]


def problem(n: int, d: int, k: int, seed: int = 0) -> tuple[Floats, npt.NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % k
    rows = rng.normal(size=(n, d))
    rows[:, :k] += 1.5 * np.eye(k)[labels]
    return rows, labels.astype(np.int64)


@pytest.mark.parametrize(("n", "d", "k"), [(60, 200, 2), (200, 10, 2), (60, 200, 3), (120, 8, 4)])
@pytest.mark.parametrize("c", [1e-3, 1.0])
def test_equals_sklearn_on_standardised_rows(n: int, d: int, k: int, c: float) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows, labels = problem(n, d, k)
    reference = make_pipeline(
        StandardScaler(),
        LogisticRegression(C=c, max_iter=20000, tol=1e-10),
    ).fit(rows, labels)
    asked = np.random.default_rng(9).normal(size=(20, d))
    ours = fit_probe(rows, labels, c).predict_proba(asked)
    np.testing.assert_allclose(ours, reference.predict_proba(asked), atol=2e-4)


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
