"""The sentences of a verdict, for someone who treats patients."""

from __future__ import annotations

from headtohead.evaluate.compare import Difference
from headtohead.evaluate.rule import Decision, Rule

__all__ = ["interval_words", "pair_sentence", "signed", "size_words"]


def signed(number: float, digits: int = 3) -> str:
    """Return the number with a true minus sign and never "-0.000".

    >>> signed(-0.0123), signed(-0.0001)
    ('−0.012', '0.000')
    """
    text = f"{abs(number):.{digits}f}"
    return text if number >= 0 or float(text) == 0 else f"−{text}"


def interval_words(low: float, high: float, level: float) -> str:
    """Return "95 % interval 0.010 to 0.066"."""
    return f"{100 * level:g} % interval {signed(low)} to {signed(high)}"


def size_words(n_samples: int, n_groups: int) -> str:
    """Return "253 samples in 199 groups", or the samples alone where each is its own group."""
    if n_samples == n_groups:
        return f"{n_samples} samples"
    return f"{n_samples} samples in {n_groups} groups"


def pair_sentence(
    found: Difference,
    decision: Decision,
    rule: Rule,
    *,
    title: str,
    values: tuple[float | None, float | None],
    size: str,
    more: str = "",
    refusal: str = "",
) -> str:
    """Return the sentence on one pair.

    Args:
        values: the metric of a and of b. size: as from `size_words`.
        more: "it would take about …", used where the data cannot tell. refusal: why nothing is judged.
    """
    a, b = found.a, found.b
    if decision.word == "refused":
        return f"No verdict on {a} against {b}: refused, because {refusal}."
    if found.value is None or found.low is None or found.high is None or found.inner is None:
        return f"The data cannot tell {a} from {b}: {found.note}."
    numbers = f"{title} {_number(values[0])} against {_number(values[1])}"
    span = f"difference {signed(found.value)}, {interval_words(found.low, found.high, rule.level)}; {size}"
    if decision.word == "better":
        winner, loser = (a, b) if found.favours == a else (b, a)
        ordered = numbers if winner == a else f"{title} {_number(values[1])} against {_number(values[0])}"
        size_of = f"by {abs(found.value):.3f} ({interval_words(*_toward(found, winner), rule.level)}; {size})"
        return f"{winner} is better than {loser}: {ordered}, {size_of}."
    if decision.word == "equivalent":
        inside = interval_words(*found.inner, 2 * rule.level - 1)
        return (
            f"{a} and {b} are equivalent within {rule.rope:g}: {numbers} (difference {signed(found.value)}, "
            f"{inside}; {size})."
        )
    if decision.word == "no_evidence":
        return f"No evidence of a difference between {a} and {b}: {numbers} ({span})."
    return f"The data cannot tell {a} from {b}: {numbers} ({span}){'; ' + more if more else ''}."


def _number(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.3f}"


def _toward(found: Difference, winner: str) -> tuple[float, float]:
    """Return the interval's ends as sizes of the winner's lead."""
    low, high = float(found.low or 0.0), float(found.high or 0.0)
    ends = sorted((abs(low), abs(high)))
    return (ends[0], ends[1]) if winner else (low, high)
