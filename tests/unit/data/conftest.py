"""Small generated images and folders of them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from headtohead.core.records import Sample
from headtohead.data.dataset import Dataset

Image = Callable[..., bytes]
Tree = Callable[[dict[str, bytes]], Path]


@pytest.fixture(scope="session")
def image() -> Image:
    """Return a maker of images: `image(seed, kind="PNG", size=(9, 8))` gives a file's bytes."""

    def make(seed: int, kind: str = "PNG", size: tuple[int, int] = (9, 8)) -> bytes:
        pixels = np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)
        file = io.BytesIO()
        PillowImage.fromarray(pixels).save(file, kind)
        return file.getvalue()

    return make


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Return a maker of folders: `tree({"yes/a.png": b"…"})` writes the files and gives the root."""

    def make(files: dict[str, bytes]) -> Path:
        root = tmp_path / "data"
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return root

    return make


@pytest.fixture(scope="session")
def made() -> Callable[..., Dataset]:
    """Return a maker of datasets without files, from (label, group) pairs."""

    def make(rows: Iterable[tuple[str, str]], splits: Iterable[str | None] | None = None) -> Dataset:
        listed = list(rows)
        parts = list(splits) if splits is not None else [None] * len(listed)
        samples = tuple(
            Sample(
                id=f"s{i:04d}", path=f"s{i:04d}", label=label, group=group, split=part, sha256=f"sha{i}",
                pixel_hash=f"pixels{i}", width=1, height=1, n_bytes=1, mode="L", format="PNG", suffix=".png",
                bit_depth=8,
            )
            for i, ((label, group), part) in enumerate(zip(listed, parts, strict=True))
        )  # fmt: skip
        return Dataset(root="", samples=samples, classes=tuple(sorted({label for label, _ in listed})))

    return make
