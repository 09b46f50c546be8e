"""Sums over places: parts, means and weights keep the log-odds that they add up to."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, logit

from headtohead.explain.attribution import (
    Attribution,
    log_odds,
    mean_attribution,
    of_mean_probability,
    weighted_attribution,
)


def total(one: Attribution) -> float:
    assert one.offset is not None
    return one.offset + one.localised + one.not_localised


def attribution(seed: int, side: int = 3, **changes: object) -> Attribution:
    """Return one whose parts sum to its log-odds."""
    rng = np.random.default_rng(seed)
    grid, offset, rest = rng.normal(size=(side, side)), float(rng.normal()), float(rng.normal())
    fields: dict[str, object] = {
        "grid": grid, "target": 1, "log_odds": offset + float(grid.sum()) + rest, "offset": offset,
        "elsewhere": {"before the block": rest},
    }  # fmt: skip
    return Attribution(**{**fields, **changes})  # type: ignore[arg-type]


@settings(max_examples=40, deadline=None)
@given(st.floats(1e-9, 1 - 1e-9))
def test_log_odds_are_those_of_scipy(p: float) -> None:
    assert log_odds(p) == pytest.approx(logit(p), rel=1e-6, abs=1e-12)


def test_log_odds_of_certain_predictions_are_finite_and_reversed() -> None:
    found = log_odds([0.0, 1.0, 0.5])
    assert np.isfinite(found).all() and found[2] == 0
    assert found[0] == pytest.approx(np.log(1e-12)) and found[1] == pytest.approx(-found[0], rel=1e-4)


def test_parts_of_one_name_are_added_and_the_original_stays() -> None:
    one = attribution(0)
    more = one.with_parts(before_the_block=0.5, rounding_of_the_features=0.25)
    assert set(more.elsewhere) == {"before the block", "rounding of the features"}
    assert more.not_localised == pytest.approx(one.not_localised + 0.75)
    assert one.not_localised == one.elsewhere["before the block"]


def test_a_method_without_an_offset_is_no_sum() -> None:
    assert attribution(0).is_sum and attribution(0, offset=0.0).is_sum
    assert not attribution(0, offset=None).is_sum


@pytest.mark.parametrize("sides", [(3, 3, 3), (2, 4, 4), (7, 3, 5)])
def test_the_mean_of_sums_is_the_sum_of_means(sides: tuple[int, ...]) -> None:
    items = [attribution(seed, side) for seed, side in enumerate(sides)]
    mean = mean_attribution(items)
    assert mean.grid.shape == (max(sides), max(sides))
    assert mean.log_odds == pytest.approx(np.mean([one.log_odds for one in items]))
    assert total(mean) == pytest.approx(mean.log_odds)
    assert mean.localised == pytest.approx(np.mean([one.localised for one in items]))


def test_weights_are_those_of_the_items() -> None:
    items = [attribution(1), attribution(2)]
    found = weighted_attribution(items, [2.0, -0.5])
    assert np.allclose(found.grid, 2 * items[0].grid - 0.5 * items[1].grid)
    assert found.offset == pytest.approx(2 * (items[0].offset or 0) - 0.5 * (items[1].offset or 0))
    assert total(found) == pytest.approx(found.log_odds)
    with pytest.raises(ValueError, match="shorter"):
        weighted_attribution(items, [1.0])


def test_one_item_without_an_offset_leaves_the_whole_without() -> None:
    assert mean_attribution([attribution(1), attribution(2, offset=None)]).offset is None
    assert mean_attribution([attribution(1, offset=0.0)]).offset == 0.0


def test_a_part_that_one_item_lacks_counts_as_nothing_there() -> None:
    other = attribution(2, elsewhere={"block bias": 3.0})
    found = mean_attribution([attribution(1, elsewhere={"before": 1.0}), other])
    assert found.elsewhere == {"before": 0.5, "block bias": 1.5}


def test_the_worst_share_and_every_note_once_are_kept() -> None:
    items = [
        attribution(1, high_norm_share=0.1, notes=("a", "b")),
        attribution(2, high_norm_share=0.4, notes=("b", "c")),
        attribution(3),
    ]
    found = mean_attribution(items)
    assert found.high_norm_share == 0.4 and found.notes == ("a", "b", "c")
    assert mean_attribution([attribution(1)]).high_norm_share is None


def test_the_mean_probability_is_that_of_the_heads_and_the_rest_has_a_name() -> None:
    items = [attribution(seed) for seed in range(4)]
    found = of_mean_probability(items)
    assert expit(found.log_odds) == pytest.approx(np.mean([expit(one.log_odds) for one in items]))
    assert total(found) == pytest.approx(found.log_odds)
    assert found.elsewhere["mean of probabilities"] == pytest.approx(
        found.log_odds - np.mean([one.log_odds for one in items])
    )
    assert np.allclose(found.grid, np.mean([one.grid for one in items], axis=0))


def test_one_head_alone_has_no_such_part() -> None:
    one = attribution(5)
    found = of_mean_probability([one])
    assert found.elsewhere == one.elsewhere and found.log_odds == pytest.approx(one.log_odds)
