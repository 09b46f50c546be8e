"""Order of the classes, and the positive one of two."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from headtohead.core.errors import InsufficientDataError, NoEffectError, UsageError, unknown_name
from headtohead.core.formatting import pluralize
from headtohead.data.listing.negative_names import as_number, negative_of

__all__ = ["ClassOrder", "choose_classes", "natural_key", "need_positive"]


@dataclass(frozen=True, slots=True)
class ClassOrder:
    """The classes in order, and how the positive one of two was found.

    Attributes:
        classes: class names; of two, the positive one is last.
        positive: the positive one of two, else None.
        sentence: how it was chosen.
        doubt: why the positive class is a guess, which must not decide a verdict; "" where it is known.
    """

    classes: tuple[str, ...]
    positive: str | None
    sentence: str
    doubt: str = ""


def natural_key(text: str) -> tuple[tuple[int, float, str], ...]:
    """Return a sort key by which "grade 2" comes before "grade 10", and "-1" before "1".

    >>> sorted(["g10", "g2", "a", "1", "-1", "0.5"], key=natural_key)
    ['-1', '0.5', '1', 'a', 'g2', 'g10']
    """
    if (number := as_number(text)) is not None:
        return ((0, number, text.lstrip("+0")),)  # the digits distinguish long numbers whose floats are equal
    parts = [part for part in re.split(r"(\d+)", text.casefold()) if part]
    return tuple((0, float(part), part.lstrip("0")) if part.isdecimal() else (1, 0.0, part) for part in parts)


def choose_classes(labels: Iterable[str], positive: str | None) -> ClassOrder:
    """Return the classes in order, the positive one of two, and how it was chosen.

    Args:
        labels: the labels in use, repeated or not.
        positive: the caller's choice, if any.

    Raises:
        InsufficientDataError: fewer than two classes.
        UnknownNameError: `positive` is not a class.
        NoEffectError: `positive` with more than two classes.
    """
    # the name itself settles ties such as "1" and "01", so that the order of a set plays no part
    names = sorted(set(labels), key=lambda name: (natural_key(name), name))
    if len(names) < 2:
        raise InsufficientDataError(
            f"A comparison needs at least two classes; got {'only ' + repr(names[0]) if names else 'none'}. "
            "Expected one folder per class, a manifest with a label column, or label_from. Check the path, "
            "and the labels that were dropped or mapped."
        )
    if positive is not None and positive not in names:
        raise unknown_name("class", positive, names)
    if len(names) > 2:
        if positive is not None:
            raise NoEffectError(
                f"positive={positive!r} has no effect with {len(names)} classes {names}; leave it out, or "
                "merge classes to two with map_labels."
            )
        listed = f"{len(names)} classes: {', '.join(names[:20])}{' …' if len(names) > 20 else ''}."
        return ClassOrder(tuple(names), None, listed)
    return _two(names, positive)


def _two(names: list[str], positive: str | None) -> ClassOrder:
    first, second = names
    negative, why = (None, "as given") if positive is not None else negative_of(first, second)
    # where neither name says so, the second in order is the guess, which `doubt` keeps out of verdicts
    chosen = positive if positive is not None else first if negative == second else second
    other = second if chosen == first else first
    sentence = f"Classes {first!r} and {second!r}; {chosen!r} counts as positive ({why})."
    if positive is None and negative is None:
        doubt = f"Classes {first!r} and {second!r}: {why}, so a comparison needs --positive."
        return ClassOrder((other, chosen), chosen, doubt, why)
    return ClassOrder((other, chosen), chosen, sentence)


def need_positive(doubt: str, counts: Mapping[str, int], unit: str) -> None:
    """Refuse to compare two classes of which the positive one would be a guess.

    Args:
        doubt: as in `ClassOrder`. counts: how many samples each class has. unit: what is counted, such as "image".

    Raises:
        UsageError: names both classes with their counts, and the option that settles it.
    """
    if not doubt:
        return
    first, second = sorted(counts, key=natural_key)
    words = [f"{name!r} ({pluralize(counts[name], unit)})" for name in (first, second)]
    raise UsageError(
        f"Which class is positive, {words[0]} or {words[1]}? {doubt[0].upper()}{doubt[1:]}, and a wrong guess "
        f"would reverse the verdict. Give --positive{_quoted(first)} or --positive{_quoted(second)} (positive= in "
        "Python): the class whose sensitivity is reported and whose probability is the score."
    )


def _quoted(name: str) -> str:
    """Return the name as a shell takes it after an option."""
    words = name if re.fullmatch(r"[\w.+-]+", name) else shlex.quote(name)
    return f"={words}" if name.startswith("-") else f" {words}"
