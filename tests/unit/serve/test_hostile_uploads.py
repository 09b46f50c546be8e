"""Uploads made to harm: bombs, broken DICOM and multipart, and what must never happen to any: a trace on disk."""

from __future__ import annotations

import asyncio
import os
import random
import struct
import sys
import time
import zlib
from collections import Counter
from pathlib import Path

import pytest
from tests.unit.serve.conftest import BOUNDARY, Client, FakeModel, body_of, dicom, png

from headtohead.serve.app import build_app
from headtohead.serve.settings import ServeSettings


def bomb_png(side: int) -> bytes:
    """Return a PNG whose header claims a square of `side`, with a stream that unfolds to 100 MB of zeros."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(100)) + packer.flush()
    head = struct.pack(">IIBBBBB", side, side, 16, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


def test_bombs_are_refused_by_their_header(client: Client) -> None:
    for side in (20_000, 100_000, 2**31 - 1):
        reply = client.upload("/v1/predict", ("a.png", bomb_png(side)))
        assert reply.status == 422 and "header" in reply.json["detail"]


def test_hostile_dicom_is_refused_and_never_an_error_of_the_server(client: Client) -> None:
    for name, value in (
        ("Rows", 65535),
        ("NumberOfFrames", 2**31 - 1),
        ("BitsAllocated", 7),
        ("BitsStored", 99),
    ):
        assert client.upload("/v1/predict", ("a.dcm", dicom(**{name: value}))).status == 422
    draw = random.Random(7)
    whole = dicom()
    seen = Counter[int]()
    for _ in range(150):
        broken = bytearray(whole[: draw.randrange(200, len(whole))] if draw.random() < 0.3 else whole)
        for _ in range(draw.randrange(1, 20)):
            broken[draw.randrange(128, min(len(broken), 600))] = draw.randrange(256)
        seen[client.upload("/v1/predict", ("a.dcm", bytes(broken))).status] += 1
    assert set(seen) <= {200, 415, 422} and seen[422] > 20, seen


def test_malformed_multipart_is_never_an_error_of_the_server(client: Client) -> None:
    draw = random.Random(8)
    kind = {"content-type": f"multipart/form-data; boundary={BOUNDARY.decode()}"}
    whole = body_of(png(), png(3))
    seen = Counter[int]()
    for _ in range(300):
        broken = bytearray(whole[: draw.randrange(len(whole))] if draw.random() < 0.5 else whole)
        for _ in range(draw.randrange(1, 6)):
            if broken:
                place = draw.randrange(len(broken))
                broken[place : place + draw.randrange(3)] = draw.randbytes(draw.randrange(3))
        seen[client.post("/v1/predict", content=bytes(broken), headers=kind).status] += 1
    assert set(seen) <= {200, 400, 415, 422} and seen[400] > 50, seen


@pytest.mark.parametrize(
    "part",
    [
        b"--%s\r\n" % BOUNDARY + b"X: y\r\n" * 50 + b"\r\n\r\n--%s--\r\n" % BOUNDARY,
        b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n' % (BOUNDARY, b"a" * 100_000),
        b"\r\n" * 1000 + body_of(b"x"),
        b"--%s--\r\n" % BOUNDARY,
        b"",
    ],
)
def test_known_attacks_on_multipart_parsers_are_refused(client: Client, part: bytes) -> None:
    kind = {"content-type": f"multipart/form-data; boundary={BOUNDARY.decode()}"}
    assert client.post("/v1/predict", content=part, headers=kind).status in (400, 415, 422)


WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
opened: list[object] | None = None


def _watch_opens(event: str, arguments: tuple[object, ...]) -> None:
    if opened is not None and event in ("open", "os.mkdir", "tempfile.mkstemp", "shutil.copyfile"):
        flags = arguments[2] if event == "open" and len(arguments) > 2 else WRITES
        if isinstance(flags, int) and flags & WRITES:
            opened.append(arguments[0])


def test_no_upload_touches_the_disk(tmp_path: Path) -> None:
    global opened
    sys.addaudithook(_watch_opens)
    with Client(build_app([FakeModel()])) as client:
        client.upload("/v1/predict", ("a.png", png()))
        opened = []
        try:
            (tmp_path / "control").write_bytes(b"x")
            assert len(opened) == 1  # the watch sees what it should
            big = png(90, 1500) + bytes(3_000_000)  # beyond the megabyte at which starlette goes to disk
            assert client.upload("/v1/predict", ("a.png", big), ("b.dcm", dicom())).status == 200
            assert client.upload("/v1/preview", ("a.png", big)).status == 200
            assert client.upload("/v1/predict", ("a.txt", bytes(2_000_000))).status == 415
            assert [str(path) for path in opened] == [str(tmp_path / "control")]
        finally:
            opened = None


def test_a_changed_bundle_is_noticed_and_no_longer_answers(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    (bundle / "config.json").write_text("{}")
    (bundle / "model.safetensors").write_bytes(b"weights")
    settings = ServeSettings(watch_seconds=0.05)
    with Client(build_app([bundle], settings, load=lambda path: FakeModel(path.name))) as client:
        (bundle / "config.json").touch()
        client.run(lambda _: asyncio.sleep(0.2))
        assert client.get("/readyz").status == 200  # the same bytes with a new time are no change
        (bundle / "model.safetensors").write_bytes(b"Weights")
        end = time.monotonic() + 60
        while client.get("/readyz").status == 200 and time.monotonic() < end:
            client.run(lambda _: asyncio.sleep(0.05))
        refused = client.upload("/v1/predict", ("a.png", png()))
        assert refused.status == 503 and "model.safetensors" in refused.json["detail"]
        assert client.get("/readyz").status == client.get("/v2/models/bundle/ready").status == 503
        assert client.get("/healthz").status == 200
