"""Every planted kind of copy on four kinds of images: how many of n are found.

    python benchmarks/leaks_found.py --n 6
    python benchmarks/leaks_found.py --n 2 --crowd 600    # as in a set too large to compare all pairs

Each kind is a folder of its own, read by the loader: n originals and their n copies, so that no
copy is found by way of another. With --crowd all kinds stand in one set, each with originals of its
own, among so many other images, and the set is searched as one of more than 4,000 images is.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.planting import stored
from tests.planting.copies import BEYOND, COPIES, Copy
from tests.planting.scenes import SCENES, Grey

from headtohead.audit.duplicates import candidates as search
from headtohead.audit.duplicates import find
from headtohead.audit.image_index import find_groups
from headtohead.data.load import load


def searched(copy: Copy, originals: list[Grey]) -> tuple[int, int]:
    """Return how many copies are in the group of their original, and how many wrong pairs there are."""
    with tempfile.TemporaryDirectory() as folder:
        for i, image in enumerate(originals):
            for word, (suffix, content) in (("a", stored.png(image)), ("b", copy(image))):
                path = Path(folder, "xy"[i % 2], f"{word}{i:03d}{suffix}")
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content)
        grouping = find_groups(load(folder))
    groups: dict[str, set[str]] = {}
    for name, group in grouping.groups.items():
        groups.setdefault(Path(name).stem[1:], set()).add(group)
    wrong = sum(Path(pair.a).stem[1:] != Path(pair.b).stem[1:] for pair in grouping.pairs)
    return sum(len(one) == 1 for one in groups.values()), wrong


def crowded(originals: Callable[[int], Grey], n: int, others: int) -> tuple[dict[str, int], int]:
    """Return how many of n copies of each kind are found in one large set, and how many pairs are wrong."""
    search.ALL_PAIRS = find.ALL_PAIRS = find.IN_FULL = 1
    search.n_neighbours = lambda _n: 3
    kinds = {**COPIES, **BEYOND}
    with tempfile.TemporaryDirectory() as folder:
        for number, copy in enumerate([copy for copy in kinds.values() for _ in range(n)]):
            for word, (suffix, content) in zip(
                "ab", (stored.png(p := originals(number)), copy(p)), strict=True
            ):
                path = Path(folder, "xy"[number % 2], f"{word}{number:05d}{suffix}")
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content)
        for number in range(len(kinds) * n, len(kinds) * n + others):
            Path(folder, "xy"[number % 2], f"c{number:05d}.png").write_bytes(stored.png(originals(number))[1])
        grouping = find_groups(load(folder))
    group = {Path(name).stem: one for name, one in grouping.groups.items()}
    hit = [group[f"a{number:05d}"] == group[f"b{number:05d}"] for number in range(len(kinds) * n)]
    wrong = sum(Path(pair.a).stem[1:] != Path(pair.b).stem[1:] for pair in grouping.pairs)
    return {kind: sum(hit[i * n : i * n + n]) for i, kind in enumerate(kinds)}, wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--n", type=int, default=6, help="images of each kind")
    parser.add_argument("--scenes", default=",".join(SCENES), help="kinds of images, of " + ", ".join(SCENES))
    parser.add_argument("--crowd", type=int, help="all kinds in one set among so many other images")
    arguments = parser.parse_args()
    n, scenes = arguments.n, arguments.scenes.split(",")
    start, wrong = time.process_time(), 0
    print(f"| copy, found of {n} | " + " | ".join(scenes) + " |\n|---|" + "--:|" * len(scenes), flush=True)
    if arguments.crowd:
        found = [crowded(SCENES[scene], n, arguments.crowd) for scene in scenes]
        for kind in found[0][0]:
            print(f"| {kind} | " + " | ".join(str(one[0][kind]) for one in found) + " |")
        wrong = sum(one[1] for one in found)
        print(
            f"| all but the last four | {' | '.join(str(sum(one[0][kind] for kind in COPIES)) for one in found)} |"
        )
    originals = {scene: [SCENES[scene](seed) for seed in range(n)] for scene in scenes}
    for kind, copy in ({} if arguments.crowd else {**COPIES, **BEYOND}).items():
        seen = [searched(copy, originals[scene]) for scene in scenes]
        wrong += sum(one[1] for one in seen)
        print(f"| {kind} | " + " | ".join(str(one[0]) for one in seen) + " |", flush=True)
    print(f"\n{wrong} wrong pairs; {time.process_time() - start:.0f} s of the processor")


if __name__ == "__main__":
    main()
