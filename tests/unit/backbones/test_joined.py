"""Two backbones behind one input see what each would see alone."""

from __future__ import annotations

import numpy as np
import torch

from headtohead.backbones.catalog import resolve, with_input_size
from headtohead.backbones.features.input_transform import to_network_input
from headtohead.backbones.hybrid import load_hybrid, renormalise

CNN = resolve("scratch:test_efficientnet")
VIT = resolve("scratch:test_vit").model_copy(update={"mean": (0.1, 0.2, 0.3), "std": (0.5, 0.6, 0.7)})


def _image() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.random.default_rng(0).random((160, 160, 3), dtype=np.float32)


def test_each_sees_the_image_as_its_weights_ask() -> None:
    joined = load_hybrid(CNN, VIT, seed=2)
    x, y = (torch.from_numpy(to_network_input(_image(), record)[None]) for record in (CNN, VIT))
    torch.testing.assert_close(renormalise(x, CNN, VIT), y)
    with torch.inference_mode():
        expected = torch.cat([joined.first(x), joined.second(y)], dim=1)
        torch.testing.assert_close(joined(x), expected, rtol=1e-4, atol=1e-5)
    assert joined.n_features == expected.shape[1]


def test_sides_may_differ() -> None:
    small = with_input_size(VIT, 96)
    assert renormalise(torch.zeros(1, 3, 160, 160), CNN, small).shape == (1, 3, 96, 96)
    flat = renormalise(torch.full((1, 3, 160, 160), 0.25), CNN, CNN.model_copy(update={"input_size": 64}))
    torch.testing.assert_close(flat, torch.full((1, 3, 64, 64), 0.25))


def test_blocks_hold_every_parameter_once_and_end_at_both_tops() -> None:
    joined = load_hybrid(CNN, VIT)
    blocks = joined.blocks()
    flat = [id(parameter) for _, parameters in blocks for parameter in parameters]
    assert sorted(flat) == sorted(id(parameter) for parameter in joined.parameters())
    tops = joined.first.blocks()[-1][1] + joined.second.blocks()[-1][1]
    assert {id(parameter) for parameter in blocks[-1][1]} == {id(parameter) for parameter in tops}
