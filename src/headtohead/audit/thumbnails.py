"""Small images for the report, as data addresses, so that a page needs no other file."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headtohead.audit.descriptors.image_statistics import grey8
from headtohead.core.errors import HeadToHeadError
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Image, Sample

if TYPE_CHECKING:
    from headtohead.data.dataset import Dataset

__all__ = ["EDGE", "MOST", "data_uri", "named_samples", "thumbnails"]

EDGE = 160  # pixels: enough to recognise what a finding names
MOST = 400  # in one audit; bounds the size of the page
_PER_FINDING = 24  # two rows of a wide page


def named_samples(record: dict[str, Any]) -> list[str]:
    """Return ids that the findings and groups of an audit's record name, most important first."""
    ids: list[str] = []
    for finding in record["findings"]:
        if finding["outcome"] in ("issue", "tip"):
            ids.extend(finding["samples"][:_PER_FINDING])
    for members in record["groups"]["shared"].values():
        ids.extend(members[:6])
    return list(dict.fromkeys(ids))[:MOST]


def thumbnails(
    dataset: Dataset,
    record: dict[str, Any],
    *,
    small: Callable[[Sample], str] | None = None,
    reporter: Reporter = QUIET,
) -> dict[str, str]:
    """Return sample id -> data URI of a small JPEG for the samples that the record names.

    An image that cannot be read has none; the finding says so.

    Args:
        dataset: the samples.
        record: of the audit.
        small: gives a thumbnail that is known already; images are decoded without it.
        reporter: hears how far the work is.
    """
    wanted = set(named_samples(record))
    chosen = [s for s in dataset.samples if s.id in wanted]
    found = {}
    for sample in reporter.progress(chosen, "thumbnails", len(chosen)):
        try:
            found[sample.id] = data_uri(dataset.read(sample)) if small is None else small(sample)
        except (HeadToHeadError, OSError):
            continue
    return found


def data_uri(image: Image, edge: int = EDGE) -> str:
    """Return the image as `data:image/jpeg;base64,…`, longer edge at most `edge` pixels.

    Colour is kept where the file has 8-bit colour, since colour marks are what some findings show.
    """
    import cv2

    pixels = image.pixels if image.pixels.dtype == np.uint8 else grey8(image)
    small = _fit(pixels, edge)
    ordered = small if small.ndim == 2 else cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", ordered, [cv2.IMWRITE_JPEG_QUALITY, 80])
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode("ascii")


def _fit(pixels: npt.NDArray[Any], edge: int) -> npt.NDArray[Any]:
    import cv2

    height, width = pixels.shape[:2]
    scale = edge / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
