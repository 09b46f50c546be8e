"""The order of classes that are grades: stated by the user, never guessed."""

from __future__ import annotations

from collections.abc import Sequence

from headtohead.core.errors import NoEffectError, UsageError

__all__ = ["in_stated_order"]


def in_stated_order(classes: Sequence[str], stated: Sequence[str]) -> tuple[str, ...]:
    """Return the classes in the order stated, from the least to the most.

    Args:
        classes: of the predictions. stated: the same names in their order.

    Raises:
        UsageError: not exactly these classes, each once.
        NoEffectError: two classes, of which each error is one step.

    >>> in_stated_order(("high", "low", "mid"), ("low", "mid", "high"))
    ('low', 'mid', 'high')
    """
    if len(classes) == 2:
        raise NoEffectError(
            f"Got --ordered-classes {','.join(stated)} with two classes; every error is one step there, so that "
            "weights change nothing. Leave it out; kappa is reported."
        )
    if sorted(stated) != sorted(classes):
        missing = [name for name in classes if name not in stated]
        unknown = [name for name in stated if name not in classes]
        twice = sorted({name for name in stated if list(stated).count(name) > 1})
        wrong = [
            f"{words} {', '.join(names)}"
            for words, names in (("it lacks", missing), ("there is no class", unknown), ("twice:", twice))
            if names
        ]
        raise UsageError(
            f"Got --ordered-classes {','.join(stated)}: {'; '.join(wrong)}. Expected each class once, from the "
            f"least to the most: {', '.join(classes)}."
        )
    return tuple(stated)
