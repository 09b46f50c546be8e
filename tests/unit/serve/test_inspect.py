"""Headers of small plain PNG files are read at once, those of all others in a thread."""

from __future__ import annotations

import asyncio
import io
import threading
import zlib

import PIL.Image
import pytest
from PIL.PngImagePlugin import PngInfo
from tests.unit.serve.conftest import dicom, png

from headtohead.serve.hosting.threads import DaemonThreads
from headtohead.serve.intake import inspect_upload
from headtohead.serve.intake.inspect_upload import InspectedFile, inspect_files, is_plain_png
from headtohead.serve.intake.multipart import UploadedFile
from headtohead.serve.settings import ServeSettings


def with_text() -> bytes:
    info, buffer = PngInfo(), io.BytesIO()
    info.add_itxt("a", "b" * 1000, zip=True)
    PIL.Image.new("L", (16, 16)).save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def with_chunks(n: int) -> bytes:
    content = png()
    empty = b"\0\0\0\0tIME" + zlib.crc32(b"tIME").to_bytes(4)
    return content[:33] + n * empty + content[33:]


CASES = {"png": (png(), True), "text": (with_text(), False), "chunks": (with_chunks(2000), False),
         "cut": (png()[:40], False), "dicom": (dicom(), False), "empty": (b"", False)}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_only_what_is_read_at_once_is_read_in_the_event_loop(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content, plain = CASES[name]
    assert is_plain_png(content) == plain
    threads: list[threading.Thread] = []
    own = inspect_upload._inspect

    def watched(*given: object) -> InspectedFile:
        threads.append(threading.current_thread())
        return own(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(inspect_upload, "_inspect", watched)
    readers = DaemonThreads(1, "r")
    for n in (1, 3):
        threads.clear()
        files = [UploadedFile("a", content)] * n
        found = asyncio.run(inspect_files(files, ServeSettings(), readers))
        assert len(found) == n and {t is threading.main_thread() for t in threads} == {plain and n == 1}
    readers.shutdown()
