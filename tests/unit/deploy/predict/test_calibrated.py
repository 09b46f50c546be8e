"""From logits to probabilities and sets, against scipy and against an isotonic fit made for each score."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import softmax
from sklearn.isotonic import IsotonicRegression

from headtohead.deploy.bundle.records import BundleCalibration, VennAbersSteps
from headtohead.deploy.predict.calibrated import calibrate, calibrated, conformal_set, venn_abers

STEPS = VennAbersSteps(levels=(0.2, 0.6), low=(0.0, 0.5), high=(0.5, 1.0))


def positive(*scores: float) -> list[float]:
    prob = np.array([[1 - score, score] for score in scores])
    return [float(p) for p in venn_abers(prob, STEPS)[:, 1]]


@settings(max_examples=40, deadline=None)
@given(
    arrays(np.float32, (3, 4), elements=st.floats(-80, 80, width=32)),
    st.floats(0.05, 20),
)
def test_probabilities_are_those_of_scipy(logits: npt.NDArray[np.float32], t: float) -> None:
    found = calibrate(logits, t)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, softmax(logits.astype(float) / t, axis=1), rtol=1e-9, atol=1e-300)


def test_a_temperature_moves_no_label_and_one_leaves_the_probabilities() -> None:
    logits = np.array([[0.0, 2.0, -1.0]], np.float32)
    np.testing.assert_allclose(calibrate(logits, 1.0), softmax(logits.astype(float), axis=1))
    assert calibrate(logits, 100.0).max() < 0.35 and calibrate(logits, 0.01).max() > 0.999
    shifted = calibrate(logits + 500, 2.0)
    np.testing.assert_allclose(shifted, calibrate(logits, 2.0), rtol=1e-6)


def test_a_score_between_levels_has_the_steps_around_it() -> None:
    # p0 of the level below, p1 of the level above: p1 / (1 - p0 + p1)
    assert positive(0.1, 0.2, 0.4, 0.6, 0.9) == pytest.approx(
        [0.5 / 1.5, 0.5 / 1.5, 1 / (1 - 0 + 1), 1 / (1 - 0.5 + 1), 1 / (1 - 0.5 + 1)]
    )


def isotonic(scores: npt.NDArray[np.float64], labels: npt.NDArray[np.int64], new: float, label: int) -> float:
    """Return the fit at a new score that is assumed to have a label."""
    fit = IsotonicRegression().fit(np.append(scores, new), np.append(labels, label))
    return float(fit.predict([new])[0])


@pytest.mark.parametrize("seed", range(3))
def test_the_merged_probability_is_that_of_two_isotonic_fits(seed: int) -> None:
    """Vovk, Petej and Fedorova 2015: refit with the new score labelled 0, and labelled 1."""
    rng = np.random.default_rng(seed)
    scores, labels = rng.integers(0, 7, 20) / 6, rng.integers(0, 2, 20)
    levels = np.unique(scores)
    low, high = ([isotonic(scores, labels, level, label) for level in levels] for label in (0, 1))
    steps = VennAbersSteps(levels=tuple(levels), low=tuple(low), high=tuple(high))
    for new in (0.0, 1 / 6, 0.25, 0.5, 0.9, 1.0):
        p0, p1 = (isotonic(scores, labels, new, label) for label in (0, 1))
        found = venn_abers(np.array([[1 - new, new]]), steps)
        assert found[0, 1] == pytest.approx(p1 / (1 - p0 + p1), abs=1e-9) and found.sum() == pytest.approx(1)


def test_what_is_no_number_stays_none() -> None:
    """A network whose output overflowed must not answer by the step above all levels."""
    assert np.isnan(positive(float("nan"))).all()
    calibration = BundleCalibration(
        method="venn-abers", venn_abers=STEPS, learnt_from="folds", n_lines=9, n_groups=9
    )
    with np.errstate(invalid="ignore"):
        found = calibrated(np.array([[np.nan, 1.0], [0.0, 1.0]], np.float32), calibration)
    assert np.isnan(found[0]).all() and np.isfinite(found[1]).all()


def test_the_bundle_says_which_calibration() -> None:
    logits = np.array([[0.0, 1.0]], np.float32)
    plain = BundleCalibration(temperature=2.0, learnt_from="folds", n_lines=9, n_groups=9)
    np.testing.assert_allclose(calibrated(logits, plain), calibrate(logits, 2.0))
    steps = plain.model_copy(update={"temperature": 1.0, "venn_abers": STEPS, "method": "venn-abers"})
    np.testing.assert_allclose(calibrated(logits, steps), venn_abers(calibrate(logits, 1.0), STEPS))


@pytest.mark.parametrize(
    ("prob", "found"),
    [
        ([0.5, 0.3, 0.2], ("a", "c")),  # 1 - 0.2 is the quantile of c itself
        ([0.4, 0.41, 0.19], ("a", "b")),
        ([0.39, 0.39, 0.22], ("c",)),
        ([0.0, 0.0, 1.0], ("c",)),
        ([0.39, 0.42, 0.19], ("b",)),
        ([0.399, 0.399, 0.199], ()),
    ],
)
def test_a_set_holds_each_class_within_its_own_quantile(prob: list[float], found: tuple[str, ...]) -> None:
    quantiles = {"a": 0.6, "b": 0.6, "c": 0.8}
    assert conformal_set(np.array(prob), ["a", "b", "c"], quantiles) == found


def test_rounding_does_not_push_a_class_out_of_its_set() -> None:
    assert 1 - 0.7 > 0.3, "in floating point"
    assert conformal_set(np.array([0.7, 0.3]), ["a", "b"], {"a": 0.3, "b": 0.69}) == ("a",)


def test_no_quantiles_give_no_set_and_a_missing_class_is_an_error() -> None:
    assert conformal_set(np.array([0.5, 0.5]), ["a", "b"], None) is None
    with pytest.raises(KeyError):
        conformal_set(np.array([0.5, 0.5]), ["a", "b"], {"a": 0.1})
