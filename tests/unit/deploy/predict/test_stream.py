"""Files, folders and archives to predictions: in order, each once, with bounded reading ahead."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from tests.planting.stored import png

from headtohead.core.errors import UsageError
from headtohead.core.progress import QUIET
from headtohead.deploy.predict.prepare import PreparedImage
from headtohead.deploy.predict.stream import FileRequest, list_files, predict_files, prepare_file
from headtohead.deploy.prediction import ImagePrediction

PNG = png(np.zeros((4, 4), np.uint8))[1]


class Counting:
    """A model that answers with the size of each file and notes its batches."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.prepared: list[str] = []

    def try_prepare(self, name: str, content: bytes) -> PreparedImage | ImagePrediction:
        self.prepared.append(name)
        return ImagePrediction(path=name, sha256=str(len(content)))

    def predict_prepared(
        self, items: Sequence[PreparedImage | ImagePrediction], threshold: str | float | None = None
    ) -> list[ImagePrediction]:
        self.batches.append(len(items))
        return [one for one in items if isinstance(one, ImagePrediction)]


def folder(path: Path, *names: str) -> Path:
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(PNG if name.endswith("png") else b"text")
    return path


def archive(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as packed:
        for name, content in members.items():
            packed.writestr(f"{name}.png", content)
    return path


def names(*given: Path) -> list[str]:
    return [Path(one.name).name for one in list_files(given)]


def test_of_a_folder_the_images_by_name(tmp_path: Path) -> None:
    root = folder(tmp_path / "f", "b.png", "a/z.png", "a/c.png", "notes.txt", ".hidden.png", "Thumbs.db")
    assert [one.member for one in list_files([root])] == ["a/c.png", "a/z.png", "b.png"]
    assert [one.name for one in list_files([root])] == [
        f"{root}/{one}" for one in ("a/c.png", "a/z.png", "b.png")
    ]


def test_a_file_that_was_named_is_listed_whatever_it_is(tmp_path: Path) -> None:
    folder(tmp_path, "notes.txt", "a.png")
    assert names(tmp_path / "notes.txt", tmp_path / "a.png") == ["notes.txt", "a.png"]
    (missing,) = list_files([tmp_path / "none.png"])
    assert missing == FileRequest(str(tmp_path / "none.png"), problem="there is no such file")


def test_the_order_given_is_kept_and_nothing_is_merged(tmp_path: Path) -> None:
    root = folder(tmp_path / "f", "b.png", "a.png")
    assert names(root / "b.png", root, root / "b.png") == ["b.png", "a.png", "b.png", "b.png"]


def test_an_archive_is_looked_into_and_an_image_that_begins_like_one_is_not(tmp_path: Path) -> None:
    packed = archive(tmp_path / "scans.zip", b=PNG, a=PNG)
    assert names(packed) == ["a.png", "b.png"]
    packed.rename(tmp_path / "without-suffix")
    assert names(tmp_path / "without-suffix") == ["a.png", "b.png"]


def test_a_broken_archive_is_one_line_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04 and nothing")
    (one,) = predict_files(Counting(), [tmp_path / "broken.zip"], None, 4, QUIET)
    assert one.path == str(tmp_path / "broken.zip") and one.flags == ("unreadable",) and one.error


def test_an_archive_that_was_replaced_is_opened_anew(tmp_path: Path) -> None:
    """In one process, such as a notebook: the answers are of what lies there now."""
    path, model = tmp_path / "scans.zip", Counting()
    archive(path, a=PNG)
    assert [one.sha256 for one in predict_files(model, [path], None, 4, QUIET)] == [str(len(PNG))]
    bigger = png(np.arange(4096, dtype=np.uint8).reshape(64, 64))[1]
    archive(path, a=bigger, b=PNG)
    found = list(predict_files(model, [path], None, 4, QUIET))
    assert [one.sha256 for one in found] == [str(len(bigger)), str(len(PNG))]


def test_a_file_that_is_gone_when_its_turn_comes_is_told(tmp_path: Path) -> None:
    root = folder(tmp_path / "f", "a.png")
    (request,) = list_files([root])
    (root / "a.png").unlink()
    found = prepare_file(Counting(), request)
    assert isinstance(found, ImagePrediction) and found.flags == ("unreadable",) and found.error


@pytest.mark.parametrize(
    ("n", "size", "batches"), [(7, 3, [3, 3, 1]), (6, 3, [3, 3]), (2, 16, [2]), (0, 2, [])]
)
def test_batches_are_full_until_the_last(tmp_path: Path, n: int, size: int, batches: list[int]) -> None:
    root = folder(tmp_path / "f", *(f"{i:02d}.png" for i in range(n)))
    (tmp_path / "f").mkdir(exist_ok=True)
    model = Counting()
    found = list(predict_files(model, [root], None, size, QUIET))
    assert model.batches == batches
    assert [Path(one.path).name for one in found] == [f"{i:02d}.png" for i in range(n)]


def test_reading_ahead_is_bounded_and_whoever_stops_early_reads_no_more(tmp_path: Path) -> None:
    taken: list[int] = []

    def endless() -> Iterator[Path]:
        for n in range(10_000):
            taken.append(n)
            yield tmp_path / f"{n}.png"

    answers = predict_files(Counting(), endless(), None, 2, QUIET)
    for _ in range(3):
        next(answers)
    assert len(taken) <= 3 * 2 + 2 * 2, "three batches under way, of two"
    answers.close()  # type: ignore[attr-defined]
    assert len(taken) <= 10


def test_a_batch_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="Got a batch size of 0; expected at least 1"):
        list(predict_files(Counting(), [], None, 0, QUIET))


def test_an_image_saved_as_an_archive_of_itself_is_still_an_image(tmp_path: Path) -> None:
    out = io.BytesIO()
    Pillow.fromarray(np.zeros((4, 4), np.uint8)).save(out, "PNG")
    (tmp_path / "picture.zip").write_bytes(out.getvalue())  # a wrong suffix
    (one,) = list_files([tmp_path / "picture.zip"])
    assert one.member == "picture.zip"
