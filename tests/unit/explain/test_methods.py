"""Other methods: the right layer, the right places, sums where a method promises one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from tests.unit.explain.conftest import random_network

from headtohead.core.errors import UnknownNameError, UsageError
from headtohead.explain.linear_head import LinearHead
from headtohead.explain.methods.gradients import attention_gradient, gradcam, integrated_gradients, layercam
from headtohead.explain.methods.perturbation import CELLS, occlusion, rise
from headtohead.explain.methods.registry import METHODS, attribute, check_method
from headtohead.explain.methods.scored_network import ScoredNetwork, mean_head

Pixels = npt.NDArray[np.float32]


def spotted() -> Pixels:
    """Return noise with a bright square in rows 32..48 and columns 8..24 of 64."""
    pixels = np.random.default_rng(0).uniform(0.2, 0.4, (64, 64)).astype(np.float32)
    pixels[32:48, 8:24] = 1.0
    return pixels


def brightness(images: list[Pixels]) -> npt.NDArray[np.float64]:
    """Score an image by its bright pixels alone, so that the truth is known."""
    return np.array([float(np.maximum(one - 0.6, 0).sum()) for one in images])


@pytest.mark.parametrize("way", [occlusion, rise])
def test_hiding_finds_what_the_score_depends_on(way: object) -> None:
    found = way(brightness, spotted())  # type: ignore[operator]
    row, column = np.unravel_index(int(found.argmax()), found.shape)
    assert 32 <= (row + 0.5) / CELLS * 64 <= 48 and 8 <= (column + 0.5) / CELLS * 64 <= 24
    inside = found[7:11, 1:6].sum()
    assert inside > 0.5 * np.maximum(found, 0).sum()


@pytest.fixture(scope="module", params=["scratch:test_efficientnet", "scratch:test_vit"])
def scored(request: pytest.FixtureRequest) -> ScoredNetwork:
    network = random_network(request.param)
    rng = np.random.default_rng(2)
    n = network.n_features
    head = LinearHead(rng.normal(size=(1, n)), rng.normal(size=n), np.array([0.3]))
    return ScoredNetwork(network, network.record, head, 1)


@pytest.mark.parametrize("way", [gradcam, layercam])
def test_gradient_maps_have_places_and_no_sign(scored: ScoredNetwork, way: object) -> None:
    found = way(scored, spotted())  # type: ignore[operator]
    assert found.ndim == 2 and (found >= 0).all() and np.isfinite(found).all()
    side = scored.record.input_size
    assert side / found.shape[0] in (16, 32)


def test_gradcam_of_a_mean_pooled_map_is_its_contributions_without_the_negative_part() -> None:
    network = random_network("scratch:test_efficientnet")
    rng = np.random.default_rng(2)
    head = LinearHead(rng.normal(size=(1, network.n_features)), np.zeros(network.n_features), np.zeros(1))
    model = ScoredNetwork(network, network.record, head, 1)
    x = model.input_of(spotted())
    with torch.no_grad():
        places = network.feature_map(x)[0].double()
    expected = torch.einsum("c,chw->hw", torch.from_numpy(head.weights[0]), places).clamp_min(0).numpy()
    found = gradcam(model, spotted()) * places.shape[1] * places.shape[2]
    assert np.allclose(found, expected, rtol=1e-3, atol=1e-3 * expected.max())


def test_attention_gradient_is_for_transformers(scored: ScoredNetwork) -> None:
    if not scored.network.is_tokens:
        with pytest.raises(UsageError, match="transformer"):
            attention_gradient(scored, spotted())
        return
    found = attention_gradient(scored, spotted())
    assert found.shape == (10, 10) and (found >= 0).all() and found.max() > 0


def test_attention_is_computed_afterwards_as_before() -> None:
    network = random_network("vit-b16")
    config: Any = network.body.config
    before = config._attn_implementation
    head = LinearHead(np.ones((1, network.n_features)), np.zeros(network.n_features), np.zeros(1))
    attention_gradient(ScoredNetwork(network, network.record, head, 1), spotted())
    assert before != "eager" and config._attn_implementation == before


def test_integrated_gradients_sum_to_the_change_of_the_score(scored: ScoredNetwork) -> None:
    pytest.importorskip("captum")
    found = integrated_gradients(scored, spotted())
    change = scored.of_pixels([spotted()])[0] - scored.of_pixels([np.zeros((64, 64), np.float32)])[0]
    assert abs(found.sum() - change) < 0.05 * max(1.0, abs(change))


def test_the_mean_head_has_the_mean_score() -> None:
    rng = np.random.default_rng(3)
    heads = [LinearHead(rng.normal(size=(2, 4)), rng.normal(size=4), rng.normal(size=2)) for _ in range(3)]
    rows = rng.normal(size=(5, 4))
    assert np.allclose(mean_head(heads).scores(rows), np.mean([head.scores(rows) for head in heads], axis=0))


def test_raw_attention_and_rollout_are_not_offered(scored: ScoredNetwork) -> None:
    for name in ("attention", "rollout"):
        assert name not in METHODS
        with pytest.raises(UnknownNameError, match="method"):
            check_method(name)
    one = attribute("occlusion", scored, spotted())
    assert not one.is_sum and one.grid.shape == (CELLS, CELLS)
