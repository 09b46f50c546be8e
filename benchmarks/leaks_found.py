"""Every planted kind of copy on four kinds of pictures: how many of n are found.

    python benchmarks/leaks_found.py --n 6

Each kind is a folder of its own, read by the loader: n originals and their n copies, so that no
copy is found by way of another.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.planting import stored
from tests.planting.copies import BEYOND, COPIES, Copy
from tests.planting.scenes import SCENES, Grey

from headtohead.audit.duplicates import find_groups
from headtohead.data.load import load


def searched(copy: Copy, originals: list[Grey]) -> tuple[int, int]:
    """Return how many copies are in the group of their original, and how many wrong pairs there are."""
    with tempfile.TemporaryDirectory() as folder:
        for i, picture in enumerate(originals):
            for word, (suffix, content) in (("a", stored.png(picture)), ("b", copy(picture))):
                path = Path(folder, "xy"[i % 2], f"{word}{i:03d}{suffix}")
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content)
        grouping = find_groups(load(folder))
    groups: dict[str, set[str]] = {}
    for name, group in grouping.groups.items():
        groups.setdefault(Path(name).stem[1:], set()).add(group)
    wrong = sum(Path(pair.a).stem[1:] != Path(pair.b).stem[1:] for pair in grouping.pairs)
    return sum(len(one) == 1 for one in groups.values()), wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--n", type=int, default=6, help="pictures of each kind")
    parser.add_argument(
        "--scenes", default=",".join(SCENES), help="kinds of pictures, of " + ", ".join(SCENES)
    )
    arguments = parser.parse_args()
    n, scenes = arguments.n, arguments.scenes.split(",")
    originals = {scene: [SCENES[scene](seed) for seed in range(n)] for scene in scenes}
    start, wrong = time.process_time(), 0
    print(f"| copy, found of {n} | " + " | ".join(scenes) + " |\n|---|" + "--:|" * len(scenes), flush=True)
    for kind, copy in {**COPIES, **BEYOND}.items():
        seen = [searched(copy, originals[scene]) for scene in scenes]
        wrong += sum(one[1] for one in seen)
        print(f"| {kind} | " + " | ".join(str(one[0]) for one in seen) + " |", flush=True)
    print(f"\n{wrong} wrong pairs; {time.process_time() - start:.0f} s of the processor")


if __name__ == "__main__":
    main()
