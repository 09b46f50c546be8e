"""For every layout, what is said of the data is true: it equals a count of the files and samples made here."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.planting.layouts import FAMOUS, READ

import headtohead as h2h
from headtohead.core.data_record import data_rows
from headtohead.core.errors import HeadToHeadError
from headtohead.data.dataset import Dataset
from headtohead.data.load import load
from headtohead.data.options import LoadOptions
from headtohead.data.summary import data_record, understood

KEYS = ["classes", "positive", "split", "n_samples", "n_groups", "groups_from", "left_out"]
Write = Callable[[list[str], dict[str, str]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return a writer of images (each another) and texts."""
    from PIL import Image

    def written(paths: list[str], texts: dict[str, str]) -> Path:
        root = tmp_path / "set"
        for number, path in enumerate(paths):
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            pixels = bytes((number * 37 + place * (1 + number)) % 251 for place in range(64))
            kind = "JPEG" if path.endswith(("jpg", "jpeg")) else "PNG"
            Image.frombytes("L", (8, 8), pixels).save(root / path, kind)
        for path, text in texts.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        return root

    return written


def check(data: Dataset, root: Path) -> None:
    """Compare the record and its block with a count of samples and of the files on disk."""
    record = data_record(data)
    assert list(record) == KEYS
    assert record["classes"] == Counter(sample.label for sample in data.samples)
    assert record["n_samples"] == len(data.samples) == sum(record["classes"].values())
    assert record["n_groups"] == len({sample.group for sample in data.samples})
    assert (record["groups_from"] == "each file alone") == all(s.group == s.path for s in data.samples)
    splits = Counter(sample.split for sample in data.samples if sample.split)
    assert record["split"] == (dict(splits) or None)
    assert record["positive"] in (None, *record["classes"])
    for one in record["left_out"]:
        assert list(one) == ["why", "n", "per_class"]
        assert 0 < one["n"] >= sum(one["per_class"].values())
        assert set(one["per_class"]) <= set(record["classes"])
    # Each file is a sample or left out for a reason, and never both.
    files = Counter(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    told = Counter({sample.path for sample in data.samples})
    told.update(path for left in data.left_out for path in left.paths)
    assert told == files
    lines = [" ".join(line.split()) for line in understood(data).splitlines()]
    for what, text in data_rows(record)[1:]:
        assert any(line.startswith(f"{what} {text}") for line in lines), (what, text)
    assert f"labels from {data.labels_from}" in lines and data.labels_from


@pytest.mark.parametrize("kind", sorted(READ))
def test_the_block_is_true(kind: str, write: Write) -> None:
    (paths, texts), counts, _ = READ[kind]
    root = write(paths, texts)
    data = load(str(root))
    check(data, root)
    assert data_record(data)["classes"] == counts


@pytest.mark.parametrize("kind", sorted(FAMOUS))
def test_a_famous_set_loads_as_it_is_shipped_and_the_block_is_true(kind: str, write: Write) -> None:
    """From its folder and from its table; where it asks several questions, with the option that it names."""
    famous = FAMOUS[kind]
    root = write(famous.paths, famous.texts)
    options = LoadOptions(**famous.options)
    if famous.asks:
        with pytest.raises(HeadToHeadError) as caught:
            load(str(root))
        assert famous.asks in str(caught.value)
    data = load(str(root), options)
    check(data, root)
    for found in (data, load(str(root / next(iter(famous.texts))), options)):
        record = data_record(found)
        assert record["classes"] == famous.counts
        assert (record["n_groups"], record["positive"]) == (famous.groups, famous.positive)


def test_audit_json_and_its_page_say_the_same(write: Write, tmp_path: Path) -> None:
    (paths, texts), counts, _ = READ["masks beside images"]
    root = write(paths, texts)
    h2h.audit(root, out=tmp_path / "out", quiet=True)
    audit = json.loads((tmp_path / "out" / "audit.json").read_text(encoding="utf-8"))
    record = audit["data"]
    assert list(record) == KEYS and record["classes"] == counts
    assert record["left_out"] == [{"why": "masks of other images", "n": 6, "per_class": {"a": 3, "b": 3}}]
    page = (tmp_path / "out" / "audit.html").read_text(encoding="utf-8")
    for what, text in data_rows(record, audit["dataset"]["positive_doubt"]):
        assert f'<th scope="row">{what}</th><td>{text}</td>' in page
