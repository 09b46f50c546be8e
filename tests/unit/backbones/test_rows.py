"""Rows on disk survive kills and damage, and never mix."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from headtohead.backbones.features import feature_cache
from headtohead.backbones.features.feature_cache import FeatureCache
from headtohead.core.errors import UsageError

RNG = np.random.default_rng(0)
ROWS = {f"key{number}": RNG.normal(size=5).astype(np.float32) for number in range(6)}


class Listener:
    """A reporter that remembers."""

    def __init__(self) -> None:
        self.warned: list[str] = []

    def info(self, message: str) -> None: ...

    def warning(self, message: str) -> None:
        self.warned.append(message)

    def progress(self, items: object, label: str, total: int | None = None) -> object:
        return items


def _pick(*numbers: int) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    return {f"key{number}": ROWS[f"key{number}"] for number in numbers}


def test_rows_come_back_in_the_order_asked(tmp_path: Path) -> None:
    store = FeatureCache(tmp_path)
    store.add(_pick(0, 1))
    store.add(_pick(2))
    found = FeatureCache(tmp_path)
    assert found.missing(ROWS) == ["key3", "key4", "key5"]
    np.testing.assert_array_equal(
        found.get(["key2", "key0", "key2"]), np.stack([*_pick(2, 0).values(), ROWS["key2"]])
    )


def test_packing_keeps_every_row_in_one_file(tmp_path: Path) -> None:
    store = FeatureCache(tmp_path)
    for number in range(6):
        store.add(_pick(number))
    store.compact()
    assert len(list(tmp_path.glob("rows-*.npy"))) == 1
    np.testing.assert_array_equal(FeatureCache(tmp_path).get(ROWS), np.stack(list(ROWS.values())))


def test_the_order_of_writing_does_not_change_a_byte(tmp_path: Path) -> None:
    for folder, order in (("a", (0, 1, 2)), ("b", (2, 1, 0))):
        store = FeatureCache(tmp_path / folder)
        for number in order:
            store.add(_pick(number))
        store.compact()
    one, two = (next((tmp_path / folder).glob("rows-*.npy")) for folder in ("a", "b"))
    assert one.name == two.name
    np.testing.assert_array_equal(
        FeatureCache(tmp_path / "a").get(_pick(0, 1, 2)), FeatureCache(tmp_path / "b").get(_pick(0, 1, 2))
    )


def test_two_processes_add_at_a_time_and_neither_loses_a_row(tmp_path: Path) -> None:
    """Each joins what it added itself, while the other's pieces come and go."""
    one, two = FeatureCache(tmp_path), FeatureCache(tmp_path)
    for number in (0, 1, 2):
        one.add(_pick(number))
        two.add(_pick(3 + number))
    one.compact(added_only=True)
    late = FeatureCache(tmp_path)
    two.compact(added_only=True)
    late.compact()  # knows pieces of the second that are joined by now
    np.testing.assert_array_equal(FeatureCache(tmp_path).get(ROWS), np.stack(list(ROWS.values())))


def test_rows_are_read_from_disk_when_they_are_asked_for(tmp_path: Path) -> None:
    FeatureCache(tmp_path).add(_pick(0, 1))
    assert all(isinstance(piece.rows, np.memmap) for piece in FeatureCache(tmp_path)._pieces)


def test_joined_pieces_stay_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_cache, "PIECE_BYTES", 2 * 5 * 4)
    store = FeatureCache(tmp_path)
    for number in range(6):
        store.add(_pick(number))
    store.compact()
    assert [len(keys_of(path)) for path in tmp_path.glob("rows-*.npy")] == [2, 2, 2]
    np.testing.assert_array_equal(FeatureCache(tmp_path).get(ROWS), np.stack(list(ROWS.values())))
    before = sorted(tmp_path.iterdir())
    store.compact()
    assert sorted(tmp_path.iterdir()) == before, "full pieces are left alone"


def test_rows_without_keys_are_no_piece(tmp_path: Path) -> None:
    FeatureCache(tmp_path).add(_pick(0))
    next(tmp_path.glob("rows-*.keys")).unlink()
    listener = Listener()
    assert len(FeatureCache(tmp_path, listener)) == 0  # type: ignore[arg-type]
    assert listener.warned


@pytest.mark.parametrize("harm", ["cut", "flip", "empty"])
def test_a_damaged_piece_is_named_and_dropped(tmp_path: Path, harm: str) -> None:
    store = FeatureCache(tmp_path)
    store.add(_pick(0, 1))
    store.add(_pick(2))
    victim = next(path for path in tmp_path.glob("rows-*.npy") if len(keys_of(path)) == 2)
    content = bytearray(victim.read_bytes())
    if harm == "flip":
        where = content.find(ROWS["key1"].tobytes())
        content[where] ^= 1
    harmed = {"cut": bytes(content[: len(content) // 2]), "flip": bytes(content), "empty": b""}
    victim.write_bytes(harmed[harm])
    listener = Listener()
    again = FeatureCache(tmp_path, listener)  # type: ignore[arg-type]
    assert again.missing(_pick(0, 1, 2)) == ["key0", "key1"]
    assert victim.name in listener.warned[0]


def keys_of(path: Path) -> list[str]:
    return path.with_suffix(".keys").read_text().split("\n")


def test_a_row_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no cached row"):
        FeatureCache(tmp_path).get(["key0"])
