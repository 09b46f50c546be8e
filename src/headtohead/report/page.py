"""Pages: one self-contained HTML file each, filled from Jinja2 templates, without torch."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from headtohead.core.atomic_io import write_atomic, write_json
from headtohead.core.run_folder import RunFolder
from headtohead.report.damage import damaged_run
from headtohead.report.model_card import model_card
from headtohead.report.tables.format import digits
from headtohead.report.views.comparison import ReportPage, build_report

__all__ = ["render", "write_report"]

SCRIPT_KEYS = ("names", "classes", "positive")
_OWN = re.compile(r"headtohead\b|[^\s\d(@]*[\d(@]")  # our own name, and names of contenders
_NUMBER = re.compile(r"[+−-]?\d+(?:\.\d+)?")
_CODE = re.compile(r"(`[^`]+`|(?<![\w-])--[a-z][a-z-]*)")


def write_report(run: Path) -> Path:
    """Write `report.html` into a finished run folder, `report.json`, which holds every number of it, and `card.md`.

    Args:
        run: the run folder; it must hold `verdict.json`, `audit.json` and `predictions.parquet`.

    Returns:
        The page's path.

    Raises:
        RunFolderError: the run is not finished.
    """
    with damaged_run(run):
        made = build_report(RunFolder(run))
        return _write(run, made)


def _write(run: Path, made: ReportPage) -> Path:
    view = made.content
    phrases: dict[str, int] = {}
    data = {key: view[key] for key in SCRIPT_KEYS} | {
        "images": [_short_maps(one, phrases) for one in view["errors"]["records"]],
        "phrases": list(phrases),
        "pair": view["errors"]["pair"],
        "unsure": view["errors"]["unsure"],
        "repeats": view["errors"]["repeats"],
        "slider": view["performance"]["slider"],
        "map_limit": view["explain"].get("limit"),
        "sum_limit": view["explain"].get("sum_limit"),
    }
    page = render(
        "report.html",
        scripts=("frame.js", "report.js"),
        frame=made.frame,
        view=view,
        figures=made.figures,
        image_css=made.image_css,
        data=_embedded(data),
    )
    target = run / "report.html"
    write_json(run / "report.json", view)
    write_atomic(run / "card.md", model_card(view, made.verdict, made.records))
    # The page last: where it is there, the others are too.
    write_atomic(target, page)
    return target


def _short_maps(record: dict[str, Any], phrases: dict[str, int]) -> dict[str, Any]:
    """Return the record of an image with what its maps repeat told once: on 253 images half of their size.

    Args:
        record: of one image; phrases: text of a map with # for each number -> its place; new ones are added.
    """
    if "maps" not in record:
        return record
    maps = {}
    for name, grid in record["maps"].items():
        short = {key: grid[key] for key in grid.keys() - {"words", "sanity", "box"}}
        if grid.get("words"):
            numbers = _NUMBER.findall(grid["words"].replace("#", ""))
            phrase = _NUMBER.sub("#", grid["words"].replace("#", ""))
            short["words"] = [phrases.setdefault(phrase, len(phrases)), *numbers]
        if str(grid.get("sanity", "")).startswith("fail"):
            short["failed"] = 1
        if grid.get("box") != record.get("box"):
            short["box"] = grid.get("box")
        maps[name] = dict(sorted(short.items()))
    return record | {"maps": maps}


def render(template: str, *, scripts: Sequence[str] = ("frame.js",), **values: Any) -> str:
    """Return a filled template; everything but the packaged style sheet, scripts and figures is escaped.

    Args:
        template: name of a file in `templates`.
        scripts: files in `templates` that the page runs, in this order and in one scope.
        values: what the template names; every page that extends `frame.html` names `frame`, a `Frame`.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    from headtohead.report.figures.palette import css_variables

    loader = PackageLoader("headtohead.report", "templates")
    # StrictUndefined: a value that is missing is an error, not an empty place.
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    filters: dict[str, Callable[[Any], Any]] = {
        "tight": _tight, "words": _words, "name": _name, "whole": _whole, "path": _path, "digits": digits,
    }  # fmt: skip
    environment.filters |= filters
    css = Markup(css_variables() + loader.get_source(environment, "base.css")[0])
    lines = "".join(loader.get_source(environment, name)[0] for name in scripts)
    script = Markup('(() => {\n"use strict";\n' + lines + "})();\n")
    return environment.get_template(template).render(css=css, script=script, **values)


def _tight(text: Any) -> Any:
    """Keep numbers on one line with their per cent sign, and with a "<" before them; what is markup stays so."""
    if hasattr(text, "__html__"):
        return text.replace(" %", "\u00a0%")
    return str(text).replace(" %", "\u00a0%").replace("< 0.", "<\u00a00.")


def _words(text: str) -> Any:
    """Return a sentence with a capital first letter; what stands between backticks, and options, become code.

    Our own name and those of contenders keep their first letter.
    """
    from markupsafe import Markup, escape

    found = Markup("")
    for number, part in enumerate(_CODE.split(text)):
        if number % 2:
            style = "" if part.startswith("`") else Markup(' class="nb"')
            found += Markup("<code{}>{}</code>").format(style, part.strip("`"))
        else:
            first = number == 0 and not _OWN.match(part)
            found += escape(part[:1].upper() + part[1:] if first else part)
    return found


def _name(text: Any) -> Any:
    """Return the name of a contender that is broken after its brackets and commas alone; other text as it is."""
    from markupsafe import Markup

    if hasattr(text, "__html__") or " " in str(text):
        return _interval(text)
    # a bracket in front of the whole name is no part of it, and stays with it
    parts = re.findall(r"^\(?[^(,@]+[(,@]?|[^(,@]+[(,@]?|[(,@]", str(text))
    return Markup("<wbr>").join(Markup('<span class="nb">{}</span>').format(part) for part in parts)


def _interval(text: Any) -> Any:
    """Return a cell whose interval in square brackets stays on one line."""
    from markupsafe import Markup, escape

    return Markup(re.sub(r"(\[[^\]]{3,40}\])", r'<span class="nb">\1</span>', str(escape(text))))


def _whole(text: str) -> Any:
    """Return a heading in which no name of a contender is broken at its hyphens."""
    from markupsafe import Markup, escape

    tight = _tight(text)
    parts = re.split(r"( )", tight)
    return Markup("").join(_name(part) if "-" in part else escape(part) for part in parts)


def _path(text: str) -> Any:
    """Return the name of an image that is broken after its folders first."""
    from markupsafe import Markup, escape

    return Markup("/<wbr>").join(escape(part) for part in text.split("/"))


def _embedded(data: dict[str, Any]) -> str:
    """Return JSON that may stand inside a script element: nothing in it ends the element."""
    from markupsafe import Markup

    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))
