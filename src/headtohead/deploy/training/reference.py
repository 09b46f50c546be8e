"""What the training images were like, measured by one pass of the finished model over them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headtohead.core.progress import QUIET, Reporter
from headtohead.deploy.bundle.records import GuardReference
from headtohead.deploy.guard.copies import (
    MOST_PRINTS,
    copied,
    copy_limit,
    difference,
    nearest_of_others,
    print_of,
)
from headtohead.deploy.guard.distance import (
    FALSE_ALARMS,
    MOST_ROWS,
    TrainingDistance,
    cross_fitted_distances,
    distance_limit,
)
from headtohead.deploy.guard.guard import modality_of, seen_share
from headtohead.deploy.predict.prepare import PreparedImage, Preprocessor

if TYPE_CHECKING:
    from headtohead.core.records import Sample
    from headtohead.data.dataset import Dataset

__all__ = ["TrainingPass", "guard_reference", "prints_of", "training_pass", "with_prints"]

BATCH = 16
NEIGHBOURS = 5  # the mean of five is stabler than the nearest, and still local
FEWEST = 30  # images below which a limit that 2 % exceed has no meaning
# A photograph fills its frame: hardly anything is cut off by a recipe that looks for a dark background.
PHOTOGRAPH_SHARE = 0.95
# Grey images are said to be grey if hardly any is coloured: one in fifty may have a coloured mark.
FEW_COLOURED = 0.02

COPIES_TRIED = 64  # training images of which copies are made, to measure how many are recognised
NEAR_COPY = "near_copy"

Ask = Callable[..., tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]


@dataclass(frozen=True)
class TrainingPass:
    """What one pass over (at most 2,000) training images gave.

    Attributes:
        features: (n, D). coloured, on_dark: (n,). shares: (n,) of the area that the recipe kept.
        places: (n,) of the images in the data set.
        modalities: stated in DICOM files.
    """

    features: npt.NDArray[np.float32]
    coloured: npt.NDArray[np.bool_]
    on_dark: npt.NDArray[np.bool_]
    shares: npt.NDArray[np.float64]
    places: npt.NDArray[np.int64]
    modalities: tuple[str, ...]


def training_pass(
    dataset: Dataset, preprocessor: Preprocessor, ask: Ask, reporter: Reporter = QUIET
) -> TrainingPass:
    """Send training images through the finished model as `predict` will.

    Args:
        ask: `forward_features` of the runtime.
    """
    from headtohead.preprocess.suggest import appearance_of

    count = min(len(dataset), MOST_ROWS)
    places = np.unique(np.linspace(0, len(dataset) - 1, count).round().astype(np.int64))
    rows, looks, shares, modalities = [], [], [], set()
    starts = range(0, len(places), BATCH)
    for start in reporter.progress(starts, "what training images look like", len(starts)):
        batch = places[start : start + BATCH]
        items = [_prepared(dataset, preprocessor, dataset.samples[int(place)]) for place in batch]
        rows.append(ask(*(np.stack(x) for x in zip(*(item.inputs for item in items), strict=True)))[1])
        for item in items:
            looks.append(appearance_of(item.image))
            shares.append(seen_share(item))
            modalities.add(modality_of(item.image))
    return TrainingPass(
        np.concatenate(rows),
        np.array([look.coloured for look in looks]),
        np.array([look.on_dark for look in looks]),
        np.array(shares),
        places,
        tuple(sorted(modalities - {"", "other"})),
    )


def prints_of(dataset: Dataset, reporter: Reporter = QUIET) -> tuple[npt.NDArray[np.uint8], GuardReference]:
    """Return hashes (n, 2, 32) by which near copies are recognised, and a reference with their limit alone.

    At most `MOST_PRINTS` images are hashed, evenly drawn.
    """
    count = min(len(dataset), MOST_PRINTS)
    places = np.unique(np.linspace(0, len(dataset) - 1, count).round().astype(np.int64))
    tried = set(places[:: max(1, len(places) // COPIES_TRIED)].tolist())
    turned, copies = [], []
    for place in reporter.progress(places.tolist(), "hashes of training images", len(places)):
        image = dataset.read(dataset.samples[place])
        turned.append(print_of(image))
        if place in tried:
            copies.append((len(turned) - 1, print_of(copied(image))))
    rows = np.stack(turned)
    prints = np.ascontiguousarray(rows[:, 0])  # unturned: `difference` turns the image asked about
    some = _some(len(rows))
    limit, alarms = copy_limit(nearest_of_others(rows[some], dataset.groups()[places][some]))
    found = [difference(copy, prints[[row]])[0] <= limit for row, copy in copies]
    off = {}
    if count < len(dataset):
        off["near_copy_of_all"] = f"near copies are recognised of {count} training images, evenly drawn"
    reference = GuardReference(
        limits={NEAR_COPY: float(limit)}, false_alarms={NEAR_COPY: alarms}, off=off,
        copies_found=float(np.mean(found)),
    )  # fmt: skip
    return prints, reference


def with_prints(reference: GuardReference, of_copies: GuardReference) -> GuardReference:
    """Return the guard's reference with the limit on near copies that `prints_of` found."""
    return reference.model_copy(
        update={
            "limits": reference.limits | of_copies.limits,
            "false_alarms": reference.false_alarms | of_copies.false_alarms,
            "off": reference.off | of_copies.off,
            "copies_found": of_copies.copies_found,
        }
    )


def _some(n: int) -> npt.NDArray[np.int64]:
    """Return the rows that the limit is learnt from: comparing all pairs of very many takes too long."""
    return np.unique(np.linspace(0, n - 1, min(n, MOST_ROWS)).round().astype(np.int64))


def _prepared(dataset: Dataset, preprocessor: Preprocessor, sample: Sample) -> PreparedImage:
    return preprocessor.from_image(sample.id, dataset.read(sample), sample.sha256)


def guard_reference(
    dataset: Dataset, seen: TrainingPass, *, seed: int, tuned: bool
) -> tuple[GuardReference, dict[str, npt.NDArray[Any]]]:
    """Return the guard's limits with their false-alarm rates, and the tensors of the distance.

    Args:
        tuned: whether the network itself learnt from these images, which brings them closer together than new ones.
    """
    limits: dict[str, float] = {}
    alarms: dict[str, float] = {}
    off: dict[str, str] = {}
    if seen.coloured.mean() <= FEW_COLOURED:
        # A limit of 1 only says that the check is on.
        limits["colour"], alarms["colour"] = 1.0, float(seen.coloured.mean())
        if seen.on_dark.mean() >= 1 - FEW_COLOURED:
            limits["photograph"] = PHOTOGRAPH_SHARE
            alarms["photograph"] = float((seen.coloured & (seen.shares >= PHOTOGRAPH_SHARE)).mean())
        else:
            off["photograph"] = "training images do not all lie on a dark background"
    else:
        off["colour"] = off["photograph"] = f"{seen.coloured.mean():.0%} of the training images are in colour"
    cut = float(np.quantile(seen.shares, 1 - FALSE_ALARMS, method="higher"))
    if cut < 1:
        limits["already_cropped"] = cut
        alarms["already_cropped"] = float((seen.shares > cut).mean())
    else:
        off["already_cropped"] = "the recipe leaves nothing to cut off on many training images too"
    if not seen.modalities:
        off["other_modality"] = "no training file states its modality"
    tensors: dict[str, npt.NDArray[Any]] = {}
    if len(seen.places) < FEWEST:
        off["far_from_training"] = f"{len(seen.places)} training images are too few; it needs {FEWEST}"
    else:
        labels, groups = dataset.labels()[seen.places], dataset.groups()[seen.places]
        distances = cross_fitted_distances(seen.features, labels, groups, NEIGHBOURS, seed)
        limits["far_from_training"], alarms["far_from_training"] = distance_limit(distances)
        tensors = TrainingDistance.fit(seen.features, NEIGHBOURS, seed).tensors()
        if tuned:
            off["far_from_training_rate"] = (
                "the network learnt from these images, so new images lie farther away: the false-alarm rate is a "
                "lower bound"
            )
    reference = GuardReference(
        sha256=tuple(sample.sha256 for sample in dataset.samples),
        pixel_hashes=tuple(sample.pixel_hash for sample in dataset.samples),
        limits=limits,
        false_alarms=alarms,
        off=off,
        modalities=seen.modalities,
        neighbours=NEIGHBOURS,
    )
    return reference, tensors
