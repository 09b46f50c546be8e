"""Hit rate, mass, distance and AUPRC of maps whose quality is known."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import average_precision_score

from headtohead.explain.faithfulness.localisation import centred_blob, localise, random_map


def planted() -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    mask = np.zeros((60, 80), bool)
    mask[40:50, 60:72] = True
    return mask


def test_a_perfect_map_and_its_reverse() -> None:
    mask = planted()
    good, bad = localise(mask.astype(float), mask), localise(-mask.astype(float), mask)
    assert good.hit and good.mass == 1.0 and good.auprc == 1.0 and good.distance < 0.02
    assert not bad.hit and bad.mass == 0.0 and bad.auprc <= mask.mean()


def test_figures_are_those_of_the_definitions() -> None:
    mask, found = planted(), np.random.default_rng(0).normal(size=(60, 80))
    one = localise(found, mask)
    positive = found * (found > 0)
    assert np.isclose(one.mass, positive[40:50, 60:72].sum() / positive.sum())
    assert np.isclose(one.auprc, average_precision_score(mask.ravel(), found.ravel()))
    assert np.isclose(one.area, 120 / 4800)


def test_the_baselines_know_nothing_of_the_place() -> None:
    mask, rng = planted(), np.random.default_rng(1)
    lifts = [localise(random_map((60, 80), rng), mask) for _ in range(40)]
    assert 0.5 < np.mean([one.mass / one.area for one in lifts]) < 1.5
    row, column = np.unravel_index(int(centred_blob((60, 80)).argmax()), (60, 80))
    assert int(row) in (29, 30) and int(column) in (39, 40)
