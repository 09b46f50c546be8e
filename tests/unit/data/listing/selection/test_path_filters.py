"""Which files `--include` and `--exclude` select; a pattern without effect is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from headtohead.core.errors import InsufficientDataError, NoEffectError
from headtohead.data.listing.selection.path_filters import filter_paths
from headtohead.data.load import load
from headtohead.data.options import LoadOptions
from headtohead.data.summary import data_record

Image = Callable[..., bytes]
Tree = Callable[[dict[str, bytes]], Path]

PATHS = ["train/a/1_t1.png", "train/a/1_T2.PNG", "train/b/2_t1.png", "runs/c/plot.png", "test/a/3_t1.png"]


@pytest.mark.parametrize(
    ("include", "exclude", "kept"),
    [
        ((), (), PATHS),
        (("*_t1.png",), (), [PATHS[0], PATHS[2], PATHS[4]]),
        (("*_t?.png",), (), [PATHS[0], PATHS[1], PATHS[2], PATHS[4]]),
        ((), ("runs",), [PATHS[0], PATHS[1], PATHS[2], PATHS[4]]),
        ((), ("train/a",), [PATHS[2], PATHS[3], PATHS[4]]),
        ((), ("train/a/",), [PATHS[2], PATHS[3], PATHS[4]]),
        (("train/*",), ("*_t2.*",), [PATHS[0], PATHS[2]]),
        (("train", "test"), (), [PATHS[0], PATHS[1], PATHS[2], PATHS[4]]),
    ],
)
def test_patterns(include: tuple[str, ...], exclude: tuple[str, ...], kept: list[str]) -> None:
    assert filter_paths(PATHS, include, exclude) == set(kept)


def test_a_pattern_that_fits_nothing_is_refused() -> None:
    with pytest.raises(NoEffectError, match=r"exclude '\*_seg\*' fits none of 5 files"):
        filter_paths(PATHS, (), ("runs", "*_seg*"))
    with pytest.raises(NoEffectError, match="include 'x' fits none"):
        filter_paths(PATHS, ("x",), ())


def test_leaving_nothing_is_refused() -> None:
    with pytest.raises(InsufficientDataError, match="leave none of 5 files"):
        filter_paths(PATHS, ("train",), ("*.png",))


def test_what_is_left_out_is_counted_and_does_not_decide_the_classes(tree: Tree, image: Image) -> None:
    names = [f"{c}/{i}_{kind}.png" for c in ("no", "yes") for i in range(2) for kind in ("t1", "t2")]
    files = {name: image(i) for i, name in enumerate([*names, "plots/1.png", "plots/2.png"])}
    data = load(str(tree(files)), LoadOptions(include=("*_t1.png", "*_t2.png"), exclude=("*_t2*",)))
    record = data_record(data)
    assert record["classes"] == {"no": 2, "yes": 2}
    assert record["left_out"] == [
        {"why": "files that --include or --exclude leaves out", "n": 6, "per_class": {"no": 2, "yes": 2}}
    ]


def test_rows_of_a_table_are_selected_too(tree: Tree, image: Image) -> None:
    rows = [f"{i}_{kind}.png,{'ab'[i % 2]}" for i in range(4) for kind in ("t1", "t2")]
    files = {row.split(",")[0]: image(i) for i, row in enumerate(rows)}
    root = tree(files | {"t.csv": "\n".join(["path,label", *rows]).encode()})
    record = data_record(load(str(root / "t.csv"), LoadOptions(exclude=("*_t2.png",))))
    assert record["classes"] == {"a": 2, "b": 2}
    assert record["left_out"][0]["n"] == 4
