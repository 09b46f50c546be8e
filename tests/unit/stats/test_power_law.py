"""The inverse power law: known curves are found, parameters stay in range, resamples are fitted one by one."""

from __future__ import annotations

import numpy as np
import pytest

from headtohead.stats.power_law import EXPONENTS, fit_power_law

SIZES = np.array([40.0, 80.0, 120.0, 160.0])


@pytest.mark.parametrize(("floor", "scale", "exponent"), [(0.05, 1.0, 0.5), (0.0, 2.0, 0.8), (0.2, 5.0, 1.5)])
def test_a_known_law_is_found_and_extrapolated(floor: float, scale: float, exponent: float) -> None:
    errors = (floor + scale * SIZES**-exponent)[:, None]
    law = fit_power_law(SIZES, errors)
    assert law.exponent[0] == exponent
    assert law.error(320)[0] == pytest.approx(floor + scale * 320**-exponent, abs=1e-9)


def test_a_curve_that_grows_worse_is_flat_and_floor_and_scale_are_never_negative() -> None:
    rng = np.random.default_rng(0)
    errors = np.concatenate([np.array([[0.1, 0.2, 0.3, 0.4]]).T, rng.uniform(0, 0.3, (4, 50))], axis=1)
    law = fit_power_law(SIZES, errors)
    assert law.scale[0] == 0 and law.error(1e6)[0] == pytest.approx((SIZES / SIZES.sum()) @ errors[:, 0])
    assert (law.floor >= 0).all() and (law.scale >= 0).all() and set(law.exponent) <= set(EXPONENTS)


def test_no_point_of_a_fine_grid_fits_better() -> None:
    rng = np.random.default_rng(1)
    errors = rng.uniform(0.05, 0.3, (4, 20))
    law, weights = fit_power_law(SIZES, errors), (SIZES / SIZES.sum())[:, None]
    own = (weights * (np.stack([law.error(n) for n in SIZES]) - errors) ** 2).sum(axis=0)
    for exponent in EXPONENTS:
        for floor in np.linspace(0, 0.3, 31):
            for scale in np.linspace(0, 3, 31):
                other = (weights * (floor + scale * SIZES[:, None] ** -exponent - errors) ** 2).sum(axis=0)
                assert (own <= other + 1e-12).all()


def test_two_sizes_are_too_few() -> None:
    with pytest.raises(ValueError, match="at least 3"):
        fit_power_law(np.array([10.0, 20.0]), np.array([[0.2], [0.1]]))
