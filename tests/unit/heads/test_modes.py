"""Modes become settings; the hybrid reads a map, learns, and begins from its seed alone."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from headtohead.backbones.catalog import resolve
from headtohead.contenders.training_modes import parse_mode
from headtohead.contenders.tuned_modes import settings_for
from headtohead.core.config import TrainConfig
from headtohead.core.errors import UsageError
from headtohead.training.data_loader import get_augmenter
from headtohead.training.network.map_transformer import FeatureMapTransformer


def test_what_was_stated_is_what_is_used() -> None:
    train = TrainConfig(epochs=7, batch=4, label_smoothing=0.2, layer_decay=0.5, workers=3, augment="mri")
    settings = settings_for(train, parse_mode("finetune"), [resolve("dinov2-small")])
    assert (settings.epochs, settings.batch, settings.label_smoothing) == (7, 4, 0.2)
    assert (settings.layer_decay, settings.workers, settings.augment) == (0.5, 3, "mri")
    assert settings.learning_rate == train.learning_rate and settings.depth == "all"


@pytest.mark.parametrize(
    ("name", "mode", "factor", "depth"),
    [
        ("efficientnet-lite0", "finetune", 5, "all"),
        ("dinov2-small", "partial:3", 1, "partial:3"),
        ("dinov2-small", "lora", 5, "lora"),
        ("dinov2-small", "bitfit", 5, "bitfit"),
        ("scratch:resnet10t", "finetune", 10, "all"),
    ],
)
def test_rates_and_depths(name: str, mode: str, factor: float, depth: str) -> None:
    settings = settings_for(TrainConfig(), parse_mode(mode), [resolve(name)])
    assert settings.learning_rate == pytest.approx(factor * TrainConfig().learning_rate)
    assert settings.depth == depth


@pytest.mark.parametrize("mode", ["probe", "partial", "partial:x", "finetune:2", "lora:1", "bitfit:1", ""])
def test_other_modes_are_refused(mode: str) -> None:
    with pytest.raises(UsageError):
        settings_for(TrainConfig(), parse_mode(mode), [resolve("dinov2-small")])


@pytest.mark.parametrize("preset", ["none", "light", "auto", "study", "mri", "xray"])
def test_presets_change_pixels_by_their_draw_alone(preset: str) -> None:
    import numpy as np

    augmenter = get_augmenter(preset)
    pixels = np.random.default_rng(0).random((32, 32)).astype(np.float32)
    before = pixels.copy()
    first = augmenter.run(np.random.default_rng(5), pixels)
    again = augmenter.run(np.random.default_rng(5), pixels)
    assert np.array_equal(pixels, before) and np.array_equal(first, again)
    assert first.shape == pixels.shape and first.dtype == np.float32
    assert first.min() >= 0 and first.max() <= 1
    assert np.array_equal(first, pixels) == (preset == "none")
    assert augmenter.flips == (preset in ("light", "auto", "mri"))


class Body(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 4, stride=4)

    def feature_map(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(x)
        return out

    def blocks(self) -> list[tuple[str, list[nn.Parameter]]]:
        return [("conv", list(self.conv.parameters()))]


def test_reader_joins_the_map_with_what_it_read() -> None:
    body = Body()
    torch.manual_seed(1)
    one = FeatureMapTransformer(body, 16, width=8, depth=1, heads=2, seed=3)
    torch.manual_seed(2)
    two: Any = FeatureMapTransformer(body, 16, width=8, depth=1, heads=2, seed=3)
    assert one.n_features == 14
    x = torch.randn(2, 3, 16, 16)
    one.eval(), two.eval()
    assert torch.equal(one(x), two(x)) and one(x).shape == (2, 14)
    swapped = x.flip(-1)
    assert not torch.allclose(one(x)[:, 6:], one(swapped)[:, 6:])  # it knows where things lie
    one(x).sum().backward()
    assert body.conv.weight.grad is not None and one.place.grad is not None
