"""1xx, second half: images that hold little, or were damaged on the way."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from headtohead.audit.check import Check, Observation, issue, not_applicable, passed
from headtohead.audit.checks.files import by_class, list_samples
from headtohead.audit.context import AuditContext
from headtohead.audit.descriptors.image_pass import ImageSummary
from headtohead.core.formatting import format_percent
from headtohead.core.records import Severity

__all__ = ["CHECKS", "flagged"]

TINY = 64  # pixels: a network of 224 sees them enlarged over threefold
BLANK_SPREAD = 0.01  # share of the grey range: less than three of 256 grey values
CLIPPED = 0.10  # share of pixels at white: bone, metal and contrast agent cover less of an image
SOFT = 0.62  # 1 is without detail; of the 253 none reaches it (95th percentile 0.53), enlarged threefold 6 in 10 do
NOISE = 0.5  # correlation of neighbours: images of anything lie above 0.9, independent noise at 0
ASPECT = 2.5  # longer by shorter edge: squeezed to a square, a circle becomes unrecognisable
FEW_LEVELS = 24  # of 256 grey values: a palette or a label map, not a scan
_SINGULAR = {"have": "has", "are": "is", "keep": "keeps", "hold": "holds", "carry": "carries", "use": "uses"}
_VERB = re.compile(rf"\b(?:{'|'.join(_SINGULAR)})\b")


def flagged(
    context: AuditContext,
    bad: Sequence[tuple[ImageSummary, float]],
    *,
    what: str,
    advice: str,
    clean: str,
    severity: Severity | None = None,
) -> Observation:
    """Return the issue that names images worst first, or that there is none.

    Args:
        context: of the audit.
        bad: images and how bad each is, larger is worse.
        what: completes "{n} images …".
        advice: what to do.
        clean: the message where no image is bad.
        severity: where it differs from the check's own.
    """
    if not bad:
        return passed(clean)
    ranked = sorted(bad, key=lambda pair: (-pair[1], pair[0].id))
    ids = [image.id for image, _ in ranked]
    counts = by_class(context, ids)
    return issue(
        f"{len(ids)} of {len(context.samples)} images {_of_one(what) if len(ids) == 1 else what}: "
        f"{list_samples(ids)}",
        advice,
        samples=ids,
        severity=severity,
        scores={image.id: round(float(score), 4) for image, score in ranked},
        by_class=counts,
    )


def _of_one(what: str) -> str:
    """Return what is said of several images as it is said of one.

    >>> _of_one("of a grey set hold coloured pixels")
    'of a grey set holds coloured pixels'
    """
    return _VERB.sub(lambda found: _SINGULAR[found[0]], what, count=1)


def _over(context: AuditContext, name: str, least: float) -> list[tuple[ImageSummary, float]]:
    # NaN, of an image too small to be measured, compares false: it is not named
    return [(p, p.values[name]) for p in context.images.read if p.values[name] >= least]


def alpha(context: AuditContext) -> Observation:
    """Name files with an alpha channel."""
    found = [(p, 1.0) for p in context.images.read if p.alpha]
    return flagged(
        context,
        found,
        what="carry an alpha channel, which was laid over black or dropped by the reader",
        advice="Look at them once: what is transparent for one program is black or white for another.",
        clean="no image has an alpha channel",
    )


def orientation(context: AuditContext) -> Observation:
    """Name files whose EXIF orientation turns them."""
    rotated = [
        (p, 1.0) for p in context.images.read if p.facts.get("exif_orientation", "1") not in ("1", "0")
    ]
    return flagged(
        context,
        rotated,
        what="are rotated by their EXIF orientation (applied by the reader)",
        advice="They come from a camera. Programs that do not apply the tag see them rotated; store them upright.",
        clean="no image is rotated by an EXIF tag",
    )


def tiny(context: AuditContext) -> Observation:
    """Name images too small for any of the networks."""
    small = [
        (p, -float(min(p.height, p.width))) for p in context.images.read if min(p.height, p.width) < TINY
    ]
    return flagged(
        context,
        small,
        what=f"have an edge under {TINY} pixels",
        advice="A network of 224 pixels sees them enlarged over threefold; get the originals, or leave them out.",
        clean=f"no edge is under {TINY} pixels",
    )


def blank(context: AuditContext) -> Observation:
    """Name images that are one grey value nearly everywhere."""
    empty = [(p, 1 - p.values["spread"]) for p in context.images.read if p.values["spread"] < BLANK_SPREAD]
    return flagged(
        context,
        empty,
        what="are blank (grey values hardly vary)",
        advice="Leave them out; they carry a label and no content.",
        clean="no image is blank",
    )


def clipped(context: AuditContext) -> Observation:
    """Name images with a large share of pixels at full white."""
    return flagged(
        context,
        _over(context, "at_white", CLIPPED),
        what=f"have {format_percent(CLIPPED)} or more of their pixels at full white",
        advice="Either a white ground or padding (crop it), or a window that was too narrow (detail is lost for "
        "good; export again).",
        clean="no image is clipped to white",
    )


def few_levels(context: AuditContext) -> Observation:
    """Name images with very few grey values."""
    found = [
        (p, -p.values["levels"])
        for p in context.images.read
        if p.values["levels"] < FEW_LEVELS and p.values["spread"] >= BLANK_SPREAD  # blank images are H2H113's
    ]
    return flagged(
        context,
        found,
        what=f"use fewer than {FEW_LEVELS} of 256 grey values",
        advice="They were posterised, masked or are label maps; see whether they belong to the set.",
        clean=f"every image uses at least {FEW_LEVELS} grey values",
    )


def blurred(context: AuditContext) -> Observation:
    """Name images that hold no detail at their own size."""
    soft = [(p, v) for p, v in _over(context, "softness", SOFT) if p.values["spread"] >= BLANK_SPREAD]
    return flagged(
        context,
        soft,
        what="are soft for their size: blurred, or enlarged from a smaller image",
        advice="Nothing to repair. If one class has more of them, sharpness carries the label: see H2H302 and the "
        "table by class.",
        clean="no image is markedly soft for its size",
    )


def noise(context: AuditContext) -> Observation:
    """Name images whose neighbouring pixels have nothing to do with each other."""
    found = [(p, 1 - p.values["adjacent"]) for p in context.images.read if p.values["adjacent"] < NOISE]
    return flagged(
        context,
        found,
        what="are noise (neighbouring pixels hardly correlate)",
        advice="Leave them out: there is nothing to see in them, yet they carry labels; one public set holds such.",
        clean="neighbouring pixels correlate in every image",
        severity="severe" if len(found) >= 0.02 * len(context.samples) else None,
    )


def extreme_aspect(context: AuditContext) -> Observation:
    """Name images much longer than wide."""
    return flagged(
        context,
        _over(context, "aspect", ASPECT),
        what=f"are {ASPECT} times or more as long as wide",
        advice="Squeezed to a square they are distorted; crop to the foreground, or see whether they are strips of "
        "several images.",
        clean=f"no image is {ASPECT} times as long as wide",
    )


def sizes(context: AuditContext) -> Observation:
    """Say how far sizes spread, and which class has the larger images."""
    edges = context.images.value("edge")
    low, high = (float(v) for v in np.quantile(edges, [0.05, 0.95]))
    kinds = Counter((p.height, p.width) for p in context.images.read)
    data: dict[str, Any] = {"p05": low, "p95": high, "distinct": len(kinds)}
    if high < 2 * low:
        return passed(f"the middle 90 % of shorter edges lie within {low:.0f} to {high:.0f} pixels", **data)
    return issue(
        f"{len(kinds)} different sizes; the middle 90 % of shorter edges spread from {low:.0f} to {high:.0f} pixels",
        "Sizes tell the source, and resizing leaves traces that a network can read. H2H301 measures what sizes "
        "give away.",
        **data,
    )


def spacing(context: AuditContext) -> Observation:
    """Say whether pixel spacing differs where files state it."""
    stated = {p.id: p.spacing_mm for p in context.images.read if p.spacing_mm is not None}
    if not stated:
        return not_applicable("no file states its pixel spacing")
    finest, coarsest = min(s[0] for s in stated.values()), max(s[0] for s in stated.values())
    if len(stated) == len(context.samples) and coarsest <= 1.2 * finest:
        return passed(f"pixel spacing is alike everywhere ({finest:.3g} to {coarsest:.3g} mm)")
    missing = len(context.samples) - len(stated)
    return issue(
        f"pixel spacing runs from {finest:.3g} to {coarsest:.3g} mm"
        + (f", and {missing} files do not state it" if missing else ""),
        "Resample to one spacing before a comparison, if size in millimetres matters for the label.",
        samples=sorted(stated, key=lambda i: -stated[i][0])[:50],
        finest=finest,
        coarsest=coarsest,
        missing=missing,
    )


def _check(
    code: str, title: str, severity: Severity, look: Callable[[AuditContext], Observation], doc: str
) -> Check:
    return Check(code, title, severity, look, doc)


CHECKS = (
    _check(
        "H2H110",
        "Alpha channel",
        "note",
        alpha,
        "Files with transparency, which programs render differently.",
    ),
    _check(
        "H2H111",
        "EXIF orientation",
        "note",
        orientation,
        "Files rotated by a tag that not every program applies.",
    ),
    _check("H2H112", "Tiny images", "warning", tiny, f"Shorter edge under {TINY} pixels."),
    _check(
        "H2H113",
        "Blank images",
        "warning",
        blank,
        "Standard deviation of grey values under 1 % of the range.",
    ),
    _check(
        "H2H114", "Clipped to white", "note", clipped, "Ten per cent or more of the pixels at full white."
    ),
    _check("H2H115", "Soft images", "note", blurred, "Little is lost by one more blur: blurred or enlarged."),
    _check("H2H116", "Noise only", "warning", noise, "Correlation of neighbouring pixels under 0.5."),
    _check("H2H117", "Extreme aspect", "note", extreme_aspect, "Longer edge at least 2.5 times the shorter."),
    _check(
        "H2H118",
        "Sizes spread widely",
        "note",
        sizes,
        "The 95th percentile of edges is twice the 5th or more.",
    ),
    _check(
        "H2H119",
        "Pixel spacing differs",
        "note",
        spacing,
        "Stated spacing differs by over 20 %, or is partly missing.",
    ),
    _check(
        "H2H129",
        "Few grey values",
        "note",
        few_levels,
        "Fewer than 24 of 256 grey values: posterised or label maps.",
    ),
)
