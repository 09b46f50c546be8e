"""Colours of pages and figures, by role, for the light and the dark scheme.

The series colours follow Okabe and Ito (2008), distinguishable with every common colour vision deficiency; light ones
are darkened (or lightened) until they reach a contrast of 3:1 with the card, text colours 4.5:1 (WCAG 2.1).
"""

from __future__ import annotations

__all__ = ["DARK", "LIGHT", "N_SERIES", "css_color", "css_variables"]

N_SERIES = 8  # more colours cannot be distinguished; further series repeat with their own line style

LIGHT = {
    "paper": "#fbfaf8", "card": "#ffffff", "ink": "#1d2126", "muted": "#5d6670", "line": "#e3e1dc",
    "accent": "#1f5fa8", "good": "#1f7a49", "bad": "#b8412f", "warn": "#8a5600", "shade": "#f1efea",
    "s0": "#0072b2", "s1": "#d55e00", "s2": "#00845f", "s3": "#a6508f",
    "s4": "#8a6d00", "s5": "#3b8fc4", "s6": "#6b7178", "s7": "#7a3b12",
}  # fmt: skip
DARK = {
    "paper": "#14171a", "card": "#1b1f24", "ink": "#e7eaee", "muted": "#9aa4ae", "line": "#30363d",
    "accent": "#6fb0f0", "good": "#5cc08c", "bad": "#ec8573", "warn": "#e0ab4e", "shade": "#20252b",
    "s0": "#56b4e9", "s1": "#ff8f4d", "s2": "#2fc79a", "s3": "#e59ac9",
    "s4": "#e6c229", "s5": "#a5dbff", "s6": "#a3adb8", "s7": "#d39b6f",
}  # fmt: skip


def css_variables() -> str:
    """Return the palette as CSS custom properties, the dark scheme where the reader prefers it."""
    light, dark = (
        ";".join(f"--{role}:{value}" for role, value in colors.items()) for colors in (LIGHT, DARK)
    )
    return (
        f":root{{color-scheme:light dark;{light}}}\n@media (prefers-color-scheme: dark){{:root{{{dark}}}}}\n"
    )


def css_color(index: int) -> str:
    """Return the CSS colour of a series; the palette repeats after eight."""
    return f"var(--s{index % N_SERIES})"
