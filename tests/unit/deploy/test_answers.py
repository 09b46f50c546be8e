"""What a model answers from given logits: labels at the threshold, sets, and no answer where there is none."""

from __future__ import annotations

import functools
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from tests.planting.memory import draw_head
from tests.planting.stored import png
from tests.planting.tiny_model import tiny_model

from headtohead.core.errors import UnknownNameError, UsageError
from headtohead.deploy.bundle.records import BundleCalibration, NamedThreshold, VennAbersSteps
from headtohead.deploy.model import DeployedModel
from headtohead.deploy.prediction import ImagePrediction

CONTENT = png(draw_head(np.random.default_rng(0), lesion=True))[1]
PLAIN = BundleCalibration(learnt_from="nothing", n_lines=0, n_groups=0)
STEPS = VennAbersSteps(levels=(0.2, 0.6), low=(0.0, 0.5), high=(0.5, 1.0))


class Fixed:
    """A runtime that gives the logits that it was made with."""

    name = "fixed"

    def __init__(self, *rows: tuple[float, ...]) -> None:
        self.rows = np.array(rows, np.float32)

    def forward(self, *inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return self.rows[: len(inputs[0])]


@functools.cache
def whole() -> DeployedModel:
    """Return the tiny model that all others differ from."""
    return tiny_model()


def model(*rows: tuple[float, ...], calibration: BundleCalibration = PLAIN, **config: Any) -> DeployedModel:
    base = whole()
    made = replace(base, calibration=calibration, config=base.config.model_copy(update=config))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that this runtime gives no features
        return made.with_runtime(Fixed(*rows))


def log(*shares: float) -> tuple[float, ...]:
    return tuple(float(np.log(share)) for share in shares)


def answers(one: DeployedModel, n: int = 1, **options: Any) -> list[ImagePrediction]:
    return one.predict_bytes([(f"{i}.png", CONTENT) for i in range(n)], **options)


@pytest.mark.parametrize(("p", "label"), [(0.46, "no"), (0.48, "yes"), (0.9, "yes"), (0.1, "no")])
def test_the_label_is_decided_at_the_models_threshold(p: float, label: str) -> None:
    (found,) = answers(model(log(1 - p, p)))
    assert found.threshold == 0.47 and found.predicted == label
    assert found.probabilities == pytest.approx({"no": 1 - p, "yes": p}, abs=1e-6)


def test_a_probability_on_the_threshold_itself_is_positive() -> None:
    one = model((0.0, 0.0))
    assert [a.predicted for a in answers(one, threshold=0.5)] == ["yes"]
    assert [a.predicted for a in answers(one, threshold=0.500001)] == ["no"]
    assert [a.predicted for a in answers(one, threshold=0.0)] == ["yes"]


def test_of_three_classes_the_most_probable_is_said_and_no_threshold() -> None:
    one = model(log(0.3, 0.3, 0.4), classes=("a", "b", "c"), positive=None)
    (found,) = answers(one)
    assert (found.predicted, found.threshold) == ("c", None)
    with pytest.raises(UsageError, match="tiny has 3 classes; a threshold is for two"):
        answers(one, threshold=0.5)


def test_thresholds_by_name_and_number() -> None:
    named = (NamedThreshold(name="sensitive", value=0.2, chosen_for="t", chosen_on="t"),)
    one = model((0.0, 0.0), thresholds=named, default_threshold=None)
    assert [one.threshold(wanted) for wanted in (None, "sensitive", 0.3, "0.3", 0, 1)] == [
        0.5,
        0.2,
        0.3,
        0.3,
        0,
        1,
    ]
    for wrong in (-0.1, 1.1, "nan", "inf"):
        with pytest.raises(UsageError, match="expected a probability from 0 to 1"):
            one.threshold(wrong)
    with pytest.raises(UnknownNameError, match="Unknown threshold 'sensitiv'; did you mean 'sensitive'"):
        one.threshold("sensitiv")


@pytest.mark.parametrize(
    "calibration", [PLAIN, PLAIN.model_copy(update={"method": "venn-abers", "venn_abers": STEPS})]
)
@pytest.mark.parametrize("logits", [(float("nan"), 1.0), (float("nan"), float("nan"))])
def test_an_output_that_is_no_number_is_an_error_and_no_answer(
    calibration: BundleCalibration, logits: tuple[float, float]
) -> None:
    one = model(log(0.2, 0.8), logits, calibration=calibration)
    with np.errstate(invalid="ignore"):
        good, bad = answers(one, 2)
    assert good.error is None and good.predicted == "yes"
    assert bad.error == "the network's output is not finite"
    assert bad.predicted is None and bad.probabilities == {} and bad.set == ()


@pytest.mark.parametrize(
    ("p", "members", "abstains"),
    [(0.7, ("yes",), False), (0.5, ("no", "yes"), True), (0.2, ("no",), False)],
)
def test_the_model_abstains_where_its_set_is_not_one_class(
    p: float, members: tuple[str, ...], abstains: bool
) -> None:
    calibration = PLAIN.model_copy(update={"quantiles": {"no": 0.55, "yes": 0.55}})
    (found,) = answers(model(log(1 - p, p), calibration=calibration))
    assert (found.set, found.abstains) == (members, abstains)


def test_an_empty_set_abstains_and_no_quantiles_do_not() -> None:
    narrow = PLAIN.model_copy(update={"quantiles": {"no": 0.1, "yes": 0.1}})
    (found,) = answers(model((0.0, 0.0), calibration=narrow))
    assert found.set == () and found.abstains
    (found,) = answers(model((0.0, 0.0)))
    assert found.set == () and not found.abstains


def test_answers_stay_with_their_files_where_some_cannot_be_read() -> None:
    one = model(log(0.9, 0.1), log(0.1, 0.9))
    found = one.predict_bytes([("bad", b"x"), ("a", CONTENT), ("worse", b""), ("b", CONTENT)])
    assert [(a.path, a.predicted) for a in found] == [
        ("bad", None),
        ("a", "no"),
        ("worse", None),
        ("b", "yes"),
    ]
    assert found[0].flags == ("unreadable",) and len(found[0].sha256) == 64 and found[0].error
    assert one.predict_bytes([]) == []
    assert [a.path for a in one.predict_bytes([("bad", b"x")])] == ["bad"]


def test_a_runtime_without_features_is_warned_of_only_where_they_are_needed() -> None:
    made = whole()
    with pytest.warns(UserWarning, match="fixed has no forward_features, so the guard of tiny cannot flag"):
        made.with_runtime(Fixed((0.0, 0.0)))
    plain = replace(made, guard_tensors={})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert plain.with_runtime(Fixed((0.0, 0.0))).runtime.name == "fixed"


def test_a_wrong_threshold_is_told_before_any_image(tmp_path: Any) -> None:
    with pytest.raises(UnknownNameError, match="Unknown threshold 'x'"):
        model((0.0, 0.0)).predict([tmp_path], threshold="x")


def test_the_text_of_a_model_says_what_it_is_for() -> None:
    assert repr(whole()) == (
        "DeployedModel(tiny, no, yes, abababababab; Research use only; not a medical device.)"
    )
