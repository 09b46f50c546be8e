"""Throw damaged images at the readers: each must come out as an `Image` or as `UnreadableError`.

    python benchmarks/fuzz_readers.py --files 100000 [--seed 0] [--start 0] [--jobs 2] [--only jpeg/]

File number i of a seed is always the same, so a run that was stopped goes on with `--start`, and a
failure is shown again with `--start i --files 1`. The work runs in child processes, so that a crash of a
decoder written in C is seen too. A child stops at the first exception other than `UnreadableError`, at the
first reading that takes too long, and when its memory grows too far; then the exit status is 1.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import gzip
import io
import itertools
import json
import multiprocessing
import resource
import struct
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import UnreadableError
from headtohead.data.readers import Limits, count_frames, is_candidate, read_image, sniff
from headtohead.data.readers.reading import AS_STORED, Reading

Array = npt.NDArray[Any]
SMALL = Limits(
    bytes=1 << 26, pixels=1_000_000, frames=500, voxels=4_000_000, unfolded=1 << 26, ratio_floor=1 << 24
)
"""Tight limits, so that hostile claims are refused early and a run gets far."""

GOLDEN = Path(__file__).parents[1] / "tests" / "unit" / "data" / "readers" / "dicom" / "golden_jpeg.json"
"""Streams of libjpeg-turbo."""

MAX_SECONDS = 10.0
MAX_GROWTH = 1 << 30


def make_corpus() -> dict[str, bytes]:
    """Return sound files by name: images made here, and those that pydicom ships."""
    return {**_rasters(), **_volumes(), **_arrays(), **_dicoms(), **_medical_jpegs()}


def _scene() -> Array:
    rng = np.random.default_rng(7)
    coarse = rng.integers(0, 255, (8, 9, 3), dtype=np.uint8)
    noise = rng.integers(0, 9, (40, 45, 3), dtype=np.uint8)
    scene: Array = np.minimum(np.kron(coarse, np.ones((5, 5, 1), np.uint8)), 246) + noise
    return scene


def _rasters() -> dict[str, bytes]:
    import PIL.Image

    rgb = PIL.Image.fromarray(_scene())
    grey, turned = rgb.convert("L"), rgb.rotate(90, expand=True).resize(rgb.size)
    deep = PIL.Image.fromarray(np.asarray(grey).astype(np.uint16) * 200)
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    jobs: dict[str, tuple[PIL.Image.Image, str, dict[str, Any]]] = {
        "rgb.png": (rgb, "PNG", {}),
        "deep.png": (deep, "PNG", {}),
        "palette.png": (rgb.convert("P"), "PNG", {"transparency": 3}),
        "bit.png": (grey.convert("1"), "PNG", {}),
        "alpha.png": (rgb.convert("RGBA"), "PNG", {"exif": exif}),
        "moving.png": (rgb, "PNG", {"save_all": True, "append_images": [turned]}),
        "rgb.jpg": (rgb, "JPEG", {"exif": exif}),
        "grey.jpg": (grey, "JPEG", {"progressive": True}),
        "cmyk.jpg": (rgb.convert("CMYK"), "JPEG", {}),
        "plain.tif": (rgb, "TIFF", {}),
        "deep.tif": (deep, "TIFF", {}),
        "float.tif": (grey.convert("F"), "TIFF", {}),
        "lzw.tif": (rgb, "TIFF", {"compression": "tiff_lzw"}),
        "deflate.tif": (grey, "TIFF", {"compression": "tiff_adobe_deflate"}),
        "fax.tif": (grey.convert("1"), "TIFF", {"compression": "group4"}),
        "pages.tif": (rgb, "TIFF", {"save_all": True, "append_images": [turned, grey]}),
        "rgb.bmp": (rgb, "BMP", {}),
        "palette.bmp": (rgb.convert("P"), "BMP", {}),
        "lossy.webp": (rgb, "WEBP", {}),
        "lossless.webp": (rgb.convert("RGBA"), "WEBP", {"lossless": True}),
        "moving.webp": (rgb, "WEBP", {"save_all": True, "append_images": [turned]}),
        "still.gif": (rgb, "GIF", {}),
        "moving.gif": (rgb, "GIF", {"save_all": True, "append_images": [turned]}),
        "rgb.jp2": (rgb, "JPEG2000", {}),
        "deep.jp2": (deep, "JPEG2000", {}),
        "rgb.avif": (rgb, "AVIF", {}),
        "rgb.ppm": (rgb, "PPM", {}),
        "deep.pgm": (deep, "PPM", {}),
    }
    return {name: _saved(*job) for name, job in jobs.items()}


def _saved(source: Any, kind: str, options: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    source.save(buffer, kind, **options)
    return buffer.getvalue()


def _volumes() -> dict[str, bytes]:
    import nibabel as nib

    rng = np.random.default_rng(8)
    turned = np.array([[0, -2.0, 0, 5], [0, 0, 3.0, 1], [1.5, 0, 0, 2], [0, 0, 0, 1]])
    arrays: dict[str, Array] = {
        "short.nii": rng.integers(-100, 100, (7, 8, 9), dtype=np.int16),
        "float.nii": rng.normal(size=(5, 6, 7)).astype(np.float32),
        "series.nii": rng.integers(0, 255, (4, 5, 6, 3), dtype=np.uint8),
    }
    first: Any = nib.Nifti1Image
    second: Any = nib.Nifti2Image
    found = {name: first(array, turned).to_bytes() for name, array in arrays.items()}
    found["second.nii"] = second(arrays["short.nii"], turned).to_bytes()
    return {**found, **{f"{name}.gz": gzip.compress(data, mtime=0) for name, data in found.items()}}


def _arrays() -> dict[str, bytes]:
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests.planting import volumes
    from tests.planting.array_files import corpus

    with tempfile.TemporaryDirectory() as folder:
        found = {f"arrays/{name}": content for name, content in corpus(Path(folder)).items()}
    return found | {f"volumes/{name}": content for name, content in volumes.corpus().items()}


def _dicoms() -> dict[str, bytes]:
    import pydicom

    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size < 60_000)
    found = {path: path.read_bytes() for path in files}
    return {
        f"pydicom/{path.relative_to(folder).as_posix()}": data
        for path, data in found.items()
        if sniff(data) == "DICOM" and "TINY_ALPHA" not in path.parts
    }


def _medical_jpegs() -> dict[str, bytes]:
    """Return lossless and 12-bit JPEG in DICOM: the streams that the tests of the decoder hold."""
    import pydicom
    from pydicom.encaps import encapsulate
    from pydicom.uid import JPEGExtended12Bit, JPEGLossless

    golden = json.loads(GOLDEN.read_text())
    cases = {f"lossless{c['bits']}-{c['predictor']}-{c['components']}": c for c in golden["lossless"]}
    cases["extended12"] = {"bits": 12, "components": 1, "stream": golden["extended"]["stream"]}
    found = {}
    for name, case in cases.items():
        dataset = pydicom.Dataset()
        dataset.file_meta = pydicom.dataset.FileMetaDataset()
        dataset.file_meta.TransferSyntaxUID = JPEGLossless if "predictor" in case else JPEGExtended12Bit
        dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3.4"
        dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = 21, 27, case["components"]
        dataset.PhotometricInterpretation = "RGB" if case["components"] == 3 else "MONOCHROME2"
        dataset.BitsAllocated, dataset.BitsStored = 8 if case["bits"] == 8 else 16, case["bits"]
        dataset.HighBit, dataset.PixelRepresentation, dataset.PlanarConfiguration = case["bits"] - 1, 0, 0
        dataset.PixelData = encapsulate([base64.b64decode(case["stream"])])
        dataset["PixelData"].VR = "OB"
        buffer = io.BytesIO()
        dataset.save_as(buffer, enforce_file_format=True)
        found[f"jpeg/{name}.dcm"] = buffer.getvalue()
    return found


Mutation = Callable[[bytearray, np.random.Generator], bytearray]


def _flip_bits(data: bytearray, rng: np.random.Generator) -> bytearray:
    for at in rng.integers(0, len(data), int(rng.integers(1, 12))):
        data[int(at)] ^= 1 << int(rng.integers(8))
    return data


def _flip_front(data: bytearray, rng: np.random.Generator) -> bytearray:
    for at in rng.integers(0, min(len(data), 600), int(rng.integers(1, 6))):
        data[int(at)] = int(rng.integers(256))
    return data


def _truncate(data: bytearray, rng: np.random.Generator) -> bytearray:
    return data[: int(rng.integers(1, len(data) + 1))]


def _extreme_number(data: bytearray, rng: np.random.Generator) -> bytearray:
    """Overwrite an aligned or unaligned field of 2 or 4 bytes with a number that lengths trip over."""
    kind = str(rng.choice(["<H", ">H", "<I", ">I"]))
    top = (1 << (8 * struct.calcsize(kind))) - 1
    value = int(rng.choice([0, 1, 2, 0x7F, 0xFF, 0x7FFF, 0x8000, top // 2, top // 2 + 1, top - 1, top]))
    reach = len(data) if rng.random() < 0.4 else min(len(data), 700)
    at = int(rng.integers(0, max(1, reach - 4)))
    data[at : at + struct.calcsize(kind)] = struct.pack(kind, value)
    return data


def _splice(data: bytearray, rng: np.random.Generator, other: bytes) -> bytearray:
    cut, start = int(rng.integers(0, len(data))), int(rng.integers(0, len(other)))
    return (
        data[:cut]
        + other[start : start + int(rng.integers(1, 5000))]
        + data[cut + int(rng.integers(0, 200)) :]
    )


def _repeat(data: bytearray, rng: np.random.Generator) -> bytearray:
    start = int(rng.integers(0, len(data)))
    part = data[start : start + int(rng.integers(1, 300))]
    return data[:start] + part * int(rng.integers(2, 40)) + data[start:]


def _drop(data: bytearray, rng: np.random.Generator) -> bytearray:
    start = int(rng.integers(0, len(data)))
    return data[:start] + data[start + int(rng.integers(1, 200)) :]


MUTATIONS: tuple[Mutation, ...] = (
    _flip_bits, _flip_front, _truncate, _extreme_number, _extreme_number, _repeat, _drop,
)  # fmt: skip


def mend_png(data: bytes) -> bytes:
    """Make the checksums of PNG chunks right again, so that the damage reaches the decoder."""
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return data
    parts, at = [data[:8]], 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        if at + 12 + length > len(data):
            break
        body = data[at + 4 : at + 8 + length]
        parts += [data[at : at + 4], body, struct.pack(">I", zlib.crc32(body))]
        at += 12 + length
    return b"".join([*parts, data[at:]])


def mutated(corpus: dict[str, bytes], number: int, seed: int, only: str = "") -> tuple[str, bytes]:
    """Return the name of the sound file and the damaged content of file `format_estimate`; `only` begins the name."""
    rng = np.random.default_rng((seed, number))
    families = [
        [n for n in sorted(corpus) if n.startswith("pydicom/") is shipped] for shipped in (True, False)
    ]
    names = families[int(rng.integers(2))]
    names = [name for name in names if name.startswith(only)] or [
        n for n in sorted(corpus) if n.startswith(only)
    ]
    name, other = (names[int(rng.integers(len(names)))] for _ in range(2))
    whole = corpus[name]
    unpacked = name.endswith(".gz") and whole[:2] == b"\x1f\x8b" and rng.random() < 0.5
    data = bytearray(gzip.decompress(whole) if unpacked else whole)
    for _ in range(int(rng.integers(1, 4))):
        choice = int(rng.integers(len(MUTATIONS) + 1))
        damaged = (
            MUTATIONS[choice](data, rng) if choice < len(MUTATIONS) else _splice(data, rng, corpus[other])
        )
        data = damaged or bytearray(1)
    result = gzip.compress(bytes(data), 1, mtime=0) if unpacked else bytes(data)
    return name, mend_png(result) if rng.random() < 0.7 else result


def with_layered(corpus: dict[str, bytes]) -> dict[str, bytes]:
    """Return the sound files and those that are read with `--channels` or `--volume` alone."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from benchmarks.fuzz.layered import layered_files

    return corpus | layered_files()


def _readings(name: str) -> tuple[Reading, ...]:
    if not name.startswith("layered/"):
        return (AS_STORED,)
    from benchmarks.fuzz.layered import READINGS

    return (AS_STORED, *READINGS)


def probe(content: bytes, name: str) -> str:
    """Read one content every way; return "image" or "refused". Any other exception goes through.

    Args:
        name: of the sound file that it was; those in "layered/" are also read with each of `READINGS`.
    """
    is_candidate(name, content[:4096])
    sniff(content)
    result = "refused"
    for frame, reading in itertools.product((None, 1), _readings(name)):
        try:
            image = read_image(content, frame=frame, limits=SMALL, reading=reading)
        except UnreadableError:
            continue
        result = "image"
        kind, shape = image.pixels.dtype, image.pixels.shape
        if kind not in (np.uint8, np.uint16, np.int16, np.int32, np.float32) or not (
            image.pixels.ndim == 2 or shape[2:] == (3,)
        ):
            raise TypeError(f"delivered {kind} of shape {shape}")
        if kind == np.float32 and not np.isfinite(image.pixels).all():
            raise TypeError("delivered pixels that are not finite")
    for reading in _readings(name):
        with contextlib.suppress(UnreadableError):
            count_frames(content, limits=SMALL, reading=reading)
    return result


def _peak_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _work(job: tuple[int, int, int, str, Any]) -> Counter[str]:
    """Probe files start .. stop - 1; the place reached is kept where the parent sees it."""
    start, stop, seed, only, place = job
    corpus, tally = with_layered(make_corpus()), Counter[str]()
    probe(next(iter(corpus.values())), "")
    base = _peak_memory()
    for number in range(start, stop):
        place.value = number
        name, content = mutated(corpus, number, seed, only)
        before = time.process_time()  # a busy machine does not look like a hang
        tally[probe(content, name)] += 1
        seconds = time.process_time() - before
        if seconds > MAX_SECONDS:
            raise TimeoutError(f"file {number} (from {name}) took {seconds:.1f} s")
        if _peak_memory() - base > MAX_GROWTH:
            raise MemoryError(
                f"memory grew by {_peak_memory() - base:,} bytes by file {number} (from {name})"
            )
    return tally


def _child(job: tuple[int, int, int, str, Any], answer: Any) -> None:
    try:
        answer.put(_work(job))
    except BaseException as error:
        answer.put(f"file {job[-1].value}: {type(error).__name__}: {error}")
        raise


def _chunks(start: int, files: int, jobs: int) -> Iterator[tuple[int, int]]:
    size = -(-files // jobs)
    for first in range(start, start + files, size):
        yield first, min(first + size, start + files)


def run(files: int, seed: int, start: int, jobs: int, only: str = "") -> tuple[Counter[str], list[str]]:
    """Fuzz in `jobs` processes; return the tally and the failures."""
    answer = multiprocessing.Queue()  # type: ignore[var-annotated]
    children = []
    for first, last in _chunks(start, files, jobs):
        place = multiprocessing.Value("q", first)
        child = multiprocessing.Process(target=_child, args=((first, last, seed, only, place), answer))
        child.start()
        children.append((child, place))
    tally, failures = Counter[str](), []
    for child, place in children:
        child.join()
        if child.exitcode is not None and child.exitcode < 0:
            failures.append(f"file {place.value}: the process died of signal {-child.exitcode}")
    while not answer.empty():
        got = answer.get()
        if isinstance(got, str):
            failures.append(got)
        else:
            tally += got
    return tally, failures


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--only", default="", help="only sound files whose names begin so: jpeg/, pydicom/SC_"
    )
    options = parser.parse_args()
    before = time.perf_counter()
    tally, failures = run(options.files, options.seed, options.start, options.jobs, options.only)
    seconds = time.perf_counter() - before
    done = sum(tally.values())
    print(
        f"{done:,} damaged files (seed {options.seed}, from {options.start:,}) in {seconds:.0f} s: "
        f"{tally['image']:,} still readable, {tally['refused']:,} refused with a reason, {len(failures)} failures"
    )
    for failure in failures:
        print(f"FAILED {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
