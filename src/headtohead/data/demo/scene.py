"""One synthetic patient: a head, perhaps a lesion, harmless findings, and the image taken of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.data.demo import acquire, anatomy, lesion

__all__ = ["Scene", "draw_scene"]

Grey = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Scene:
    """An image and the truth about it, JSON-able."""

    pixels: Grey
    facts: dict[str, Any]


def draw_scene(seed: int, number: int, has_lesion: bool) -> Scene:
    """Draw one patient; equal numbers give equal images.

    Args:
        seed: of the whole set.
        number: of the patient.
        has_lesion: whether a lesion is drawn.
    """
    rng = np.random.default_rng([seed, number])
    template = anatomy.load_template()
    plane = str(rng.choice(anatomy.PLANES, p=anatomy.PLANE_SHARES))
    contrast = str(rng.choice(acquire.CONTRASTS, p=acquire.CONTRAST_SHARES))
    field = anatomy.draw_field(rng, plane)
    atrophy = float(rng.beta(1.2, 2.5))
    # the same stream for both heads: with the mass it differs from the plain one by the mass alone
    plain = anatomy.draw_head(np.random.default_rng([seed, number, 1]), template, plane, field, atrophy)
    tumour = lesion.draw_lesion(rng, plain.brain) if has_lesion else None
    head = plain
    if tumour is not None:
        field = anatomy.displace(field, tumour.centre, tumour.radius, tumour.mass_effect)
        head = anatomy.draw_head(np.random.default_rng([seed, number, 1]), template, plane, field, atrophy)
    blobs, names = lesion.draw_benign(rng, head, contrast)
    mass = None
    if tumour is not None:
        more, mass = tumour.blots(rng, contrast)
        blobs = (*blobs, *more)
    canvas = acquire.paint(rng, head, contrast, blobs)
    large = bool(rng.random() < (0.7 if has_lesion else 0.3))
    view = acquire.sample_acquisition(rng, large)
    pixels, matrix = acquire.acquire_image(rng, canvas, view)
    facts: dict[str, Any] = {
        "patient": f"patient-{number:04d}",
        "plane": plane,
        "contrast": contrast,
        "harmless": names,
        "difficulty": tumour.difficulty if tumour else None,
        "build": tumour.build if tumour else None,
        "radius_mm": round(tumour.radius, 1) if tumour else None,
        "lesion_box": _box(mass, matrix, pixels.shape) if mass is not None else None,
    }
    return Scene(pixels, facts)


def _box(mass: npt.NDArray[np.float32], matrix: npt.NDArray[np.float64], shape: tuple[int, ...]) -> list[int]:
    """Return the lesion's box [top, left, bottom, right] in the image's pixels."""
    rows, columns = np.nonzero(mass > 0.5)
    # 1 is added because the box ends behind its last pixel
    points = np.array([[columns.min(), rows.min(), 1], [columns.max() + 1, rows.max() + 1, 1]]) @ matrix.T
    (left, top), (right, bottom) = np.clip(np.rint(points), 0, [shape[1], shape[0]]).astype(int).tolist()
    return [top, left, bottom, right]
