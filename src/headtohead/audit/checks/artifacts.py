"""1xx: what was added to images, or stood between them and the scanner."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from headtohead.audit.check import Check, Observation, not_applicable
from headtohead.audit.checks.image_quality import flagged
from headtohead.audit.context import AuditContext
from headtohead.core.records import Severity

__all__ = ["CHECKS"]

COLOURED = 2e-4  # share of pixels: 2 in 10,000 is a small arrow; JPEG chroma noise stays below
GREY_SET = 0.005  # mean channel difference of half the images; grey JPEG files differ by rounding alone
CAST = 0.01  # mean channel difference: 2.5 of 255, more than rounding makes
PERIODIC = 6.0  # median deviations: anatomy makes broad peaks; only a grid stands out so far
FRAME = 0.9  # share of one line: a skull or a table touches a side, a frame runs along it
BRIGHT_BACKGROUND = 0.6  # grey value: well above the noise of a dark background, below white padding


def _is_grey_set(context: AuditContext) -> bool:
    """Return whether most images are grey, so that colour in the others means something."""
    return float(np.median(context.images.value("cast"))) < GREY_SET


def colour_marks(context: AuditContext) -> Observation:
    """Name images with coloured spots in a set of grey images."""
    if not _is_grey_set(context):
        return not_applicable("the images are in colour")
    found = [(p, p.values["coloured"]) for p in context.images.read if p.values["coloured"] > COLOURED]
    return flagged(
        context,
        found,
        what="of a grey set hold clearly coloured pixels: arrows, logos, drawn outlines",
        advice="A mark drawn by a reader points at the finding, and a network can learn the mark. Crop it away or "
        "leave the image out.",
        clean="no grey image holds coloured marks",
    )


def colour_cast(context: AuditContext) -> Observation:
    """Name tinted images in a set of grey images."""
    if not _is_grey_set(context):
        return not_applicable("the images are in colour")
    found = [(p, p.values["cast"]) for p in context.images.read if p.values["cast"] >= CAST]
    return flagged(
        context,
        found,
        what="of a grey set are tinted: as a rule photographs of a screen or of film, or scans",
        advice="Convert to grey (recipe step `grey`) so that the tint cannot be read; the uneven light of a "
        "photograph stays. A photograph without tint is not seen by this check.",
        clean="no grey image is tinted",
    )


def moire(context: AuditContext) -> Observation:
    """Name images with a regular fine pattern."""
    found = [(p, p.values["periodic"]) for p in context.images.read if p.values["periodic"] >= PERIODIC]
    return flagged(
        context,
        found,
        what="hold a regular fine pattern (moiré, halftone, grid)",
        advice="Photographs of a screen and scans from print have it. Faint moiré is not seen by this check.",
        clean="no image holds a strong regular pattern (faint moiré is not seen)",
    )


def text_overlay(context: AuditContext) -> Observation:
    """Name images with letter-like spots outside the foreground."""
    if all(np.isnan(p.values["glyphs"]) for p in context.images.read):
        return not_applicable("no foreground was found in any image")
    found = [(p, p.values["glyphs"]) for p in context.images.read if p.values["glyphs"] >= 1]
    return flagged(
        context,
        found,
        what="have letters or other small marks burnt in beside the foreground",
        advice="Crop to the foreground (recipe `foreground`). If one class has more of them, the border carries the "
        "label: see H2H303. Letters and watermarks over the foreground are not seen by this check.",
        clean="no letter-like marks beside the foreground (over it they are not seen)",
    )


def frames(context: AuditContext) -> Observation:
    """Name images with a bright line or band along an edge."""
    found = [(p, p.values["frame"]) for p in context.images.read if p.values["frame"] >= FRAME]
    return flagged(
        context,
        found,
        what="have a bright frame, or a bright line along an edge",
        advice="Use the recipe `foreground`, which trims frames; a fixed threshold takes them for the organ.",
        clean="no image has a bright frame",
    )


def bright_background(context: AuditContext) -> Observation:
    """Name images whose ground is bright in a set on dark ground."""
    ground = np.array([p.values["ground"] for p in context.images.read])
    if np.isnan(ground).all() or float(np.nanmedian(ground)) > 0.3:
        return not_applicable("the set is not on dark ground")
    found = [(p, p.values["ground"]) for p in context.images.read if p.values["ground"] >= BRIGHT_BACKGROUND]
    return flagged(
        context,
        found,
        what="have a bright ground in a set on dark ground: inverted, or padded with white",
        advice="Look at each: an inverted image must be inverted back; white padding is cropped by `foreground`.",
        clean="every image is on dark ground, as the set is",
    )


def _check(
    code: str, title: str, severity: Severity, look: Callable[[AuditContext], Observation], doc: str
) -> Check:
    return Check(code, title, severity, look, doc)


CHECKS = (
    _check("H2H120", "Colour marks", "warning", colour_marks, "Clearly coloured pixels in a grey set."),
    _check(
        "H2H121",
        "Tinted: photographs of a screen",
        "note",
        colour_cast,
        "A slight tint over an image of a grey set.",
    ),
    _check(
        "H2H122", "Regular pattern", "note", moire, "A tall off-axis peak in the spectrum: moiré, halftone."
    ),
    _check("H2H123", "Letters burnt in", "note", text_overlay, "Letter-like spots beside the foreground."),
    _check("H2H124", "Bright frames", "note", frames, "A bright line along 90 % of a side, near the edge."),
    _check("H2H125", "Bright ground", "warning", bright_background, "Bright ground in a set on dark ground."),
)
