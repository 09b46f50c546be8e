"""Is a planted corner marker found and named, and is a planted lesion not accused? Figures for where-did-it-look.md.

    python benchmarks/planted_shortcut.py efficientnet-lite0 --json shortcut.json

The sets of planted_maps.py as PNG files, through the product itself: `audit`, `compare`, `explain`. Told are the
audit's checks of shortcuts (H2H302 to H2H306), the AUROC of each contender, and what remains when the subject is
painted over; with the whole image, and cropped to the foreground.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image as Pillow
from planted_maps import PLANTS, heads

import headtohead as h2h

CODES = ("H2H302", "H2H303", "H2H304", "H2H306")


def write_set(folder: Path, title: str, seed: int, n: int) -> None:
    """Write one planted set, classes `plain` and `planted`."""
    rng = np.random.default_rng(seed - 6)
    for i, image in enumerate(heads(seed, n)):
        label = ("plain", "planted")[i % 2]
        pixels = PLANTS[title](rng, image)[0] if i % 2 else image
        (folder / label).mkdir(parents=True, exist_ok=True)
        Pillow.fromarray(pixels).save(folder / label / f"{i:03d}.png")


def study(folder: Path, names: list[str], recipe: str, work: Path) -> dict[str, Any]:
    """Return AUROC and what remains without the subject, by contender."""
    out = work / f"run-{recipe}"
    h2h.compare(
        folder, names, out=out, folds=5, repeats=1, recipe=recipe, quiet=True, n_boot=200, positive="planted"
    )
    found = h2h.explain(out, images="errors", quiet=True)
    told = json.loads((out / "maps" / "faithfulness.json").read_text())["contenders"]
    return {name: told[name].get("subject_hidden") for name in names} | {"findings": list(found.findings)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("networks", nargs="+")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--images", type=int, default=120)
    parser.add_argument("--plants", default="lesion,corner marker")
    parser.add_argument("--recipes", default="none,foreground")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    told: dict[str, Any] = {"seed": args.seed, "images": args.images}
    for title in args.plants.split(","):
        with tempfile.TemporaryDirectory() as name:
            work = Path(name)
            write_set(work / "data", title, args.seed, args.images)
            audit = h2h.audit(work / "data", quiet=True)
            own: dict[str, Any] = {
                one.code: f"{one.outcome}: {one.message}"
                for one in audit.result.findings
                if one.code in CODES
            }
            for recipe in args.recipes.split(","):
                own[recipe] = study(work / "data", args.networks, recipe, work)
        told[title] = own
        print(title, json.dumps(own, indent=1), flush=True)
        if args.json:
            args.json.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
