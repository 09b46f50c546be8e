"""The one question that is asked of images with several labels."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from headtohead.core.errors import unknown_name

__all__ = ["Question", "plain_label", "quote_word"]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of each image.

    Attributes:
        has: the label that makes an image positive.
        against: the label that makes it negative; None: every image that is known not to have the first.
    """

    has: str
    against: str | None = None

    def __str__(self) -> str:
        return f"--label-has {quote_word(self.has)}" + (
            "" if self.against is None else f" --against {quote_word(self.against)}"
        )

    @property
    def negative(self) -> str:
        """The name of the negative class."""
        return f"no {self.has}" if self.against is None else self.against

    def named(self, names: Iterable[str]) -> Question:
        """Return the question in the spelling of these names.

        Raises:
            UnknownNameError: a label that does not occur.
        """
        known = {plain_label(name): name for name in names}
        for asked in (self.has, self.against):
            if asked is not None and plain_label(asked) not in known:
                raise unknown_name("label", asked, known.values())
        against = None if self.against is None else known[plain_label(self.against)]
        return Question(known[plain_label(self.has)], against)

    def answer(self, has: bool | None, *, against: bool) -> str:
        """Return the class of an image, "" where the question is not answered."""
        if has:
            return self.has
        if self.against is not None:
            return self.against if against else ""
        return "" if has is None else self.negative


def plain_label(name: str) -> str:
    """Return a label in lower case with single blanks, by which its spellings are equal."""
    return " ".join(name.casefold().replace("_", " ").split())


def quote_word(name: str) -> str:
    """Return a name as a shell takes it."""
    # Letters of any script are safe; `shlex.quote` would put those beyond ASCII in quotes.
    if name.replace("_", "").replace("-", "").isalnum():
        return name
    return shlex.quote(name)
