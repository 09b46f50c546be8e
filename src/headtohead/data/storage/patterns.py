"""Roots that name several files by a pattern: `FOLDER/*.npy`, `FOLDER/**/*.parquet`, `FOLDER/*.tar`."""

from __future__ import annotations

from pathlib import Path

__all__ = ["is_pattern", "pattern_base", "pattern_files"]


def is_pattern(root: str) -> bool:
    """Tell whether a root is a pattern and not a path.

    >>> is_pattern("scans/*.npy"), is_pattern("scans")
    (True, False)
    """
    return "*" in Path(root).name and not Path(root).exists()  # a file may be called so


def pattern_base(root: str) -> Path:
    """Return the folder to which the files of a pattern are relative; of a plain path the folder that it lies in.

    >>> pattern_base("scans/**/*.parquet").name, pattern_base("scans/a.parquet").name
    ('scans', 'scans')
    """
    path = Path(root)
    fixed = list(path.parts)
    stop = next((i for i, part in enumerate(fixed) if "*" in part), len(fixed) - 1)
    return Path(*fixed[:stop]) if is_pattern(root) else path.parent


def pattern_files(root: str) -> list[Path]:
    """Return the files that a root names, sorted; hidden ones and the caches of `datasets` are left out."""
    path = Path(root)
    if not is_pattern(root):
        return [path] if path.is_file() else []
    base = pattern_base(root)
    found = base.glob(path.relative_to(base).as_posix())
    return sorted(
        file
        for file in found
        if file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(base).parts)
        and not file.name.startswith("cache-")
    )
