"""The fastest runtime that agrees with torch is taken; one that does not is dropped with a message."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from tests.planting.listener import Listener

from headtohead.core.errors import MissingExtraError, PrecisionError, UnknownNameError
from headtohead.deploy.runtimes.choice import NetworkRuntime, choose_runtime, sample_inputs

Floats = npt.NDArray[np.float32]
INPUTS = (sample_inputs(16),)


class Runtime:
    """Logits from the mean of an image, off by `error`, after `seconds`."""

    def __init__(self, name: str, error: float = 0.0, seconds: float = 0.0) -> None:
        self.name, self.error, self.seconds = name, error, seconds

    def forward(self, *inputs: Floats) -> Floats:
        batch = inputs[0]
        time.sleep(self.seconds)
        mean = batch.mean(axis=(1, 2, 3)) + np.float32(self.error)
        return np.stack([-mean, mean], axis=1)


TORCH = Runtime("torch", seconds=0.004)


def builders(**others: Runtime) -> dict[str, Callable[[], NetworkRuntime]]:
    def build(one: Runtime) -> Callable[[], NetworkRuntime]:
        return lambda: one

    return {name: build(one) for name, one in others.items()}


def test_the_fastest_that_agrees_is_taken() -> None:
    others = builders(openvino=Runtime("openvino"), onnxruntime=Runtime("onnxruntime", seconds=0.002))
    heard = Listener()
    taken, choice = choose_runtime(TORCH, others, INPUTS, reporter=heard)
    assert "Runtime: openvino (milliseconds an image: torch " in heard.infos[-1]
    assert taken.name == choice.name == "openvino"
    assert [one.name for one in choice.checked] == ["torch", "openvino", "onnxruntime"]
    assert all(one.milliseconds is not None and one.note == "" for one in choice.checked)


def test_torch_stays_where_it_is_the_fastest() -> None:
    taken, _ = choose_runtime(Runtime("torch"), builders(openvino=Runtime("openvino", seconds=0.05)), INPUTS)
    assert taken.name == "torch"


@pytest.mark.parametrize("error", [0.01, float("nan")])
def test_one_that_is_off_is_dropped_aloud(error: float) -> None:
    heard = Listener()
    taken, choice = choose_runtime(
        TORCH, builders(openvino=Runtime("openvino", error)), INPUTS, reporter=heard
    )
    assert taken.name == "torch" and "differ from torch's" in heard.warnings[0]
    assert choice.checked[1].note and choice.checked[1].milliseconds is None


def test_one_that_is_off_is_refused_where_it_was_asked_for() -> None:
    with pytest.raises(PrecisionError, match="openvino cannot be used"):
        choose_runtime(TORCH, builders(openvino=Runtime("openvino", 0.01)), INPUTS, wanted="openvino")


def test_one_that_was_asked_for_is_taken_though_slower() -> None:
    others = builders(openvino=Runtime("openvino"), onnxruntime=Runtime("onnxruntime", seconds=0.006))
    assert choose_runtime(TORCH, others, INPUTS, wanted="onnxruntime")[0].name == "onnxruntime"


def test_one_that_is_not_installed_is_left_out_and_an_error_where_it_was_asked_for() -> None:
    def missing() -> NetworkRuntime:
        raise MissingExtraError("openvino is not installed")

    heard = Listener()
    assert choose_runtime(TORCH, {"openvino": missing}, INPUTS, reporter=heard)[0].name == "torch"
    assert "not installed" in heard.infos[0] and heard.warnings == []
    with pytest.raises(MissingExtraError):
        choose_runtime(TORCH, {"openvino": missing}, INPUTS, wanted="openvino")


def test_torch_by_request_checks_nothing() -> None:
    assert choose_runtime(TORCH, {}, INPUTS, wanted="torch")[1].checked == ()


def test_an_unknown_runtime_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="openvino"):
        choose_runtime(TORCH, {}, INPUTS, wanted="opnvino")


def test_the_sample_images_are_the_same_every_time_and_differ_from_one_another() -> None:
    np.testing.assert_array_equal(sample_inputs(16), INPUTS[0])
    assert INPUTS[0].shape == (4, 3, 16, 16) and INPUTS[0].std(axis=0).mean() > 0.1
