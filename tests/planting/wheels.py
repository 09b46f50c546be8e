"""A small wheel with generated weights, as an index of the user's own holds it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import torch

from headtohead.backbones.catalog import resolve
from headtohead.backbones.record import BackboneRecord, WheelFile
from headtohead.backbones.weights.cache import file_sha256
from headtohead.backbones.weights.convert import expected_tensors

__all__ = ["ARCHITECTURE", "MEMBER", "make_wheel", "wheel_record"]

MEMBER = "h2h_small_weights/small.pth"
ARCHITECTURE = "test_resnet"


def make_wheel(folder: Path) -> Path:
    generator = torch.Generator().manual_seed(0)
    tensors = {
        f"_{number}.{name.rpartition('.')[2]}": torch.rand(shape, generator=generator)
        for number, (name, shape) in enumerate(expected_tensors(ARCHITECTURE).items())
    }
    buffer = io.BytesIO()
    torch.save(tensors, buffer)
    path = folder / "h2h_small_weights-1.0-py3-none-any.whl"
    info = "h2h_small_weights-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(MEMBER, buffer.getvalue())
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: h2h-small-weights\nVersion: 1.0\n"
                                             "Requires-Dist: a-package-that-must-never-be-asked-for\n")  # fmt: skip
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def wheel_record(path: Path | None, **changes: str) -> BackboneRecord:
    sha256 = file_sha256(path) if path is not None else "0" * 64
    wheel = WheelFile(
        package="h2h-small-weights", version="1.0", layout="efficientnet-lite",
        **({"sha256": sha256, "member": MEMBER} | changes),
    )  # fmt: skip
    facts = {
        "name": "small",
        "architecture": ARCHITECTURE,
        "revision": "1.0",
        "wheel": wheel,
        "input_size": 160,
    }
    return resolve("efficientnet-lite0").model_copy(update=facts)
