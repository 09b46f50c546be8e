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


def test_a_map_without_evidence_points_nowhere() -> None:
    mask = np.zeros((4, 6), bool)
    mask[0, 0] = True  # where the greatest of equals would be
    for values in (np.zeros((4, 6)), np.full((4, 6), -1.0)):
        one = localise(values, mask)
        assert not one.hit and one.mass == 0.0
        # from the middle (2, 3) to the centre of the pixel (0.5, 0.5), over the longer side
        assert np.isclose(one.distance, np.hypot(1.5, 2.5) / 6)


def test_the_distance_is_of_the_hotter_half_alone() -> None:
    mask = np.zeros((10, 20), bool)
    mask[2, 3] = True
    found = np.full((10, 20), 0.01)
    found[2, 13] = 5.0
    assert np.isclose(localise(found, mask).distance, 10 / 20)
    found[2, 3] = 5.0
    assert np.isclose(localise(found, mask).distance, 5 / 20), "equal values stay together"


def test_the_pointing_game_asks_for_the_greatest_value_alone() -> None:
    mask = np.zeros((5, 5), bool)
    mask[1:3, 1:3] = True
    found = mask * 1.0
    assert localise(found, mask).hit
    found[4, 4] = 1.5
    one = localise(found, mask)
    assert not one.hit and np.isclose(one.mass, 4 / 5.5)


def test_the_centred_blob_falls_off_by_its_width() -> None:
    blob = centred_blob((101, 201))
    assert blob[50, 100] == blob.max() == 1.0
    # one standard deviation is a quarter of the side
    assert np.isclose(blob[50, 100 + 50], np.exp(-0.5 * (50 / 201 / 0.25) ** 2))
    assert np.allclose(blob, blob[::-1]) and np.allclose(blob, blob[:, ::-1])


def test_random_maps_are_drawn_anew_and_again_by_seed() -> None:
    one, other = (random_map((30, 40), np.random.default_rng(3)) for _ in range(2))
    assert one.shape == (30, 40) and np.array_equal(one, other)
    rng = np.random.default_rng(3)
    assert not np.array_equal(random_map((30, 40), rng), random_map((30, 40), rng))
    assert (one > 0).any() and (one < 0).any()
