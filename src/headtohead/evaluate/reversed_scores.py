"""Contenders that rank the classes the wrong way round: their scores, or the positive class, are probably reversed."""

from __future__ import annotations

from collections.abc import Sequence

from headtohead.core.records import Score

__all__ = ["reversed_caveat", "reversed_contenders"]

_RANKING = "auroc"
_CHANCE = 0.5  # AUROC of scores without information


def reversed_contenders(scores: Sequence[Score]) -> tuple[str, ...]:
    """Return the contenders whose AUROC interval lies wholly below 0.5."""
    return tuple(
        s.contender for s in scores if s.metric == _RANKING and s.high is not None and s.high < _CHANCE
    )


def reversed_caveat(scores: Sequence[Score], positive: str | None) -> list[str]:
    """Return the sentence on contenders that rank the classes the wrong way round, none where none does.

    Args:
        positive: the positive one of two classes; None beyond two.
    """
    found = [s for s in scores if s.contender in reversed_contenders(scores) and s.metric == _RANKING]
    if not found:
        return []
    named = ", ".join(f"{s.contender} ({s.value:.3f}, at most {s.high:.3f})" for s in found)
    if positive is None:
        return [f"AUROC below 0.5 for {named}: its columns of probabilities are probably exchanged."]
    return [
        f"AUROC below 0.5 for {named}: scores or positive class probably reversed. The score must be the probability "
        f"of the positive class, here {positive!r}; check the column, or give --positive."
    ]
