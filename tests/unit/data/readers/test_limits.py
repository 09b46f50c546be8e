"""Any bytes whatsoever: an image or `UnreadableError`, in silence, with memory and time bounded."""

from __future__ import annotations

import gzip
import importlib.util
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtohead.core.errors import UnreadableError
from headtohead.core.records import Image
from headtohead.data.readers import DEFAULT_LIMITS, count_frames, is_candidate, read_image, sniff
from headtohead.data.readers.limits import Limits, inflate
from headtohead.data.readers.reading import Reading

Maker = Callable[..., bytes]
REPOSITORY = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="module")
def fuzz() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "fuzz_readers", REPOSITORY / "benchmarks" / "fuzz_readers.py"
    )
    if spec is None or spec.loader is None:
        raise RuntimeError("benchmarks/fuzz_readers.py cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ---- any bytes -------------------------------------------------------------------------------


def test_every_sound_file_of_the_corpus_that_is_made_here_is_read(fuzz: ModuleType) -> None:
    made = {name: data for name, data in fuzz.make_corpus().items() if not name.startswith("pydicom/")}
    assert len(made) >= 30
    for name, data in made.items():
        assert isinstance(read_image(data, name=name), Image)


def test_600_damaged_files(fuzz: ModuleType) -> None:
    corpus = fuzz.with_layered(fuzz.make_corpus())
    results = [
        fuzz.probe(content, name) for name, content in (fuzz.mutated(corpus, i, 2026) for i in range(600))
    ]
    assert results.count("image") > 60
    assert results.count("refused") > 200


def test_files_of_several_channels_are_fuzzed_with_channels_chosen(
    fuzz: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = fuzz.with_layered({"rgb.png": b""})
    results = [fuzz.probe(*fuzz.mutated(corpus, i, 5, "layered/")[::-1]) for i in range(80)]
    assert results.count("image") > 20 and results.count("refused") > 5
    asked: set[Reading] = set()

    def refusing(content: bytes, **options: Any) -> Image:
        asked.add(options["reading"])
        raise UnreadableError("planted")

    monkeypatch.setattr(fuzz, "read_image", refusing)
    fuzz.probe(corpus["layered/last.npy"], "layered/last.npy")
    assert {reading.channels for reading in asked} >= {(), (4, 2, 0), (1,)}
    assert {reading.volume for reading in asked} >= {None, 1}


def test_the_fuzzer_catches_what_it_is_for(fuzz: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(content: bytes, **options: Any) -> Image:
        raise KeyError("planted")

    monkeypatch.setattr(fuzz, "read_image", careless)
    with pytest.raises(KeyError):
        fuzz.probe(b"GIF89a", "x.gif")
    broken = Image(np.full((2, 2), np.nan, np.float32), 32, "F", "TIFF")
    monkeypatch.setattr(fuzz, "read_image", lambda content, **options: broken)
    with pytest.raises(TypeError, match="not finite"):
        fuzz.probe(b"GIF89a", "x.gif")


def test_a_failure_in_a_child_process_is_reported(fuzz: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    tally, failures = fuzz.run(files=6, seed=0, start=0, jobs=2)
    assert (sum(tally.values()), failures) == (6, [])
    monkeypatch.setattr(fuzz, "MAX_SECONDS", -1.0)
    _, failures = fuzz.run(files=6, seed=0, start=10, jobs=1)
    assert len(failures) == 1
    assert failures[0].startswith("file 10: TimeoutError")


def test_damaged_files_are_reproducible(fuzz: ModuleType) -> None:
    corpus = fuzz.make_corpus()
    assert fuzz.mutated(corpus, 41, 3) == fuzz.mutated(corpus, 41, 3)
    assert fuzz.mutated(corpus, 41, 3) != fuzz.mutated(corpus, 42, 3)


HEADS = (
    b"",
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"II*\0",
    b"GIF89a",
    b"BM",
    b"P5 ",
    b"RIFF\0\0\0\0WEBP",
    b"\x1f\x8b\x08",
)


@given(
    head=st.sampled_from([*HEADS, bytes(128) + b"DICM", b"\x08\x00\x05\x00CS"]), tail=st.binary(max_size=600)
)
@settings(max_examples=150, deadline=None)
def test_random_bytes(head: bytes, tail: bytes) -> None:
    content = head + tail
    is_candidate("x", content)
    for job in (read_image, count_frames):
        try:
            job(content)
        except UnreadableError as error:
            assert str(error)


@pytest.mark.parametrize("content", [b"", b"\0", b"hello", b"PK\x03\x04" + bytes(100)])
def test_what_is_no_image_is_refused_by_name(content: bytes) -> None:
    with pytest.raises(UnreadableError, match=r"empty|no image format"):
        read_image(content)
    with pytest.raises(UnreadableError, match=r"^scan.png: "):
        read_image(content, name="scan.png")
    with pytest.raises(UnreadableError, match=r"^scan.png: "):
        count_frames(content, "scan.png")


# ---- memory ----------------------------------------------------------------------------------

HUNGRY = """
import pathlib, resource, sys
from headtohead.core.errors import UnreadableError
from headtohead.data.readers import read_image, count_frames, sniff
content, sound = (pathlib.Path(name).read_bytes() for name in sys.argv[1:])
read_image(sound)  # loads the libraries
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for job in (read_image, count_frames):
    try:
        job(content)
    except UnreadableError as error:
        print(error)
print("GREW", (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def png(width: int, height: int, body: bytes, *, texts: int = 0) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    text = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(900_000), 9)) * texts
    return b"\x89PNG\r\n\x1a\n" + head + text + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def greedy_tiff() -> bytes:
    """A thousand entries, each of which claims the same eight megabytes."""
    entries = b"".join(struct.pack("<HHII", 40000 + i, 7, 8_000_000, 8) for i in range(1000))
    return b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", 1000) + entries + bytes(8_000_000)


def nifti_bomb() -> bytes:
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, 3, 1000, 1000, 390, 1, 1, 1, 1)
    struct.pack_into("<2h", head, 70, 2, 8)
    struct.pack_into("<f", head, 108, 352)
    head[344:348] = b"n+1\0"
    return gzip.compress(bytes(head) + bytes(390_000_000), 6)


def deflate_bomb() -> bytes:
    uid = b"1.2.840.10008.1.2.1.99"
    head = bytes(128) + b"DICM" + b"\x02\x00\x10\x00UI" + struct.pack("<H", len(uid)) + uid
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return head + b"".join(packer.compress(bytes(1 << 20)) for _ in range(300)) + packer.flush()


BOMBS: dict[str, tuple[Callable[[], bytes], int]] = {
    "png of 4 thousand million pixels": (lambda: png(65000, 65000, zlib.compress(bytes(1 << 20))), 30),
    "png with texts": (lambda: png(4, 4, zlib.compress(bytes(52)), texts=400), 160),
    "tiff that claims itself a thousand times": (greedy_tiff, 60),
    "nifti": (nifti_bomb, 160),
    "deflated dicom": (deflate_bomb, 260),
    "webp canvas": (lambda: b"RIFF\x1a\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xff\x3f\0\xff\x3f\0", 30),
}


@pytest.mark.parametrize("name", sorted(BOMBS))
def test_bombs_are_refused_with_memory_bounded(name: str, tmp_path: Path, saved: Maker) -> None:
    """Measured in a process of its own: growth of its peak memory in MiB."""
    make, most = BOMBS[name]
    (tmp_path / "bomb").write_bytes(make())
    sound = tmp_path / "sound.png"
    sound.write_bytes(saved(np.zeros((4, 4), np.uint8), "PNG"))
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", HUNGRY, str(tmp_path / "bomb"), str(sound)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert len(lines) >= 2, "it was read, not refused"
    assert int(lines[-1].split()[1]) < most, lines


def test_inflate_stops_at_what_was_asked_for() -> None:
    packed = zlib.compress(bytes(range(256)) * 100)
    assert inflate(packed, 300, DEFAULT_LIMITS, wbits=15) == bytes(range(256)) + bytes(range(44))
    with pytest.raises(UnreadableError, match=r"ends after 25,600 of 25,601 bytes"):
        inflate(packed, 25_601, DEFAULT_LIMITS, wbits=15)
    assert len(inflate(packed, 30_000, DEFAULT_LIMITS, wbits=15, exact=False)) == 25_600
    with pytest.raises(UnreadableError, match="--limit unfolded-bytes"):
        inflate(packed, 30_000, Limits(unfolded=1000), wbits=15, exact=False)
    with pytest.raises(UnreadableError, match="decompression bomb"):
        inflate(packed, 25_600, Limits(ratio=2, ratio_floor=1000), wbits=15)
    with pytest.raises(UnreadableError, match="damaged"):
        inflate(b"nonsense", 10, DEFAULT_LIMITS, wbits=15)


# ---- silence and threads ---------------------------------------------------------------------


def test_threads_give_the_same_images(fuzz: ModuleType) -> None:
    contents = [data for data in fuzz.make_corpus().values() if sniff(data)]

    def digest(content: bytes) -> object:
        try:
            image = read_image(content)
        except UnreadableError as error:
            return str(error)
        return image.pixels.tobytes(), image.history, tuple(image.facts.items())

    alone = [digest(content) for content in contents]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(digest, contents * 3)) == alone * 3


def test_253_small_images_are_read_in_a_second(brain_mri: Path) -> None:
    contents = [path.read_bytes() for path in sorted(brain_mri.rglob("*")) if path.is_file()]
    start = time.process_time()
    for content in contents:
        read_image(content)
    assert time.process_time() - start < 2.0  # measured: 0.3 s; the rest is for a busy machine
