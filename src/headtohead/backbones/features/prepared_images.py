"""Images as a recipe left them, kept in memory for the next network of the same study and for its report."""

from __future__ import annotations

import threading
from typing import Any

from headtohead.backbones.features.feature_cache import row_key
from headtohead.core.records import Image, Sample
from headtohead.data.dataset import Dataset
from headtohead.preprocess.recipe import Prepared, Recipe

__all__ = ["PreparedImages"]

# The crops of 253 brain MR images take 100 MB; of many images only the first are kept.
KEPT_BYTES = 256 << 20


class PreparedImages:
    """Keep prepared images until a limit of memory is reached; later ones are prepared again each time.

    The first stay, since every network goes through the images in the same order: of the latest none would be left
    when the next one begins. What is kept changes no digit. Copied to another process, it starts empty.

    Args:
        limit: bytes of pixels that are kept.
    """

    def __init__(self, limit: int = KEPT_BYTES) -> None:
        self._limit = self._left = limit
        self._kept: dict[tuple[str, str], Prepared] = {}
        self._lock = threading.Lock()

    def get(self, dataset: Dataset, recipe: Recipe, sample: Sample, image: Image | None = None) -> Prepared:
        """Return a sample as the recipe leaves it, grey as one plane; its pixels cannot be written to.

        Args:
            dataset: reads the sample where it is not kept.
            recipe: the preprocessing.
            sample: which image.
            image: the sample, where it has been read already.
        """
        key = row_key(sample), recipe.digest()
        found = self._kept.get(key)
        if found is not None:
            return found
        made = recipe.apply(dataset.read(sample) if image is None else image, as_plane=True)
        made.pixels.setflags(write=False)
        with self._lock:
            if key not in self._kept and made.pixels.nbytes <= self._left:
                self._left -= made.pixels.nbytes
                self._kept[key] = made
        return made

    def __getstate__(self) -> dict[str, Any]:
        """Return the limit alone."""
        return {"limit": self._limit}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Start empty."""
        self.__init__(state["limit"])  # type: ignore[misc]
