"""`headtohead.export`: a bundle in one file that other programs run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from headtohead.api.arguments import path_of, reporter_for

if TYPE_CHECKING:
    from headtohead.deploy.export.parity import Parity
    from headtohead.deploy.export.write import Target

__all__ = ["export"]


def export(
    model: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    to: Target,
    images: Sequence[str | os.PathLike[str]] | str | os.PathLike[str],
    most_images: int = 256,
    int8: bool = False,
    quiet: bool = False,
) -> Parity:
    """Write a model as ONNX, OpenVINO, a torch program or a MONAI bundle, if it gives the bundle's answers.

    Args:
        model: a bundle that `train` wrote.
        out: the file (.onnx, .xml, .pt2) or, for MONAI, the folder; must not exist.
        to: "onnx", "openvino", "torch" or "monai".
        images: files or folders; on these images the answers are compared, from their bytes to the label.
        most_images: of a larger number, as many are taken, evenly spaced.
        int8: cut weights and activations to 8 bits; the drift is reported, not refused.
        quiet: show no progress.

    Returns:
        The largest differences between the answers; also stored in the file.

    Raises:
        PrecisionError: a probability differs by more than 0.001, or a label outside rounding; nothing is written.
        UsageError: no images, a wrong ending, or `out` exists.
    """
    from headtohead.deploy.export.write import ExportJob, export_model
    from headtohead.deploy.load import load_model

    reporter = reporter_for(quiet)
    given = [images] if isinstance(images, (str, os.PathLike)) else images
    paths = [path for one in given for path in _files(path_of(one, "images"))]
    chosen = paths[:: max(1, -(-len(paths) // most_images))]  # rounded up: never more than asked for
    items = [(str(path), path.read_bytes()) for path in chosen]
    job = ExportJob(load_model(path_of(model, "model")), items, "images", int8)
    return export_model(job, to, path_of(out, "out"), reporter=reporter)


def _files(path: Path) -> list[Path]:
    """Return a file, or the image files of a folder and all its folders."""
    from headtohead.core.errors import UsageError
    from headtohead.data.readers import is_candidate

    if path.is_file():
        return [path]
    if not path.is_dir():
        raise UsageError(f"Got {path}, which does not exist; expected an image or a folder of images.")
    found = sorted(one for one in path.rglob("*") if one.is_file())
    return [one for one in found if is_candidate(one.name, _head(one))]


def _head(path: Path) -> bytes:
    from headtohead.data.readers import HEAD_BYTES

    with path.open("rb") as file:
        return file.read(HEAD_BYTES)
