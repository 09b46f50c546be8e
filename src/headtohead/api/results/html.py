"""How results show themselves in a notebook: small pieces of HTML, everything from the data escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from headtohead.core.records import Verdict

__all__ = ["frame_html", "run_html"]

STYLE = "max-width:52em;line-height:1.45"
CAVEATS = 4  # that are shown open; the others stand in the report


def run_html(verdict: Verdict, comparisons: pd.DataFrame, page: Path) -> str:
    """Return the answer, a figure of the differences, and the caveats.

    Args:
        verdict: of the run. comparisons: its pairs, as `Run.comparisons`.
        page: where the report lies.
    """
    from headtohead.report.figures import plot_differences, to_svg

    parts = [
        f'<div class="headtohead-run" style="{STYLE}"><p><strong>{escape(verdict.sentence)}</strong></p>'
    ]
    if any(one.difference is not None for one in verdict.comparisons):
        parts.append(
            to_svg(
                plot_differences(comparisons).figure,
                label=f"Paired differences with {100 * verdict.scores[0].level:g}% intervals",
            )
        )
    parts.append(_list(verdict.caveats))
    parts.append(f"<p>{escape(str(page))}. Research use only; not a medical device.</p></div>")
    return "".join(parts)


def frame_html(title: str, frame: pd.DataFrame, notes: Sequence[str]) -> str:
    """Return a title, a table and notes."""
    whole = frame.astype(object).where(frame.notna(), "")  # `na_rep` is for NaN, not for None
    table = whole.to_html(index=False, escape=True, float_format=lambda value: f"{value:.3f}")
    return f'<div style="{STYLE}"><p><strong>{escape(title)}</strong></p>{table}{_list(notes)}</div>'


def _list(texts: Sequence[str]) -> str:
    if not texts:
        return ""
    shown = "".join(f"<li>{escape(text)}</li>" for text in texts[:CAVEATS])
    more = f"<li>and {len(texts) - CAVEATS} more in the report</li>" if len(texts) > CAVEATS else ""
    return f"<ul>{shown}{more}</ul>"
