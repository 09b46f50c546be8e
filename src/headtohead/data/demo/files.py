"""The bytes of a demonstration image's file, and of its altered copies."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import DataError

__all__ = ["encode", "make_copy"]

Grey = npt.NDArray[np.uint8]
Box = list[int]


def encode(image: Grey, suffix: str, quality: int = 90) -> bytes:
    """Return the image as PNG or JPEG bytes.

    Args:
        suffix: ".png" or ".jpg".
        quality: of the JPEG, 1 to 100.

    Raises:
        DataError: the image could not be encoded.
    """
    import cv2

    flags = [cv2.IMWRITE_JPEG_QUALITY, quality] if suffix == ".jpg" else []
    done, content = cv2.imencode(suffix, image, flags)
    if not done:
        raise DataError(f"Could not encode an image of shape {image.shape} as {suffix}.")
    return bytes(content.tobytes())


def make_copy(
    rng: np.random.Generator, image: Grey, kind: str, box: Box | None
) -> tuple[Grey, int, Box | None]:
    """Return an altered copy as (pixels, JPEG quality, lesion box).

    Args:
        image: as the first file shows it.
        kind: "recompressed", "rescaled" or "re-cropped".
        box: the lesion's [top, left, bottom, right] in `image`, or None.
    """
    import cv2

    if kind == "recompressed":
        return image, int(rng.integers(35, 65)), box  # first files have 72 to 95
    height, width = image.shape
    if kind == "rescaled":
        factor = float(rng.choice((rng.uniform(0.6, 0.85), rng.uniform(1.2, 1.6))))
        size = (round(width * factor), round(height * factor))
        how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC  # averaging does not alias where pixels merge
        pixels = np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)
        return pixels, 88, None if box is None else [round(v * factor) for v in box]
    top, left, bottom, right = (
        int(rng.uniform(0.02, 0.08) * side) for side in (height, width, height, width)
    )
    pixels = np.ascontiguousarray(image[top : height - bottom, left : width - right])
    if box is not None:
        limit = pixels.shape
        box = [
            min(max(box[0] - top, 0), limit[0]),
            min(max(box[1] - left, 0), limit[1]),
            min(max(box[2] - top, 0), limit[0]),
            min(max(box[3] - left, 0), limit[1]),
        ]
    return pixels, 88, box
