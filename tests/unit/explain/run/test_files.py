"""The files of maps: names stay in their folder, grids can be read back, a spreadsheet may open the index."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headtohead.core.records import Box, Image
from headtohead.explain.attribution import Attribution
from headtohead.explain.image_map import ImageMap
from headtohead.explain.run.files import (
    FIELDS,
    grid_entry,
    kept_grids,
    map_path,
    read_index,
    write_grids,
    write_index,
    write_map,
)

GRID = np.array([[1.0, -0.5], [0.0, 0.25]])


def image_map(sample: str = "a.png", contender: str = "net", **changes: Any) -> ImageMap:
    fields: dict[str, Any] = {
        "grid": GRID,
        "target": 1,
        "log_odds": 1.0,
        "offset": 0.25,
        "elsewhere": {"bias": 0.0},
    }
    own = Attribution(**{key: changes.pop(key, value) for key, value in fields.items()})
    fixed = {"method": "contributions", "classes": ("no", "yes"), "box": Box(2, 0, 12, 20), "size": (12, 20)}
    return ImageMap(sample, contender, attribution=own, **{**fixed, **changes})


@pytest.mark.parametrize(
    "sample",
    ["../../etc/passwd", "/etc/passwd", "a/../../b", "..", "C:\\x", "a\x00b", "con/./x", "脳/ä b.png"],
)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, sample: str) -> None:
    path = map_path(tmp_path / "maps", "../evil", sample)
    assert path.is_relative_to(tmp_path / "maps") and ".." not in path.parts
    assert str(path.relative_to(tmp_path)).isascii()


def test_names_differ_where_samples_contenders_or_methods_do(tmp_path: Path) -> None:
    paths = [
        map_path(tmp_path, name, sample, method)
        for name in ("net", "net@x", "ensemble(a,b)", "ensemble(a;b)")
        for sample in ("a/b.png", "a_b.png", "b.png")
        for method in ("contributions", "rise")
    ]
    assert len(set(paths)) == len(paths)
    assert map_path(tmp_path, "net", "no/b.png") == tmp_path / "net" / "no" / "b.png"
    assert map_path(tmp_path, "net", "b.png", "rise") == tmp_path / "net" / "b.png.rise"


def test_a_map_is_written_in_the_images_own_pixels(tmp_path: Path) -> None:
    one = image_map("no/a.png")
    image = Image(np.full((12, 20), 90, np.uint8), 8, "L", "PNG")
    path = write_map(tmp_path, one, image, 0.1)
    assert path == tmp_path / "net" / "no" / "a.png.npy"
    found = np.load(path)
    assert found.dtype == np.float32 and found.shape == (12, 20)
    np.testing.assert_array_equal(found, one.pixels())
    assert path.with_suffix(".png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


def test_the_index_keeps_what_a_spreadsheet_would_run_and_drops_maps_that_are_gone(tmp_path: Path) -> None:
    (tmp_path / "there.npy").touch()
    rows = [
        ("=cmd", "a,b.png", "net", "rise", "there.npy", "passed"),
        ("b", "ä.png", "net", "rise", "gone.npy", "failed: x"),
    ]
    path = write_index(tmp_path, rows)
    text = path.read_text(encoding="utf-8")
    assert text.splitlines()[0] == ",".join(FIELDS) and text.splitlines()[1].startswith("'=cmd,")
    assert read_index(tmp_path) == [rows[0]]
    assert read_index(tmp_path / "none") == []


def test_a_grid_can_be_read_back_to_a_part_in_127() -> None:
    one = image_map()
    scale = 0.02
    entry = grid_entry(one, scale)
    cells = np.frombuffer(base64.b64decode(entry["cells"]), np.int8).reshape(entry["rows"], entry["columns"])
    expected = np.clip(one.density(), -scale, scale)  # beyond the end of the scale all is its end
    np.testing.assert_allclose(cells / 127 * scale, expected, atol=scale / 254)
    assert cells.min() == -127 or one.density().min() > -scale
    assert (entry["box"], entry["size"], entry["target"]) == ([2, 0, 12, 20], [12, 20], "yes")


def test_what_a_map_does_not_have_has_no_key() -> None:
    plain = grid_entry(image_map(offset=None, elsewhere={}), 1.0)
    assert not {"offset", "not_localised", "high_norm_share", "recorded_log_odds"} & set(plain)
    own = Attribution(GRID, 1, 1.0, 0.25, {"bias": 0.123456}, 0.5)
    whole = ImageMap(
        "a", "net", "contributions", ("no", "yes"), own, Box(0, 0, 9, 9), (9, 9), recorded=1.00004
    )
    entry = grid_entry(whole, 1.0)
    assert entry["offset"] == 0.25 and entry["not_localised"] == {"bias": 0.1235}
    assert (
        entry["high_norm_share"] == 0.5 and entry["recorded_log_odds"] == 1.0 and entry["localised"] == 0.75
    )


def test_grids_of_other_contenders_stay_with_their_scale(tmp_path: Path) -> None:
    write_grids(tmp_path, [image_map(contender="a"), image_map(contender="b")], 0.5)
    new = [image_map("b.png", contender="b")]
    kept = kept_grids(tmp_path, new)
    assert list(kept["contenders"]) == ["a"] and kept["color_limit"] == 0.5
    write_grids(tmp_path, new, kept["color_limit"], kept)
    told = json.loads((tmp_path / "grids.json").read_text())
    assert {name: list(by) for name, by in told["contenders"].items()} == {"a": ["a.png"], "b": ["b.png"]}
    assert told["method_words"] == "exact contributions of places to the log-odds" and told["scale"] == 0.5


@pytest.mark.parametrize("changes", [{"method": "rise"}, {"target": 0}])
def test_grids_of_another_method_or_class_do_not_stay(tmp_path: Path, changes: dict[str, Any]) -> None:
    write_grids(tmp_path, [image_map(contender="a")], 0.5)
    assert kept_grids(tmp_path, [image_map(contender="b", **changes)]) == {}
    assert kept_grids(tmp_path, [image_map(contender="a")]) == {}, "nothing but what is drawn anew"
    assert kept_grids(tmp_path / "none", [image_map()]) == {}


def test_of_three_classes_each_map_explains_its_own(tmp_path: Path) -> None:
    three: dict[str, Any] = {"classes": ("a", "b", "c")}
    write_grids(tmp_path, [image_map(contender="a", target=0, **three)], 0.5)
    assert list(kept_grids(tmp_path, [image_map(contender="b", target=2, **three)])["contenders"]) == ["a"]


def test_no_colour_limit_is_a_scale_of_one(tmp_path: Path) -> None:
    write_grids(tmp_path, [], 0.0)
    told = json.loads((tmp_path / "grids.json").read_text())
    assert (told["scale"], told["method"], told["contenders"]) == (1.0, "", {})
