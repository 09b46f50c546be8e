"""`headtohead preprocess` and `headtohead augment-preview`: what a network gets to see, for eyes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headtohead.cli import common_options as o
from headtohead.cli.data_options import load_options, with_data_options

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from headtohead.core.progress import Reporter
    from headtohead.data.dataset import Dataset
    from headtohead.preprocess.contact_sheet import SheetRow
    from headtohead.preprocess.recipe import Recipe

    Pixels = npt.NDArray[np.float32]

__all__ = ["register"]

RecipeName = Annotated[
    str,
    typer.Option("--recipe", help="foreground, foreground-plain, classical, none; auto looks at the images."),
]


def register(app: typer.Typer) -> None:
    """Add both commands."""
    app.command("preprocess")(preprocess)
    app.command("augment-preview")(augment_preview)


@with_data_options
def preprocess(
    data: o.Data,
    out: o.Out,
    *,
    reading: dict[str, Any],
    recipe: RecipeName = "auto",
    as_json: o.AsJson = False,
) -> None:
    """Write contact sheets of every image before and after a recipe, and boxes.csv.

    Look at them before believing any figure. For example:

    headtohead preprocess scans --out look --recipe foreground
    """
    from headtohead.cli.progress import console_reporter
    from headtohead.data.load import load

    listener = console_reporter()
    dataset = load(data, load_options(reading), listener)
    chosen, reason = _choose(recipe, dataset)
    rows, n_pages = _write_sheets(dataset, chosen, out, listener)
    _write_boxes(rows, out / "boxes.csv")
    whole = sum(any("whole image kept" in line for line in row.history) for row in rows)
    if as_json:
        facts = {"recipe": chosen.name, "digest": chosen.digest(), "reason": reason, "images": len(rows)}
        print(
            json.dumps({**facts, "whole": whole, "sheets": n_pages, "folder": str(out)}, ensure_ascii=False)
        )
        return
    print(f"Recipe {chosen.name}: {reason}.")
    print(f"{len(rows)} images on {n_pages} sheets in {out}; {whole} kept whole for want of a plausible box.")


@with_data_options
def augment_preview(
    data: o.Data,
    *,
    reading: dict[str, Any],
    preset: Annotated[
        str,
        typer.Option(help="light (what auto means), mri, xray, ultrasound, histology, photo, study or none."),
    ] = "mri",
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE.png", help="The sheet to write.")] = Path(
        "augmented.png"
    ),
    recipe: RecipeName = "auto",
    images: Annotated[int, typer.Option(min=1, max=40, help="How many images are shown.")] = 6,
    seed: Annotated[int, typer.Option(min=0, help="As a training would be given.")] = 0,
) -> None:
    """Write a sheet of images as training would see them over some epochs, with what was drawn.

    For example:

    headtohead augment-preview scans --preset mri --out augmented.png
    """
    from headtohead.cli.progress import console_reporter
    from headtohead.core.atomic_io import write_atomic
    from headtohead.data.load import load
    from headtohead.preprocess.augmentation import get_preset
    from headtohead.preprocess.contact_sheet import augmented_page, png

    light = preset in ("auto", "light")
    chosen = None if light else get_preset(preset)
    dataset = load(data, load_options(reading), console_reporter())
    steps, _ = _choose(recipe, dataset)
    every = max(1, len(dataset.samples) // images)
    shown = [
        (sample.path, steps.apply(dataset.read(sample)).pixels)
        for sample in dataset.samples[::every][:images]
    ]
    write_atomic(out, png(augmented_page(shown, chosen or _light, seed=seed)))
    if chosen is None:
        from headtohead.preprocess.light_augmentation import WORDS

        print(f"light: {WORDS}.")
        print(f"Sheet: {out}")
        return
    for part in chosen.ingredients:
        print(f"{part.name}: {100 * part.probability:.0f} %, {part.low:g} to {part.high:g}; {part.reason}.")
    for name, why in chosen.left_out.items():
        print(f"not {name}: {why}.")
    print(f"Sheet: {out}")


def _light(rng: np.random.Generator, pixels: Pixels) -> tuple[Pixels, list[tuple[str, float]]]:
    """Draw and apply what fine-tuning does where no preset is named."""
    from headtohead.preprocess.light_augmentation import apply_light, draw_light

    drawn = draw_light(rng)
    down, right = drawn.shift
    told = {"flip": float(drawn.flip), "rotate": drawn.degrees, "scale": drawn.zoom, "shift": down}
    told |= {"shift_right": right, "contrast": drawn.gain, "brightness": drawn.offset}
    return apply_light(drawn, pixels), [*told.items()]


def _choose(name: str, dataset: Dataset) -> tuple[Recipe, str]:
    """Return the recipe of that name, or for "auto" the one that fits most images, and why."""
    from headtohead.preprocess.recipe import get_recipe
    from headtohead.preprocess.suggest import suggest_recipe

    if name != "auto":
        return get_recipe(name), "as asked for"
    every = max(1, len(dataset.samples) // 64)
    suggested, reason = suggest_recipe(dataset.read(sample) for sample in dataset.samples[::every])
    return get_recipe(suggested), reason


def _write_sheets(
    dataset: Dataset, recipe: Recipe, out: Path, reporter: Reporter
) -> tuple[list[SheetRow], int]:
    from dataclasses import replace

    import numpy as np

    from headtohead.core.atomic_io import write_atomic
    from headtohead.preprocess.contact_sheet import pages, png, row

    rows: list[SheetRow] = []
    none = np.zeros((0, 0, 3), np.uint8)

    def cells() -> Iterator[np.ndarray]:
        for sample in reporter.progress(dataset.samples, "preprocess", len(dataset.samples)):
            name = sample.path if sample.frame is None else f"{sample.path}#{sample.frame}"
            made = row(name, dataset.read(sample), recipe)
            rows.append(replace(made, cell=none))
            yield made.cell

    count = 0
    for count, sheet in enumerate(pages(cells()), start=1):
        write_atomic(out / f"sheet-{count:03d}.png", png(sheet))
    return rows, count


def _write_boxes(rows: list[SheetRow], path: Path) -> None:
    import csv
    import io

    from headtohead.core.atomic_io import write_atomic

    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["path", "top", "left", "bottom", "right", "kept", "history"])
    for row in rows:
        box = row.box
        line = [row.path, box.top, box.left, box.bottom, box.right, f"{row.kept:.4f}", "; ".join(row.history)]
        table.writerow(line)
    write_atomic(path, text.getvalue())
