"""Images inside Parquet and Arrow files, as Hugging Face data sets are."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image as PillowImage

from headtohead.core.errors import DataError, HeadToHeadError, ManifestError
from headtohead.data.load import LoadOptions, load, source_digest
from headtohead.data.storage.image_tables import files
from headtohead.data.storage.image_tables.store import ImageTableStore


def png(seed: int) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 255, (9, 8), dtype=np.uint8)
    PillowImage.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def table(
    n: int = 6, start: int = 0, names: tuple[str, ...] = ("healthy", "ill"), **more: list[Any]
) -> pa.Table:
    rows = range(start, start + n)
    features: dict[str, Any] = {"image": {"_type": "Image"}}
    if names:
        features["label"] = {"names": list(names), "_type": "ClassLabel"}
    columns = {
        "image": [{"bytes": png(i), "path": f"scan{i}.png"} for i in rows],
        "label": [i % 2 for i in rows],
    } | more
    meta = {"huggingface": json.dumps({"info": {"features": features}})}
    return pa.table(columns).replace_schema_metadata(meta)


@pytest.fixture
def hub_folder(tmp_path: Path) -> Path:
    (tmp_path / "set" / "data").mkdir(parents=True)
    pq.write_table(table(6), tmp_path / "set/data/train-00000-of-00002.parquet", row_group_size=2)
    pq.write_table(table(4, 6), tmp_path / "set/data/train-00001-of-00002.parquet")
    pq.write_table(table(4, 10), tmp_path / "set/data/test-00000-of-00001.parquet")
    (tmp_path / "set" / "README.md").write_text("card")
    return tmp_path / "set"


def test_a_folder_of_the_hub(hub_folder: Path) -> None:
    data = load(str(hub_folder))
    assert data.classes == ("healthy", "ill") and len(data) == 14
    sample = next(s for s in data.samples if s.path.endswith("train-00000-of-00002.parquet/000005/scan5.png"))
    assert (sample.split, sample.label, sample.format, sample.suffix) == ("train", "ill", "PNG", ".png")
    assert sum(s.split == "test" for s in data.samples) == 4
    assert len({s.group for s in data.samples}) == 14, "rows of two files with one number are no case"
    expected = np.asarray(PillowImage.open(io.BytesIO(png(5))))
    assert (data.read(sample).pixels == expected).all()
    assert source_digest(str(hub_folder)) == data.digest()


def test_one_file_groups_and_plain_bytes(tmp_path: Path) -> None:
    images = pa.array([png(i) for i in range(6)])
    made = pa.table(
        {"image": images, "dx": ["a", "b"] * 3, "patient_id": ["p1", "p1", "p2", "p2", "p3", "p3"]}
    )
    pq.write_table(made, tmp_path / "all.parquet")
    data = load(str(tmp_path / "all.parquet"), LoadOptions(positive="b"))
    assert data.classes == ("a", "b") and {s.group for s in data.samples} == {"p1", "p2", "p3"}
    assert {s.split for s in data.samples} == {None}


def test_no_name_of_a_class_is_no_label(tmp_path: Path) -> None:
    pq.write_table(table(4, label=[0, 1, -1, None]), tmp_path / "a.parquet")
    with pytest.raises(ManifestError, match="2 of 4 rows have no label"):
        load(str(tmp_path / "a.parquet"))


def test_several_labels_of_one_image_are_asked_about(tmp_path: Path) -> None:
    pq.write_table(table(4, names=(), label=[["a"], ["b"], ["a", "b"], ["b"]]), tmp_path / "a.parquet")
    with pytest.raises(HeadToHeadError, match=r"a\|b"):
        load(str(tmp_path / "a.parquet"))


def test_arrow_files_of_a_saved_data_set(tmp_path: Path) -> None:
    made = table(6)
    for part, wanted in (("train", made), ("test", made.slice(0, 4))):
        (tmp_path / part).mkdir()
        path = tmp_path / part / "data-00000-of-00001.arrow"
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, wanted.schema) as writer:
            writer.write_table(wanted, max_chunksize=2)
        (tmp_path / part / "cache-12.arrow").write_bytes(b"left by datasets.map")
    data = load(str(tmp_path))
    assert len(data) == 10 and data.classes == ("healthy", "ill")
    last = np.asarray(PillowImage.open(io.BytesIO(png(5))))
    assert (data.read(data.samples[-1]).pixels == last).all()


def test_files_named_by_rows_are_opened_below_the_data_only(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "in.png").write_bytes(png(1))
    (tmp_path / "out.png").write_bytes(png(2))
    images = [{"bytes": None, "path": name} for name in ("in.png", "../out.png", "", "gone.png")]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    made = pa.table({"image": pa.array(images, kind), "label": [0, 1, 0, 1]})
    pq.write_table(made, tmp_path / "set" / "a.parquet")
    store = ImageTableStore(str(tmp_path / "set" / "a.parquet"))
    contents = {}
    for path in sorted(file.path for file in store.files()):
        try:
            contents[path] = store.read(path)
        except DataError as error:
            contents[path] = str(error).encode()
    first, second, third, fourth = contents.values()
    assert first == png(1) and b"outside" in second and b"empty" in third and b"cannot be opened" in fourth


def test_two_readings_are_refused(hub_folder: Path, tmp_path: Path) -> None:
    (hub_folder / "yes").mkdir()
    (hub_folder / "yes" / "a.png").write_bytes(png(1))
    with pytest.raises(DataError, match="two ways"):
        load(str(hub_folder))
    for config in ("v1", "v2"):
        (tmp_path / "many" / config).mkdir(parents=True)
        pq.write_table(table(4), tmp_path / "many" / config / "train.parquet")
    with pytest.raises(DataError, match=r"2 folders.*v1.*v2"):
        load(str(tmp_path / "many"))


def test_damage_and_absurd_claims(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pq.write_table(table(6), tmp_path / "a.parquet")
    whole = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "b.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="not a readable Parquet"):
        load(str(tmp_path / "b.parquet"))
    broken = bytearray(whole)
    broken[40:400] = bytes(360)
    (tmp_path / "c.parquet").write_bytes(broken)
    with pytest.raises(DataError, match="damaged"):
        load(str(tmp_path / "c.parquet"))
    monkeypatch.setattr(files, "_GROUP_BYTES", 100)
    with pytest.raises(DataError, match="unfold"):
        load(str(tmp_path / "a.parquet"))


def test_several_columns_of_images(tmp_path: Path) -> None:
    image = table(4)
    pq.write_table(image.append_column("mask", image.column("image")), tmp_path / "a.parquet")
    assert len(load(str(tmp_path / "a.parquet"))) == 4
    pq.write_table(
        table(4).rename_columns(["left", "label"]).append_column("right", image.column("image")),
        tmp_path / "b.parquet",
    )
    with pytest.raises(DataError, match="several columns of images: left, right"):
        load(str(tmp_path / "b.parquet"))
