"""Order of the classes, and the positive one of two."""

from __future__ import annotations

import re
from collections.abc import Iterable

from headtohead.core.errors import InsufficientDataError, NoEffectError, unknown_name

__all__ = ["choose_classes", "is_negative_word", "natural_key"]

NEGATIVE_WORDS = frozenset(
    """
    no non not none nil nothing 0 false negative neg normal healthy health benign control controls
    absent absence without unaffected
    """.split()  # noqa: SIM905 - reads better than a list
)


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key by which "grade 2" comes before "grade 10".

    >>> sorted(["g10", "g2", "a"], key=natural_key)
    ['a', 'g2', 'g10']
    """
    parts = [part for part in re.split(r"(\d+)", text.casefold()) if part]
    stripped = ((part, part.lstrip("0")) for part in parts)
    return tuple((0, len(number), number) if part.isdecimal() else (1, 0, part) for part, number in stripped)


def is_negative_word(label: str, other: str = "") -> bool:
    """Tell whether a label says that nothing was found, by itself or as the denial of `other`.

    >>> is_negative_word("No_Tumor"), is_negative_word("notumor", "tumor"), is_negative_word("abnormal")
    (True, True, False)
    """
    words = re.findall(r"[^\W_]+", label.casefold())
    if any(word in NEGATIVE_WORDS for word in words):
        return True
    squeezed, rest = "".join(words), "".join(re.findall(r"[^\W_]+", other.casefold()))
    return bool(rest) and squeezed in {denial + rest for denial in ("no", "non", "not", "without")}


def choose_classes(labels: Iterable[str], positive: str | None) -> tuple[tuple[str, ...], str | None, str]:
    """Return the classes in order, the positive one of two, and a sentence that says how it was chosen.

    Args:
        labels: the labels in use, repeated or not.
        positive: the caller's choice, if any.

    Raises:
        InsufficientDataError: fewer than two classes.
        UnknownNameError: `positive` is not a class.
        NoEffectError: `positive` with more than two classes.
    """
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
        return (
            tuple(names),
            None,
            f"{len(names)} classes: {', '.join(names[:20])}{' …' if len(names) > 20 else ''}.",
        )
    chosen, why = (positive, "as given") if positive is not None else _positive_of(names)
    ordered = (*(name for name in names if name != chosen), chosen)
    return ordered, chosen, f"Classes {names[0]!r} and {names[1]!r}; {chosen!r} counts as positive ({why})."


def _positive_of(names: list[str]) -> tuple[str, str]:
    """Return the positive one of two sorted names and why."""
    first, second = names
    negative = [name for name, other in ((first, second), (second, first)) if is_negative_word(name, other)]
    if len(negative) == 1:
        return (second if negative == [first] else first), f"{negative[0]!r} reads as the negative class"
    return second, "the second in order, as neither name alone reads as negative; choose with positive="
