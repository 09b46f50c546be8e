"""bf16 trains only where the machine has it and gradients agree; what was asked for is an error or a sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from headtohead.core.errors import PrecisionError, UsageError
from headtohead.training import mixed_precision as module
from headtohead.training.mixed_precision import checked_bf16, pick_device
from headtohead.training.network.classifier import Classifier

X, Y = torch.rand(6, 3, 8, 8, generator=torch.Generator().manual_seed(0)), torch.arange(6) % 2


class Plain(nn.Module):
    """One convolution, whose bf16 is close to its fp32."""

    def __init__(self, distort: Callable[[Tensor], Tensor] | None = None) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.conv = nn.Conv2d(3, 8, 3)
        self.distort = distort

    def forward(self, x: Tensor) -> Tensor:
        rows = self.conv(x).float().mean(dim=(2, 3))
        if self.distort is not None and torch.is_autocast_enabled("cpu"):
            rows = self.distort(rows)
        return torch.as_tensor(rows)


def classifier(distort: Callable[[Tensor], Tensor] | None = None) -> Classifier:
    return Classifier(Plain(distort), 8, 2, 0.5, 0)


@pytest.fixture(autouse=True)
def machine_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "has_bf16", lambda _: True)


def test_agreement_is_told_in_numbers(listener: Any) -> None:
    assert checked_bf16(classifier(), X, Y, "auto", listener) is True
    assert listener.infos[0].startswith("Trains in bf16: features differ by 0.00") and not listener.warnings


@pytest.mark.parametrize(
    "distort", [lambda rows: rows * 1.2, lambda rows: rows.roll(1, dims=1)], ids=["features", "gradients"]
)
def test_disagreement_goes_back_to_fp32_or_is_an_error_where_bf16_was_demanded(
    distort: Callable[[Tensor], Tensor], listener: Any
) -> None:
    assert checked_bf16(classifier(distort), X, Y, "auto", listener) is False
    assert listener.warnings[0].startswith("bf16 disagrees with fp32: features differ by ")
    assert listener.warnings[0].endswith("; trains in fp32.") and not listener.infos
    with pytest.raises(PrecisionError, match=r"Use precision fp32 or auto for this backbone\.$"):
        checked_bf16(classifier(distort), X, Y, "bf16", listener)


def test_gradients_that_turn_are_seen_though_features_agree(
    listener: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_disagreement", lambda *_: (0.0999, 0.949))
    assert checked_bf16(classifier(), X, Y, "auto", listener) is False
    monkeypatch.setattr(module, "_disagreement", lambda *_: (0.1001, 0.99))
    assert checked_bf16(classifier(), X, Y, "auto", listener) is False
    monkeypatch.setattr(module, "_disagreement", lambda *_: (0.1, 0.95))
    assert checked_bf16(classifier(), X, Y, "auto", listener) is True


def test_the_check_measures_features_and_gradients_with_dropout_off() -> None:
    net = classifier(lambda rows: rows * 1.05)
    net.train()
    error, cosine = module._disagreement(net, X, Y)
    assert error == pytest.approx(0.05, abs=0.005) and cosine > 0.99
    assert net.training, "the network is left as it was"
    assert all(parameter.grad is None for parameter in net.parameters())
    assert module._disagreement(net, X, Y) == (error, cosine), "nothing is drawn"


def test_fp32_asks_nothing_and_auto_asks_the_machine_first(
    listener: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unasked(*_: Any) -> Any:
        raise AssertionError("computed")

    monkeypatch.setattr(module, "_disagreement", unasked)
    assert checked_bf16(classifier(), X, Y, "fp32", listener) is False
    monkeypatch.setattr(module, "has_bf16", lambda _: False)
    assert checked_bf16(classifier(), X, Y, "auto", listener) is False
    with pytest.raises(AssertionError, match="computed"):
        checked_bf16(classifier(), X, Y, "bf16", listener)
    with pytest.raises(UsageError, match=r"^Got precision 'half'; expected auto, fp32 or bf16\.$"):
        checked_bf16(classifier(), X, Y, "half", listener)


@pytest.mark.parametrize(
    ("cuda", "mps", "kind"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
def test_the_device_is_the_fastest_there_is_unless_one_was_asked_for(
    cuda: bool, mps: bool, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert pick_device("auto").type == kind and pick_device("cpu").type == "cpu"


def test_only_hardware_counts_as_having_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    asked: list[Any] = []

    def supported(**how: bool) -> bool:
        asked.append(how)
        return not how["including_emulation"]

    monkeypatch.setattr(torch.cuda, "is_bf16_supported", supported)
    assert module.has_bf16(torch.device("cuda")) is True and asked == [{"including_emulation": False}]
    assert module.has_bf16(torch.device("mps")) is False
    for avx, amx in ((True, False), (False, True), (False, False)):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda avx=avx: avx)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda amx=amx: amx)
        assert module.has_bf16(torch.device("cpu")) is (avx or amx)
