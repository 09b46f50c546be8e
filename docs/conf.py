"""Configuration of the documentation site (`make docs`). Every page opens offline: no fonts, scripts or
analytics from elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from docs.tools.layers_figure import write_figure  # noqa: E402
from docs.tools.reference import write_reference  # noqa: E402

from headtohead import __version__  # noqa: E402

write_reference(HERE / "reference")
write_figure(HERE / "_static" / "layers.svg")

project = "headtohead"
copyright = "the headtohead maintainers; Apache-2.0"
release = version = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.autosummary"]
exclude_patterns = ["tools", "notebooks"]
source_suffix = {".md": "markdown"}
myst_heading_anchors = 4
myst_enable_extensions = ["deflist", "fieldlist", "attrs_block"]
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autosummary_generate = False
napoleon_google_docstring = True
napoleon_numpy_docstring = False
nitpicky = False

html_theme = "pydata_sphinx_theme"
html_title = "headtohead"
html_static_path = ["_static"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "navigation_with_keys": True,
    "show_prev_next": True,
    "footer_start": ["copyright"],
    "footer_end": ["theme-version"],
    "navbar_align": "left",
    "secondary_sidebar_items": ["page-toc"],
}
