"""What one pass over an image finds."""

from __future__ import annotations

import numpy as np
import pytest

from headtohead.audit.descriptors.image_pass import summarise_image
from headtohead.core.records import Image


@pytest.mark.parametrize(
    ("mode", "alpha"),
    [("LA", True), ("La", True), ("PA", True), ("RGBA", True), ("RGBa", True), ("LAB", False), ("L", False)],
)
def test_alpha_is_a_channel_and_no_letter(mode: str, alpha: bool) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    assert summarise_image("a", Image(pixels, 8, mode, "TIFF", None, (), {})).alpha is alpha
