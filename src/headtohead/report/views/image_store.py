"""The images of a page, each once: a number that templates and script refer to, and one CSS rule."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["ImageStore", "safe_images"]

# no SVG, which may name addresses
_SAFE = re.compile(r"^data:image/(?:webp|jpeg|png);base64,[A-Za-z0-9+/=]+$")


def safe_images(thumbs: Mapping[str, Any]) -> dict[str, str]:
    """Return the images that are data addresses; any other address would make the page ask a server.

    >>> safe_images({"a": "http://example.org/beacon.gif", "b": "data:image/png;base64,AA=="})
    {'b': 'data:image/png;base64,AA=='}
    """
    return {name: src for name, src in thumbs.items() if isinstance(src, str) and _SAFE.match(src)}


class ImageStore:
    """Images by sample; an image is kept once, however often it is shown and however many samples are copies of it.

    Args:
        gallery: sample -> src, width, height and box, the content of `images.json`.
        thumbs: sample -> data address of samples that have no entry there.
    """

    def __init__(self, gallery: Mapping[str, Mapping[str, Any]], thumbs: Mapping[str, str]) -> None:
        self._gallery, self._thumbs = gallery, thumbs
        self._numbers: dict[str, int] = {}
        self._kept: dict[str, int] = {}

    def number(self, sample: str) -> int | None:
        """Return the number of a sample's image, None where there is none."""
        if sample not in self._numbers:
            entry = self._gallery.get(sample)
            src = str(entry["src"]) if entry else self._thumbs.get(sample, "")
            if not _SAFE.match(src):
                return None
            self._numbers[sample] = self._keep(src)
        return self._numbers[sample]

    def add(self, src: str) -> int | None:
        """Keep an image that is no sample's own, and return its number; None where it is no image."""
        return self._keep(src) if _SAFE.match(src) else None

    def _keep(self, src: str) -> int:
        return self._kept.setdefault(src, len(self._kept))

    def facts(self, sample: str) -> dict[str, Any]:
        """Return number, size and crop box of a sample's image, as the script reads them."""
        entry = self._gallery.get(sample, {})
        found: dict[str, Any] = {"im": self.number(sample)}
        return found | {key: entry[key] for key in ("width", "height", "box") if key in entry}

    @property
    def css(self) -> str:
        """One rule for each image."""
        return "\n".join(f".i{number}{{background-image:url({src})}}" for src, number in self._kept.items())
