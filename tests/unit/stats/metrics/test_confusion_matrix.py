"""Metrics of the confusion matrix."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.inter_rater import cohens_kappa
from tests.unit.stats.builders import apart, rounded_pair

from headtohead.stats.metrics.replicates import metric_values


def test_kappa_is_statsmodels() -> None:
    a, _ = rounded_pair()
    called = (a.prob[:, 1] >= 0.5).astype(int)
    table = np.zeros((2, 2))
    np.add.at(table, (a.label, called), 1)
    found = metric_values([a], np.ones((30, 1)), ["kappa"], ("no", "yes"))["kappa"][0]
    assert found == pytest.approx(cohens_kappa(table).kappa)
    planted = [np.trace(table) / 150, 2 * np.trace(table) / 150 - 1, cohens_kappa(table[:, ::-1]).kappa]
    assert apart(found, planted, least=0.01)
