"""How the search for duplicates grows: time, peak memory, found and missed, from 1,000 to 100,000 pictures.

    python benchmarks/audit_scale.py 1000 10000 100000

Pictures are synthetic heads of 64 to 96 pixels, made anew whenever they are read, so that nothing
but the search itself is held in memory. One picture in twenty has a planted copy. Each size runs in
a process of its own, because peak memory never falls.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import subprocess
import sys
import time
from collections import Counter
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from headtohead.audit.duplicates import find_groups
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
    picture = np.where(radius < 0.8, tissue, np.where(radius < 1, 200, 5)) + rng.normal(0, 3, (side, side))
    return np.clip(picture, 0, 255).astype(np.uint8)


def copy(picture: Grey, kind: str) -> Grey:
    """Return a planted copy."""
    if kind == "smaller":
        return np.asarray(cv2.resize(picture, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA), np.uint8)
    if kind == "JPEG q30":
        return np.asarray(
            cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], 0), np.uint8
        )
    if kind == "gamma":
        return np.asarray(255 * (picture / 255.0) ** 0.6, np.uint8)
    if kind == "frame":
        return np.pad(picture, 5, constant_values=255)
    changed = {
        "same": picture,
        "mirrored": picture[:, ::-1],
        "turned 90": np.rot90(picture),
        "cropped": picture[3:, 4:-2],
    }
    return np.ascontiguousarray(changed[kind])


class Heads:
    """A dataset of n pictures, one in twenty of them a copy of another; made when read."""

    def __init__(self, n: int) -> None:
        self.n_copies = n // COPIED
        self.n_scenes = n - self.n_copies
        self.samples = tuple(self._sample(i) for i in range(n))

    def pixels(self, i: int) -> Grey:
        if i < self.n_scenes:
            return head(i)
        return copy(head(self.original(i)), self.kind(i))

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
    """A reporter that notes when each stage began."""

    def __init__(self) -> None:
        self.began: list[tuple[str, float]] = []

    def say(self, message: str) -> None:
        del message

    warn = say

    def track(self, items: Any, label: str, total: int | None = None) -> Any:
        del total
        self.began.append((label, time.perf_counter()))
        yield from items
        self.began.append((f"after {label}", time.perf_counter()))


def peak() -> float:
    """Return the peak memory of this process in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def one(n: int, workers: int | None) -> dict[str, Any]:
    """Run one size and return its figures."""
    heads = Heads(n)
    before, start, stages = peak(), time.perf_counter(), Stages()
    grouping = find_groups(heads, reporter=stages, workers=workers)
    end = time.perf_counter()
    at = dict(stages.began)
    began = at.get("trying candidates", at["aligning candidates"])
    found, missed = Counter[str](), Counter[str]()
    for i in range(heads.n_scenes, n):
        same = grouping.groups[f"{i:07d}"] == grouping.groups[f"{heads.original(i):07d}"]
        (found if same else missed)[heads.kind(i)] += 1
    scene = {f"{i:07d}": i if i < heads.n_scenes else heads.original(i) for i in range(n)}
    return {
        "n": n,
        "describe": at["after describing pictures"] - start,
        "search": began - at["after describing pictures"],
        "align": end - began,
        "total": end - start,
        "before": before,
        "peak": peak(),
        "candidates": grouping.counts["candidates"],
        "planted": heads.n_copies,
        "found": dict(found),
        "missed": dict(missed),
        "false": sum(scene[p.a] != scene[p.b] for p in grouping.pairs),
        "similar": grouping.counts["similar"],
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Return the figures as a Markdown table."""
    lines = [
        "| pictures | describe s | search s | align s | total s | MiB before | MiB peak | candidates | planted | found "
        "| missed | false | similar |",
        "|" + "--:|" * 13,
    ]
    for r in rows:
        found, missed = sum(r["found"].values()), sum(r["missed"].values())
        lines.append(
            f"| {r['n']:,} | {r['describe']:.1f} | {r['search']:.1f} | {r['align']:.1f} | {r['total']:.1f} "
            f"| {r['before']:.0f} | {r['peak']:.0f} | {r['candidates']:,} | {r['planted']:,} | {found:,} | {missed} "
            f"| {r['false']} | {r['similar']} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sizes", nargs="*", type=int, default=[1000, 10_000])
    parser.add_argument("--workers", type=int)
    parser.add_argument("--one", action="store_true", help="run one size here and print JSON")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(one(arguments.sizes[0], arguments.workers)))
        return
    rows = []
    for n in arguments.sizes:
        command = [sys.executable, __file__, str(n), "--one"]
        command += ["--workers", str(arguments.workers)] if arguments.workers else []
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        rows.append(json.loads(done.stdout))
        print(f"{n:,}: missed by kind {rows[-1]['missed'] or 'none'}", flush=True)
    print(table(rows))


if __name__ == "__main__":
    main()
