"""Draw how the folders of the source import one another, as an SVG, read from the imports themselves.

Run by `make docs`, or by hand: `python -m docs.tools.layers_figure docs/_static/layers.svg`.
"""

from __future__ import annotations

import sys
from collections import Counter
from html import escape
from pathlib import Path

from tests.contracts.test_layers import LAYERS, all_files, folder_of, imports

__all__ = ["draw", "folder_imports", "write_figure"]

WIDTH, ROW, BOX_HEIGHT, GAP = 860, 78, 40, 18  # in pixels; wide enough for five folders side by side


def folder_imports() -> Counter[tuple[str, str]]:
    """Count imports from folder to folder; a file beside the folders counts as one."""
    pairs: Counter[tuple[str, str]] = Counter()
    for path, own in all_files().items():
        for module in imports(path):
            other = folder_of(module)
            if other != own and not {own, other} & {"__init__", "__main__", "_version"}:
                pairs[own, other] += 1
    return pairs


def _boxes() -> dict[str, tuple[float, float, float]]:
    """Return folder -> (left, top, width); folders that do not exist yet are left out."""
    present = set(all_files().values())
    rows = [[name for name in layer if name in present] for layer in LAYERS]
    rows = [row for row in rows if row]
    boxes: dict[str, tuple[float, float, float]] = {}
    for number, row in enumerate(reversed(rows)):
        width = (WIDTH - GAP * (len(row) + 1)) / len(row)
        width = min(width, 190.0)
        left = (WIDTH - len(row) * width - (len(row) - 1) * GAP) / 2
        for place, name in enumerate(row):
            boxes[name] = (left + place * (width + GAP), 12 + number * ROW, width)
    return boxes


def draw() -> str:
    """Return the figure as SVG text: highest layer on top, each arrow pointing down to what is imported."""
    boxes, pairs = _boxes(), folder_imports()
    height = int(max(top for _, top, _ in boxes.values()) + BOX_HEIGHT + 12)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'font-family="system-ui, sans-serif" font-size="15">',
        "<title>Which folder imports which: every arrow points down</title>",
        '<rect width="100%" height="100%" fill="#ffffff"/>',
    ]
    most = max(pairs.values())
    for (own, other), count in sorted(pairs.items()):
        (left, top, width), (to_left, to_top, to_width) = boxes[own], boxes[other]
        start, end = left + width / 2, to_left + to_width / 2
        parts.append(
            f'<path d="M{start:.0f},{top + BOX_HEIGHT} C{start:.0f},{top + ROW} {end:.0f},{to_top - ROW / 2:.0f} '
            f'{end:.0f},{to_top}" fill="none" stroke="#5b7fa6" stroke-opacity="0.45" '
            f'stroke-width="{0.8 + 3.2 * (count / most) ** 0.5:.1f}">'
            f"<title>{own} imports {other}: {count} names</title></path>"
        )
    for name, (left, top, width) in boxes.items():
        parts.append(
            f'<rect x="{left:.0f}" y="{top}" width="{width:.0f}" height="{BOX_HEIGHT}" rx="6" fill="#eef3f8" '
            f'stroke="#2f4f73"/><text x="{left + width / 2:.0f}" y="{top + 26}" text-anchor="middle" '
            f'fill="#16283c">{escape(name)}</text>'
        )
    return "\n".join([*parts, "</svg>", ""])


def write_figure(path: Path) -> None:
    """Write the figure, if it changed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = draw()
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_figure(Path(sys.argv[1]))
