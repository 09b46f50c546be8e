"""The page of `headtohead best`: the estimate first, then what each ingredient bought, then what was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

from headtohead.core.records import Verdict
from headtohead.report.figures.plots import forest

__all__ = ["page"]

CSS = Path(__file__).parent / "templates" / "base.css"
TITLE = "The best model that these images allow"


def page(told: Mapping[str, Any], verdict: Verdict) -> str:
    """Return one self-contained HTML page from the content of `best.json` and its verdict."""
    order = [row["name"] for row in told["ladder"]]
    figures = "".join(
        f"<div class='card'><h3>{title}</h3>"
        f"{forest([score for score in verdict.scores if score.metric == metric], order)}</div>"
        for metric, title in (("auroc", "AUROC"), ("accuracy", "Accuracy"))
    )
    sentences = "".join(f"<p class='answer'>{escape(sentence)}</p>" for sentence in told["sentences"])
    caveats = "".join(f"<p class='caveat'>{escape(caveat)}</p>" for caveat in told["caveats"])
    notes = "".join(f"<p class='note'>{escape(note)}</p>" for note in told["notes"])
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width,initial-scale=1'>"
        f"<title>{TITLE}</title><style>{CSS.read_text(encoding='utf-8')}</style></head><body><main>"
        f"<h1>{TITLE}</h1>{sentences}{caveats}{notes}<h2>What each ingredient bought</h2>{_ladder(told)}"
        f"<div class='two'>{figures}</div>"
        f"<h2>What the search chose</h2>{_chosen(told)}"
        "<p class='ruo'>Research use only; not a medical device.</p></main></body></html>"
    )


def _ladder(told: Mapping[str, Any]) -> str:
    body = "".join(
        f"<tr><td>{escape(row['name'])}</td>"
        f"<td class='n'>{_score(row['auroc'])}</td><td class='n'>{_gain(row['gain_in_auroc'])}</td>"
        f"<td class='n'>{_score(row['accuracy'])}</td><td class='n'>{_gain(row['gain_in_accuracy'])}</td></tr>"
        for row in told["ladder"]
    )
    columns = "".join(f"<th class='n'>{title}</th>" for title in ("AUROC", "gain", "accuracy", "gain"))
    head = f"<tr><th>rung</th>{columns}</tr>"
    narrow = any(row[metric]["warnings"] for row in told["ladder"] for metric in ("auroc", "accuracy"))
    said = (
        "<p class='sub'>Each rung is one thing more than the rung above, over which its gain is told; gains are "
        "paired. Intervals are 95 % and resample groups; none is adjusted for the number of rungs."
        f"{' * The interval may be too narrow; best.json says why.' if narrow else ''}</p>"
    )
    return f"{said}<div class='card wide'><table>{head}{body}</table></div>{_asides(told)}"


def _asides(told: Mapping[str, Any]) -> str:
    """Say on what the rung below an aside stands, where there is one."""
    rows = told["ladder"]
    found = [(one, two) for one, two in pairwise(rows) if two["over"] == one["over"] is not None]
    return "".join(
        f"<p class='note'>'{escape(one['name'])}' stands aside: it and '{escape(two['name'])}' below it are both "
        f"compared with '{escape(one['over'])}'.</p>"
        for one, two in found
    )


def _chosen(told: Mapping[str, Any]) -> str:
    of = told["cells"]
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{n} of {of}</td></tr>" for name, n in told["chosen"].items()
    )
    share = 1 / (1 + len(told["model"]["tuned"]))
    members = "".join(
        f"<li>{escape(one['name'])}: weight {share * one['weight']:.2f}, C = {one['C']:g}</li>"
        for one in told["model"]["members"]
    )
    members += "".join(
        f"<li>{escape(one['name'])}: weight {share:.2f}</li>" for one in told["model"]["tuned"]
    )
    return (
        f"<div class='card'><table><tr><th>candidate</th><th>joined in outer cells</th></tr>{rows}</table></div>"
        f"<h3>The model fitted on all images</h3><ul>{members}</ul>"
    )


def _score(score: Mapping[str, Any]) -> str:
    if score["value"] is None:
        return escape(f"not defined ({score['note']})")
    mark = " *" if score["warnings"] else ""
    return f"{score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}]{mark}"


def _gain(gain: Mapping[str, float] | None) -> str:
    if gain is None:
        return ""
    difference, low, high = (f"{round(gain[k], 3) + 0.0:+.3f}" for k in ("difference", "low", "high"))
    return f"{difference} [{low}, {high}]"
