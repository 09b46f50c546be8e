"""The whole `headtohead audit` on synthetic images on disk: seconds and peak memory by number of images.

    python benchmarks/audit_whole.py 1000 10000
    python benchmarks/audit_whole.py --side 64 1000

Images are the synthetic heads of `audit_scale.py` (64 to 96 pixels, PNG, one in twenty a copy) in
two class folders; with --side each is brought to that size. Writing them is not counted. Seconds of the
processor are of all threads; the command runs in a process of its own, with an empty cache.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from audit_scale import COPIED, KINDS, copy, head


def written(folder: Path, n: int, side: int | None = None) -> None:
    """Write n images, one in twenty a copy of another, into two class folders, each `side` pixels square if given."""
    scenes = n - n // COPIED
    for i in range(n):
        image = head(i) if i < scenes else copy(head(i - scenes), KINDS[i % len(KINDS)])
        path = folder / "ab"[i % scenes % 2] / f"{i:06d}.png"  # a copy has the label of its original
        path.parent.mkdir(exist_ok=True)
        if side is not None:
            image = np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
        cv2.imwrite(str(path), image)


def one(n: int, side: int | None) -> dict[str, Any]:
    """Return the figures of one number of images."""
    with tempfile.TemporaryDirectory() as place:
        data, out = Path(place, "data"), Path(place, "out")
        data.mkdir()
        written(data, n, side)
        start = time.perf_counter()
        command = [str(Path(sys.executable).with_name("headtohead")), "audit", str(data), "--out", str(out)]
        cold = {**os.environ, "HEADTOHEAD_HOME": str(Path(place, "home"))}
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=cold)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        if status != 0:
            raise SystemExit(f"the audit of {n} images ended with status {status}")
        record = json.loads((out / "audit.json").read_text())
        size = sum(file.stat().st_size for file in out.iterdir()) / 2**20
    return {
        "n": n,
        "cpu": used.ru_utime + used.ru_stime,
        "wall": wall,
        "peak": used.ru_maxrss / 1024,
        "out": size,
        "groups": record["dataset"]["n_groups"],
        "severe": record["counts"].get("severe", 0),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sizes", nargs="*", type=int, default=[1000])
    parser.add_argument("--side", type=int, help="pixels of every image's sides")
    given = parser.parse_args()
    print("| images | processor s | wall s | MiB peak | MiB written | groups | severe issues |")
    print("|--:|--:|--:|--:|--:|--:|--:|")
    for n in given.sizes:
        r = one(n, given.side)
        print(
            f"| {n:,} | {r['cpu']:.0f} | {r['wall']:.0f} | {r['peak']:.0f} | {r['out']:.1f} | {r['groups']:,} "
            f"| {r['severe']} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
