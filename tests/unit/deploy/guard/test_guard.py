"""Each flag of the guard is raised by what it is for, and by nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from headtohead.core.records import Box, Image
from headtohead.data.listing.ingest import pixel_hash
from headtohead.deploy.bundle.records import GuardReference
from headtohead.deploy.guard.distance import TrainingDistance
from headtohead.deploy.guard.guard import Guard, modality_of, seen_share
from headtohead.deploy.predict.prepare import PreparedImage
from headtohead.preprocess.recipe import Prepared

SIDE = 40
HALF = Box(0, 0, 20, SIDE)


def head(seed: int = 0) -> npt.NDArray[np.uint8]:
    """Return a grey image: a bright disc on a dark background."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    inside = (rows - 20) ** 2 + (columns - 20) ** 2 < 200
    pixels = np.where(inside, 120, 2) + np.random.default_rng(seed).integers(0, 9, (SIDE, SIDE))
    return np.asarray(pixels, np.uint8)


def coloured() -> npt.NDArray[np.uint8]:
    return np.asarray(np.stack([head(), head() // 2, head() // 4], axis=2), np.uint8)


def item(
    pixels: npt.NDArray[Any], *, seen: Box = HALF, sha256: str = "x", facts: dict[str, str] | None = None
) -> PreparedImage:
    image = Image(pixels, 8, "L" if pixels.ndim == 2 else "RGB", "PNG", facts=facts or {})
    prepared = Prepared((pixels / 255).astype(np.float32), seen, ())
    return PreparedImage("a.png", sha256, image, prepared, ())


def flags(one: PreparedImage, *, rows: Any = None, tensors: Any = None, **reference: Any) -> tuple[str, ...]:
    (found,) = Guard(GuardReference(**reference), tensors or {}).flags([one], rows)
    return found


def test_an_image_like_the_training_images_has_no_flag() -> None:
    limits = {"colour": 1.0, "photograph": 0.9, "already_cropped": 0.9}
    assert flags(item(head()), limits=limits, sha256=("y",), pixel_hashes=("z",), modalities=("MR",)) == ()


def test_a_training_image_is_known_by_its_bytes_or_its_pixels() -> None:
    one = item(head(), sha256="ab")
    assert flags(one, sha256=("cd", "ab")) == ("in_training",)
    assert flags(one, pixel_hashes=(pixel_hash(one.image),)) == ("in_training",)
    assert flags(one, pixel_hashes=(pixel_hash(item(head(1)).image),)) == ()


def test_colour_is_flagged_only_where_training_was_grey() -> None:
    assert flags(item(coloured()), limits={"colour": 1.0}) == ("colour",)
    assert flags(item(coloured())) == ()
    assert flags(item(np.repeat(head()[..., None], 3, 2)), limits={"colour": 1.0}) == (), (
        "grey, stored as RGB"
    )


@pytest.mark.parametrize(("rows", "found"), [(36, ("colour", "photograph")), (35, ("colour",))])
def test_a_photograph_is_coloured_and_fills_its_frame(rows: int, found: tuple[str, ...]) -> None:
    one = item(coloured(), seen=Box(0, 0, rows, SIDE))
    assert flags(one, limits={"colour": 1.0, "photograph": 0.9}) == found
    assert flags(item(head(), seen=Box(0, 0, rows, SIDE)), limits={"colour": 1.0, "photograph": 0.9}) == ()


@pytest.mark.parametrize(("rows", "found"), [(37, ("already_cropped",)), (36, ())])
def test_an_image_of_which_nothing_was_cut_off_is_flagged(rows: int, found: tuple[str, ...]) -> None:
    assert flags(item(head(), seen=Box(0, 0, rows, SIDE)), limits={"already_cropped": 0.9}) == found


@pytest.mark.parametrize(
    ("known", "facts", "found"),
    [
        (("MR",), {"modality": "CT"}, ("other_modality",)),
        (("MR", "CT"), {"modality": "CT"}, ()),
        ((), {"modality": "CT"}, ()),
        (("MR",), {}, ()),
        (("MR",), {"modality": ""}, ()),
    ],
)
def test_another_modality(known: tuple[str, ...], facts: dict[str, str], found: tuple[str, ...]) -> None:
    one = item(head(), facts=facts)
    assert flags(one, modalities=known) == found
    assert modality_of(one.image) == facts.get("modality", "")


def test_far_from_training_is_above_the_limit_alone() -> None:
    rng = np.random.default_rng(0)
    distance = TrainingDistance.fit(rng.normal(size=(40, 4)), 3)
    tensors, far = distance.tensors(), np.full((1, 4), 50.0, np.float32)
    limit = float(distance.of(far)[0])
    for shift, found in ((0.01, ()), (-0.01, ("far_from_training",))):
        limits = {"far_from_training": limit + shift}
        assert flags(item(head()), rows=far, tensors=tensors, limits=limits, neighbours=3) == found
    limits = {"far_from_training": 0.0}
    assert flags(item(head()), rows=None, tensors=tensors, limits=limits) == (), "a runtime without features"
    assert flags(item(head()), rows=far, tensors=tensors) == (), "no limit: the check is off"
    assert flags(item(head()), rows=far, limits=limits) == (), "no tensors: the check is off"


def test_each_image_has_its_own_flags_in_one_order() -> None:
    distance = TrainingDistance.fit(np.random.default_rng(0).normal(size=(40, 4)), 3)
    guard = Guard(
        GuardReference(limits={"far_from_training": 5.0, "colour": 1.0}, sha256=("ab",)), distance.tensors()
    )
    rows = np.array([[0] * 4, [90] * 4, [90] * 4], np.float32)
    items = [item(head()), item(coloured(), sha256="ab"), item(head())]
    assert guard.flags(items, rows) == [
        (),
        ("colour", "far_from_training", "in_training"),
        ("far_from_training",),
    ]


def test_which_checks_are_on() -> None:
    tensors = TrainingDistance.fit(np.eye(6), 2).tensors()
    limits = {"far_from_training": 1.0, "near_copy": 9.0}
    assert Guard(GuardReference(limits=limits), tensors).compares_features
    assert not Guard(GuardReference(), tensors).compares_features
    assert not Guard(GuardReference(limits=limits), {"mean": np.zeros(6)}).compares_features
    prints = {"prints": np.ones((2, 2, 32), np.uint8)}
    assert Guard(GuardReference(limits=limits), prints).training_prints is not None
    assert Guard(GuardReference(), prints).training_prints is None
    assert Guard(GuardReference(limits=limits), tensors).training_prints is None


def test_the_share_seen_is_of_the_whole_image() -> None:
    assert seen_share(item(head(), seen=Box(10, 5, 30, 25))) == pytest.approx(400 / 1600)
