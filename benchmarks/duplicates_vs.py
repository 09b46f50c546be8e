"""Duplicates found and missed, side by side with imagededup and cleanvision on the same images.

    python benchmarks/duplicates_vs.py                     # synthetic heads, each with a planted copy
    python benchmarks/duplicates_vs.py --data brain-mri    # real images: pairs that each tool joins

The two tools are no dependency of the product; install them into an environment of their own
(`pip install --no-deps imagededup cleanvision` beside this package). A tool that is not installed
is said to be missing. Both run with their defaults: imagededup's perceptual hash within 10 bits,
cleanvision's exact (MD5) and near (perceptual hash) duplicates.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from importlib.metadata import PackageNotFoundError, version
from itertools import combinations
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.planting import copies, stored
from tests.planting.scenes import head

from headtohead.audit.image_index import find_groups
from headtohead.data.load import load

Pair = frozenset[str]
FAMILIES = {
    "size and crop": copies.SIZES,
    "tone": copies.TONES,
    "detail": copies.DETAIL,
    "marks": copies.MARKS,
    "turns": copies.TURNS,
    "format": copies.FORMATS,
    "mixtures": copies.MIXTURES,
    "beyond": copies.BEYOND,
}


Truth = dict[Pair, tuple[str, str]]
"""Pair of file names -> family and kind of the copy."""


def planted(folder: Path, n: int) -> Truth:
    """Write for each kind n heads of its own and their copies; return what is to be found."""
    pairs: Truth = {}
    seed = 0
    for family, kinds in FAMILIES.items():
        for kind, copy in kinds.items():
            for _ in range(n):
                image, seed = head(seed), seed + 1
                names = []
                for word, (suffix, content) in (("", stored.png(image)), (" copy", copy(image))):
                    names.append(f"{seed:04d}{word}{suffix}")
                    path = folder / "ab"[seed % 2] / names[-1]
                    path.parent.mkdir(exist_ok=True)
                    path.write_bytes(content)
                pairs[frozenset(names)] = family, kind
    return pairs


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


def spent(start: tuple[float, float]) -> str:
    return f"{time.perf_counter() - start[0]:.0f} | {time.process_time() - start[1]:.0f}"


def run(folder: Path, truth: Truth | None) -> None:
    """Print what each tool joins; against the truth where it is known, else against headtohead."""
    found: dict[str, set[Pair]] = {}
    seconds = {}
    for name, tool in TOOLS.items():
        start = time.perf_counter(), time.process_time()
        try:
            found[name] = tool(folder)
        except ModuleNotFoundError as error:
            print(f"{name}: not installed ({error.name})")
            continue
        seconds[name] = spent(start)
    if truth is None:
        _against_ours(found, seconds)
    else:
        _against_truth(found, seconds, truth)


def _against_ours(found: dict[str, set[Pair]], seconds: dict[str, str]) -> None:
    ours = found["headtohead"]
    print(
        "| tool | pairs | of headtohead's | others | seconds | of the processor |\n|---|--:|--:|--:|--:|--:|"
    )
    for name, pairs in found.items():
        others = pairs - ours
        print(f"| {title(name)} | {len(pairs)} | {len(pairs & ours)} | {len(others)} | {seconds[name]} |")
        if others:
            print(
                f"  ({name} alone: {'; '.join(' '.join(sorted(pair)) for pair in sorted(others, key=sorted)[:12])})"
            )


def _against_truth(found: dict[str, set[Pair]], seconds: dict[str, str], truth: Truth) -> None:
    of_family = Counter(family for family, _ in truth.values())
    print("| tool | found | wrong | " + " | ".join(of_family) + " | seconds | of the processor |")
    print("|---|" + "--:|" * (4 + len(of_family)))
    for name, pairs in found.items():
        hit = Counter(family for pair, (family, _) in truth.items() if pair in pairs)
        cells = " | ".join(f"{hit[family]}/{n}" for family, n in of_family.items())
        right = sum(pair in truth for pair in pairs)
        print(f"| {title(name)} | {right}/{len(truth)} | {len(pairs) - right} | {cells} | {seconds[name]} |")

    for name, pairs in found.items():
        missed = Counter(kind for pair, (_, kind) in truth.items() if pair not in pairs)
        print(f"\n{name} missed: {', '.join(f'{kind} {n}' for kind, n in missed.items()) or 'none'}")


def title(tool: str) -> str:
    """Return the tool's name with its version."""
    try:
        return f"{tool} {version(tool.split()[0])}"
    except PackageNotFoundError:
        return tool


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="a folder of real images, instead of planted ones")
    parser.add_argument("--n", type=int, default=3, help="how many synthetic scenes for each kind of copy")
    arguments = parser.parse_args()
    if arguments.data:
        run(arguments.data, None)
        return
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), planted(Path(folder), arguments.n))


if __name__ == "__main__":
    main()
