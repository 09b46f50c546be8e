"""ROC curves and confusion tables of the report."""

from __future__ import annotations

import numpy as np

from headtohead.stats.metrics.roc_curves import roc_points


def test_the_points_of_a_curve_are_scikit_learns() -> None:
    from sklearn.metrics import roc_curve

    rng = np.random.default_rng(0)
    label = rng.integers(0, 2, 90)
    score = np.round(0.4 * label + rng.random(90), 1)
    false, true, cut = roc_points(score, label == 1)
    theirs = roc_curve(label, score, drop_intermediate=False)
    np.testing.assert_allclose(false, theirs[0])
    np.testing.assert_allclose(true, theirs[1])
    np.testing.assert_allclose(cut[1:], theirs[2][1:])
