"""`headtohead preprocess` and `headtohead augment-preview`: contact sheets of what a network sees."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headtohead.cli import common_options as o
from headtohead.cli.config_options import with_settings

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

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


@with_settings("DataConfig")
def preprocess(
    data: o.Data,
    out: o.Out,
    *,
    settings: Mapping[str, Any],
    recipe: RecipeName = "auto",
    as_json: o.AsJson = False,
) -> None:
    """Write contact sheets of every image before and after a recipe, and boxes.csv.

    Look at them before believing any figure. For example:

    headtohead preprocess scans --out look --recipe foreground
    """
    from headtohead.api.data import preprocess as write_sheets

    done = write_sheets(data, out=out, recipe=recipe, **settings)
    if as_json:
        facts = {"recipe": done.recipe, "digest": done.digest, "reason": done.reason, "images": done.n_images}
        facts |= {"whole": done.n_whole, "sheets": done.n_sheets, "folder": str(out)}
        print(json.dumps(facts, ensure_ascii=False))
        return
    print(f"Recipe {done.recipe}: {done.reason}.")
    print(
        f"{done.n_images} images on {done.n_sheets} sheets in {out}; "
        f"{done.n_whole} kept whole because no plausible box was found."
    )


@with_settings("DataConfig")
def augment_preview(
    data: o.Data,
    *,
    settings: Mapping[str, Any],
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
    from headtohead.api.data import load_data
    from headtohead.api.sheets import choose_recipe
    from headtohead.core.atomic_io import check_writable, write_atomic
    from headtohead.core.console import console_reporter
    from headtohead.data.splits.even_sample import evenly_spaced
    from headtohead.preprocess.augmentation import get_preset
    from headtohead.preprocess.contact_sheet import augmented_page, png

    check_writable(out)
    light = preset in ("auto", "light")
    chosen = None if light else get_preset(preset)
    dataset = load_data(data, settings, console_reporter())
    steps, _ = choose_recipe(recipe, dataset)
    shown = [
        (sample.path, steps.apply(dataset.read(sample)).pixels)
        for sample in evenly_spaced(dataset.samples, images)
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
