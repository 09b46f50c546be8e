"""1xx: crops that miss the subject, and images that do not belong to this very set."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.audit.check import Check, Observation, issue, not_applicable, passed
from headtohead.audit.checks.files import by_class, list_samples
from headtohead.audit.checks.image_quality import flagged
from headtohead.audit.context import AuditContext
from headtohead.audit.descriptors.image_pass import ImageSummary
from headtohead.audit.descriptors.outlier_distance import (
    knn_distance_to_other_groups,
    pca_block,
    robust_z,
    whitened_pca,
)
from headtohead.core.formatting import format_percent, pluralize
from headtohead.core.parallel import single_threaded_blas

__all__ = ["CHECKS"]

Floats = npt.NDArray[np.float64]

CUTS, CLIPS, KEEPS = 0.30, 0.15, 0.03
FAR, TIMES = 3.5, 1.65
FEWEST = 20  # below so many groups "unusual" has no reference
_NAMED = 5  # always named, so that a reader sees what the ranking is like


def crop_cuts_subject(context: AuditContext) -> Observation:
    """Name images in which the classical crop cuts off part of the foreground."""
    if not context.settings.classical:
        return not_applicable("the classical crop was not asked for")
    lost = [(p, p.values["crop_lost"]) for p in context.images.read if p.values["crop_lost"] >= CLIPS]
    if all(np.isnan(p.values["crop_lost"]) for p in context.images.read):
        return not_applicable("no foreground was found to compare the crop with")
    cut = [p.id for p, share in lost if share >= CUTS]
    if not lost:
        return passed(
            f"the classical crop loses less than {format_percent(CLIPS)} of the foreground everywhere"
        )
    ranked = sorted(lost, key=lambda pair: (-pair[1], pair[0].id))
    ids = [p.id for p, _ in ranked]
    clips = f"{format_percent(CLIPS)} to {format_percent(CUTS)}"
    if cut:
        told = (
            f"cuts off {format_percent(CUTS)} or more of the foreground in {pluralize(len(cut), 'image')} "
            f"({list_samples(ids[: len(cut)])}) and clips {clips} in {len(ids) - len(cut)} more"
        )
    else:
        told = f"clips {clips} of the foreground in {pluralize(len(ids), 'image')}"
    return issue(
        f"the classical threshold-45 crop {told}",
        "Use the recipe `foreground`; do not feed these crops to a network. The foreground includes skin and "
        "bone, so a clipped edge may be harmless; look at the images.",
        samples=ids,
        severity=None if cut else "note",
        lost={p.id: round(share, 4) for p, share in ranked},
        boxes=_boxes(context, ids),
        by_class=by_class(context, ids),
    )


def _boxes(context: AuditContext, ids: list[str]) -> dict[str, Any]:
    """Return id -> size, classical box and foreground box, to be drawn by the report."""
    chosen = {p.id: p for p in context.images.read if p.id in set(ids)}
    return {
        i: {
            "size": [chosen[i].height, chosen[i].width],
            "classical": _corners(chosen[i].classical),
            "foreground": _corners(chosen[i].foreground),
        }
        for i in ids
    }


def _corners(box: Any) -> list[int] | None:
    return None if box is None else [box.top, box.left, box.bottom, box.right]


def crop_keeps_background(context: AuditContext) -> Observation:
    """Name images in which the classical crop keeps frames or ground."""
    if not context.settings.classical:
        return not_applicable("the classical crop was not asked for")
    if all(np.isnan(p.values["crop_other"]) for p in context.images.read):
        return not_applicable("no foreground was found to compare the crop with")
    found = [(p, p.values["crop_other"]) for p in context.images.read if p.values["crop_other"] >= KEEPS]
    return flagged(
        context,
        found,
        what=f"keep {format_percent(KEEPS)} or more of frame or background in the classical threshold-45 crop",
        advice="Use the recipe `foreground`; what the classical crop keeps here is not the subject.",
        clean="the classical crop keeps no frame or background",
    )


def no_foreground(context: AuditContext) -> Observation:
    """Name images that the foreground recipe had to keep whole."""
    whole = [(p, 1.0) for p in context.images.read if p.foreground is not None and _kept_whole(p)]
    lost = [(p, 2.0) for p in context.images.read if p.foreground is None]
    if len(whole) + len(lost) > 0.5 * len(context.images.read):
        return not_applicable("most images have no subject apart from a ground; the recipe `none` suits them")
    return flagged(
        context,
        whole + lost,
        what="have no foreground that stands out from the background; the recipe keeps them whole",
        advice="Look at them in `headtohead preprocess`; crop by hand if they matter.",
        clean="a foreground was found in every image",
    )


def _kept_whole(image: ImageSummary) -> bool:
    """Return whether the foreground recipe said that it found no subject apart from the ground."""
    # words of `preprocess.pipeline`; reworded there, this check would go quiet
    said = any(
        words in image.foreground_note for words in ("whole image kept", "not darker than the subject")
    )
    return said and image.values["foreground"] > 0.999


def unlike_the_rest(context: AuditContext) -> Observation:
    """Rank images by how little their subject looks like that of any other group."""
    # an image that could not be read has a row of zeros, which would stand far out
    if len(context.group_sizes) < FEWEST or context.images.unread:
        return not_applicable(f"needs {FEWEST} groups, all readable; there are {len(context.group_sizes)}")
    how, rows = "layout, grey profile, texture and aspect of the foreground", context.settings.features
    with single_threaded_blas():  # the digits do not depend on the number of threads
        blocks = _scene_blocks(context)
        if rows is not None:
            blocks = [whitened_pca(rows.astype(np.float64), context.groups), *blocks]
            how = f"pretrained features, {how}"
        distances = knn_distance_to_other_groups(blocks, context.groups, seed=context.settings.seed)
    return _ranked(context, distances, f"by {how}", "another kind of scene")


def _scene_blocks(context: AuditContext) -> list[Floats]:
    images = context.images
    boxes = [p.foreground for p in images.read]
    # on a logarithm, twice as wide and twice as tall are equally far from a square
    aspect = np.array([0.0 if b is None else np.log((b.right - b.left) / (b.bottom - b.top)) for b in boxes])
    return [pca_block(images.stack(name)) for name in ("scene", "profile", "texture")] + [
        pca_block(aspect[:, None])
    ]


def unusual_layout(context: AuditContext) -> Observation:
    """Rank images by how unusual brightness and layout of the whole image are."""
    if len(context.group_sizes) < FEWEST or context.images.unread:
        return not_applicable(f"needs {FEWEST} groups, all readable; there are {len(context.group_sizes)}")
    rows = context.images.stack("thumbnail") / 255.0
    if float(np.ptp(rows, axis=0).max()) == 0:  # the deviation of equal numbers may be off 0 by rounding
        return not_applicable("all thumbnails are the same")
    with single_threaded_blas():
        distance = knn_distance_to_other_groups([pca_block(rows)], context.groups, seed=context.settings.seed)
    return _ranked(context, distance, "by 16 × 16 thumbnails", "unusual brightness or layout")


def _ranked(context: AuditContext, distance: Floats, how: str, what: str) -> Observation:
    """Name the images that stand far out and the few that follow; quiet where none stands out.

    Far out is both a robust z of 3.5 on the logarithm and 1.65 times the median distance: the first
    alone fires by chance on a set whose images are all alike.
    """
    # images that look the same have distance 0, which has no logarithm
    z = robust_z(np.log(np.maximum(distance, 1e-9)))
    order = np.argsort(-distance, kind="stable")
    middle = float(np.median(distance))
    far = [i for i in order if z[i] >= FAR and distance[i] >= TIMES * middle]
    table = {str(context.ids[i]): [round(float(distance[i]), 3), round(float(z[i]), 2)] for i in order[:30]}
    if not far:
        return passed(f"no image stands far out {how} (largest robust z {float(z.max()):.1f})", ranking=table)
    named = [str(context.ids[i]) for i in order[: max(len(far), _NAMED, len(order) // 50)]]
    return issue(
        f"{pluralize(len(far), 'image', 'stands', 'stand')} far out {how} ({what}): {list_samples(named[: len(far)])}; "
        f"next in line: {list_samples(named[len(far) :]) or 'none'}",
        "Look at them one by one, worst first: another organ, modality or plane, inverted or cropped images. "
        "Unusual is not wrong; leave out what does not belong, with the reason (`headtohead clean`).",
        samples=named,
        ranking=table,
        threshold={"z": FAR, "times_median": TIMES},
    )


CHECKS = (
    Check(
        "H2H126",
        "Classical crop cuts the foreground",
        "warning",
        crop_cuts_subject,
        "Share of the foreground that the threshold-45 crop of many published notebooks cuts off.",
    ),
    Check(
        "H2H127",
        "Classical crop keeps frame or background",
        "note",
        crop_keeps_background,
        "Share of the threshold-45 crop that lies outside the foreground's box.",
    ),
    Check(
        "H2H128",
        "No foreground found",
        "note",
        no_foreground,
        "Images in which the recipe `foreground` found no plausible subject.",
    ),
    Check(
        "H2H130",
        "Another kind of scene",
        "warning",
        unlike_the_rest,
        "Distance to the fifth nearest group, by hand-made descriptors and, with `--features`, pretrained ones.",
    ),
    Check(
        "H2H131",
        "Unusual brightness or layout",
        "note",
        unusual_layout,
        "Distance of the 16 x 16 thumbnail to the fifth nearest group, in 20 principal components.",
    ),
)
