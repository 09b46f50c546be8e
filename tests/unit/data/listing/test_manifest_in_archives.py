"""A manifest inside a zip or tar is read where it lies."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from headtohead.core.errors import DataError, ManifestError, NoEffectError
from headtohead.data.load import LoadOptions, load, source_digest

Image = Callable[..., bytes]
TABLE = (
    "path,label,patient,age\nimg/0.png,no,p1,61\nimg/1.png,yes,p1,61\nimg/2.png,no,p2,\nimg/3.png,yes,p3,7\n"
)


@pytest.fixture
def files(image: Image) -> dict[str, bytes]:
    return {f"set/img/{i}.png": image(i) for i in range(4)}


def packed(path: Path, files: dict[str, bytes]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        return path
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(f"./{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
def test_it_is_found_and_read_in_place(name: str, files: dict[str, bytes], tmp_path: Path) -> None:
    archive = packed(tmp_path / name, {**files, "set/labels.csv": TABLE.encode(), "set/readme.txt": b"hello"})
    data = load(str(archive))
    assert [sample.path for sample in data.samples] == [f"set/img/{i}.png" for i in range(4)]
    assert [sample.label for sample in data.samples] == ["no", "yes", "no", "yes"]
    assert data.groups().tolist() == ["p1", "p1", "p2", "p3"]
    assert data.samples[0].extra["age"] == "61" and data.root == str(archive)
    assert any("set/labels.csv: 4 rows" in note for note in data.notes)
    assert source_digest(str(archive)) == data.digest()
    assert data.read(data.samples[3]).size == (9, 8)
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]


@pytest.mark.parametrize("suffix", ["tsv", "parquet"])
def test_other_kinds_of_table(suffix: str, files: dict[str, bytes], tmp_path: Path) -> None:
    frame = pd.read_csv(io.StringIO(TABLE))
    buffer = io.BytesIO()
    if suffix == "tsv":
        frame.to_csv(buffer, sep="\t", index=False)
    else:
        frame.to_parquet(buffer)
    archive = packed(tmp_path / "a.zip", {**files, f"set/labels.{suffix}": buffer.getvalue()})
    assert [sample.label for sample in load(str(archive)).samples] == ["no", "yes", "no", "yes"]


def test_several_are_refused_and_one_can_be_named(files: dict[str, bytes], tmp_path: Path) -> None:
    other = TABLE.replace("yes", "maybe")
    tables = {"set/a.csv": TABLE.encode(), "set/b.csv": other.encode(), "set/c.csv": b"who,what\nx,y\n"}
    archive = packed(tmp_path / "a.zip", {**files, **tables})
    with pytest.raises(ManifestError, match=r"2 tables that name its images: set/a.csv, set/b.csv") as caught:
        load(str(archive))
    assert f"{archive}/set/a.csv" in str(caught.value)
    assert set(load(f"{archive}/set/b.csv").classes) == {"maybe", "no"}
    assert source_digest(f"{archive}/set/a.csv") == load(f"{archive}/set/a.csv").digest()
    with pytest.raises(DataError, match=r"no set/d\.csv in"):
        load(f"{archive}/set/d.csv")


def test_labels_from_paths_go_before_a_table_that_was_not_named(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    archive = packed(tmp_path / "a.zip", {**files, "set/labels.csv": TABLE.encode()})
    assert load(str(archive), LoadOptions(label_from=r"(\d)\.png")).classes == ("0", "1", "2", "3")
    with pytest.raises(NoEffectError, match="carries its labels"):
        load(f"{archive}/set/labels.csv", LoadOptions(label_from=r"(\d)"))


def test_columns_name_the_roles_and_a_table_of_other_things_is_left_alone(
    files: dict[str, bytes], tmp_path: Path
) -> None:
    table = b"what,truth\nimg/0.png,a\nimg/1.png,b\n"
    archive = packed(tmp_path / "a.zip", {**files, "set/t.csv": table})
    data = load(str(archive), LoadOptions(columns={"path": "what", "label": "truth"}))
    assert data.classes == ("a", "b")
    assert any("2 images of the archive are not in set/t.csv" in note for note in data.notes)
    folders = {f"{label}/{i}.png": files[f"set/img/{i}.png"] for i, label in enumerate("aabb")}
    plain = packed(tmp_path / "b.zip", {**folders, "notes.csv": b"path,label\nelsewhere/9.png,x\n"})
    assert load(str(plain)).classes == ("a", "b")


def test_rows_that_lead_out_of_the_archive_name_no_member(files: dict[str, bytes], tmp_path: Path) -> None:
    hostile = TABLE + "../../../etc/passwd,yes,p9,1\n/etc/hostname,no,p9,1\n"
    archive = packed(tmp_path / "a.zip", {**files, "set/labels.csv": hostile.encode()})
    with pytest.raises(ManifestError, match="2 of 6 files are not there"):
        load(str(archive))


def test_a_table_that_is_too_large_is_refused(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = packed(tmp_path / "a.zip", {**files, "set/labels.csv": TABLE.encode()})
    monkeypatch.setenv("HEADTOHEAD_LIMITS", "table-bytes=20")
    with pytest.raises(ManifestError, match=r"bytes; the limit is 20 \(--limit table-bytes"):
        load(f"{archive}/set/labels.csv")
