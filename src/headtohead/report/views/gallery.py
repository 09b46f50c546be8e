"""The gallery: every image with its label and the predictions of two contenders, errors first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from headtohead.report.tables.format import digits
from headtohead.report.views.answer import BASELINES
from headtohead.report.views.cases import UNSURE, CaseTable
from headtohead.report.views.image_store import ImageStore

__all__ = ["gallery_view", "main_pair"]

MOST_CARDS = 600  # beyond that the page grows slow; errors come first


def main_pair(cases: CaseTable, pair: Sequence[str]) -> list[str]:
    """Return the two contenders that the gallery starts with: those of the answer, or the first two."""
    named = [name for name in pair if name in cases.contenders]
    own = [name for name in cases.contenders if name not in BASELINES] or list(cases.contenders)
    return list(dict.fromkeys([*named, *own]))[:2]


def gallery_view(
    cases: CaseTable,
    store: ImageStore,
    pair: Sequence[str],
    features: Mapping[str, Any],
    maps: Mapping[str, Any],
    members: Mapping[str, Mapping[str, str]],
) -> dict[str, Any]:
    """Return cards, chips with counts, and the records that the script filters.

    Args:
        cases: the predictions. store: the images. pair: the contenders of the answer.
        features: contender -> neighbours, the content of `features.json`. maps: contender -> sample -> grid.
        members: sample -> column -> value, of the subgroups.
    """
    shown = main_pair(cases, pair)
    doubtful = {cases.ids[i] for i in cases.doubtful(BASELINES)}
    number = {sample: i for i, sample in enumerate(cases.ids)}
    more: dict[str, dict[str, Any]] = {}
    for sample in cases.ids:
        facts = store.facts(sample)
        facts["doubt"] = int(sample in doubtful)
        near = {
            name: [number[other] for other in one["neighbours"].get(sample, ()) if other in number]
            for name, one in features.items()
            if name in cases.contenders
        }
        # keys of JSON are text
        facts["near"] = {str(cases.contenders.index(name)): places for name, places in near.items()}
        grids = {
            str(cases.contenders.index(n)): by[sample]
            for n, by in maps.items()
            if n in cases.contenders and sample in by
        }
        if grids:
            facts["maps"] = grids
        if members.get(sample):
            facts["by"] = dict(members[sample])
        more[sample] = facts
    order = _order(cases, shown, doubtful)
    cards = [_card(cases, i, shown, more[cases.ids[i]]) for i in order[:MOST_CARDS]]
    return {
        "pair": shown,
        "cards": cards,
        "n_cards": len(cards),
        "n_plain": sum(card["plain"] for card in cards),
        "n_images": len(cases.ids),
        "chips": _chips(cases, shown, doubtful),
        "shown_probability": _probability_words(cases),
        "records": cases.records(more),
        "repeats": cases.n_repeats,
        "unsure": UNSURE,
    }


def _probability_words(cases: CaseTable) -> str:
    if cases.positive is not None:
        return f"probability of {cases.positive}, the positive class"
    return "probability of the true class"


def _order(cases: CaseTable, pair: Sequence[str], doubtful: set[str]) -> list[int]:
    """Return the images, those that one or both get wrong in the first repeat first."""
    wrong = sum((~cases.right(name, 0)).astype(int) for name in pair)
    doubt = np.array([sample in doubtful for sample in cases.ids], int)
    # lexsort sorts by its last key first
    return [int(i) for i in np.lexsort((np.arange(len(cases.ids)), -np.asarray(wrong), -doubt))]


def _card(cases: CaseTable, i: int, pair: Sequence[str], facts: Mapping[str, Any]) -> dict[str, Any]:
    rows = []
    for name in pair:
        c = cases.contenders.index(name)
        place = cases.labels[i] if cases.positive is None else cases.classes.index(cases.positive)
        p = float(cases.probabilities[c, 0, i, place])
        if p == p:  # not NaN, as where the first repeat left it out
            rows.append(
                {"name": name, "p": f"{p:.2f}", "share": round(p, 3), "right": bool(cases.right(name, 0)[i])}
            )
    return {
        "i": i,
        "id": cases.ids[i],
        "label": cases.classes[int(cases.labels[i])],
        "im": facts["im"],
        "rows": rows,
        "doubt": bool(facts["doubt"]),
        "plain": not facts["doubt"] and all(row["right"] for row in rows),
    }


def _chips(cases: CaseTable, pair: Sequence[str], doubtful: set[str]) -> list[dict[str, Any]]:
    """Return the filters with the number of images of the first repeat that each shows."""
    kept = cases.scored(0)
    chips = [{"key": "all", "text": "all", "n": len(cases.ids)}]
    if len(pair) == 2:
        only_a, only_b, neither = cases.discordant(pair[0], pair[1], 0)
        chips += [
            {"key": "a", "text": f"only {pair[0]} right", "n": only_a},
            {"key": "b", "text": f"only {pair[1]} right", "n": only_b},
            {"key": "none", "text": "both wrong", "n": neither},
        ]
    elif pair:
        chips.append(
            {"key": "none", "text": f"{pair[0]} wrong", "n": int((~cases.right(pair[0], 0) & kept).sum())}
        )
    if cases.positive is not None and pair:
        place = cases.classes.index(cases.positive)
        scores = np.array([cases.probabilities[cases.contenders.index(name), 0, :, place] for name in pair])
        with np.errstate(invalid="ignore"):
            unsure = (np.abs(scores - 0.5) < UNSURE).any(axis=0)
        wrong = np.array([~cases.right(name, 0) for name in pair]).any(axis=0) & kept
        chips += [
            {"key": "fp", "text": "a false positive", "n": int((wrong & (cases.labels != place)).sum())},
            {"key": "fn", "text": "a false negative", "n": int((wrong & (cases.labels == place)).sum())},
            {
                "key": "unsure",
                "text": f"unsure (within {digits(UNSURE)[:-2]} of 0.5)",
                "n": int((unsure & kept).sum()),
            },
        ]
    return [*chips, {"key": "doubt", "text": "label in doubt", "n": len(doubtful)}]
