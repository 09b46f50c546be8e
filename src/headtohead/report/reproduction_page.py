"""Page of `headtohead reproduce`: both accuracies of a published comparison after each correction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headtohead.core.formatting import format_percent
from headtohead.report.frame import Frame, Tile, Tone
from headtohead.report.page import render
from headtohead.report.tables.format import signed_digits, true_minus

__all__ = ["page", "waterfall"]

_STAND_IN = (
    "The published networks, {paper[cnn][name]} and {paper[vit][name]}, were not run: {cnn} and {vit} stand in for "
    "them. So the page shows what the flaws of the protocol do, not what the published networks would reach."
)


def waterfall(summary: Mapping[str, Any], *, alone: bool = False) -> str:
    """Return the waterfall as SVG.

    Args:
        summary: the content of `reproduce.json`.
        alone: with its own colours and background, as a file; otherwise for a page that has them.
    """
    from headtohead.report.figures import plot_waterfall, to_svg
    from headtohead.report.figures.palette import css_variables

    figure = to_svg(plot_waterfall(summary).figure)
    if not alone:
        return figure
    opened, mark, rest = figure.partition(">")
    style = f"{css_variables()}svg{{background:var(--paper);font-family:system-ui,sans-serif}}"
    return f"{opened}{mark}<style>{style}</style>{rest}"


def page(summary: Mapping[str, Any]) -> str:
    """Return one self-contained HTML page: the sentences, the figure, the tables, what was shortened.

    Args:
        summary: the content of `reproduce.json`.
    """
    names = summary["networks"]
    states = [
        {"name": step["name"], "words": step["words"], "arms": [_state(step[arm]) for arm in ("cnn", "vit")]}
        for step in summary["steps"]
    ]
    effects = [
        (step["name"], *(_signed(step["effect"][key]) for key in ("cnn", "vit", "difference")))
        for step in summary["steps"]
        if step["effect"] is not None
    ]
    heads = (names["cnn"], names["vit"], f"{names['vit']} − {names['cnn']}")
    return render(
        "reproduction.html", frame=_frame(summary), summary=summary, figure=waterfall(summary), states=states,
        effects=effects, heads=heads,
    )  # fmt: skip


def _frame(summary: Mapping[str, Any]) -> Frame:
    """Return the answer: what is left of the published difference once every flaw is corrected."""
    names, last = summary["networks"], summary["steps"][-1]["difference"]
    if last["low"] <= 0 <= last["high"]:
        heading = (
            f"Once corrected, the protocol gives no evidence that {names['vit']} and {names['cnn']} differ."
        )
    else:
        better = names["vit"] if last["value"] > 0 else names["cnn"]
        heading = f"Once corrected, the protocol favours {better}."
    paper = summary["published"]
    gap = paper["vit"]["value"] - paper["cnn"]["value"]
    copies = max(step[arm]["copies_in_training"] for step in summary["steps"] for arm in ("cnn", "vit"))
    ends = f"95 % CI {signed_digits(last['low'])} to {signed_digits(last['high'])}"
    tone: Tone = "warning" if copies else "passed"
    shortened = (("short", "Shortened"),) if summary["shortened"] else ()
    return Frame(
        title=summary["title"],
        kicker=summary["title"],
        heading=heading,
        lead=tuple(true_minus(one) for one in summary["sentences"]),
        tiles=(
            Tile(
                "Published difference",
                signed_digits(gap),
                "accuracy, transformer less CNN",
                "note",
                "#states",
            ),
            Tile("Corrected difference", signed_digits(last["value"]), ends, "note", "#states"),
            Tile("Copies in training", format_percent(copies), "of scored images, at most", tone, "#states"),
            Tile("Size", f"{summary['groups']} groups", f"{summary['images']} images", "note", "#states"),
        ),
        caveats=(_STAND_IN.format(paper=paper, **names),) if names.get("stand_in") else (),
        sections=(("states", "States"), ("effects", "Effects"), *shortened),
        source="reproduce.json",
    )


def _state(part: Mapping[str, Any]) -> dict[str, str]:
    """Return the accuracy of one network in one state, and the data behind it."""
    copies = part["copies_in_training"]
    facts = [f"{part['n_samples']} images, {part['n_groups']} groups"]
    if part["n_draws"] > 1:
        facts.append(f"single draws from {part['lowest_draw']:.2f} to {part['highest_draw']:.2f}")
    if copies:
        facts.append(f"{format_percent(copies)} have a copy in training")
    return {
        "value": f"{part['value']:.3f} [{part['low']:.3f}, {part['high']:.3f}]",
        "facts": "; ".join(facts),
    }


def _signed(part: Mapping[str, float]) -> str:
    value, low, high = (signed_digits(part[key]) for key in ("value", "low", "high"))
    return f"{value} [{low}, {high}]"
