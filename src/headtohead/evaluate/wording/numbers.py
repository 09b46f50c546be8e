"""Numbers in sentences, with the digit that decides. No numpy or pydantic, so that `claim` is quick."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["decimals", "interval_words", "listed", "p_words", "points_words", "signed", "two_digits"]

_MOST_DECIMALS = 6  # further digits are beyond any sample


def decimals(numbers: Sequence[float], least: int = 3, bounds: Sequence[float] = (0.0,)) -> int:
    """Return how many decimals keep every number on its side of every bound.

    >>> decimals([0.0002, 0.0139]), decimals([-0.01, 0.02])
    (4, 3)
    """
    for digits in range(least, _MOST_DECIMALS):
        if all(_on_its_side(number, bound, digits) for number in numbers for bound in bounds):
            return digits
    return _MOST_DECIMALS


def _on_its_side(number: float, bound: float, digits: int) -> bool:
    return number == bound or round(number, digits) != round(bound, digits)


def listed(names: Sequence[str], last: str = "and") -> str:
    """Return "a", "a and b", "a, b and c".

    >>> listed(["a"]), listed(["a", "b", "c"], "or")
    ('a', 'a, b or c')
    """
    return f" {last} ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def signed(number: float, digits: int = 3) -> str:
    """Return the number with a true minus sign and never "-0.000".

    >>> signed(-0.0123), signed(-0.0001)
    ('−0.012', '0.000')
    """
    text = f"{abs(number):.{digits}f}"
    return text if number >= 0 or float(text) == 0 else f"−{text}"


def interval_words(low: float, high: float, level: float, digits: int | None = None) -> str:
    """Return "95 % interval 0.010 to 0.066", with more digits where an end would read 0 and is not.

    >>> interval_words(0.0002, 0.139, 0.95)
    '95 % interval 0.0002 to 0.1390'
    """
    digits = decimals((low, high)) if digits is None else digits
    return f"{100 * level:g} % interval {signed(low, digits)} to {signed(high, digits)}"


def points_words(share: float, digits: int = 1) -> str:
    """Return a share as percentage points: "11.2", "−1.4"."""
    return signed(100 * share, digits)


def p_words(p: float, alpha: float = 0.05) -> str:
    """Return "p = 0.03" or "p < 0.001", on its side of `alpha`.

    >>> p_words(0.0312), p_words(0.0499), p_words(0.0501), p_words(0.3), p_words(1e-9)
    ('p = 0.03', 'p = 0.0499', 'p = 0.0501', 'p = 0.30', 'p < 0.001')
    """
    if p < min(0.001, alpha):
        return f"p < {min(0.001, alpha):g}"
    least = 3 if p < 0.01 else 2
    return f"p = {p:.{decimals((p,), least, (alpha,))}f}"


def two_digits(count: float) -> int:
    """Return a count rounded to two significant digits.

    >>> two_digits(237), two_digits(1_254), two_digits(7)
    (240, 1300, 7)
    """
    size = len(str(int(max(1, count))))
    return int(round(count, 2 - size)) if size > 2 else round(count)
