"""Folded BatchNorm is the same function with the same gradients, or it is not folded and that is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest
import torch
from tests.planting.listener import Listener
from torch import Tensor, nn

from headtohead.backbones.catalog import resolve
from headtohead.training.data_loader import get_augmenter
from headtohead.training.network.batchnorm_folding import fold_batchnorm
from headtohead.training.settings import FinetuneSettings
from headtohead.training.setup import TrainingSetup, loader
from headtohead.training.trainer import Subset

IMAGES = torch.randn(4, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def timm_net(name: str) -> nn.Module:
    """Return a network with statistics, scales and shifts that are not the identity."""
    import timm

    torch.manual_seed(0)
    net = timm.create_model(name, num_classes=0).eval()
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for values, low, high in ((layer.running_mean, -0.5, 0.5), (layer.running_var, 0.5, 2.0)):
                assert values is not None
                nn.init.uniform_(values, low, high)
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.uniform_(layer.bias, -0.5, 0.5)
    return net


def gradients(net: nn.Module) -> tuple[Tensor, dict[str, Tensor]]:
    """Return features and the gradient of every parameter, in float64."""
    net.double().zero_grad()
    rows = net(IMAGES.double())
    rows.square().mean().backward()
    return rows.detach(), {name: p.grad.clone() for name, p in net.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("name", ["test_resnet", "test_efficientnet", "tf_efficientnet_lite0"])
def test_features_and_all_gradients_stay_the_same(name: str) -> None:
    net = timm_net(name)
    names = list(net.state_dict())
    rows, before = gradients(net)
    n = fold_batchnorm(net.float(), IMAGES, Listener())
    assert n == sum(isinstance(layer, nn.BatchNorm2d) for layer in net.modules()) > 0
    folded_rows, after = gradients(net)
    torch.testing.assert_close(folded_rows, rows, rtol=1e-9, atol=1e-12)
    assert list(net.state_dict()) == names and set(after) == set(before)
    for key, gradient in before.items():
        torch.testing.assert_close(after[key], gradient, rtol=1e-6, atol=1e-9, msg=key)


def test_folded_layers_follow_their_parameters_and_statistics() -> None:
    net, other = timm_net("test_resnet"), timm_net("test_resnet")
    assert fold_batchnorm(net, IMAGES, Listener()) > 0
    with torch.no_grad():
        for values in other.state_dict().values():
            if values.is_floating_point():
                values.mul_(1.1)
        net.load_state_dict(other.state_dict())
        torch.testing.assert_close(net(IMAGES), other(IMAGES), rtol=1e-4, atol=1e-5)


class Skipped(nn.Module):
    """A convolution whose output is read by more than the normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, 4)."""
        made = self.conv(x)
        out: Tensor = (made + self.norm(made)).mean(dim=(2, 3))
        return out


class Twice(nn.Module):
    """One normalisation behind two convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.norm = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, 4)."""
        out: Tensor = (self.norm(self.one(x)) + self.norm(self.two(x))).mean(dim=(2, 3))
        return out


@pytest.mark.parametrize(("make", "told"), [(Skipped, True), (Twice, False)])
def test_what_is_no_plain_pair_is_left_alone(make: Callable[[], nn.Module], told: bool) -> None:
    torch.manual_seed(0)
    net, said = make().eval(), Listener()
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 2.0, 3.0)
    before = net(IMAGES)
    assert fold_batchnorm(net, IMAGES, said) == 0
    assert torch.equal(net(IMAGES), before)
    assert any("not folded" in line for line in said.infos) is told


def test_a_network_without_batch_norm_is_left_alone() -> None:
    import timm

    net, said = timm.create_model("test_vit", num_classes=0), Listener()
    assert fold_batchnorm(net, torch.randn(2, 3, 160, 160), said) == 0 and not said.infos


class Noise:
    """Images of noise in memory."""

    def pixels(self, index: int) -> Any:
        """Return (64, 64)."""
        return np.random.default_rng(index).random((64, 64), dtype=np.float32)

    def normalise(self, pixels: Any) -> Any:
        """Return (3, 64, 64)."""
        return np.repeat(pixels[None], 3, axis=0)

    def number(self, index: int) -> int:
        """Return the index."""
        return index


@pytest.mark.parametrize("kept", ["frozen", "train"])
def test_a_training_folds_exactly_what_it_never_lets_learn(kept: Literal["frozen", "train"]) -> None:
    part = Subset(np.arange(8), np.arange(8) % 2)
    settings = FinetuneSettings(batch_norm=kept, head_start="random", batch=4)
    build = loader(resolve("scratch:test_efficientnet"))
    setup = TrainingSetup(build, Noise(), get_augmenter("none"), settings, device="cpu")
    training = setup.start(part, seed=0, k=2, reporter=Listener())
    norms = [layer for layer in training.net.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert norms and all(("forward" in vars(layer)) is (kept == "frozen") for layer in norms)
    deep = [m for m in training.net.modules() if isinstance(m, nn.Conv2d) and m.groups == m.in_channels > 1]
    assert deep and all("forward" in vars(layer) for layer in deep)
