"""The inverse power law of a learning curve: error = floor + scale x n^-exponent.

The form, and weights that grow with n: Figueroa et al. 2012, BMC Med Inform Decis Mak 12:8. All resamples are fitted
at once: for each exponent of a grid the other two parameters are a least-squares problem with a closed form.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["PowerLaw", "fit_power_law"]

Floats = npt.NDArray[np.float64]

# Exponents seen in practice lie between 0.1 (large networks, Hestness et al. 2017, arXiv:1712.00409) and 1 (the
# parametric rate); up to 2 leaves room for a curve that is flat at its end.
EXPONENTS = np.round(np.arange(0.1, 2.01, 0.1), 1)
FEWEST_SIZES = 3  # the law has three parameters


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """One fitted law for each resample.

    Attributes:
        floor: (m,) error that no amount of data removes, >= 0. scale: (m,) >= 0. exponent: (m,).
    """

    floor: Floats
    scale: Floats
    exponent: Floats

    def error(self, n: float) -> Floats:
        """Return the (m,) errors that are expected with n training groups."""
        return np.asarray(self.floor + self.scale * np.power(n, -self.exponent))


def fit_power_law(sizes: Floats, errors: Floats) -> PowerLaw:
    """Return the law of least weighted squares of each resample; floor and scale are not below 0.

    Args:
        sizes: (s,) numbers of training groups, at least three different ones, above 0.
        errors: (s, m) error at each size in each resample, at least 0.

    Raises:
        ValueError: fewer than three sizes.

    >>> n = np.array([50.0, 100.0, 200.0, 400.0])
    >>> law = fit_power_law(n, (0.1 + 2.0 / n)[:, None])
    >>> round(float(law.exponent[0]), 2), round(float(law.error(800)[0]), 4)
    (1.0, 0.1025)
    """
    if len(np.unique(sizes)) < FEWEST_SIZES:
        raise ValueError(f"Got {len(np.unique(sizes))} sizes; a power law needs at least {FEWEST_SIZES}.")
    # The largest sizes lie nearest to those that the law is asked about.
    weights = (sizes / sizes.sum())[:, None]
    fits = [_fixed_exponent(sizes, errors, weights, exponent) for exponent in EXPONENTS]
    floor, scale, loss = (np.stack([fit[part] for fit in fits]) for part in range(3))
    best, column = loss.argmin(axis=0), np.arange(errors.shape[1])
    return PowerLaw(floor[best, column], scale[best, column], EXPONENTS[best])


def _fixed_exponent(
    sizes: Floats, errors: Floats, weights: Floats, exponent: float
) -> tuple[Floats, Floats, Floats]:
    """Return floor, scale and weighted squared error of each resample: the best point of the allowed quadrant."""
    x = np.power(sizes, -exponent)[:, None]
    mean_x, mean_y = (weights * x).sum(axis=0), (weights * errors).sum(axis=0)
    covariance = (weights * (x - mean_x) * (errors - mean_y)).sum(axis=0)
    slope = covariance / (weights * (x - mean_x) ** 2).sum(axis=0)
    # Inside, on the edge without a floor, on the edge without a slope; outside points are moved to an edge.
    through_zero = np.maximum((weights * x * errors).sum(axis=0) / (weights * x**2).sum(axis=0), 0)
    zeros = np.zeros_like(mean_y)
    candidates = [
        (mean_y - slope * mean_x, slope),
        (zeros, through_zero),
        (np.maximum(mean_y, 0), zeros),
    ]
    losses = np.stack(
        [
            np.where(
                (floor < 0) | (scale < 0), np.inf, (weights * (floor + scale * x - errors) ** 2).sum(axis=0)
            )
            for floor, scale in candidates
        ]
    )
    best, column = losses.argmin(axis=0), np.arange(len(mean_y))
    floors, scales = (np.stack([c[part] for c in candidates]) for part in range(2))
    return floors[best, column], scales[best, column], losses[best, column]
