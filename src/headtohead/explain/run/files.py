"""The files of maps: raw numbers in the image's own pixels, pictures, an index, and small grids for pages.

maps/index.csv                        sample,path,contender,method,file,sanity
maps/<contender>/<sample id>.npy      float32 (H, W), the image's own height and width
maps/<contender>/<sample id>.<method>.npy     the same by another method than the exact one
maps/<contender>/<sample id>.png      picture of the map, with its sum and its words
maps/grids.json                       int8 grids with their scale, and the parts of each sum
"""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from headtohead.core.atomic_io import write_atomic
from headtohead.core.run_folder import slug, write_record
from headtohead.core.safety.spreadsheet import guard_row, unguard_cell
from headtohead.explain.image_map import EXACT, METHOD_WORDS

if TYPE_CHECKING:
    from headtohead.core.records import Image
    from headtohead.explain.image_map import ImageMap

__all__ = [
    "FIELDS",
    "grid_entry",
    "kept_grids",
    "map_path",
    "read_index",
    "write_checks",
    "write_grids",
    "write_index",
    "write_map",
]

FIELDS = ("sample", "path", "contender", "method", "file", "sanity")
INT8 = 127  # a map of one byte a cell, zero kept exactly


def map_path(folder: Path, contender: str, sample: str, method: str = EXACT) -> Path:
    """Return the path of a map without its ending; each part of the sample's id is made safe for any file system."""
    if method != EXACT:
        sample = f"{sample}.{method}"
    # an id with ".." must not lead out of the folder
    parts = [slug(part) for part in sample.split("/") if part not in ("", ".", "..")]
    return folder.joinpath(slug(contender), *parts)


def write_map(folder: Path, found: ImageMap, image: Image, limit: float) -> Path:
    """Write the raw map and its picture, and return the path of the raw map.

    Args:
        folder: `maps` of the run.
        found: the map; image: its image.
        limit: end of the colour scale that all maps share.
    """
    from headtohead.explain.overlay import draw_card

    base = map_path(folder, found.contender, found.sample, found.method)
    base.parent.mkdir(parents=True, exist_ok=True)
    raw, picture = io.BytesIO(), io.BytesIO()
    np.save(raw, found.pixels())
    draw_card(image.pixels, found, limit).save(picture, "PNG", compress_level=4)
    path = base.with_name(base.name + ".npy")
    write_atomic(path, raw.getvalue())
    write_atomic(base.with_name(base.name + ".png"), picture.getvalue())
    return path


def write_index(folder: Path, rows: Iterable[Sequence[str]]) -> Path:
    """Write `index.csv`, one row per map that has files; `file` is relative to the folder of the index."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FIELDS)
    writer.writerows(map(guard_row, rows))
    path = folder / "index.csv"
    write_atomic(path, text.getvalue())
    return path


def read_index(folder: Path) -> list[tuple[str, ...]]:
    """Return the rows of `index.csv` whose maps still exist, without the heading."""
    path = folder / "index.csv"
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        rows = [tuple(unguard_cell(row[name]) for name in FIELDS) for row in csv.DictReader(file)]
    return [row for row in rows if (folder / row[4]).is_file()]


def grid_entry(found: ImageMap, scale: float) -> dict[str, Any]:
    """Return a map as a page draws it: int8 numbers in base64 and the parts of the sum, rounded.

    Args:
        found: the map.
        scale: density, per 1 % of the area, that 127 stands for; the same for all maps.
    """
    a = found.attribution
    cells = np.clip(np.rint(found.density() / scale * INT8), -INT8, INT8).astype(np.int8)
    entry: dict[str, Any] = {
        "rows": int(cells.shape[0]),
        "columns": int(cells.shape[1]),
        "cells": base64.b64encode(cells.tobytes()).decode(),
        "box": [found.box.top, found.box.left, found.box.bottom, found.box.right],
        "size": list(found.size),
        "target": found.target,
        "log_odds": round(a.log_odds, 4),
        "localised": round(a.localised, 4),
        "sanity": found.sanity,
        "words": found.words,
    }
    if a.offset is not None:
        entry["offset"] = round(a.offset, 4)
        entry["not_localised"] = {name: round(value, 4) for name, value in a.elsewhere.items()}
    if a.high_norm_share is not None:
        entry["high_norm_share"] = round(a.high_norm_share, 4)
    if found.recorded is not None:
        entry["recorded_log_odds"] = round(found.recorded, 4)
    return entry


def kept_grids(folder: Path, maps: Sequence[ImageMap]) -> dict[str, Any]:
    """Return the earlier content of `grids.json` without the contenders that are drawn now, {} if nothing stays.

    Grids of another class than the new maps explain would be read against them, so they do not stay either.

    Args:
        folder: `maps` of the run.
        maps: the new ones, of one method.
    """
    path = folder / "grids.json"
    if not path.is_file():
        return {}
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    now, target = {one.contender for one in maps}, maps[0].target
    # Of more than two classes each contender explains the class that it holds most probable; of two all explain one.
    free = len(maps[0].classes) > 2
    if content["method"] != maps[0].method:
        return {}
    stay = {
        name: by_sample
        for name, by_sample in content["contenders"].items()
        if name not in now and (free or all(entry["target"] == target for entry in by_sample.values()))
    }
    return {**content, "contenders": stay} if stay else {}


def write_grids(
    folder: Path, maps: Sequence[ImageMap], limit: float, kept: Mapping[str, Any] | None = None
) -> Path:
    """Write `grids.json`: for each contender the grid of every image, and the scale.

    Args:
        folder: `maps` of the run.
        maps: of one method, the contenders that are drawn now.
        limit: end of the colour scale; that of `kept`, where grids stay.
        kept: what stays of an earlier call, from `kept_grids`.
    """
    # 127 is the end of the colour scale, not the greatest density of all: one extreme place would leave every
    # other map a handful of levels. What lies beyond the end has its colour anyway.
    scale = limit or 1.0
    contenders: dict[str, dict[str, Any]] = dict((kept or {}).get("contenders", {}))
    for one in maps:
        contenders.setdefault(one.contender, {})[one.sample] = grid_entry(one, scale)
    method = maps[0].method if maps else ""
    content = {
        "method": method,
        "method_words": METHOD_WORDS.get(method, method),
        "unit": "log-odds per 1 % of the area seen",
        "scale": scale,
        "color_limit": limit,
        "contenders": contenders,
    }
    path = folder / "grids.json"
    write_record(path, content)
    return path


def write_checks(
    folder: Path,
    checks: Mapping[str, Any],
    agreement: Sequence[Mapping[str, Any]],
    localisation: Mapping[str, Any],
    *,
    method: str = EXACT,
    drawn: Collection[str],
    stay: Collection[str],
) -> Path:
    """Write `faithfulness.json`: the checks of the contenders that were drawn now, and of those whose grids stay.

    Args:
        folder: `maps` of the run.
        checks: contender -> its checks.
        agreement: of the pairs that were drawn now.
        localisation: against masks, {} without; then an earlier one stays with the grids.
        method: by which the maps were made.
        drawn: contenders that were drawn now. stay: those whose earlier grids stay.
    """
    path = folder / "faithfulness.json"
    earlier: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    contenders = {name: one for name, one in earlier.get("contenders", {}).items() if name in stay}
    there = {*drawn, *stay}
    pairs = [
        pair
        for pair in earlier.get("agreement", ())
        if {pair["a"], pair["b"]} <= there and not {pair["a"], pair["b"]} <= set(drawn)
    ]
    content = {"method": method, "contenders": contenders | dict(checks), "agreement": [*pairs, *agreement]}
    if localisation or (stay and earlier.get("localisation")):
        content["localisation"] = dict(localisation) or earlier["localisation"]
    write_record(path, content)
    return path
