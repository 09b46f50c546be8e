"""Duplicates found and missed, side by side with imagededup and cleanvision on the same pictures.

    python benchmarks/duplicates_vs.py                     # synthetic heads with planted copies
    python benchmarks/duplicates_vs.py --data brain-mri    # real pictures: pairs that each tool joins

The two tools are no dependency of the product; install them into an environment of their own
(`pip install --no-deps imagededup cleanvision` beside this package). A tool that is not installed
is said to be missing. Both run with their defaults: imagededup's perceptual hash within 10 bits,
cleanvision's exact (MD5) and near (perceptual hash) duplicates.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
from audit_scale import KINDS, copy, head

from headtohead.audit.duplicates import find_groups
from headtohead.data.load import load

Pair = frozenset[str]
MORE = ("turned 6", "letters")


def planted(folder: Path, n: int) -> dict[str, str]:
    """Write n heads, each with one copy of one kind, and return file name -> scene."""
    scene = {}
    kinds = [kind for kind in KINDS if kind != "same"] + list(MORE)
    for i in range(n):
        side = 220
        original = np.asarray(cv2.resize(head(i), (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)
        kind = kinds[i % len(kinds)]
        for name, picture in ((f"{i:04d}.png", original), (f"{i:04d} {kind}.png", changed(original, kind))):
            path = folder / "ab"[i % 2] / name
            path.parent.mkdir(exist_ok=True)
            cv2.imwrite(str(path), picture)
            scene[name] = f"{i:04d}"
    return scene


def changed(picture: np.ndarray, kind: str) -> np.ndarray:
    """Return a copy: the kinds of `audit_scale`, a small turn, letters."""
    if kind == "turned 6":
        matrix = cv2.getRotationMatrix2D((picture.shape[1] / 2, picture.shape[0] / 2), 6, 1)
        return np.asarray(cv2.warpAffine(picture, matrix, picture.shape[::-1]))
    if kind == "letters":
        return np.asarray(
            cv2.putText(picture.copy(), "L 12.03", (6, 210), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 255, 2)
        )
    return copy(picture, kind)


def joined(groups: Iterable[Iterable[str]]) -> set[Pair]:
    """Return all pairs of file names that stand in one group."""
    return {frozenset(pair) for group in groups for pair in combinations(sorted(set(group)), 2)}


def with_headtohead(folder: Path) -> set[Pair]:
    grouping = find_groups(load(str(folder)))
    together: dict[str, list[str]] = {}
    for name, group in grouping.groups.items():
        together.setdefault(group, []).append(Path(name).name)
    return joined(together.values())


def with_imagededup(folder: Path) -> set[Pair]:
    from imagededup.methods import PHash

    found = PHash(verbose=False).find_duplicates(image_dir=str(folder), recursive=True)
    return {frozenset((Path(a).name, Path(b).name)) for a, others in found.items() for b in others if a != b}


def with_cleanvision(folder: Path) -> set[Pair]:
    from cleanvision import Imagelab

    lab = Imagelab(data_path=str(folder), verbose=False)
    lab.find_issues({"exact_duplicates": {}, "near_duplicates": {}}, verbose=False)
    sets = [one for kind in ("exact_duplicates", "near_duplicates") for one in lab.info[kind]["sets"]]
    return joined([Path(name).name for name in one] for one in sets)


TOOLS: dict[str, Callable[[Path], set[Pair]]] = {
    "headtohead": with_headtohead,
    "imagededup PHash": with_imagededup,
    "cleanvision": with_cleanvision,
}


def run(folder: Path, scene: dict[str, str] | None) -> None:
    """Print what each tool joins; against the truth where it is known, else against headtohead."""
    pairs: dict[str, set[Pair]] = {}
    for name, tool in TOOLS.items():
        start = time.perf_counter()
        try:
            pairs[name] = tool(folder)
        except ModuleNotFoundError as error:
            print(f"{name}: not installed ({error.name})")
            continue
        print(f"{name}: {len(pairs[name])} pairs in {time.perf_counter() - start:.1f} s")
    if scene is None:
        ours = pairs["headtohead"]
        for name, found in pairs.items():
            print(
                f"{name}: {len(found & ours)} of headtohead's {len(ours)} pairs, {len(found - ours)} others"
            )
        return
    files: dict[str, list[str]] = {}
    for file, one in scene.items():
        files.setdefault(one, []).append(file)
    truth = joined(files.values())
    kind = {pair: max(pair, key=len)[5:-4] for pair in truth}
    planted_kinds = Counter(kind.values())
    print("| tool | found | false | " + " | ".join(planted_kinds) + " |")
    print("|---|" + "--:|" * (2 + len(planted_kinds)))
    for name, found in pairs.items():
        hit = Counter(kind[pair] for pair in found & truth)
        cells = " | ".join(f"{hit[one]}/{planted_kinds[one]}" for one in planted_kinds)
        print(f"| {name} | {len(found & truth)}/{len(truth)} | {len(found - truth)} | {cells} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="a folder of real pictures, instead of planted ones")
    parser.add_argument("--n", type=int, default=180, help="how many synthetic scenes")
    arguments = parser.parse_args()
    if arguments.data:
        run(arguments.data, None)
        return
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), planted(Path(folder), arguments.n))


if __name__ == "__main__":
    main()
