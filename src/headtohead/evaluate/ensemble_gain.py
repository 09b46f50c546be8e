"""Gains of ensembles over their members, the tuning budget and the chosen learning rates, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headtohead.core.records import Comparison, Verdict
from headtohead.core.tables.details import EnsembleGain
from headtohead.evaluate.wording.numbers import interval_words, signed
from headtohead.stats.metrics.lookup import get_metric
from headtohead.stats.metrics.metric import Metric

__all__ = ["budget_words", "ensemble_gains", "rate_words", "untuned_words"]

WORDS = {
    "better": "more than chance",
    "equivalent": "equivalent",
    "no_evidence": "no evidence of a difference",
    "cannot_tell": "the data cannot tell",
    "refused": "no verdict",
}


def ensemble_gains(
    verdict: Verdict, members: Mapping[str, Sequence[str]], classes: Sequence[str]
) -> tuple[EnsembleGain, ...]:
    """Return for each ensemble its gain over its best member, with the interval of that paired difference.

    The best member is the one with the best score out of fold, which was seen only afterwards: that
    choice favours the member, never the ensemble.

    Args:
        verdict: with all pairs compared on its metric.
        members: ensemble -> names of what it joins.

    Returns:
        One gain for each ensemble whose difference is defined.
    """
    row = get_metric(verdict.metric, classes)
    sign = row.sign
    values = {
        s.contender: s.value for s in verdict.scores if s.metric == verdict.metric and s.value is not None
    }
    gains = []
    for name, joined in members.items():
        known = [member for member in joined if member in values]
        if name not in values or not known:
            continue
        best = max(known, key=lambda member: sign * values[member])
        pair = next((c for c in verdict.comparisons if {c.a, c.b} == {name, best}), None)
        if (
            pair is not None
            and pair.difference is not None
            and pair.low is not None
            and pair.high is not None
        ):
            gains.append(_gain(name, best, len(joined), pair, row))
    return tuple(gains)


def _gain(name: str, best: str, n_members: int, pair: Comparison, row: Metric) -> EnsembleGain:
    # A pair stands in either order; a gain is the ensemble's.
    sign = row.sign if pair.a == name else -row.sign
    ends = sorted((sign * float(pair.low or 0.0), sign * float(pair.high or 0.0)))
    gain = sign * float(pair.difference or 0.0)
    who = f"{best}, its best member" if n_members > 1 else f"{best} alone"
    said = f"{name} gains {signed(gain)} in {row.title} over {who}"
    return EnsembleGain(
        contender=name,
        member=best,
        gain=gain,
        low=ends[0],
        high=ends[1],
        verdict=pair.verdict,
        sentence=f"{said} ({interval_words(ends[0], ends[1], pair.level)}): {WORDS[pair.verdict]}.",
    )


def budget_words(budget: str, trials: Mapping[str, Sequence[int]]) -> str:
    """Return what each contender tried under a budget, and whether that is reproducible.

    Args:
        budget: as the configuration spells it. trials: contender -> tried combinations in each cell.

    >>> budget_words("8 trials", {"a": [8, 8], "b": [3, 3]})
    'Budget 8 trials for each contender; tried per cell: a 8, b 3.'
    """
    each = ", ".join(f"{name} {_range(counts)}" for name, counts in trials.items())
    timed = not budget.endswith(("trial", "trials"))
    note = " How many fit into the time depends on the machine; the digits are reproducible only with these counts."
    return f"Budget {budget} for each contender; tried per cell: {each}.{note if timed else ''}"


def rate_words(contender: str, cells: Sequence[Mapping[str, Any]]) -> str:
    """Return which learning rates a contender chose in its cells, and whether the range was too narrow.

    Args:
        contender: its name.
        cells: of each cell the chosen "learning_rate", all "rates" and whether it is "at_edge".

    >>> cell = {"learning_rate": 3e-4, "rates": [3e-5, 1e-4, 3e-4], "at_edge": True}
    >>> rate_words("a", [cell, cell, cell | {"learning_rate": 1e-4, "at_edge": False}])
    'a chose its learning rate on an inner fold in each of 3 cells: 3e-05 in none, 0.0001 in 1, 0.0003 in 2. \
Most lie at the edge of the range; a wider one (--set finetune.learning_rates=...) may do better.'
    """
    rates = sorted({rate for cell in cells for rate in cell["rates"]})
    counts = [sum(cell["learning_rate"] == rate for cell in cells) for rate in rates]
    parts = [f"{rate:.2g} in {count or 'none'}" for rate, count in zip(rates, counts, strict=True)]
    text = f"{contender} chose its learning rate on an inner fold in each of {len(cells)} cells: "
    text += f"{', '.join(parts)}."
    if 2 * sum(cell["at_edge"] for cell in cells) > len(cells):
        text += " Most lie at the edge of the range; a wider one (--set finetune.learning_rates=...) may do better."
    return text


def untuned_words(contenders: Sequence[str]) -> str:
    """Return what a comparison of networks speaks of whose learning rates were stated, and not chosen.

    Args:
        contenders: those that were fine-tuned.

    >>> untuned_words(["a@finetune"])
    'No learning rate was chosen for a@finetune (--policy fixed): compared are recipes of training, not networks at \
the rate that suits each.'
    """
    return (
        f"No learning rate was chosen for {', '.join(contenders)} (--policy fixed): compared are recipes of training, "
        "not networks at the rate that suits each."
    )


def _range(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"
