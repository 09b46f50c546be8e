"""Lesions of graded difficulty, and harmless findings that look a little like them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headtohead.data.demo.anatomy import SIDE, HeadPhantom, smooth_noise

__all__ = ["DIFFICULTIES", "Blob", "Lesion", "draw_benign", "draw_lesion", "draw_shape", "place_in_brain"]

Floats = npt.NDArray[np.float32]

DIFFICULTIES = ("easy", "medium", "hard")
_SHARES = (0.56, 0.30, 0.14)  # easy, medium, hard: a good network must not reach an AUROC of 1
# Radius in mm, visibility (share of the full contrast to tissue), mass effect.
_RANGES = {
    "easy": ((15.0, 26.0), (0.9, 1.0), (0.3, 0.55)),
    "medium": ((10.0, 16.0), (0.75, 0.95), (0.2, 0.45)),
    "hard": ((6.0, 10.0), (0.5, 0.8), (0.1, 0.35)),
}
# Brightness of a part of a lesion in each contrast, on the scale of `acquire.TISSUES`.
_BRIGHTNESS = {
    "T1": {"core": 0.18, "rim": 0.26, "oedema": 0.38},
    "T1ce": {"core": 0.22, "rim": 1.00, "oedema": 0.30},
    "T2": {"core": 1.00, "rim": 0.80, "oedema": 0.85},
    "FLAIR": {"core": 0.75, "rim": 1.00, "oedema": 0.88},
}


@dataclass(frozen=True, slots=True)
class Blob:
    """A change of brightness: towards `brightness`, by the share `amount` in [0, 1] at each pixel."""

    amount: Floats
    brightness: float


@dataclass(frozen=True, slots=True)
class Lesion:
    """What was drawn of a mass before it is painted.

    Attributes:
        centre: (row, column) on the canvas.
        radius: in mm.
        visibility: share of the full contrast to tissue.
        mass_effect: how far it presses its surroundings aside, 0 to 1.
        build: "solid", "rim" (a bright rim around a core) or "diffuse".
    """

    difficulty: str
    centre: tuple[float, float]
    radius: float
    visibility: float
    mass_effect: float
    build: str

    def blots(self, rng: np.random.Generator, contrast: str) -> tuple[tuple[Blob, ...], Floats]:
        """Return the changes of brightness, oedema first, and the mask of the mass itself."""
        levels = _BRIGHTNESS[contrast]
        mass = draw_shape(rng, self.centre, self.radius, 0.28)
        around = draw_shape(rng, self.centre, self.radius * rng.uniform(1.3, 1.9), 0.4, soft=3.0)
        visibility = self.visibility
        out = [Blob(around * (0.8 * visibility), levels["oedema"])]
        if self.build == "diffuse":
            out.append(Blob(mass * (0.8 * visibility), 0.5 * (levels["core"] + levels["oedema"])))
        elif self.build == "solid":
            out.append(Blob(mass * visibility, levels["rim"]))
        else:
            core = draw_shape(rng, self.centre, self.radius * rng.uniform(0.5, 0.75), 0.3)
            out += [Blob(mass * visibility, levels["rim"]), Blob(core * visibility, levels["core"])]
        return tuple(out), mass


def draw_shape(
    rng: np.random.Generator, centre: tuple[float, float], radius: float, ragged: float, soft: float = 1.2
) -> Floats:
    """Return a soft blob in [0, 1] with an irregular outline.

    Args:
        centre: (row, column) on the canvas.
        radius: mean radius in pixels.
        ragged: how far the outline strays, as a share of the radius.
        soft: width of the edge in pixels.
    """
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    stretch, angle = rng.uniform(0.8, 1.25), rng.uniform(0, np.pi)
    down, across = rows - centre[0], columns - centre[1]
    one = (across * np.cos(angle) + down * np.sin(angle)) * stretch
    two = (-across * np.sin(angle) + down * np.cos(angle)) / stretch
    distance = np.hypot(one, two) + ragged * radius * 0.5 * smooth_noise(rng, max(2.0, radius / 2.5))
    # beyond 30 widths of the edge the sigmoid is flat, and far beyond exp overflows
    return np.asarray(1 / (1 + np.exp(np.clip((distance - radius) / soft, -30, 30))), np.float32)


def place_in_brain(rng: np.random.Generator, brain: Floats, depth: float) -> tuple[float, float]:
    """Return a random (row, column) at least `depth` pixels inside the brain, or its middle."""
    import cv2

    inside = cv2.distanceTransform((brain > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    # a small slice has no place so deep: near its deepest then
    places = np.argwhere(inside > min(depth, 0.8 * float(inside.max())))
    row, column = places[int(rng.integers(len(places)))]
    return float(row), float(column)


def draw_lesion(rng: np.random.Generator, brain: Floats) -> Lesion:
    """Draw a lesion: how hard to see, where, how large, of what build."""
    difficulty = DIFFICULTIES[int(rng.choice(3, p=_SHARES))]
    (small, large), (faint, clear), (soft, hard) = _RANGES[difficulty]
    radius = float(rng.uniform(small, large))
    build = str(rng.choice(("solid", "rim", "diffuse"), p=(0.4, 0.4, 0.2)))
    centre = place_in_brain(rng, brain, 0.7 * radius + 3)
    return Lesion(
        difficulty, centre, radius, float(rng.uniform(faint, clear)), float(rng.uniform(soft, hard)), build
    )


def draw_benign(
    rng: np.random.Generator, head: HeadPhantom, contrast: str
) -> tuple[tuple[Blob, ...], list[str]]:
    """Return harmless findings, drawn alike for both classes, and their names.

    Small spots of the white matter, a pocket of fluid, bright vessels and a faint coil-side shade:
    what a detector of "anything odd" would fall for.
    """
    blots: list[Blob] = []
    names: list[str] = []
    levels = _BRIGHTNESS[contrast]
    if rng.random() < 0.4:
        names.append("white-matter spots")
        spots = np.zeros((SIDE, SIDE), np.float32)
        for _ in range(int(rng.integers(2, 9))):
            centre = place_in_brain(rng, head.white, 3)
            spots = np.maximum(spots, draw_shape(rng, centre, float(rng.uniform(1.5, 4.0)), 0.3))
        blots.append(Blob(spots * float(rng.uniform(0.4, 0.95)), levels["oedema"]))
    if rng.random() < 0.2:
        names.append("fluid pocket")
        shape = draw_shape(rng, place_in_brain(rng, head.brain, 4), float(rng.uniform(4, 10)), 0.1)
        blots.append(Blob(shape, {"T1": 0.12, "T1ce": 0.12, "T2": 1.0, "FLAIR": 0.1}[contrast]))
    if rng.random() < (0.7 if contrast == "T1ce" else 0.25):  # contrast agent brightens them
        names.append("bright vessels")
        vessels = np.zeros((SIDE, SIDE), np.float32)
        for _ in range(int(rng.integers(2, 7))):
            centre = place_in_brain(rng, head.brain, 1.5)
            vessels = np.maximum(vessels, draw_shape(rng, centre, float(rng.uniform(1.0, 2.4)), 0.2, 0.6))
        blots.append(Blob(vessels * 0.9, 0.95))
    if rng.random() < 0.25:
        names.append("shaded region")
        shade = draw_shape(rng, place_in_brain(rng, head.brain, 5), float(rng.uniform(14, 30)), 0.5, 7.0)
        blots.append(Blob(shade * float(rng.uniform(0.08, 0.2)), float(rng.choice((0.1, 0.95)))))
    return tuple(blots), names
