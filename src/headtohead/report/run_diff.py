"""What differs between two runs: data, settings, scores, verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from headtohead.core.config.places import restored
from headtohead.core.run_folder import RunFolder
from headtohead.core.tables.stored_files import read_settings
from headtohead.report.tables.format import digits, signed_digits

__all__ = ["diff_lines", "diff_runs"]


def diff_runs(first: Path, second: Path) -> dict[str, Any]:
    """Return what differs between two finished runs.

    Args:
        first, second: run folders.

    Returns:
        data (None where it is the same), settings (name -> old and new), scores (rows that changed), verdict.

    Raises:
        RunFolderError: a run is not finished.
    """
    a, b = RunFolder(first), RunFolder(second)
    verdicts = a.verdict(), b.verdict()
    old, new = (_settings(run) for run in (a, b))
    one, two = dict(_flat(old)), dict(_flat(new))
    settings = {
        k: [one.get(k), two.get(k)] for k in sorted(one.keys() | two.keys()) if one.get(k) != two.get(k)
    }
    scores = [{(s.contender, s.metric): s.value for s in v.scores} for v in verdicts]
    rows = [
        {"contender": key[0], "metric": key[1], "old": scores[0].get(key), "new": scores[1].get(key)}
        for key in dict.fromkeys([*scores[0], *scores[1]])
        if scores[0].get(key) != scores[1].get(key)
    ]
    said = [v.sentence for v in verdicts]
    return {
        "data": _data(a, b),
        "settings": settings,
        "scores": rows,
        "verdict": None if said[0] == said[1] else said,
    }


def diff_lines(found: Mapping[str, Any]) -> list[str]:
    """Return the differences as lines of text; "The runs agree." where there are none."""
    lines = []
    if found["data"] is not None:
        counts = ", ".join(f"{n} {what}" for what, n in found["data"].items() if n)
        lines.append(f"data: {counts}")
    lines += [
        f"setting {name}: {_said(old)} before, {_said(new)} now"
        for name, (old, new) in found["settings"].items()
    ]
    for row in found["scores"]:
        old, new = row["old"], row["new"]
        name = f"score {row['contender']}, {row['metric'].replace('_', ' ')}"
        if old is None or new is None:
            lines.append(
                f"{name}: {'none' if old is None else digits(old)} before, {'none' if new is None else digits(new)} now"
            )
        elif signed_digits(new - old) != "0.000":  # a change that no digit shows is left out
            lines.append(f"{name}: {digits(old)} before, {digits(new)} now ({signed_digits(new - old)})")
    if found["verdict"] is not None:
        lines += [f"verdict before: {found['verdict'][0]}", f"verdict now: {found['verdict'][1]}"]
    return lines or ["The runs agree: data, settings, scores and verdict."]


def _settings(run: RunFolder) -> dict[str, Any]:
    """Return the settings of a run, with paths that do not depend on where the run folder lies."""
    settings = read_settings(run.require("study.toml"))[1]
    paths = {name: settings[name] for name in ("data", "groups") if isinstance(settings.get(name), str)}
    return settings | {name: restored(path, run.path) for name, path in paths.items()}


def _said(value: Any) -> str:
    return "not stated" if value is None else str(value)


def _data(a: RunFolder, b: RunFolder) -> dict[str, int] | None:
    old, new = a.json("data.json"), b.json("data.json")
    if old["digest"] == new["digest"]:
        return None
    before, after = old["files"], new["files"]
    return {
        "added": len(after.keys() - before.keys()),
        "removed": len(before.keys() - after.keys()),
        "changed": sum(before[key] != after[key] for key in before.keys() & after.keys()),
    }


def _flat(content: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield setting -> value, nested tables as "train.epochs"; where the data lie does not matter."""
    for key, value in content.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}.")
        elif above or key != "data":
            yield f"{above}{key}", value
