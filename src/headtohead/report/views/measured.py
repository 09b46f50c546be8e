"""What the number beside an image of a finding is, in words, and how it is written."""

from __future__ import annotations

from headtohead.core.formatting import format_percent

__all__ = ["MEASURED", "measured"]

# code -> (what the number is, how it is written); of the codes that are None the number only sorts the images
MEASURED: dict[str, tuple[str, str] | None] = {
    "H2H110": None,
    "H2H111": None,
    "H2H112": ("shorter edge in pixels", "count"),
    "H2H113": ("1 minus the spread of grey values", "number"),
    "H2H114": ("share of pixels at full white", "share"),
    "H2H115": ("softness, 1 being without detail", "number"),
    "H2H116": ("1 minus the correlation of neighbouring pixels", "number"),
    "H2H117": ("longer by shorter edge", "number"),
    "H2H120": ("share of coloured pixels", "small share"),
    "H2H121": ("mean difference of the colour channels, as a share of the grey range", "small share"),
    "H2H122": ("height of the peak in the spectrum, in median deviations", "number"),
    "H2H123": ("number of marks", "count"),
    "H2H124": ("share of the edge that the frame or line runs along", "share"),
    "H2H125": ("grey value of the ground, 1 being white", "number"),
    "H2H126": ("share of the foreground that is cut off", "share"),
    "H2H127": ("share of the crop that is frame or background", "share"),
    "H2H128": None,
    "H2H129": ("number of grey values", "count"),
    "H2H402": ("probability of the label as given", "number"),
}


def measured(code: str, value: float) -> str:
    """Return the number that a check measured of one image, "" where it only sorts the images.

    >>> measured("H2H123", 42.0), measured("H2H120", 0.0366), measured("H2H110", 1.0)
    ('42', '3.66 %', '')
    """
    known = MEASURED.get(code)
    if known is None:
        return ""
    if known[1] == "count":
        return f"{abs(value):.0f}"  # the checks sort the smallest first by a minus
    if known[1] == "number":
        return f"{value:.3g}"
    return format_percent(value, 2 if known[1] == "small share" else 0)
