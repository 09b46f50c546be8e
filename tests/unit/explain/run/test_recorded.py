"""A map sums to what the run recorded: rounding gets a name, and anything larger is refused."""

from __future__ import annotations

import numpy as np
import pytest

from headtohead.core.errors import RunFolderError
from headtohead.explain.attribution import Attribution
from headtohead.explain.run.recorded import as_recorded


def own(log_odds: float) -> Attribution:
    return Attribution(np.full((2, 2), log_odds / 4), 1, log_odds, 0.0)


def test_an_exact_map_stays_as_it_is() -> None:
    for gap in (0.0, 9e-5, -9e-5):
        found = as_recorded([own(1.0)], 1.0 + gap, "a.png", "net")
        assert found.log_odds == 1.0 and found.elsewhere == {}


@pytest.mark.parametrize(
    ("made", "recorded"), [(1.0, 1.2), (1.0, 0.76), (-0.1, 0.1), (10.0, 10.9), (-10.0, -10.9), (1.0, 1.0002)]
)
def test_rounding_becomes_a_part_of_its_own(made: float, recorded: float) -> None:
    found = as_recorded([own(made)], recorded, "a.png", "net")
    assert found.log_odds == recorded
    assert found.elsewhere == {"rounding of the features": pytest.approx(recorded - made)}
    assert (found.offset or 0) + found.localised + found.not_localised == pytest.approx(recorded)


@pytest.mark.parametrize(
    ("made", "recorded"), [(1.0, 1.26), (1.0, 0.74), (-0.2, 0.2), (10.0, 11.2), (-10.0, -8.9)]
)
def test_a_larger_gap_means_other_weights(made: float, recorded: float) -> None:
    with pytest.raises(RunFolderError) as caught:
        as_recorded([own(made)], recorded, "a.png", "net")
    assert str(caught.value).startswith(
        f"net gives a.png log-odds of {made:+.3f}; the run recorded {recorded:+.3f}."
    )


def test_several_repeats_are_compared_as_their_mean_probability() -> None:
    p = np.mean([1 / (1 + np.exp(-2.0)), 1 / (1 + np.exp(1.0))])
    recorded = float(np.log(p / (1 - p)))
    found = as_recorded([own(2.0), own(-1.0)], recorded, "a.png", "net")
    assert found.log_odds == pytest.approx(recorded)
    assert "rounding of the features" not in found.elsewhere and "mean of probabilities" in found.elsewhere
