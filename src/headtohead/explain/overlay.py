"""A map as a PNG: the image, the map over it on a common colour scale, bars of the sum, and a description."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headtohead.report.figures.palette import LIGHT

if TYPE_CHECKING:
    from PIL import Image as Pillow

    from headtohead.explain.image_map import ImageMap

__all__ = ["color_limit", "draw_card", "overlay"]

Pixels = npt.NDArray[np.uint8]
FOR, AGAINST = (0xD5, 0x5E, 0x00), (0x00, 0x72, 0xB2)  # vermillion and blue of Okabe and Ito (2008)
OPACITY = 0.8  # at the end of the scale; the image stays visible everywhere
QUANTILE = 0.99  # of |density| over all cells; few cells above it are drawn as the end of the scale
SIDE = 360  # pixels of each panel's longer side
MARGIN, TEXT = 14, 13


def color_limit(maps: Sequence[ImageMap]) -> float:
    """Return the end of the colour scale for maps that are shown side by side: per 1 % of the area, above 0.

    Args:
        maps: of all contenders and images of one method.
    """
    if not maps:
        return 1.0
    values = np.concatenate([np.abs(one.density()).ravel() for one in maps])
    # each map counts once, however many cells it has
    shares = np.concatenate(
        [np.full(one.attribution.grid.size, 1 / one.attribution.grid.size) for one in maps]
    )
    order = np.argsort(values, kind="stable")
    place = int(np.searchsorted(np.cumsum(shares[order]), QUANTILE * shares.sum()))
    limit = float(values[order][min(place, len(values) - 1)])
    return limit if limit > 0 else 1.0


def overlay(image: npt.NDArray[Any], found: ImageMap, limit: float, *, grey: bool = False) -> Pixels:
    """Return (H, W, 3) the image with the map over it; orange speaks for the class, blue against it.

    Args:
        image: (H, W) or (H, W, 3) in any depth, scaled to its own range.
        found: its map.
        limit: end of the colour scale, from `color_limit`.
        grey: draw the map without colours, as one that is not to be believed.
    """
    base = _to_rgb(image)
    area = (found.box.bottom - found.box.top) * (found.box.right - found.box.left)
    density = found.pixels().astype(np.float64) * (area / 100.0)
    strength = np.clip(np.abs(density) / limit, 0.0, 1.0)[..., None] * OPACITY
    colors = np.where((density >= 0)[..., None], np.array(FOR, float), np.array(AGAINST, float))
    if grey:
        colors = np.full_like(colors, 128.0)
    return np.asarray(np.rint(base * (1 - strength) + colors * strength), np.uint8)


def draw_card(image: npt.NDArray[Any], found: ImageMap, limit: float) -> Pillow.Image:
    """Return the picture of one map: image with the box seen, overlay, colour scale, bar of the sum, words."""
    from PIL import Image as Pillow
    from PIL import ImageDraw, ImageFont

    failed = found.sanity.startswith("failed")
    height, width = found.size
    scale = SIDE / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    left = Pillow.fromarray(np.asarray(np.rint(_to_rgb(image)), np.uint8)).resize(size)
    right = Pillow.fromarray(overlay(image, found, limit, grey=failed)).resize(size)
    font, small = ImageFont.load_default(TEXT + 2), ImageFont.load_default(TEXT)
    full = 2 * max(size[0], SIDE // 2) + 3 * MARGIN
    words = (
        found.words
        if not failed
        else f"This map {found.sanity.partition(': ')[0]} its check "
        + (f"({found.sanity.partition(': ')[2]}); do not read it. {found.words}")
    )
    lines = textwrap.wrap(words, int(full / (TEXT * 0.52)))  # letters are about half as wide as high
    bars = _bars(found)
    tall = size[1] + 5 * MARGIN + 40 + 22 * len(bars) + 18 * len(lines)
    card = Pillow.new("RGB", (full, tall), LIGHT["card"])
    draw = ImageDraw.Draw(card)
    truth = f", true class {found.label}" if found.label else ""
    draw.text((MARGIN, 6), f"{found.contender}: {found.sample}{truth}", LIGHT["ink"], font)
    top = 30
    card.paste(left, (MARGIN, top))
    card.paste(right, (full - MARGIN - size[0], top))
    box = [round(v * scale) for v in (found.box.left, found.box.top, found.box.right, found.box.bottom)]
    draw.rectangle(
        (MARGIN + box[0], top + box[1], MARGIN + box[2] - 1, top + box[3] - 1), outline=LIGHT["warn"]
    )
    y = top + size[1] + 8
    unit = "log-odds per 1 % of the area" if found.attribution.is_sum else f"{found.method}, own units"
    y = _draw_scale(draw, (MARGIN, y, full - 2 * MARGIN), limit, unit, small)
    y = _draw_bars(draw, (MARGIN, y), full - 2 * MARGIN, bars, small)
    for line in lines:
        draw.text((MARGIN, y), line, LIGHT["ink"], small)
        y += 18
    return card


def _bars(found: ImageMap) -> list[tuple[str, float]]:
    a = found.attribution
    if a.offset is None:
        return []
    rest = [("not localised", a.not_localised)] if a.elsewhere else []
    return [("offset", a.offset), ("with a place", a.localised), *rest, ("log-odds", a.log_odds)]


def _draw_scale(draw: Any, at: tuple[int, int, int], limit: float, unit: str, font: Any) -> int:
    width = at[2]
    steps = 64
    for step in range(steps):
        value = (2 * (step + 0.5) / steps - 1) * OPACITY
        color = FOR if value >= 0 else AGAINST
        mixed = tuple(round(255 * (1 - abs(value)) + c * abs(value)) for c in color)
        x = at[0] + step * width // steps
        draw.rectangle((x, at[1], at[0] + (step + 1) * width // steps, at[1] + 8), fill=mixed)
    draw.text((at[0], at[1] + 10), f"-{limit:.2g}: against", LIGHT["muted"], font)
    draw.text((at[0] + width / 2, at[1] + 10), unit, LIGHT["muted"], font, anchor="ma")
    draw.text((at[0] + width, at[1] + 10), f"for: +{limit:.2g}", LIGHT["muted"], font, anchor="ra")
    return at[1] + 36


def _draw_bars(
    draw: Any, at: tuple[int, int], width: int, bars: Sequence[tuple[str, float]], font: Any
) -> int:
    """Draw the parts of the sum one below the other, each starting where the one before ended."""
    label, number = 110, 60
    ends, running = [0.0], 0.0
    for _, value in bars[:-1]:
        running += value
        ends.append(running)
    low, high = min(ends, default=0.0), max(ends, default=0.0)
    span = (high - low) or 1.0
    scale = (width - label - number) / span
    y = at[1]
    for place, (name, value) in enumerate(bars):
        start = 0.0 if place == len(bars) - 1 else ends[place]
        x = sorted(at[0] + label + (v - low) * scale for v in (start, start + value))
        color = FOR if value >= 0 else AGAINST
        draw.rectangle((x[0], y + 3, max(x[1], x[0] + 1), y + 15), fill=color)
        draw.text((at[0], y), name, LIGHT["ink"], font)
        draw.text((at[0] + width, y), f"{value:+.2f}", LIGHT["ink"], font, anchor="ra")
        y += 22
    return y + 4


def _to_rgb(image: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return (H, W, 3) in [0, 255]; other depths than 8 bits are scaled to the image's own range."""
    found = image.astype(np.float64)
    if image.dtype != np.uint8:
        low, high = float(found.min()), float(found.max())
        found = 255.0 * (found - low) / (high - low if high > low else 1.0)
    return np.asarray(np.repeat(found[..., None], 3, axis=2) if found.ndim == 2 else found, np.float64)
