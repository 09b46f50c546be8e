"""Images in arrays, as MedMNIST gives them; objects are never unpickled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headtohead.core.errors import DataError, NoEffectError
from headtohead.data.load import LoadOptions, load, source_digest
from headtohead.data.splits.folds import make_folds
from headtohead.data.storage import npz


def arrays(shape: tuple[int, ...] = (8, 8), dtype: Any = np.uint8, n: int = 6) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    made: dict[str, Any] = {}
    for part in ("train", "val", "test"):
        made[f"{part}_images"] = rng.integers(0, 200, (n, *shape)).astype(dtype)
        made[f"{part}_labels"] = np.arange(n).reshape(n, 1) % 2
    return made


@pytest.mark.parametrize("shape", [(8, 7), (8, 7, 3), (8, 7, 1)])
@pytest.mark.parametrize("packed", [True, False])
def test_medmnist(tmp_path: Path, shape: tuple[int, ...], packed: bool) -> None:
    made = arrays(shape)
    (np.savez_compressed if packed else np.savez)(tmp_path / "a.npz", **made)
    data = load(str(tmp_path / "a.npz"))
    assert len(data) == 18 and data.classes == ("0", "1") and data.positive == "1"
    sample = next(s for s in data.samples if s.id == "test/000003")
    assert (sample.split, sample.label, sample.height, sample.width, sample.format) == (
        "test",
        "1",
        8,
        7,
        "NPZ",
    )
    assert sample.mode == ("RGB" if shape[-1] == 3 else "L")
    assert (data.read(sample).pixels == made["test_images"][3].squeeze()).all()
    assert source_digest(str(tmp_path / "a.npz")) == data.digest()
    assert any("6 train" in note for note in data.notes)
    assert len(make_folds(data, split="given").folds[0].train) == 12


@pytest.mark.parametrize(
    ("dtype", "kept"),
    [("uint16", "uint16"), ("float64", "float32"), ("int64", "uint8"), ("bool", "uint8"), (">u2", "uint16")],
)
def test_types_of_pixels(tmp_path: Path, dtype: str, kept: str) -> None:
    np.savez(tmp_path / "a.npz", **arrays(dtype=dtype))
    data = load(str(tmp_path / "a.npz"))
    assert data.read(data.samples[0]).pixels.dtype == np.dtype(kept)


def test_large_arrays_are_mapped_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npz, "IN_MEMORY", 10)
    made = arrays()
    np.savez_compressed(tmp_path / "a.npz", **made)
    data = load(str(tmp_path / "a.npz"))
    assert (data.read(data.samples[0]).pixels == made["test_images"][0]).all()


@pytest.mark.parametrize(
    ("names", "split"), [(("x_train", "y_train", "x_test", "y_test"), "train"), (("images", "labels"), None)]
)
def test_other_names(tmp_path: Path, names: tuple[str, ...], split: str | None) -> None:
    made = arrays()
    values = [made["train_images"], made["train_labels"], made["test_images"], made["test_labels"]]
    np.savez(tmp_path / "a.npz", **dict(zip(names, values, strict=False)))
    assert split in {s.split for s in load(str(tmp_path / "a.npz")).samples}


def test_names_as_labels(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=arrays()["train_images"], labels=np.array(["well", "ill"] * 3))
    assert load(str(tmp_path / "a.npz"), LoadOptions(positive="ill")).classes == ("well", "ill")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"train_labels": np.full((6, 14), 2)}, r"several labels per image.*arg max"),
        ({"train_labels": np.zeros(5, int)}, "5 labels for 6 images"),
        ({"train_labels": np.full(6, 0.5)}, "fractions"),
        ({"train_images": np.zeros((6, 3, 8, 8), np.uint8)}, "expected numbers of shape"),
        ({"train_images": np.zeros((6, 8, 0), np.uint8)}, "expected numbers of shape"),
        ({"train_images": np.array(["a"] * 6)}, "expected numbers of shape"),
        ({"extra_images": np.zeros((6, 8, 8), np.uint8)}, "expected pairs"),
    ],
)
def test_what_is_refused(tmp_path: Path, change: dict[str, Any], fault: str) -> None:
    np.savez(tmp_path / "a.npz", **(arrays() | change))
    with pytest.raises(DataError, match=fault):
        load(str(tmp_path / "a.npz"))


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("unpickled"),)


def test_objects_are_never_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "a.npz", **(arrays() | {"train_labels": np.array([Evil()] * 6, dtype=object)}))
    with pytest.raises(DataError, match="Python objects"):
        load(str(tmp_path / "a.npz"))
    assert not (tmp_path / "unpickled").exists()


def test_headers_that_lie_and_options_without_effect(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **arrays())
    with pytest.raises(NoEffectError, match="label_from"):
        load(str(tmp_path / "a.npz"), LoadOptions(label_from="(.)"))
    content = (tmp_path / "a.npz").read_bytes()
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.npz") as old, zipfile.ZipFile(tmp_path / "b.npz", "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).replace(b"(6, 8, 8)", b"(6, 8, 9)"))
    assert content
    with pytest.raises(DataError, match="damaged: it ends after 384 of 432 bytes"):
        load(str(tmp_path / "b.npz"))
