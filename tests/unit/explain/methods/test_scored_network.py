"""A network with a head as one score, against softmax; heads in the mean; methods by name."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy.special import log_softmax, logsumexp

from headtohead.backbones.catalog import resolve
from headtohead.core.errors import UnknownNameError
from headtohead.explain.linear_head import LinearHead
from headtohead.explain.methods.registry import METHODS, attribute, check_method
from headtohead.explain.methods.scored_network import BATCH, ScoredNetwork, mean_head

RECORD = resolve("efficientnet-lite0").model_copy(update={"input_size": 16})


class Means(torch.nn.Module):
    """Three features: the means of the channels."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(1))
        self.sizes: list[int] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.sizes.append(len(x))
        return self.scale * x.mean(dim=(2, 3))


def head(k: int, seed: int = 0) -> LinearHead:
    rng = np.random.default_rng(seed)
    return LinearHead(rng.normal(size=(k, 3)), rng.normal(size=3), rng.normal(size=k))


def images(n: int) -> list[npt.NDArray[np.float32]]:
    rng = np.random.default_rng(1)
    return [rng.random((20, 30, 3)).astype(np.float32) for _ in range(n)]


@pytest.mark.parametrize("target", [0, 1])
def test_two_classes(target: int) -> None:
    x = torch.randn(5, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    one = ScoredNetwork(Means(), RECORD, head(1), target)
    expected = head(1).scores(x.mean(dim=(2, 3)).numpy())[:, 0]
    np.testing.assert_allclose(one.log_odds(x).detach().numpy(), expected if target else -expected, rtol=1e-5)


@pytest.mark.parametrize("target", [0, 2, 3])
def test_more_classes_are_one_against_all_others(target: int) -> None:
    x = torch.randn(5, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    scores = head(4).scores(x.mean(dim=(2, 3)).numpy())
    log_p = log_softmax(scores, axis=1)
    expected = log_p[:, target] - logsumexp(np.delete(log_p, target, axis=1), axis=1)
    found = ScoredNetwork(Means(), RECORD, head(4), target).log_odds(x).detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_images_are_scored_in_batches_without_a_gradient_and_in_order() -> None:
    network = Means()
    one = ScoredNetwork(network, RECORD, head(1), 1)
    found = one.of_pixels(images(BATCH + 3))
    assert network.sizes == [BATCH, 3] and found.shape == (BATCH + 3,)
    alone = [float(one.of_pixels([image])[0]) for image in images(BATCH + 3)]
    np.testing.assert_allclose(found, alone, rtol=1e-5)
    assert one.input_of(images(1)[0]).shape == (1, 3, 16, 16)


def test_the_score_can_be_differentiated() -> None:
    x = torch.zeros(1, 3, 16, 16, requires_grad=True)
    (slope,) = torch.autograd.grad(ScoredNetwork(Means(), RECORD, head(1), 1).log_odds(x).sum(), x)
    np.testing.assert_allclose(slope[0, :, 0, 0].numpy(), head(1).weights[0] / 256, rtol=1e-5)


def test_the_mean_head_has_the_mean_scores_whatever_their_average_images() -> None:
    heads = [head(2, seed) for seed in range(4)]
    rows = np.random.default_rng(5).normal(size=(6, 3))
    expected = np.mean([one.scores(rows) for one in heads], axis=0)
    np.testing.assert_allclose(mean_head(heads).scores(rows), expected)
    np.testing.assert_allclose(mean_head(heads[:1]).scores(rows), heads[0].scores(rows))


def test_a_map_holds_the_log_odds_of_the_image_as_it_is() -> None:
    one = ScoredNetwork(Means(), RECORD, head(1), 1)
    found = attribute("occlusion", one, images(1)[0])
    assert found.log_odds == pytest.approx(float(one.of_pixels(images(1))[0]))
    assert found.grid.shape == (14, 14) and found.target == 1 and not found.is_sum


def test_methods_are_known_by_their_own_names() -> None:
    assert all(name == method.name and method.help for name, method in METHODS.items())
    assert {name for name, method in METHODS.items() if method.make is None} == {
        "contributions", "integrated-contributions",
    }  # fmt: skip
    with pytest.raises(UnknownNameError, match="Unknown method 'grad-cam'; did you mean 'gradcam'"):
        check_method("grad-cam")
