"""Integrated contributions: they sum, they stay where the image changed, and the reference is of training images."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from tests.unit.explain.conftest import random_network

from headtohead.core.errors import UsageError
from headtohead.core.progress import QUIET
from headtohead.explain.linear_head import LinearHead
from headtohead.explain.methods import integrated
from headtohead.explain.methods.integrated import integrated_contributions, stage_output
from headtohead.explain.methods.scored_network import ScoredNetwork
from headtohead.explain.run.head_maps import stage_averages

Pixels = npt.NDArray[np.float32]


def plain(seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).uniform(0.2, 0.4, (64, 64)).astype(np.float32)


def spotted() -> Pixels:
    """Return the plain image with a bright square in rows 40..56 and columns 8..24 of 64."""
    pixels = plain()
    pixels[40:56, 8:24] = 1.0
    return pixels


@pytest.fixture(scope="module", params=["scratch:test_efficientnet", "scratch:test_vit"])
def scored(request: pytest.FixtureRequest) -> ScoredNetwork:
    """A network whose head scores how far an image is from the plain one, towards the spot."""
    network = random_network(request.param)
    bare = LinearHead(np.zeros((1, network.n_features)), np.zeros(network.n_features), np.array([0.3]))
    model = ScoredNetwork(network, network.record, bare, 1)
    with torch.no_grad():
        first, second = (network(model.input_of(one)).double().numpy()[0] for one in (plain(), spotted()))
    way = second - first
    head = LinearHead(way[None] / (way @ way), first, np.array([0.3]))
    reference = stage_output(network, model.input_of(plain()))[0]
    return ScoredNetwork(network, network.record, head, 1, reference)


def test_the_parts_sum_to_the_log_odds(scored: ScoredNetwork) -> None:
    found = integrated_contributions(scored, spotted())
    assert abs(found.log_odds - 1.3) < 1e-4 and found.offset is not None and abs(found.offset - 0.3) < 1e-4
    assert abs(found.offset + found.localised + found.not_localised - found.log_odds) < 1e-6
    other = integrated_contributions(replace(scored, target=0), spotted())
    assert np.allclose(other.grid, -found.grid, atol=1e-6)


def test_more_steps_leave_less_without_a_place(
    scored: ScoredNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = []
    for steps in (1, 64):
        monkeypatch.setattr(integrated, "MAP_STEPS", steps)
        monkeypatch.setattr(integrated, "TOKEN_STEPS", steps)
        left.append(abs(integrated_contributions(scored, spotted()).elsewhere["integration"]))
    assert left[1] < 0.02 and left[1] < left[0]


def test_evidence_lies_where_the_image_changed(scored: ScoredNetwork) -> None:
    grid = integrated_contributions(scored, spotted()).grid
    n = len(grid)
    row, column = np.unravel_index(int(grid.argmax()), grid.shape)
    assert 40 <= (row + 0.5) / n * 64 <= 56 and 8 <= (column + 0.5) / n * 64 <= 24
    assert not np.allclose(grid, grid.T, atol=0.1 * grid.max()), "a map laid on its side would not be seen"


def test_an_image_like_the_reference_has_no_evidence(scored: ScoredNetwork) -> None:
    found = integrated_contributions(scored, plain())
    # the moved images of a transformer differ a little from the reference; the spot makes a difference of 1
    limit = 0.01 if scored.network.is_tokens else 1e-6
    assert np.abs(found.grid).max() < limit and abs(found.log_odds - 0.3) < 1e-4


def test_the_map_of_a_moved_image_is_moved_back_and_keeps_its_sum() -> None:
    assert integrated.MOVES[0] == (0, 0), "the image itself counts"
    for move in integrated.MOVES[1:]:
        x = torch.zeros(1, 3, 64, 64)
        x[..., 24:32, 40:48] = 1.0  # the cell (3, 5) of 8 x 8
        seen = integrated._moved(x, move, 8)[0, 0].reshape(8, 8, 8, 8).sum(dim=(1, 3)).double().numpy()
        assert seen[3, 5] == 16, "half a cell along both axes: a quarter is left"
        back = integrated._moved_back(seen, move)
        assert back.sum() == pytest.approx(64)
        assert int(back.argmax()) == 3 * 8 + 5
        centre = [(back.sum(axis=axis) * np.arange(8)).sum() / back.sum() for axis in (1, 0)]
        assert centre == pytest.approx([3, 5], abs=0.01), "not half a cell aside"
        edge = np.zeros((8, 8))
        edge[0, 7] = edge[7, 0] = 1.0
        found = integrated._moved_back(edge, move)
        assert found.sum() == pytest.approx(2) and found[0, 0] == found[7, 7] == 0, (
            "what is at an edge stays there"
        )
    corner = integrated._shared(np.diag([1.0, 0.0, 0.0, 0.0]))
    assert corner.sum() == pytest.approx(1) and corner[0, 0] == pytest.approx(4 / 9) and corner[2, 2] == 0


def test_without_a_reference_or_a_stage_it_is_refused(scored: ScoredNetwork) -> None:
    with pytest.raises(UsageError, match="reference"):
        integrated_contributions(replace(scored, reference=None), spotted())
    if not scored.network.is_tokens:
        silent: Any = SimpleNamespace(is_tokens=False, body=torch.nn.Identity(), record=scored.record)
        with pytest.raises(UsageError, match="no earlier stage"):
            integrated.stage_below(silent)


def test_a_network_that_reads_earlier_stages_too_is_refused(
    scored: ScoredNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plant a stage that the rest reads next to what came before it: an attention and its residual."""
    network: Any = scored.network
    if not network.is_tokens:
        return
    inner = network.body.blocks[-1].attn
    monkeypatch.setattr(integrated, "stage_below", lambda _network: inner)
    reference = stage_output(network, scored.input_of(plain()))[0]
    with pytest.raises(UsageError, match="all later layers read"):
        integrated_contributions(replace(scored, reference=reference), spotted())


def test_the_average_is_that_of_training_images_only() -> None:
    network = random_network("scratch:test_efficientnet")
    images = [plain(seed) for seed in range(6)]
    folds = [
        SimpleNamespace(repeat=0, fold=0, train=np.array([0, 1, 2]), test=np.array([3, 4, 5])),
        SimpleNamespace(repeat=0, fold=1, train=np.array([3, 4, 5]), test=np.array([0, 1, 2])),
    ]
    run: Any = SimpleNamespace(
        folds=folds, reporter=QUIET, prepared=lambda index: SimpleNamespace(pixels=images[index])
    )
    found = stage_averages(network, network.record, run)
    model = ScoredNetwork(network, network.record, LinearHead(np.zeros((1, 1)), np.zeros(1), np.zeros(1)), 1)
    own = [stage_output(network, model.input_of(one))[0] for one in images]
    for key, part in (((0, 0), own[:3]), ((0, 1), own[3:])):
        assert torch.allclose(found[key], torch.stack(part).mean(dim=0), atol=1e-5)
    assert not torch.allclose(found[0, 0], found[0, 1], atol=1e-5)
