"""The waterfall of a study taken apart: both accuracies after each correction, and a page around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from headtohead.core.formatting import format_percent
from headtohead.report.figures import svg

__all__ = ["page", "waterfall"]

ROW, TOP, LEFT, PLOT, RIGHT = 46, 44, 210, 420, 190
SIDES = (("cnn", 0, -7), ("vit", 1, 7))
CSS = Path(__file__).parent / "templates" / "base.css"


def waterfall(told: Mapping[str, Any], *, alone: bool = False) -> str:
    """Return the figure as SVG.

    Args:
        told: the content of `reproduce.json`.
        alone: with its own colours and background, as a file; otherwise for a page that has them.
    """
    steps = told["steps"]
    paper = told["published"]
    rows = [{"name": "published", "cnn": paper["cnn"], "vit": paper["vit"], "difference": None}, *steps]
    frame = _frame(rows)
    parts = [*_grid(frame, len(rows)), *_head(told, frame)]
    for index, row in enumerate(rows):
        parts += _row(frame, row, index)
    for index in range(1, len(rows) - 1):
        parts += _links(frame, rows[index], rows[index + 1], index)
    height = TOP + ROW * len(rows) + 40
    label = f"{told['title']}: accuracy of both networks after each correction"
    figure = svg.figure(LEFT + PLOT + RIGHT, height, parts, label=label)
    return _standing(figure) if alone else figure


def page(told: Mapping[str, Any]) -> str:
    """Return one self-contained HTML page: the two sentences, the figure, the table, what was shortened."""
    sentences = "".join(f"<p class='answer'>{escape(sentence)}</p>" for sentence in told["sentences"])
    notes = "".join(f"<li>{escape(note)}</li>" for note in told["shortened"])
    cut = f"<h2>Shortened for time</h2><ul>{notes}</ul>" if notes else ""
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width,initial-scale=1'>"
        f"<title>{escape(told['title'])}</title><style>{CSS.read_text(encoding='utf-8')}</style></head><body><main>"
        f"<h1>{escape(told['title'])}</h1>{sentences}"
        f"<div class='card wide'>{waterfall(told)}</div>"
        f"<p class='sub'>{told['images']} images in {told['groups']} groups. Dots: accuracy; bars: 95 % intervals "
        "(published: Wilson; others: cluster bootstrap over groups). Each row differs from the one above in one "
        "thing. The intervals hold for the splits and trainings that were drawn; what others would change is not in "
        f"them, single draws show some of it.</p><div class='card wide'>{_states(told)}</div>"
        f"<h2>What each correction changed</h2><div class='card wide'>{_changes(told)}</div>{cut}"
        "<p class='ruo'>Research use only; not a medical device.</p></main></body></html>"
    )


def _frame(rows: list[dict[str, Any]]) -> svg.Axes:
    lows = [row[side]["low"] for row in rows for side, _, _ in SIDES]
    low = max(0.0, int(10 * (min(lows) - 0.02)) / 10)
    return svg.Axes(LEFT, TOP, PLOT, ROW * len(rows), (low, 1.0))


def _head(told: Mapping[str, Any], frame: svg.Axes) -> list[str]:
    names = told["networks"]
    middle = frame.left + frame.width / 2
    return [
        svg.circle(frame.left + 6, 16, 5, fill=svg.colour(0)),
        svg.text(frame.left + 16, 20, names["cnn"]),
        svg.circle(middle + 6, 16, 5, fill=svg.colour(1)),
        svg.text(middle + 16, 20, names["vit"]),
        svg.text(frame.left + frame.width + 14, 20, "transformer − CNN", fill="var(--muted)"),
    ]


def _grid(frame: svg.Axes, n_rows: int) -> list[str]:
    low, bottom = frame.x_range[0], frame.top + ROW * n_rows
    parts = []
    tick = low
    while tick <= 1.0001:
        x = frame.x(tick)
        parts += [svg.line(x, frame.top, x, bottom), svg.text(x, bottom + 16, f"{tick:.1f}", anchor="middle")]
        tick += 0.1
    middle = frame.left + frame.width / 2
    return [*parts, svg.text(middle, bottom + 32, "accuracy", anchor="middle", fill="var(--muted)")]


def _row(frame: svg.Axes, row: Mapping[str, Any], index: int) -> list[str]:
    y = frame.top + ROW * (index + 0.5)
    parts = [svg.text(LEFT - 14, y + 4, row["name"], anchor="end", weight=600 if index else 400)]
    for side, which, offset in SIDES:
        part = row[side]
        place = y + offset
        title = f"{part['value']:.3f} [{part['low']:.3f}, {part['high']:.3f}]"
        parts += [
            svg.line(
                frame.x(part["low"]), place, frame.x(part["high"]), place, stroke=svg.colour(which), width=2
            ),
            svg.circle(frame.x(part["value"]), place, 5, fill=svg.colour(which), title=title),
        ]
    gap = row["difference"]
    words = (
        "other images each" if gap is None else f"{gap['value']:+.3f} [{gap['low']:+.3f}, {gap['high']:+.3f}]"
    )
    return [*parts, svg.text(frame.left + frame.width + 14, y + 4, words)]


def _links(frame: svg.Axes, above: Mapping[str, Any], below: Mapping[str, Any], index: int) -> list[str]:
    y = frame.top + ROW * (index + 0.5)
    parts = []
    for side, which, offset in SIDES:
        points = [
            (frame.x(above[side]["value"]), y + offset + 6),
            (frame.x(below[side]["value"]), y + ROW + offset - 6),
        ]
        parts.append(svg.path(points, stroke=svg.colour(which), width=1, dash="3 3"))
    return parts


def _states(told: Mapping[str, Any]) -> str:
    """Return the accuracies of both networks in each state, and what they rest on."""
    rows = [
        (f"<b>{escape(step['name'])}</b><br><span class='sub'>{escape(step['words'])}</span>",
         _cell(step["cnn"]), _cell(step["vit"]))
        for step in told["steps"]
    ]  # fmt: skip
    return _table(("state", told["networks"]["cnn"], told["networks"]["vit"]), rows, "")


def _changes(told: Mapping[str, Any]) -> str:
    """Return what each correction did to both accuracies and to their difference."""
    names = told["networks"]
    later = [step for step in told["steps"] if step["effect"] is not None]
    rows = [
        (escape(step["name"]), *(_signed(step["effect"][what]) for what in ("cnn", "vit", "difference")))
        for step in later
    ]
    return _table(("correction", names["cnn"], names["vit"], f"{names['vit']} − {names['cnn']}"), rows, "n")


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]], kind: str) -> str:
    """Return a table of ready cells; kind: class of all columns but the first."""
    first, *others = titles
    head = f"<th>{escape(first)}</th>" + "".join(
        f"<th class='{kind}'>{escape(title)}</th>" for title in others
    )
    body = "".join(
        f"<tr><td>{row[0]}</td>{''.join(f'<td class={kind!r}>{cell}</td>' for cell in row[1:])}</tr>"
        for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _cell(part: Mapping[str, Any]) -> str:
    copies = part["copies_in_training"]
    facts = [
        f"{part['n_samples']} images, {part['n_groups']} groups",
        f"single draws from {part['lowest_draw']:.2f} to {part['highest_draw']:.2f}"
        if part["n_draws"] > 1
        else "",
        f"{format_percent(copies)} have a copy in training" if copies else "",
    ]
    words = "; ".join(fact for fact in facts if fact)
    return f"{part['value']:.3f} [{part['low']:.3f}, {part['high']:.3f}]<br><span class='sub'>{words}</span>"


def _signed(part: Mapping[str, float]) -> str:
    return f"{part['value']:+.3f} [{part['low']:+.3f}, {part['high']:+.3f}]"


def _standing(figure: str) -> str:
    """Return the figure as a file of its own: name space, colours, background."""
    css = CSS.read_text(encoding="utf-8")
    colours = css[: css.index("* {")]
    style = f"<style>{colours} svg{{background:var(--paper);font-family:system-ui,sans-serif}}</style>"
    opened, mark, rest = figure.partition(">")
    spaced = opened.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return f"{spaced}{mark}{style}{rest}"
