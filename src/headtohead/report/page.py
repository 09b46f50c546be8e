"""Pages: one self-contained HTML file each, filled from Jinja2 templates, without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from headtohead.core.atomic_io import write_atomic
from headtohead.core.run_folder import RunFolder
from headtohead.report.views.comparison import build_report_context

__all__ = ["render", "write_report"]


def write_report(run: Path) -> Path:
    """Write `report.html` into a finished run folder.

    Args:
        run: the run folder; it must hold `verdict.json`, `audit.json` and `predictions.parquet`.

    Returns:
        The page's path.

    Raises:
        RunFolderError: the run is not finished.
    """
    page = render("report.html", view=build_report_context(RunFolder(run)))
    target = run / "report.html"
    write_atomic(target, page)
    return target


def render(template: str, **values: Any) -> str:
    """Return a filled template; everything but the packaged style sheet and figures is escaped.

    Args:
        template: name of a file in `templates`. values: what the template names.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    from headtohead.report.figures.palette import css_variables

    loader = PackageLoader("headtohead.report", "templates")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    css = Markup(css_variables() + loader.get_source(environment, "base.css")[0])
    return environment.get_template(template).render(css=css, **values)
