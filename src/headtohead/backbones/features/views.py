"""Views of frozen features: from which depths of the network, and whether the flipped image counts too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headtohead.core.errors import NoEffectError, unknown_name
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.records import Image, Sample
from headtohead.data.dataset import Dataset

if TYPE_CHECKING:
    from headtohead.backbones.features.extract import Features
    from headtohead.backbones.features.inference import Kind
    from headtohead.backbones.features.options import ExtractionOptions
    from headtohead.backbones.features.prepared_images import PreparedImages
    from headtohead.backbones.record import BackboneRecord
    from headtohead.preprocess.recipe import Recipe

__all__ = ["FEATURE_VIEWS", "FeatureView", "FlippedDataset", "extract_view", "extract_view_part"]

FEATURE_VIEWS = ("layers", "symmetry", "flip")


@dataclass(frozen=True, slots=True)
class FeatureView:
    """What stands after the colon of `probe:layers+flip`.

    Attributes:
        layers: features of several depths instead of the last (`Backbone.layers`).
        symmetry: features of both sides, and how the sides differ (`asymmetry.bilateral_features`).
        flip: the mean of the features of an image and of its flipped image.

    Raises:
        NoEffectError: symmetry, which holds several layers and the flipped image, with one of those.
    """

    layers: bool = False
    symmetry: bool = False
    flip: bool = False

    def __post_init__(self) -> None:
        if self.symmetry and (self.layers or self.flip):
            raise NoEffectError(
                "symmetry holds several layers and the flipped image already; leave out layers and flip."
            )

    @classmethod
    def parse(cls, mode: str) -> FeatureView:
        """Read a mode.

        Raises:
            UnknownNameError: a word that is none of `FEATURE_VIEWS`; the nearest are named.

        >>> FeatureView.parse("probe:layers+flip")
        FeatureView(layers=True, symmetry=False, flip=True)
        >>> str(FeatureView.parse("mlp"))
        'plain'
        """
        _, colon, text = mode.partition(":")
        words = [word.strip() for word in text.split("+")] if colon else []
        for word in words:
            if word not in FEATURE_VIEWS:
                raise unknown_name("way to look at features", word, FEATURE_VIEWS)
        return cls(*(word in words for word in FEATURE_VIEWS))

    @property
    def flips(self) -> bool:
        """Whether flipped images are used, which is not sound for every organ."""
        return self.flip or self.symmetry

    @property
    def kind(self) -> Kind:
        """Return the kind of features that `extract` computes for this view."""
        return "symmetry" if self.symmetry else "layers" if self.layers else "last"

    def __str__(self) -> str:
        return "+".join(word for word in FEATURE_VIEWS if getattr(self, word)) or "plain"


class FlippedDataset(Dataset):
    """The same images, left and right exchanged; they are other images to a cache."""

    @classmethod
    def of(cls, dataset: Dataset) -> FlippedDataset:
        """Return the data set with every image flipped."""
        samples = tuple(
            s.model_copy(update={"pixel_hash": f"{s.pixel_hash}-mirrored"}) for s in dataset.samples
        )
        return cls(dataset.root, samples, dataset.classes, dataset.positive)

    def read(self, sample: Sample) -> Image:
        """Decode one image and flip it."""
        image = super().read(sample)
        history = (*image.history, "left and right exchanged")
        return replace(image, pixels=np.ascontiguousarray(image.pixels[:, ::-1]), history=history)


def extract_view(
    dataset: Dataset,
    record: BackboneRecord,
    recipe: Recipe,
    view: FeatureView,
    options: ExtractionOptions,
    *,
    cache: Path,
    reporter: Reporter = QUIET,
    prepared: PreparedImages | None = None,
) -> Features:
    """Return one feature row per sample under a view, which also decides the kind of features.

    Args:
        prepared: images that other networks have seen, read and cropped already.

    Returns:
        Rows (n, D); with `flip` their mean with those of the flipped images, whose own pass is in
        `how["mirror images"]`.
    """
    from headtohead.backbones.features.extract import Features, extract

    options = replace(options, kind=view.kind)
    plain = extract(dataset, record, recipe, options, cache=cache, reporter=reporter, prepared=prepared)
    if not view.flip:
        return plain
    mirrored = FlippedDataset.of(dataset)
    flipped = extract(mirrored, record, recipe, options, cache=cache, reporter=reporter, prepared=prepared)
    rows = (plain.rows + flipped.rows) / np.float32(2)
    return Features(rows, plain.how | {"mirror images": flipped.how})


def extract_view_part(
    dataset: Dataset,
    record: BackboneRecord,
    recipe: Recipe,
    view: FeatureView,
    options: ExtractionOptions,
    *,
    part: tuple[int, int],
    cache: Path,
    reporter: Reporter = QUIET,
) -> None:
    """Compute the rows of one part of the images under a view that the cache lacks, flipped images included.

    Args:
        part: number of the part, from 0, and how many there are.
    """
    from headtohead.backbones.features.extract import extract_part

    options = replace(options, kind=view.kind)
    for images in (dataset, FlippedDataset.of(dataset)) if view.flip else (dataset,):
        extract_part(images, record, recipe, options, part=part, cache=cache, reporter=reporter)
