"""How a whole comparison grows with the number of images: seconds, memory, disk, and the exponent.

    python benchmarks/speed/growth.py 1000 5000 20000 50000

Images are synthetic heads (`audit_scale.py`) of 64 x 64 pixels in two class folders, one in twenty a copy;
contenders a small CNN and a small ViT with frozen features, five folds, one repeat. Each size is one `headtohead
compare` in a process of its own with an empty cache. The exponent is the slope of log CPU seconds over log images;
memory is the sum over the command and its worker processes, looked at every half second. Sizes that `docs/speed.json`
holds already are not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from audit_whole import written

CONTENDERS = "efficientnet-lite0,scratch:vit_tiny_patch16_224@probe"
CALL = "import sys; from headtohead.cli.app import main; sys.exit(main())"
KIB = 1024


def tree_memory(pid: int) -> int:
    """Return the resident KiB of a process and its children, shared pages counted by their share."""
    total, waiting = 0, [pid]
    while waiting:
        one = waiting.pop()
        try:
            for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
            for task in Path(f"/proc/{one}/task").iterdir():
                waiting += [int(child) for child in (task / "children").read_text().split()]
        except OSError:  # it ended meanwhile
            continue
    return total


def one(n: int, scratch: Path, folds: str, repeats: str) -> dict[str, Any]:
    """Run one size and return its figures."""
    data, out, home = scratch / "data", scratch / "out", scratch / "home"
    data.mkdir()
    written(data, n, 64)
    words = ["compare", str(data), "-c", CONTENDERS, "--positive", "b", "--seed", "0", "--out", str(out)]
    words += ["--folds", folds, "--repeats", repeats]
    began = time.perf_counter()
    with (scratch / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", CALL, *words],
            stdout=subprocess.DEVNULL,
            stderr=log,
            env={**os.environ, "HEADTOHEAD_HOME": str(home)},
        )
    peak, ended = 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not ended.wait(0.5):
            peak = max(peak, tree_memory(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    _, status, used = os.wait4(process.pid, 0)
    ended.set()
    watcher.join()
    text = (scratch / "log").read_text()
    if status != 0:
        raise SystemExit(f"the comparison of {n} images ended with status {status}:\n{text[-2000:]}")
    size = sum(file.stat().st_size for file in out.rglob("*") if file.is_file()) / 2**20
    return {
        "n": n,
        "wall": round(time.perf_counter() - began, 1),
        "cpu": round(used.ru_utime + used.ru_stime, 1),
        "peak_mib": round(peak / KIB),
        "run_mib": round(size, 1),
    }


def exponent(rows: list[dict[str, Any]]) -> float | None:
    """Return the slope of log CPU seconds over log images."""
    if len(rows) < 2:
        return None
    n, cpu = (np.log([row[key] for row in rows]) for key in ("n", "cpu"))
    return float(f"{np.polyfit(n, cpu, 1)[0]:.3f}")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sizes", nargs="+", type=int)
    parser.add_argument("--folds", default="5")
    parser.add_argument("--repeats", default="1")
    given = parser.parse_args()
    from side_by_side import RESULTS, store

    rows: list[dict[str, Any]] = json.loads(RESULTS.read_text()).get("growth", {"rows": []})["rows"]
    for n in given.sizes:
        if any(row["n"] == n for row in rows):
            continue
        scratch = Path(tempfile.mkdtemp())
        try:
            rows.append(one(n, scratch, given.folds, given.repeats))
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        rows.sort(key=lambda row: row["n"])
        store("growth", {"rows": rows, "exponent": exponent(rows)})
        print(rows[-1] | {"exponent": exponent(rows)}, flush=True)


if __name__ == "__main__":
    main()
