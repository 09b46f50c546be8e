"""From settings to a training: how the head begins, what is folded and frozen, and networks that cannot drop paths."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from tests.planting.finetuned import Blobs, Tiny, short
from torch import nn

from headtohead.backbones.catalog import resolve
from headtohead.core.errors import NoEffectError
from headtohead.core.progress import QUIET
from headtohead.training.data_loader import get_augmenter
from headtohead.training.logistic import fit_probe
from headtohead.training.network.classifier import START_C
from headtohead.training.records import Subset
from headtohead.training.setup import TrainingSetup, loader

PART = Subset(np.arange(0, 60, 2), np.repeat([0, 1], [20, 10]).astype(np.int64))


def started(augment: str = "none", part: Subset = PART, **changes: Any) -> Any:
    setup = TrainingSetup(Tiny, Blobs(60), get_augmenter(augment), short(**changes), "cpu", "fp32")
    return setup.start(part, seed=3, k=2, reporter=QUIET)


def test_a_probe_gives_the_head_its_first_weights() -> None:
    training = started()
    rows = training.features(PART.indices)
    expected = fit_probe(rows, PART.labels, START_C).predict_proba(rows)
    np.testing.assert_allclose(training.predict(PART.indices), expected, atol=1e-4)


def test_flipped_images_take_part_in_the_first_probe_where_they_are_sound() -> None:
    training = started("light")
    rows = training.features(PART.indices)
    turned = training.features(PART.indices, lambda _, pixels: pixels[:, ::-1])
    assert not np.allclose(rows, turned)
    probe = fit_probe(np.concatenate([rows, turned]), np.tile(PART.labels, 2), START_C)
    np.testing.assert_allclose(training.net.mean.numpy(), probe.mean, atol=1e-5)
    np.testing.assert_allclose(
        training.net.linear.weight.detach().numpy()[1], probe.weights[0] / 2, atol=1e-5
    )


def test_a_random_head_begins_at_the_class_frequencies() -> None:
    training = started(head_start="random")
    assert training.net.linear.bias.detach().numpy() == pytest.approx(
        [np.log(2) / 2, -np.log(2) / 2], abs=1e-6
    )
    found = training.predict(PART.indices).mean(axis=0)
    np.testing.assert_allclose(found, [2 / 3, 1 / 3], atol=0.05)


def test_frozen_statistics_are_folded_and_free_ones_are_not() -> None:
    frozen, free = started(), started(batch_norm="train")
    assert "forward" in vars(frozen.net.backbone.stem[0])
    assert "forward" not in vars(free.net.backbone.stem[0])
    assert isinstance(frozen.net.backbone.stem[1], nn.BatchNorm2d)


def test_the_depth_decides_what_the_optimiser_gets() -> None:
    every = sum(p.numel() for p in started().learning)
    top = sum(p.numel() for p in started(depth="partial:1").learning)
    vectors = sum(p.numel() for p in started(depth="bitfit", layer_decay=1.0).learning)
    tiny = Tiny(0)
    head = 32 * 2 + 2
    assert every == sum(p.numel() for p in tiny.parameters()) + head
    assert top == sum(p.numel() for p in tiny.top.parameters()) + head
    assert vectors == sum(p.numel() for p in tiny.parameters() if p.ndim == 1) + head


def test_one_image_is_enough_to_look_at() -> None:
    part = Subset(np.array([4]), np.array([1]))
    training = started(part=part, head_start="random")
    assert training.predict(np.array([4])).shape == (1, 2)


class Straight(nn.Module):
    """A network without branches."""

    n_features = 4


def test_stochastic_depth_is_refused_where_nothing_could_be_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    record = resolve("scratch:test_resnet")
    said = rf"^{record.name} has no branches that stochastic depth could drop; set drop_path = 0\.$"
    monkeypatch.setattr("headtohead.backbones.load.load_backbone", lambda *_, **__: Straight())
    assert isinstance(loader(record)(0, 0.0), Straight)
    with pytest.raises(NoEffectError, match=said):
        loader(record)(0, 0.1)

    def refuses(*_: Any, **__: Any) -> Any:
        raise TypeError("unexpected keyword argument 'drop_path_rate'")

    monkeypatch.setattr("headtohead.backbones.load.load_backbone", refuses)
    with pytest.raises(NoEffectError, match=said):
        loader(record)(0, 0.1)
    with pytest.raises(TypeError, match="unexpected keyword"):
        loader(record)(0, 0.0)


def test_the_rate_of_stochastic_depth_reaches_the_network() -> None:
    from timm.layers.drop import DropPath

    net = loader(resolve("scratch:test_vit"))(0, 0.2)
    rates = [layer.drop_prob for layer in net.modules() if isinstance(layer, DropPath)]
    assert max(rates) == pytest.approx(0.2) and torch.is_tensor(next(net.parameters()))
