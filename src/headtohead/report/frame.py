"""The frame that every page shares: sticky bar of sections, the answer first, tiles, footer.

A page is a template that extends `frame.html` and fills its block `content`; it is rendered with
`render(TEMPLATE, frame=Frame(...), ...)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from headtohead._version import __version__

__all__ = ["Frame", "Tile", "Tone"]

Tone = Literal["passed", "note", "warning", "severe"]


@dataclass(frozen=True, slots=True)
class Tile:
    """One thing to look at before believing the answer.

    Attributes:
        title: what it is about. value: in two or three words. note: one short sentence.
        tone: decides the colour. href: where to read on, such as "#findings".
    """

    title: str
    value: str
    note: str = ""
    tone: Tone = "note"
    href: str = "#answer"


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around the sections of a page.

    Attributes:
        title: of the document, after "headtohead: ". kicker: what kind of page this is, above the answer.
        heading: the answer in one plain sentence. lead: lines below it, with the numbers.
        tiles: at most five. caveats: what to know before the answer is used.
        sections: (id, name) of the sections in the sticky bar; "Answer" is added in front.
        source: the file that holds the numbers of the page.
    """

    title: str
    kicker: str
    heading: str
    lead: tuple[str, ...] = ()
    tiles: tuple[Tile, ...] = ()
    caveats: tuple[str, ...] = ()
    sections: tuple[tuple[str, str], ...] = ()
    source: str = ""

    @property
    def version(self) -> str:
        """The version that made the page."""
        return __version__
