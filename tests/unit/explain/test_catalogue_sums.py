"""For every architecture of the catalogue: offset + sum of the map + what is not localised = the log-odds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.unit.explain.conftest import fitted, random_network

from headtohead.backbones.catalog import catalogue
from headtohead.backbones.features.input_transform import to_network_input
from headtohead.backbones.features.views import FeatureView
from headtohead.core.records import Box
from headtohead.explain.linear_head import LinearHead
from headtohead.explain.linear_model import LinearModel, explain_images
from headtohead.explain.placement import to_pixels
from headtohead.preprocess.recipe import Prepared, get_recipe

FAST = ("efficientnet-lite0", "scratch-cnn", "scratch-vit")
MOST_GAP = 1e-4


def test_every_architecture_of_the_catalogue_is_named() -> None:
    assert {r.name for r in catalogue()} == {*FAST, *SLOW}


def sums_up(name: str, view: FeatureView, k: int = 2) -> None:
    network = random_network(name)
    side = network.record.input_size
    rng = np.random.default_rng(1)
    prepared = [
        # of different contrast: of images all alike, features differ by rounding alone, which a head then magnifies
        Prepared(
            np.float32(contrast) * rng.random((side, side), dtype=np.float32),
            Box(3, 5, 3 + side, 5 + side),
            (),
        )
        for contrast in (0.2, 0.5, 0.8, 1.0)
    ]
    x = torch.from_numpy(np.stack([to_network_input(p.pixels, network.record) for p in prepared]))
    with torch.inference_mode():
        ask = network.layers if view.layers else network.forward
        rows = ask(x).double().numpy()
        if view.flip:
            rows = (rows + ask(x.flip(-1)).double().numpy()) / 2
    probe = fitted(rows, k)
    wanted = probe.predict_proba(rows)
    model = LinearModel((network,), (network.record,), get_recipe("none"), view)
    found = explain_images(model, prepared, [[LinearHead.from_probe(probe)]] * 4)
    for one, p, own in zip(found, wanted, prepared, strict=True):
        assert one.offset is not None
        log_odds = np.log(p[one.target]) - np.log1p(-p[one.target])
        pixels = to_pixels(one.grid, own.box, (side + 10, side + 10))
        total = one.offset + float(pixels.sum(dtype=np.float64)) + one.not_localised
        assert abs(total - log_odds) <= MOST_GAP
        assert abs(one.log_odds - log_odds) <= MOST_GAP
        assert np.abs(one.grid).max() > 0


@pytest.mark.parametrize("name", FAST)
def test_the_parts_sum_to_the_log_odds(name: str) -> None:
    sums_up(name, FeatureView())


@pytest.mark.parametrize("view", [FeatureView(layers=True), FeatureView(flip=True)], ids=str)
@pytest.mark.parametrize("name", ["scratch-cnn", "scratch-vit"])
def test_the_parts_sum_for_other_views(name: str, view: FeatureView) -> None:
    sums_up(name, view)


@pytest.mark.parametrize("name", ["scratch-cnn", "scratch-vit"])
def test_the_parts_sum_for_three_classes(name: str) -> None:
    sums_up(name, FeatureView(), k=3)


SLOW = (
    "efficientnet-lite1",
    "efficientnet-lite2",
    "dinov2-small",
    "inception-resnet-v2",
    "vit-b16",
    "dinov2-small-hub",
    "dinov2-base",
    "efficientnet-b0",
    "vit-small-r26",
    "coatnet-0",
    "resnetv2-50-in21k",
    "convnext-b-in22k",
    "vit-b16-in1k",
)


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_the_parts_sum_for_large_networks(name: str) -> None:
    sums_up(name, FeatureView())
    sums_up(name, FeatureView(layers=True, flip=True))
