"""Writes the demonstration set: two class folders, the truth about them, and what they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.core.atomic_io import write_atomic, write_json
from headtohead.core.errors import DataError, InsufficientDataError
from headtohead.core.parallel import ordered_map
from headtohead.core.progress import QUIET, Reporter
from headtohead.data.demo.acquire import framed
from headtohead.data.demo.anatomy import load_template
from headtohead.data.demo.data_sheet import CONFOUND, SOURCE, data_sheet
from headtohead.data.demo.files import encode, make_copy
from headtohead.data.demo.plan import DemoPlan, draw_plan
from headtohead.data.demo.scene import Scene, draw_scene

__all__ = ["CLASSES", "POSITIVE", "make_demo"]

CLASSES = ("no_lesion", "lesion")
POSITIVE = "lesion"
LEAST = 40  # each planted defect needs images of its own
_WORKERS = 4  # threads; no pixel depends on their number


@dataclass(frozen=True, slots=True)
class _File:
    """One file to be written."""

    path: str
    content: bytes
    facts: dict[str, Any]


def make_demo(folder: Path, *, n: int = 240, seed: int = 0, reporter: Reporter = QUIET) -> None:
    """Write `n` synthetic brain images in two class folders, with `truth.json` beside them.

    The set is a comparison's worth of trouble with known truth: lesions from easy to hard, harmless
    findings in both classes, copies of four kinds, wrong labels, odd files and file facts that lean
    on the label. The same `n` and `seed` give the same bytes on the same machine.

    Args:
        folder: new or empty.
        n: readable images in all, at least 40; one unreadable file comes on top.
        seed: of everything that is drawn.

    Raises:
        DataError: the folder holds files already.
        InsufficientDataError: `n` is below 40.
        MissingExtraError: nilearn, which ships the template, is not installed.
    """
    if n < LEAST:
        raise InsufficientDataError(f"Got n = {n}; the planted defects need at least {LEAST} images.")
    if folder.exists() and any(folder.iterdir()):
        raise DataError(f"{folder} is not empty; give a new folder, or remove what is in it.")
    load_template()  # fails before anything is written
    plan = draw_plan(n, seed)

    def make(number: int) -> Scene:
        return draw_scene(seed, number, plan.has_lesion[number])

    n_scenes = len(plan.has_lesion)
    drawn = ordered_map(make, range(n_scenes), workers=_WORKERS)
    scenes = list(reporter.progress(drawn, "draw synthetic images", n_scenes))
    files = _files(plan, scenes, seed)
    unreadable = f"{POSITIVE}/synthetic_unreadable.jpg"
    for file in files:
        write_atomic(folder / file.path, file.content)
    write_atomic(folder / unreadable, files[0].content[:200])  # begins as an image and does not decode
    write_json(folder / "truth.json", _truth(plan, files, unreadable, seed))
    write_atomic(folder / "DATA.md", data_sheet(n, seed))
    reporter.info(f"Wrote {n} synthetic images of {len(scenes)} scenes to {folder}; no patient is shown.")


def _files(plan: DemoPlan, scenes: list[Scene], seed: int) -> list[_File]:
    numbers = np.argsort(plan.order)  # the inverse: a file's place in the order
    first = [_first(plan, scene, k, int(numbers[k]), seed) for k, scene in enumerate(scenes)]
    copies: list[_File] = []
    for j, copy in enumerate(plan.copies):
        number = int(numbers[len(scenes) + j])
        original = first[copy.scene]
        facts = {**original.facts, "copy_of": original.path, "kind": copy.kind}
        path, content = _name(original.facts["label"], number, ".jpg"), original.content
        if copy.kind != "byte copy":
            rng = np.random.default_rng([seed, copy.scene, 3])  # 1 is the head's, 2 the first file's
            pixels, quality, box = make_copy(rng, scenes[copy.scene].pixels, copy.kind, facts["lesion_box"])
            content = encode(pixels, ".jpg", quality)
            facts |= {"lesion_box": box, "size": list(pixels.shape)}
        copies.append(_File(path, content, facts))
    return first + copies


def _name(label: str, number: int, suffix: str) -> str:
    return f"{label}/synthetic_{number + 1:04d}{suffix}"


def _first(plan: DemoPlan, scene: Scene, number: int, place: int, seed: int) -> _File:
    """Return the first file of a scene, with the oddities that the plan wants of it."""
    rng = np.random.default_rng([seed, number, 2])
    ill = plan.has_lesion[number]
    label = CLASSES[int(ill != (number in plan.mislabelled))]
    pixels: npt.NDArray[np.uint8] = scene.pixels
    facts = {**scene.facts, "scene": f"scene-{number:04d}", "label": label, "true_label": CLASSES[int(ill)]}
    if number in plan.white_frame:
        broad = int(rng.integers(5, 14))
        pixels = framed(pixels, broad)
        if facts["lesion_box"] is not None:
            facts["lesion_box"] = [v + broad for v in facts["lesion_box"]]
    facts["size"] = list(pixels.shape)
    quality = int(rng.integers(72, 88) if ill else rng.integers(82, 96))
    content = encode(pixels, ".png" if number in plan.png_in_jpg else ".jpg", quality)
    suffix = ".JPG" if number in plan.capital_suffix else ".jpg"
    return _File(_name(label, place, suffix), content, facts)


def _truth(plan: DemoPlan, files: list[_File], unreadable: str, seed: int) -> dict[str, Any]:
    def paths(scenes: frozenset[int]) -> list[str]:
        return sorted(files[k].path for k in scenes)

    ordered = sorted(files, key=lambda file: file.path)
    return {
        "synthetic": True,
        "source": SOURCE,
        "seed": seed,
        "n": len(files),
        "classes": list(CLASSES),
        "positive": POSITIVE,
        "scenes": {file.path: file.facts["scene"] for file in ordered},
        "copies": [
            {"path": file.path, "of": file.facts["copy_of"], "kind": file.facts["kind"]}
            for file in ordered
            if "copy_of" in file.facts
        ],
        "wrong_labels": paths(plan.mislabelled),
        "odd_files": {
            "unreadable": [unreadable],
            "png_in_jpg": paths(plan.png_in_jpg),
            "capital_suffix": paths(plan.capital_suffix),
            "white_frame": paths(plan.white_frame),
        },
        "confound": CONFOUND,
        "images": {file.path: file.facts for file in ordered},
    }
