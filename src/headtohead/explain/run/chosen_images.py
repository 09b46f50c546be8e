"""Which images of a run are explained, by what its contenders predicted for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from headtohead.core.errors import UsageError, unknown_name
from headtohead.explain.run.finished import FinishedRun

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["chosen_images", "mean_predictions", "tested_images"]


def tested_images(run: FinishedRun) -> list[int]:
    """Return the positions of the images that were in a test part, in order."""
    return sorted({int(index) for fold in run.folds for index in fold.test})


def chosen_images(run: FinishedRun, images: str | Sequence[str], names: Sequence[str]) -> list[int]:
    """Return the positions of the images that were asked for.

    Args:
        run: the finished run.
        images: "errors", "all", or sample ids (in one text with commas).
        names: of the contenders whose errors count.

    Raises:
        UnknownNameError: a sample id that does not exist.
        UsageError: an image that was in no test part, or no image at all.
    """
    place = {sample.id: index for index, sample in enumerate(run.dataset.samples)}
    tested = tested_images(run)
    if images == "all":
        return tested
    if images == "errors":
        wrong = _wrong(run, names)
        return [index for index in tested if run.dataset.samples[index].id in wrong]
    ids = images.split(",") if isinstance(images, str) else list(images)
    ids = [name.strip() for name in ids if name.strip()]
    for name in ids:
        if name not in place:
            raise unknown_name("image", name, place)
        if place[name] not in tested:
            raise UsageError(
                f"{name} was in no test part of this run, so no head exists that did not see it."
            )
    if not ids:
        raise UsageError(f"Got images = {images!r}; expected errors, all, or sample ids with commas.")
    return [place[name] for name in ids]


def mean_predictions(run: FinishedRun, name: str) -> pd.DataFrame:
    """Return a contender's mean probabilities over repeats and its labels, one row per sample id."""
    table = run.folder.table("predictions.parquet")
    own = table[table["contender"] == name].groupby("sample")
    columns = [f"prob_{label}" for label in run.dataset.classes]
    mean = own[columns].mean()
    mean["label"] = own["label"].first()
    return mean


def _wrong(run: FinishedRun, names: Sequence[str]) -> set[str]:
    """Return the ids of images that a contender gets wrong; two that disagree are never both right."""
    wrong: set[str] = set()
    for name in names:
        table = mean_predictions(run, name)
        columns = [f"prob_{label}" for label in run.dataset.classes]
        said = [run.dataset.classes[place] for place in table[columns].to_numpy().argmax(axis=1)]
        labels = table["label"].astype(str)
        wrong |= {str(name) for name, a, b in zip(table.index, said, labels, strict=True) if a != b}
    return wrong
