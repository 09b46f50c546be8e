"""How the search for duplicates grows: time, peak memory, found and missed, from 1,000 to 100,000 images.

    python benchmarks/audit_scale.py 1000 10000 100000
    python benchmarks/audit_scale.py --hashes 10000 100000    # the search for candidates alone, on drawn hashes

Images are synthetic heads of 64 to 96 pixels, made again whenever they are read, so that nothing
but the search itself is held in memory; the time spent making them is reported separately. One image in twenty
has a planted copy. Each size runs in a process of its own, because peak memory never falls. Seconds
are of the processor (all threads), so that they can be compared on a machine that does other work,
too; the wall clock stands beside them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import resource
import subprocess
import sys
import threading
import time
from collections import Counter
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from headtohead.audit.duplicates.candidates import find_candidates
from headtohead.audit.duplicates.fingerprint import FINE, ORIENTATIONS, VIEWS, rotate_coefficients
from headtohead.audit.image_index import find_groups
from headtohead.core.records import Image, Sample

Grey = npt.NDArray[np.uint8]
COPIED = 20
KINDS = ("same", "smaller", "JPEG q30", "gamma", "mirrored", "turned 90", "frame", "cropped")


def head(seed: int) -> Grey:
    """Return one synthetic head; neighbouring seeds share nothing."""
    rng = np.random.default_rng([11, seed])
    side = int(rng.integers(64, 97))
    y, x = np.mgrid[:side, :side] / side - 0.5
    height, width = rng.uniform(0.34, 0.45), rng.uniform(0.27, 0.38)
    radius = (y / height) ** 2 + (x / width) ** 2
    coarse, fine = (cv2.GaussianBlur(rng.normal(size=(side, side)), (0, 0), s) * s for s in (6, 2))
    tissue = 110 + 60 * coarse + 45 * fine - 60 * ((y / 0.1) ** 2 + (x / rng.uniform(0.04, 0.1)) ** 2 < 1)
    image = np.where(radius < 0.8, tissue, np.where(radius < 1, 200, 5)) + rng.normal(0, 3, (side, side))
    return np.clip(image, 0, 255).astype(np.uint8)


def copy(image: Grey, kind: str) -> Grey:
    """Return a planted copy."""
    if kind == "smaller":
        return np.asarray(cv2.resize(image, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA), np.uint8)
    if kind == "JPEG q30":
        return np.asarray(
            cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], 0), np.uint8
        )
    if kind == "gamma":
        return np.asarray(255 * (image / 255.0) ** 0.6, np.uint8)
    if kind == "frame":
        return np.pad(image, 5, constant_values=255)
    changed = {
        "same": image,
        "mirrored": image[:, ::-1],
        "turned 90": np.rot90(image),
        "cropped": image[3:, 4:-2],
    }
    return np.ascontiguousarray(changed[kind])


class Heads:
    """A dataset of n images, one in twenty of them a copy of another; made when read."""

    def __init__(self, n: int) -> None:
        self.making = 0.0
        self._lock = threading.Lock()
        self.n_copies = n // COPIED
        self.n_scenes = n - self.n_copies
        self.samples = tuple(self._sample(i) for i in range(n))

    def pixels(self, i: int) -> Grey:
        start = time.thread_time()
        image = head(i) if i < self.n_scenes else copy(head(self.original(i)), self.kind(i))
        with self._lock:
            self.making += time.thread_time() - start
        return image

    def original(self, i: int) -> int:
        return i - self.n_scenes

    def kind(self, i: int) -> str:
        return KINDS[i % len(KINDS)]

    def _sample(self, i: int) -> Sample:
        pixels = self.pixels(i)
        mark = hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()
        return Sample(
            id=f"{i:07d}",
            path=f"{i:07d}",
            label="ab"[i % 2],
            group=f"{i:07d}",
            sha256=mark,
            pixel_hash=mark,
            width=pixels.shape[1],
            height=pixels.shape[0],
            n_bytes=pixels.nbytes,
            mode="L",
            format="PNG",
            suffix=".png",
            bit_depth=8,
        )

    def read(self, sample: Sample) -> Image:
        return Image(self.pixels(int(sample.id)), 8, "L", "PNG")


class Stages:
    """A reporter that notes when each stage began: wall clock, processor, and time spent making images."""

    def __init__(self, heads: Heads) -> None:
        self._heads = heads
        self.marks: list[tuple[str, tuple[float, float, float]]] = []

    def info(self, message: str) -> None:
        del message

    warning = info

    def mark(self, label: str) -> None:
        self.marks.append((label, (time.perf_counter(), time.process_time(), self._heads.making)))

    def progress(self, items: Any, label: str, total: int | None = None) -> Any:
        del total
        self.mark(label)
        yield from items
        self.mark(f"after {label}")

    def spent(self, first: str, last: str) -> dict[str, float]:
        """Return seconds between two marks: wall clock, and processor without the making of images."""
        at = dict(self.marks)
        wall, cpu, made = (b - a for a, b in zip(at[first], at[last], strict=True))
        return {"wall": wall, "cpu": cpu - made, "making": made}


def peak() -> float:
    """Return the peak memory of this process in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def one(n: int, workers: int | None) -> dict[str, Any]:
    """Run one size and return its figures."""
    heads = Heads(n)
    before, stages = peak(), Stages(heads)
    stages.mark("start")
    grouping = find_groups(heads, reporter=stages, workers=workers)
    stages.mark("end")
    tried = "trying candidates" if "trying candidates" in dict(stages.marks) else "aligning candidates"
    found, planted = Counter[str](), Counter[str]()
    for i in range(heads.n_scenes, n):
        planted[heads.kind(i)] += 1
        found[heads.kind(i)] += grouping.groups[f"{i:07d}"] == grouping.groups[f"{heads.original(i):07d}"]
    scene = {f"{i:07d}": i if i < heads.n_scenes else heads.original(i) for i in range(n)}
    return {
        "n": n,
        "describe": stages.spent("start", "after describing images"),
        "search": stages.spent("after describing images", tried),
        "verify": stages.spent(tried, "end"),
        "total": stages.spent("start", "end"),
        "before": before,
        "peak": peak(),
        "candidates": grouping.counts["candidates"],
        "planted": dict(planted),
        "found": dict(found),
        "false": sum(scene[p.a] != scene[p.b] for p in grouping.pairs),
        "similar": grouping.counts["similar"],
    }


def drawn(n: int, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Return n fingerprints with the fall-off of images, without a mean."""
    decay = 1 / (1 + np.hypot(*np.mgrid[:FINE, :FINE])) ** 1.5
    blocks = rng.standard_normal((n, VIEWS, FINE, FINE), np.float32) * decay.astype(np.float32)
    blocks[..., 0, 0] = 0
    return np.asarray(blocks, np.float32)


def hashes(n: int) -> dict[str, Any]:
    """Search drawn fingerprints that share a mean, as images of one organ do; one in twenty is a turned copy."""
    rng = np.random.default_rng(1)
    n_copies = n // COPIED
    blocks = drawn(n, rng) + 1.5 * drawn(1, rng)
    turns = rng.integers(0, ORIENTATIONS, n_copies)
    for i, turn in enumerate(turns):
        blocks[n - n_copies + i] = rotate_coefficients(blocks[i], int(turn)) + 0.03 * drawn(1, rng)[0]
    blocks /= np.linalg.norm(blocks, axis=(2, 3), keepdims=True)
    kept = blocks.astype(np.float16)
    del blocks
    before, start = peak(), (time.perf_counter(), time.process_time())
    found = {(one.a, one.b) for one in find_candidates(kept)}
    wall, cpu = time.perf_counter() - start[0], time.process_time() - start[1]
    hit = sum((i, n - n_copies + i) in found for i in range(n_copies))
    return {
        "n": n, "wall": wall, "cpu": cpu, "before": before, "peak": peak(), "candidates": len(found),
        "copies": n_copies, "hit": hit,
    }  # fmt: skip


def show_hashes(n: int) -> None:
    r = hashes(n)
    print(
        f"| {r['n']:,} | {r['cpu']:.1f} | {r['wall']:.1f} | {r['before']:.0f} | {r['peak']:.0f} "
        f"| {r['candidates']:,} | {r['hit']:,}/{r['copies']:,} |"
    )


STAGES = ("describe", "search", "verify", "total")


def table(rows: list[dict[str, Any]]) -> str:
    """Return time and memory as a Markdown table."""
    lines = [
        "| images | fingerprints s | candidates s | verification s | total s | (wall s) | making images s "
        "| MiB before | MiB peak | candidates |",
        "|" + "--:|" * 10,
    ]
    for r in rows:
        spent = " | ".join(f"{r[stage]['cpu']:.1f}" for stage in STAGES)
        lines.append(
            f"| {r['n']:,} | {spent} | ({r['total']['wall']:.0f}) | {r['total']['making']:.0f} "
            f"| {r['before']:.0f} | {r['peak']:.0f} | {r['candidates']:,} |"
        )
    return "\n".join(lines)


def found_table(rows: list[dict[str, Any]]) -> str:
    """Return found of planted by kind as a Markdown table."""
    lines = ["| images | " + " | ".join(KINDS) + " | false pairs | possibly one patient |"]
    lines.append("|" + "--:|" * (3 + len(KINDS)))
    for r in rows:
        cells = " | ".join(f"{r['found'].get(k, 0)}/{r['planted'].get(k, 0)}" for k in KINDS)
        lines.append(f"| {r['n']:,} | {cells} | {r['false']} | {r['similar']} |")
    return "\n".join(lines)


def growth(rows: list[dict[str, Any]]) -> str:
    """Return the exponents of growth from each size to the next (1 is linear, 2 is quadratic)."""
    lines = []
    for a, b in pairwise(rows):
        step = math.log(b["n"] / a["n"])
        told = [f"{s} {math.log(b[s]['cpu'] / a[s]['cpu']) / step:.2f}" for s in STAGES]
        more = math.log((b["peak"] - b["before"]) / (a["peak"] - a["before"])) / step
        lines.append(
            f"growth from {a['n']:,} to {b['n']:,}: {', '.join(told)}, memory above the start {more:.2f}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sizes", nargs="*", type=int, default=[1000, 10_000])
    parser.add_argument("--workers", type=int)
    parser.add_argument("--hashes", action="store_true", help="search drawn hashes for candidates, no images")
    parser.add_argument("--one", action="store_true", help="run one size here and print JSON")
    arguments = parser.parse_args()
    if arguments.hashes and arguments.one:
        return show_hashes(arguments.sizes[0])
    if arguments.hashes:
        print("| hashes | processor s | wall s | MiB before | MiB peak | candidates | copies among them |")
        print("|" + "--:|" * 7, flush=True)
        for n in arguments.sizes:
            subprocess.run([sys.executable, __file__, str(n), "--one", "--hashes"], check=True)
        return None
    if arguments.one:
        print(json.dumps(one(arguments.sizes[0], arguments.workers)))
        return None
    rows = []
    for n in arguments.sizes:
        command = [sys.executable, __file__, str(n), "--one"]
        command += ["--workers", str(arguments.workers)] if arguments.workers else []
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        rows.append(json.loads(done.stdout))
        print(table(rows[-1:]).splitlines()[-1], flush=True)
    print("\n".join(["", table(rows), "", found_table(rows), "", growth(rows)]))
    return None


if __name__ == "__main__":
    main()
