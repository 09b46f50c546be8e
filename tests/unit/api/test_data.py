"""Audit, cleaning and preprocessing from Python on a few images: files that belong together, and refusals first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image as Pillow
from tests.planting.memory import draw_head

import headtohead as h2h
from headtohead.core.errors import NoEffectError, UnknownNameError, UsageError


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return twelve heads of two classes; one is there twice."""
    root = tmp_path_factory.mktemp("scans")
    rng = np.random.default_rng(0)
    for i in range(12):
        folder = root / ("no" if i % 2 else "yes")
        folder.mkdir(exist_ok=True)
        Pillow.fromarray(draw_head(rng)).save(folder / f"{i:02d}.png")
    (root / "yes" / "copy.png").write_bytes((root / "yes" / "00.png").read_bytes())
    return root


def test_an_audit_groups_copies_and_writes_its_files(scans: Path, tmp_path: Path) -> None:
    found = h2h.audit(scans, out=tmp_path / "audit", quiet=True, ignore={"H2H203": "wanted"})
    groups = found.groups.set_index("sample")["group"]
    assert groups["yes/00.png"] == groups["yes/copy.png"] and groups.nunique() == 12 and len(groups) == 13
    assert {"audit.html", "audit.json", "groups.csv"} <= {path.name for path in found.path.iterdir()}
    assert found.report().is_file()
    ignored = found.findings.set_index("code").loc["H2H203"]
    assert ignored["outcome"] == "ignored"


def test_a_corrected_groups_file_replaces_the_search(scans: Path, tmp_path: Path) -> None:
    h2h.audit(scans, out=tmp_path / "first", quiet=True)
    table = pd.read_csv(tmp_path / "first" / "groups.csv", dtype=str)
    table["group"] = [f"mine {i // 2}" for i in range(len(table))]
    mine = tmp_path / "mine.csv"
    table.to_csv(mine, index=False)
    found = h2h.audit(scans, out=tmp_path / "second", groups=mine, quiet=True)
    assert found.groups["group"].nunique() == 7
    with pytest.raises(NoEffectError, match="--group-similar has no effect with --groups"):
        h2h.audit(scans, out=tmp_path / "third", groups=mine, similar=True, quiet=True)


def test_cleaning_keeps_one_of_each_group_or_all(scans: Path, tmp_path: Path) -> None:
    every = h2h.clean(scans, tmp_path / "all.csv", quiet=True)
    assert (every.n_kept, every.n_groups, every.n_dropped) == (13, 12, 0)
    one = h2h.clean(scans, tmp_path / "one.csv", keep="one-per-group", quiet=True)
    assert (one.n_kept, one.n_groups, one.n_dropped) == (12, 12, 1)
    kept, dropped = pd.read_csv(one.manifest), pd.read_csv(one.dropped)
    assert len(kept) == 12 and len(dropped) == 1 and kept["group"].is_unique
    assert one.dropped == tmp_path / "one.dropped.csv"
    with pytest.raises(UsageError, match=r"^Got keep = 'best'; expected grouped or one-per-group\.$"):
        h2h.clean(scans, tmp_path / "x.csv", keep="best", quiet=True)  # type: ignore[arg-type]


def test_files_left_out_by_hand_stand_with_their_reason(scans: Path, tmp_path: Path) -> None:
    decided = tmp_path / "decided.csv"
    decided.write_text("path,reason\nno/01.png,out of focus\n")
    found = h2h.clean(scans, tmp_path / "c.csv", without=decided, quiet=True)
    assert found.n_kept == 12 and "out of focus" in found.dropped.read_text()


def test_preprocessing_tells_recipe_reason_and_whole_images(scans: Path, tmp_path: Path) -> None:
    found = h2h.preprocess(scans, out=tmp_path / "look", quiet=True)
    assert (found.recipe, found.n_images) == (
        "foreground",
        13,
    ) and "13 of 13 images looked at" in found.reason
    boxes = found.boxes
    assert len(boxes) == 13 and (boxes["kept"] < 1).all() and found.n_whole == 0
    assert ((boxes["bottom"] > boxes["top"]) & (boxes["right"] > boxes["left"])).all()
    assert len(list(found.path.glob("sheet-*.png"))) == found.n_sheets >= 1
    whole = h2h.preprocess(scans, out=tmp_path / "none", recipe="none", quiet=True)
    assert (whole.recipe, whole.reason) == ("none", "as asked for") and whole.digest != found.digest


def test_folders_and_names_are_refused_before_images_are_read(scans: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="inside the data"):
        h2h.audit(scans, out=scans / "audit", quiet=True)
    with pytest.raises(UnknownNameError, match="did you mean 'label_from'"):
        h2h.audit(scans, out=tmp_path / "a", label_form="x", quiet=True)
    with pytest.raises(UnknownNameError, match="did you mean 'foreground'"):
        h2h.preprocess(scans, out=tmp_path / "b", recipe="foregound", quiet=True)


def test_lists_are_given_as_text_as_elsewhere(scans: Path, tmp_path: Path) -> None:
    found = h2h.audit(scans, out=tmp_path / "a", include="*/0*.png", ignore="H2H203=wanted", quiet=True)
    assert len(found.groups) == 10 and found.findings.set_index("code").loc["H2H203"]["outcome"] == "ignored"
    with pytest.raises(UnknownNameError, match="Unknown label in drop 'other'"):
        h2h.audit(scans, out=tmp_path / "b", drop="other", quiet=True)
