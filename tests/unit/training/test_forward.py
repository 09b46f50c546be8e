"""Scores and features of a network in evaluation: in the order asked, flipped where asked, finite or an error."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from tests.planting.finetuned import SIDE, Blobs, Tiny, short

from headtohead.core.errors import HeadToHeadError
from headtohead.training.forward import ForwardPass
from headtohead.training.network.classifier import Classifier


@pytest.fixture
def net() -> Classifier:
    found = Classifier(Tiny(1), 32, 2, 0.5, 0)
    found.train()
    return found


def forward(net: Classifier, **changes: Any) -> ForwardPass:
    return ForwardPass(net, Blobs(40), torch.device("cpu"), False, short(**changes))


def test_scores_stand_in_the_order_asked_and_do_not_depend_on_batches(net: Classifier) -> None:
    order = np.array([30, 2, 17, 2, *range(20)])
    found = forward(net, batch=16).scores(order, flip=False)
    assert found.shape == (1, 24, 2) and found.dtype == torch.float64
    torch.testing.assert_close(found[0, 1], found[0, 3])
    one_by_one = torch.cat([forward(net).scores(order[i : i + 1], flip=False) for i in range(24)], dim=1)
    torch.testing.assert_close(found, one_by_one, atol=1e-5, rtol=1e-4)
    assert not net.training, "dropout would draw"


def test_the_second_view_is_the_image_flipped_left_and_right(net: Classifier) -> None:
    indices = np.arange(6)
    found = forward(net).scores(indices, flip=True)
    source = Blobs(40)
    source.array = source.array[:, :, ::-1].copy()
    turned = ForwardPass(net, source, torch.device("cpu"), False, short()).scores(indices, flip=False)
    assert found.shape == (2, 6, 2)
    torch.testing.assert_close(found[1], turned[0], atol=1e-5, rtol=1e-4)
    assert not torch.allclose(found[0], found[1])


def test_no_image_gives_an_empty_table_of_the_right_width(net: Classifier) -> None:
    assert forward(net).scores(np.zeros(0, np.int64), flip=True).shape == (1, 0, 2)


def test_scores_that_are_not_finite_are_refused_in_either_view(net: Classifier) -> None:
    with torch.no_grad():
        net.linear.bias[1] = torch.inf
    with pytest.raises(
        HeadToHeadError, match=r"not finite after its training; lower learning_rate, or set clip"
    ):
        forward(net).scores(np.arange(3), flip=False)


def test_features_are_those_of_the_backbone_after_the_change(net: Classifier) -> None:
    indices = np.arange(18)
    plain = forward(net).features(indices)
    assert plain.shape == (18, 32) and plain.dtype == np.float32
    blank = forward(net).features(indices, lambda place, pixels: pixels * (place != 3))
    same = np.arange(18) != 3
    np.testing.assert_allclose(blank[same], plain[same], atol=1e-6)
    assert not np.allclose(blank[3], plain[3])
    with torch.no_grad():
        expected = net.backbone.eval()(torch.full((1, 3, SIDE, SIDE), -1.0))
    np.testing.assert_allclose(blank[3], expected[0].numpy(), atol=1e-5)
