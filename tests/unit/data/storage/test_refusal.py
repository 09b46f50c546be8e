"""A file that is no source: what it is, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from headtohead.core.errors import DataError
from headtohead.data.storage.open import open_store


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("cut.zip", b"PK\x03\x04" + bytes(60), "damaged zip archive.*not downloaded completely"),
        ("scans.rar", b"Rar!\x1a\x07" + bytes(60), "RAR archive.*Unpack it"),
        ("scans.7z", b"7z\xbc\xaf\x27\x1c" + bytes(60), "7z archive.*Unpack it"),
        ("train.txt", b"0 img-0.png negative\n", "header line.*suffix .csv"),
        ("one.png", b"\x89PNG\r\n\x1a\n" + bytes(60), "one image.*class folders"),
        ("notes.md", b"# notes", "not understood as data. Expected a folder"),
    ],
)
def test_what_is_no_source_is_named(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=words):
        open_store(str(tmp_path / name))
