"""Look at the headers of uploads before any pixel is decoded, and give the refused ones their reason."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from headtohead.core.errors import UnreadableError
from headtohead.data.readers import Limits, claimed_size, sniff
from headtohead.deploy.prediction import ImagePrediction
from headtohead.serve.hosting.batching import time_limit
from headtohead.serve.hosting.registry import ServedModel
from headtohead.serve.intake.multipart import UploadedFile
from headtohead.serve.problems import ProblemError
from headtohead.serve.settings import MIB, ServeSettings

__all__ = [
    "InspectedFile",
    "inspect_files",
    "is_plain_png",
    "predict_files",
    "reader_limits",
    "refuse_if_all_failed",
]

VOXELS_PER_PIXEL = 4  # of a volume, against one image; a volume is decoded whole for its one slice
BYTES_PER_VOXEL = 4  # decoded as float32
PNG = b"\x89PNG\r\n\x1a\n"
PLAIN_CHUNKS = frozenset(
    (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"pHYs", b"gAMA", b"sRGB", b"cHRM", b"bKGD", b"tIME")
)
CHUNK_FRAME = 12  # bytes of length, type and checksum around the data of a chunk
MAX_CHUNKS = 32  # a slice has a handful; to walk them takes microseconds
FEW = 2  # files of a request whose headers are read in the event loop
MAX_FRAMES = 4000  # of one file; a long CT series has about 2,000 slices


@dataclass(frozen=True, slots=True)
class InspectedFile:
    """An upload after the look at its header.

    Attributes:
        file: the upload.
        pixels: that its header claims; 0 if refused.
        error: why it is refused, or "".
        is_image: whether its content is of a format that is read.
    """

    file: UploadedFile
    pixels: int
    error: str
    is_image: bool


def reader_limits(settings: ServeSettings) -> Limits:
    """Return the limits of the readers that follow from those of the server."""
    voxels = VOXELS_PER_PIXEL * settings.max_pixels
    return Limits(
        bytes=settings.max_bytes,
        pixels=settings.max_pixels,
        frames=MAX_FRAMES,
        voxels=voxels,
        unfolded=max(BYTES_PER_VOXEL * voxels, 16 * MIB),
        own_files=False,
    )


async def inspect_files(
    files: Sequence[UploadedFile], settings: ServeSettings, readers: Executor
) -> list[InspectedFile]:
    """Read the headers of uploads, away from the event loop unless that costs more than to read them.

    Raises:
        ProblemError: 503 after the time that an answer may take.
    """
    limits = reader_limits(settings)
    if all(is_plain_png(file.content) for file in files[:FEW]) and len(files) <= FEW:
        return [_inspect(file, limits) for file in files]
    async with time_limit(settings.answer_seconds):
        return await asyncio.get_running_loop().run_in_executor(
            readers, lambda: [_inspect(file, limits) for file in files]
        )


async def predict_files(served: ServedModel, files: Sequence[InspectedFile]) -> list[ImagePrediction]:
    """Ask a model about the files that were not refused; all results, in order."""
    accepted = [(item.file.name, item.file.content, item.pixels) for item in files if not item.error]
    found = iter(await served.queue.submit(accepted) if accepted else ())
    return [_refused(item) if item.error else next(found) for item in files]


def is_plain_png(content: bytes) -> bool:
    """Return whether a PNG has few chunks and none that unfolds, so that its header is read in half a millisecond.

    Others are read in a thread: thousands of empty chunks, or packed texts, would hold up all requests.

    >>> is_plain_png(PNG), is_plain_png(b"BM")
    (False, False)
    """
    if not content.startswith(PNG):
        return False
    place = len(PNG)
    for _ in range(MAX_CHUNKS):
        kind = content[place + 4 : place + 8]
        if kind == b"IEND":
            return True
        if kind not in PLAIN_CHUNKS:
            return False
        place += CHUNK_FRAME + int.from_bytes(content[place : place + 4])
    return False


def _refused(item: InspectedFile) -> ImagePrediction:
    """Return the prediction of a file that is not sent to the model."""
    return ImagePrediction(
        path=item.file.name,
        sha256=hashlib.sha256(item.file.content).hexdigest(),
        flags=("unreadable",),
        error=item.error,
    )


def refuse_if_all_failed(files: Sequence[InspectedFile], results: Sequence[ImagePrediction]) -> None:
    """Refuse a request of which no file could be read; where some could, each has its own `error`.

    Raises:
        ProblemError: 415 if no file is an image, else 422, with the reason of each file in `errors`.
    """
    if any(result.error is None for result in results):
        return
    errors = [
        {"file": item.file.name, "error": result.error} for item, result in zip(files, results, strict=True)
    ]
    status = 422 if any(item.is_image for item in files) else 415
    what = "The file cannot be read" if len(files) == 1 else f"None of the {len(files)} files can be read"
    raise ProblemError(status, f"{what}: {results[0].error}.", errors=errors)


def _inspect(file: UploadedFile, limits: Limits) -> InspectedFile:
    is_image = bool(sniff(file.content))
    try:
        height, width = claimed_size(file.content, limits)
    except UnreadableError as error:
        return InspectedFile(file, 0, str(error), is_image)
    return InspectedFile(file, height * width, "", is_image)
