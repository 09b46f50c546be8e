"""Images of the report: each once as a small WebP, with its crop, and what lies near it in the feature space."""

from __future__ import annotations

import base64
import io
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headtohead.core.errors import HeadToHeadError
from headtohead.core.parallel import cores, one_blas_thread, ordered_map, single_threaded_blas
from headtohead.core.progress import QUIET, Reporter
from headtohead.data.splits.even_sample import evenly_spaced

if TYPE_CHECKING:
    import pandas as pd

    from headtohead.backbones.features.prepared_images import PreparedImages
    from headtohead.core.records import Sample
    from headtohead.data.dataset import Dataset
    from headtohead.preprocess.recipe import Recipe

__all__ = ["feature_map", "gallery_samples", "report_images", "webp"]

MOST = 600  # images inside the page; beyond that it would pass 3 MB
EDGE = 208  # longer edge in pixels: 253 images with the maps of two contenders stay below 2 MB
# Measured on 60 brain MR images of 224 px: 3.4 kB each; JPEG of quality 75 takes 6.9 kB. The last step of effort, 6,
# takes twice the time for 3 % of the bytes.
QUALITY, EFFORT = 60, 5
PROCESSED = 8  # images that are also shown as the networks see them
NEIGHBOURS = 3
COLUMNS = 128  # features that are standardised at a time
AT_ONCE = 64  # samples that are compared with all others: of 100,000 images 51 MB

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def report_images(
    dataset: Dataset,
    recipe: Recipe,
    table: pd.DataFrame,
    prepared: PreparedImages,
    reporter: Reporter = QUIET,
) -> dict[str, Any]:
    """Return `gallery`: sample -> image, size and crop box; and `shown`: some images as the networks see them.

    An image that cannot be read again has no entry.

    Args:
        dataset: the samples.
        recipe: the preprocessing.
        table: the out-of-fold predictions; they decide which images are inside where there are many.
        prepared: images that the networks have seen.
        reporter: hears how far the work is.
    """
    wanted = set(gallery_samples(table))
    samples = [sample for sample in dataset.samples if sample.id in wanted]
    processed = {sample.id for sample in evenly_spaced(dataset.samples, PROCESSED)}

    def made(sample: Sample) -> tuple[dict[str, Any], str] | None:
        """Return the entry of a sample, and how the networks see it where that is shown."""
        try:
            image = dataset.read(sample)
            cut = prepared.get(dataset, recipe, sample, image)
        except (HeadToHeadError, OSError):
            return None
        (height, width), box = image.size, cut.box
        edges = [box.top, box.left, box.bottom, box.right]
        entry = {"src": webp(_display(image)), "width": width, "height": height, "box": edges}
        seen = webp((cut.pixels * 255).round().astype(np.uint8)) if sample.id in processed else ""
        return entry, seen

    entries = ordered_map(made, samples, workers=cores())
    gallery: dict[str, Any] = {}
    shown = []
    told = reporter.progress(entries, "images of the report", len(samples))
    for sample, found in zip(samples, told, strict=True):
        if found is None:
            continue
        gallery[sample.id] = found[0]
        if found[1]:
            shown.append({"id": sample.id, "src": found[1]})
    return {"gallery": gallery, "shown": shown}


def gallery_samples(table: pd.DataFrame, most: int = MOST) -> list[str]:
    """Return the samples inside the page: all, or those that most contenders get wrong first and some of the rest.

    Args:
        table: out-of-fold predictions.
        most: how many at most.
    """
    from headtohead.heads.baselines import BASELINES

    columns = [str(name) for name in table.columns if str(name).startswith("prob_")]
    own = table[~table["contender"].isin(list(BASELINES))]
    own = table if own.empty else own
    predicted = own[columns].to_numpy().argmax(axis=1)
    names = np.array([name.removeprefix("prob_") for name in columns])
    wrong = (names[predicted] != own["label"].astype(str).to_numpy()).astype(int)
    counts = own.assign(_wrong=wrong).groupby("sample", sort=True)["_wrong"].sum()
    order = counts.sort_values(ascending=False, kind="stable")
    ids = [str(sample) for sample in order.index]
    if len(ids) <= most:
        return ids
    # A quarter of the places is left for images that are called right.
    errors = [str(sample) for sample in order[order > 0].index][: most * 3 // 4]
    return [*errors, *evenly_spaced(ids[len(errors) :], most - len(errors))]


def feature_map(
    rows: Iterable[tuple[str, npt.NDArray[np.float32]]], dataset: Dataset, shown: Collection[str]
) -> dict[str, Any]:
    """Return per backbone two principal components of its features and the nearest images of other groups.

    Args:
        rows: each backbone with its (n, D) features of all samples; one is held in memory at a time.
        dataset: the samples, in the same order.
        shown: samples inside the page, whose neighbours are looked for among all.
    """
    ids = [sample.id for sample in dataset.samples]
    groups = np.unique(np.asarray(dataset.groups()), return_inverse=True)[1]
    places = np.array([place for place, sample in enumerate(ids) if sample in shown], dtype=np.int64)
    return {name: _one_map(_standardised(x), ids, groups, places) for name, x in rows}


def _standardised(rows: npt.NDArray[np.float32]) -> Floats:
    """Return rows with mean 0 and variance 1 in each column, or 0 where a column never changes."""
    z = np.empty(rows.shape)
    # 50,000 rows of 1,280 are 0.5 GB in float64: each further copy would be the peak of the whole command
    for start in range(0, rows.shape[1], COLUMNS):
        x = rows[:, start : start + COLUMNS].astype(np.float64)
        scale = x.std(axis=0)
        z[:, start : start + COLUMNS] = (x - x.mean(axis=0)) / np.where(scale > 0, scale, 1.0)
    return z


def _one_map(z: Floats, ids: Sequence[str], groups: Ints, shown: Ints) -> dict[str, Any]:
    """Return components, their share of the variance, and neighbours by cosine similarity.

    Args:
        z: standardised features (n, D), changed in place.
        ids, groups: of the rows. shown: rows whose neighbours are asked for.
    """
    shares, first = _first_components(z)
    first = first * np.sign(
        first[np.abs(first).argmax(axis=0), [0, 1]]
    )  # the sign of a component is arbitrary
    places = z @ first
    z /= np.maximum(np.sqrt(np.einsum("ij,ij->i", z, z))[:, None], 1e-12)
    return {
        "points": {
            sample: [round(float(a), 2), round(float(b), 2)]
            for sample, (a, b) in zip(ids, places, strict=True)
        },
        "explained": [round(float(share), 4) for share in shares],
        "neighbours": dict(_neighbours(z, ids, groups, shown)),
    }


def _first_components(z: Floats) -> tuple[Floats, Floats]:
    """Return the shares of the variance of the first two components of centred rows (n, D), and their axes (D, 2).

    Only two are computed, from the smaller of the products of columns and of rows: all of them took ten seconds of
    1,536 features on two busy cores.
    """
    from scipy.linalg import eigh

    few = len(z) < z.shape[1]
    product = z @ z.T if few else z.T @ z
    size = len(product)
    with single_threaded_blas():
        values, vectors = eigh(product, subset_by_index=[size - 2, size - 1], check_finite=False)
    values, vectors = values[::-1].clip(0), vectors[:, ::-1]
    # the total is the trace: no further eigenvalue is needed
    shares = values / (float(np.trace(product)) or 1.0)
    if few:
        vectors = z.T @ vectors / np.sqrt(np.maximum(values, np.finfo(np.float64).tiny))
    return shares, vectors


def _neighbours(
    unit: Floats, ids: Sequence[str], groups: Ints, shown: Ints
) -> Iterator[tuple[str, list[str]]]:
    """Yield each sample shown with the most similar samples of other groups, most similar first."""
    most = min(NEIGHBOURS, len(ids))
    for start in range(0, len(shown), AT_ONCE):
        places = shown[start : start + AT_ONCE]
        with one_blas_thread():
            likeness = unit[places] @ unit.T
        likeness[groups[places][:, None] == groups] = -np.inf
        least = np.partition(likeness, -most, axis=1)[:, -most]
        for place, row, bound in zip(places, likeness, least, strict=True):
            near = np.flatnonzero((row >= bound) & np.isfinite(row))
            order = np.argsort(-row[near], kind="stable")[:most]
            yield ids[place], [ids[i] for i in near[order]]


def webp(pixels: npt.NDArray[np.uint8]) -> str:
    """Return pixels as `data:image/webp;base64,…`, longer edge at most 208.

    Args:
        pixels: (H, W) or (H, W, 3), uint8.
    """
    from PIL import Image as Pillow

    small = Pillow.fromarray(np.ascontiguousarray(pixels))
    small.thumbnail((EDGE, EDGE), Pillow.Resampling.BOX)
    out = io.BytesIO()
    small.convert("RGB").save(out, "WEBP", quality=QUALITY, method=EFFORT)
    return "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode("ascii")


def _display(image: Any) -> npt.NDArray[np.uint8]:
    """Return 8-bit pixels; colour is kept where the file has it, since colour marks are what some findings show."""
    from headtohead.audit.descriptors.image_statistics import grey8

    return np.asarray(image.pixels if image.pixels.dtype == np.uint8 else grey8(image), np.uint8)
