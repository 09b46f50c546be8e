"""The choice of runtime and arithmetic, with networks that are off by a known amount."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from headtohead.backbones.features import decision
from headtohead.backbones.features.decision import decide, ready
from headtohead.core.errors import HeadToHeadError, PrecisionError

IMAGES = np.random.default_rng(0).normal(size=(8, 3, 4, 4)).astype(np.float32)
IDENTITY = {key: key for key in ("architecture", "weights", "kind", "batch", "versions", "arithmetic")}


@dataclass
class Network:
    """Flattens its images; `off` is the relative error of what it computes."""

    name: str
    off: float = 0.0

    def to(self, dtype: Any) -> Network:
        return Network(f"{self.name} in {dtype}", LOSS[dtype])


LOSS: dict[Any, float] = {}


@dataclass
class Work:
    options: Any
    device: Any = field(default_factory=lambda: torch.device("cpu"))
    record: Any = field(default_factory=lambda: SimpleNamespace(name="net", input_size=4, model_args={}))
    batch: int = 8
    lines: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)

    @property
    def reporter(self) -> Any:
        return SimpleNamespace(info=self.lines.append)

    def load(self, precision: str) -> Any:
        self.loads.append(precision)
        return Network(f"torch {precision}")


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Work]:
    """Return a maker of an extraction on a machine whose runtime loses so much in each precision."""

    def other(losses: dict[str, float | None]) -> Callable[..., Network]:
        def build(work: Work, runtime: str, precision: str, *rest: Any) -> Network:
            loss = losses[precision]
            if loss is None:
                raise HeadToHeadError("no such operation")
            return Network(f"{runtime} {precision}", loss)

        return build

    def forward(network: Network, inputs: np.ndarray, kind: str, batch: int) -> np.ndarray:
        return inputs.reshape(len(inputs), -1) * np.float32(1 + network.off)

    def work(
        runtime: str = "auto",
        precision: str = "auto",
        *,
        fast: str = "fp32",
        losses: Any = None,
        half: float = 0.0,
    ) -> Work:
        monkeypatch.setattr(decision, "forward_in_batches", forward)
        monkeypatch.setattr(decision, "fast_precision", lambda device: fast)
        monkeypatch.setattr(decision, "_other", other(losses or {}))
        LOSS.update({torch.bfloat16: half, torch.float16: half})
        return Work(SimpleNamespace(runtime=runtime, precision=precision, kind="last"))

    return work


def chosen(work: Work, planned: str) -> tuple[str, dict[str, Any]]:
    network, facts = decide(work, lambda: IMAGES, IDENTITY, planned)
    return str(network.name), facts


def test_the_fastest_that_agrees_is_taken(make: Callable[..., Work]) -> None:
    name, facts = chosen(make(fast="bf16", losses={"bf16": 0.01, "fp32": 0.0}), "openvino")
    assert name == "openvino bf16" and (facts["runtime"], facts["precision"]) == ("openvino", "bf16")
    assert facts["check"]["relative_error"] == pytest.approx(0.01, rel=1e-3)
    assert facts["precision_note"].startswith("openvino in bf16 against torch in fp32: relative error 0.0100")


def test_one_that_is_off_is_passed_over_and_noted(make: Callable[..., Work]) -> None:
    work = make(fast="bf16", losses={"bf16": 0.2, "fp32": 1e-5})
    name, facts = chosen(work, "openvino")
    assert name == "openvino fp32" and work.lines == []
    assert "net by openvino in bf16 does not agree with fp32" in facts["precision_note"]
    assert facts["precision_note"].index("in bf16") < facts["precision_note"].index(
        "openvino in fp32 against"
    )


def test_in_fp32_another_runtime_must_be_all_but_equal(make: Callable[..., Work]) -> None:
    work = make(losses={"fp32": 0.01})  # would do in bf16
    name, facts = chosen(work, "openvino")
    assert (name, facts["runtime"], facts["check"]) == ("torch fp32", "torch", None)
    (line,) = work.lines
    assert line.endswith("Going on without it.") and "net by openvino in fp32 does not agree" in line
    assert "cpu has no faster arithmetic" in facts["precision_note"] and line[:40] in facts["precision_note"]


def test_onnx_is_asked_in_fp32_alone(make: Callable[..., Work]) -> None:
    assert chosen(make(fast="bf16", losses={"fp32": 0.0}), "onnx")[0] == "onnx fp32"


def test_a_precision_that_was_named_is_the_only_one_tried(make: Callable[..., Work]) -> None:
    assert chosen(make(precision="fp32", fast="bf16", losses={"fp32": 0.0}), "openvino")[0] == "openvino fp32"
    with pytest.raises(PrecisionError, match=r"in bf16 does not agree.* Use --runtime torch or auto\."):
        chosen(make("openvino", "bf16", losses={"bf16": 0.2, "fp32": 0.0}), "openvino")


def test_a_network_that_cannot_be_converted_is_an_error_only_where_it_was_asked_for(
    make: Callable[..., Work],
) -> None:
    with pytest.raises(HeadToHeadError, match="no such operation"):
        chosen(make("openvino", losses={"fp32": None}), "openvino")
    work = make(losses={"fp32": None})
    assert chosen(work, "openvino")[0] == "torch fp32"
    assert work.lines == ["openvino in fp32: no such operation Going on without it."]


def test_torch_in_its_fast_arithmetic_where_that_agrees(make: Callable[..., Work]) -> None:
    work = make(fast="bf16", half=0.01)
    name, facts = chosen(work, "torch")
    assert name == "torch fp32 in torch.bfloat16" and facts["precision"] == "bf16" and work.loads == ["fp32"]


def test_rounded_weights_are_loaded_again_where_it_does_not(make: Callable[..., Work]) -> None:
    work = make(fast="bf16", half=0.2)
    name, facts = chosen(work, "torch")
    assert (name, facts["precision"]) == ("torch fp32", "fp32")
    assert work.loads == ["fp32", "fp32"] and facts["check"]["relative_error"] == pytest.approx(0.2, rel=1e-3)
    assert work.lines[0].startswith("net in bf16 does not agree") and work.lines[0].endswith(
        "Going on in fp32."
    )
    with pytest.raises(
        PrecisionError, match=r"net in bf16 does not agree.* Use precision 'fp32' or 'auto'\."
    ):
        chosen(make(precision="bf16", half=0.2), "torch")


def test_fp32_asked_for_is_not_checked(make: Callable[..., Work]) -> None:
    name, facts = chosen(make(precision="fp32", fast="bf16", half=0.9), "torch")
    assert name == "torch fp32" and (facts["precision_note"], facts["check"]) == ("asked for", None)


def test_what_was_decided_before_is_taken_without_a_check(make: Callable[..., Work]) -> None:
    work = make(losses={"bf16": 0.9})
    network = ready(work, {"runtime": "openvino", "precision": "bf16"}, IDENTITY)
    assert network.name == "openvino bf16"
    ready(work, {"precision": "bf16"}, IDENTITY)  # of before there were runtimes
    assert work.loads == ["bf16"]
