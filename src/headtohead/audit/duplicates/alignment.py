"""Whether two images show the same scene: features, one similarity transform, then the pixels.

A candidate is only a suspicion. Local features (SIFT; Lowe, 2004) are matched, one similarity
transform (shift, turn, zoom) is sought by RANSAC, the one image is laid on the other, and the
grey values must agree, at large and in every small window that holds texture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from headtohead.audit.duplicates.keypoints import Keypoints, rotated
from headtohead.audit.duplicates.matching import find_transform, match

__all__ = [
    "AlignmentResult",
    "Matrix",
    "agrees_under_transform",
    "align",
    "inliers_cover_image",
    "is_duplicate",
    "is_similar",
]

Grey = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Matrix = npt.NDArray[np.float64]

_WINDOW = 15  # pixels: local detail, small enough that slow changes of brightness drop out
_WIDE_WINDOW = 31  # pixels: coarse structure, in the same way
_CALM = 3.0  # pixels of blur that take noise away before coarse structure is compared
_TEXTURE = 5.0  # grey values: a window with less deviation is background and proves nothing
_COARSEST = 2.0  # the residual of a coarsely sampled copy may be at most twice as large

LEAST_OVERLAP = 0.3  # share of the smaller image: less shared area is no evidence of a copy
LEAST_SPREAD = 0.15  # share of the image: one word or a ruler covers less, anatomy more
NCC_DUPLICATE = 0.5  # correlation of the whole overlap: refuses what agrees in local detail alone
DETAIL_DUPLICATE = (
    0.75  # copies reach 0.79 and more, different images of the 253 at most 0.35 (`is_duplicate`)
)
DETAIL_CHAIN = 0.5  # lower: along a chain of copies the errors of the transforms add up
RESIDUAL_DUPLICATE = (
    0.45  # pixels: slices 1 mm apart have 0.47 and more, copies at most 0.41 (`is_duplicate`)
)
RESIDUAL_NOISY = 0.85  # pixels, where the coarse structure is the same: noise moves keypoints
STRUCTURE_DUPLICATE = 0.98  # noisy copies reach 0.983 and more, slices 1 mm apart 0.972 (`is_duplicate`)
AGREEING_DUPLICATE = 0.7  # share of matches: of a copy nearly all agree on one transform


@dataclass(frozen=True, slots=True)
class AlignmentResult:
    """How well one image lies on another; the other fields are as in `DuplicatePair`.

    Attributes:
        matrix: (3, 3), from positions in the first view to positions in the second, unturned view.
        kind: bit 1 says mirrored, bit 2 inverted; see `keypoints.KINDS`.
        structure: as `detail`, but of coarse structure, in nearly all windows.
        stretch: how much more the transform zooms along one direction than across it, at least 1.
        spread: share of the first view that the convex hull of the inliers covers.
    """

    inliers: int
    matches: int
    residual: float
    ncc: float
    detail: float
    overlap: float
    zoom: float
    turn: float
    matrix: Matrix
    kind: int = 0
    structure: float = 0.0
    stretch: float = 1.0
    spread: float = 1.0


def _laid_on(a: Grey, b: Grey, matrix: Matrix) -> tuple[Floats, Floats, Mask]:
    """Return a, b warped into a's frame (both lightly blurred) and where both are."""
    zoom = _zoom(matrix)
    # warpAffine reads single pixels: what is shrunk without blur aliases
    smooth = cv2.GaussianBlur(b, (0, 0), 0.5 * zoom) if zoom > 1.2 else b
    size = a.shape[::-1]
    back = cv2.WARP_INVERSE_MAP
    warped = cv2.warpAffine(smooth, matrix, size, flags=cv2.INTER_LINEAR | back)
    both = cv2.warpAffine(np.full(b.shape, 255, np.uint8), matrix, size, flags=cv2.INTER_NEAREST | back) > 0
    soft = [cv2.GaussianBlur(one, (0, 0), 1.0).astype(np.float32) for one in (a, warped)]
    return soft[0], soft[1], both


def _correlation(a: Floats, b: Floats) -> float:
    if a.size < 64 or a.std() < 1e-3 or b.std() < 1e-3:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


def _local(a: Floats, b: Floats, both: Mask, window: int, percent: float) -> float:
    """Return a percentile of the correlation in windows that hold texture in either image."""

    def mean(values: Floats) -> Floats:
        return np.asarray(cv2.boxFilter(values, -1, (window, window)), np.float32)

    mean_a, mean_b = mean(a), mean(b)
    var_a, var_b = mean(a * a) - mean_a**2, mean(b * b) - mean_b**2
    # a window across the end of the overlap would be compared with nothing
    within = cv2.erode(both.astype(np.uint8), np.ones((window, window), np.uint8), borderValue=0) > 0
    textured = within & (np.maximum(var_a, var_b) > _TEXTURE**2)
    if int(textured.sum()) < 64:
        return 0.0
    local = (mean(a * b) - mean_a * mean_b) / np.sqrt(np.maximum(var_a, 1) * np.maximum(var_b, 1))
    return float(np.percentile(local[textured], percent))


def _detail(a: Floats, b: Floats, both: Mask) -> float:
    """Return the lower quartile of the correlation in small windows."""
    return _local(a, b, both, _WINDOW, 25)


def _structure(a: Floats, b: Floats, both: Mask) -> float:
    """Return the correlation in larger windows once noise is blurred away, its lowest twentieth left out."""
    calm = [np.asarray(cv2.GaussianBlur(one, (0, 0), _CALM), np.float32) for one in (a, b)]
    return _local(calm[0], calm[1], both, _WIDE_WINDOW, 5)


def align(a: Keypoints, b: Keypoints, kind: int = 0) -> AlignmentResult | None:
    """Lay b on a and measure how well they agree, or return None where no transform fits.

    Args:
        a: the one image.
        b: the other, as it is.
        kind: what b must undergo first, as a position in `keypoints.KINDS`.
    """
    b = rotated(b, kind)
    on_a, on_b = match(a, b)
    found = find_transform(on_a, on_b) if len(on_a) else None
    if found is None:
        return None
    matrix, chosen = found
    zoom = _zoom(matrix)
    off = np.linalg.norm(on_a[chosen] @ matrix[:, :2].T + matrix[:, 2] - on_b[chosen], axis=1)
    soft_a, soft_b, both = _laid_on(a.grey, b.grey, matrix)
    smaller = min(a.grey.size, b.grey.size / zoom**2)  # both in pixels of a
    return AlignmentResult(
        inliers=int(chosen.sum()),
        matches=len(on_a),
        residual=float(np.median(off)) / max(1.0, zoom),  # in pixels of the coarser of the two
        ncc=_correlation(soft_a[both], soft_b[both]),
        detail=_detail(soft_a, soft_b, both),
        overlap=min(1.0, float(both.sum()) / smaller),
        zoom=zoom * a.scale / b.scale,
        turn=math.degrees(math.atan2(matrix[1, 0], matrix[0, 0])),
        matrix=_unturned(matrix, b.grey.shape[1], mirrored=bool(kind & 1)),
        kind=kind,
        structure=_structure(soft_a, soft_b, both),
        stretch=_stretch(matrix),
        spread=float(cv2.contourArea(cv2.convexHull(on_a[chosen]))) / a.grey.size,
    )


def _stretch(matrix: Matrix) -> float:
    long, short = np.linalg.svd(matrix[:2, :2], compute_uv=False)
    return float(long / short)


def _zoom(matrix: Matrix) -> float:
    return math.sqrt(abs(float(np.linalg.det(matrix[:2, :2]))))


def _unturned(matrix: Matrix, width: int, *, mirrored: bool) -> Matrix:
    """Return the (3, 3) matrix into the unturned image of a (2, 3) one into the turned."""
    whole = np.vstack([matrix, [0.0, 0.0, 1.0]])
    if not mirrored:
        return whole
    return np.asarray(np.array([[-1.0, 0.0, width - 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]) @ whole)


def agrees_under_transform(a: Keypoints, b: Keypoints, matrix: Matrix, *, inverted: bool) -> bool | None:
    """Tell whether b agrees with a where a chain of transforms lays it; None if they hardly overlap.

    Only the texture counts, and its bound is looser than a duplicate's: errors add up along a
    chain, and a frame on one image may lie on the empty corner of another that was turned.

    Args:
        a, b: unturned views.
        matrix: (3, 3) from a's positions to b's.
        inverted: dark and bright are exchanged.
    """
    soft_a, soft_b, both = _laid_on(a.grey, 255 - b.grey if inverted else b.grey, matrix[:2])
    if float(both.mean()) < LEAST_OVERLAP:
        return None
    return _detail(soft_a, soft_b, both) >= DETAIL_CHAIN


def is_similar(seen: AlignmentResult) -> bool:
    """Tell whether the features cannot agree by chance: inliers > 8 + 0.3 matches.

    The rule is Brown and Lowe's (2007, "Automatic Panoramic Image Stitching", eq. 13), made for
    deciding whether two photographs overlap.
    """
    return seen.inliers > 8.0 + 0.3 * seen.matches and seen.overlap >= LEAST_OVERLAP


def inliers_cover_image(seen: AlignmentResult) -> bool:
    """Tell whether what agrees is spread over the image, as anatomy is, and not one word or one ruler."""
    return seen.spread >= LEAST_SPREAD


def is_duplicate(seen: AlignmentResult) -> bool:
    """Tell whether two images are copies: features and grey values agree, everywhere, finely.

    Two neighbouring slices of one head agree at large (correlation 0.99), but their features lie
    half a pixel and more apart and windows of texture differ; a copy keeps them within 0.4 pixels
    unless it was made much smaller, in one direction at least, which is allowed for up to twice
    that. Measured on slices of the MNI152 template 1 mm apart: residual at least 0.47 (of 189 pairs
    one 0.41); on copies (crops, JPEG quality 30, contrast, text, frames, turns, stretch): at most
    0.41, detail at least 0.95, or 0.79 where the histogram was equalised; of the 253 brain images no
    two different ones reach a detail of 0.35.

    Noise and compression move the features of a soft image as far as the next slice does, but
    they leave its coarse structure alone: there such copies reach 0.983 and more, slices 0.972.
    """
    uneven = math.sqrt(seen.stretch)
    coarser = min(_COARSEST, uneven * max(1.0, seen.zoom, 1.0 / seen.zoom))
    same = seen.structure >= STRUCTURE_DUPLICATE
    return (
        is_similar(seen)
        and seen.inliers >= AGREEING_DUPLICATE * seen.matches
        and seen.residual <= coarser * (RESIDUAL_NOISY if same else RESIDUAL_DUPLICATE)
        and seen.detail >= DETAIL_DUPLICATE
        and seen.ncc >= NCC_DUPLICATE
    )
