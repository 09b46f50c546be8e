"""Write contact sheets of a data set: every image before and after a recipe, and the boxes that were cut."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from headtohead.core.progress import Reporter
    from headtohead.data.dataset import Dataset
    from headtohead.preprocess.contact_sheet import SheetRow
    from headtohead.preprocess.recipe import Recipe

__all__ = ["choose_recipe", "write_boxes", "write_sheets"]

LOOKED_AT = 64  # images that decide on a recipe: all that `suggest_recipe` looks at


def choose_recipe(name: str, dataset: Dataset) -> tuple[Recipe, str]:
    """Return the recipe of a name, or for "auto" the one that suits most images, with the reason."""
    from headtohead.data.splits.even_sample import evenly_spaced
    from headtohead.preprocess.recipe import get_recipe
    from headtohead.preprocess.suggest import suggest_recipe

    if name != "auto":
        return get_recipe(name), "as asked for"
    looked_at = evenly_spaced(dataset.samples, LOOKED_AT)
    suggested, reason = suggest_recipe(dataset.read(sample) for sample in looked_at)
    return get_recipe(suggested), reason


def write_sheets(
    dataset: Dataset, recipe: Recipe, out: Path, reporter: Reporter
) -> tuple[list[SheetRow], int]:
    """Write sheet-001.png, … into a folder.

    Returns:
        one row per image (its pixels dropped), and the number of sheets.
    """
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
            rows.append(replace(made, cell=none))  # all cells together may not fit into the memory
            yield made.cell

    count = 0
    for count, sheet in enumerate(pages(cells()), start=1):
        write_atomic(out / f"sheet-{count:03d}.png", png(sheet))
    return rows, count


def write_boxes(rows: list[SheetRow], path: Path) -> None:
    """Write the box of each image as CSV: path, top, left, bottom, right, kept, history."""
    import csv
    import io

    from headtohead.core.atomic_io import write_atomic
    from headtohead.core.safety.spreadsheet import guard_row

    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["path", "top", "left", "bottom", "right", "kept", "history"])
    for row in rows:
        box = row.box
        line = [row.path, box.top, box.left, box.bottom, box.right, f"{row.kept:.4f}", "; ".join(row.history)]
        table.writerow(guard_row(line))
    write_atomic(path, text.getvalue())
