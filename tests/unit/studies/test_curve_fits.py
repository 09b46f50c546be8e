"""Fits of a learning curve on disk: read where nothing changed, made anew where anything that decides digits did."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from headtohead.core.progress import QUIET
from headtohead.data.splits.folds import Fold
from headtohead.heads.base import FoldResult, SampleLabels
from headtohead.heads.linear_probe import ProbeHead
from headtohead.studies import curve_fits
from headtohead.studies.curve_fits import CurveFits, fits_key

N = 48
LABELS = np.arange(N) % 2
DATA = SampleLabels(LABELS, np.array([f"g{i:02d}" for i in range(N)]), ("no", "yes"))
ROWS = np.random.default_rng(0).normal(size=(N, 6)) + LABELS[:, None]
place_of = np.arange(N) // 2 % 3
FOLDS = [Fold(0, f, np.flatnonzero(place_of != f), np.flatnonzero(place_of == f)) for f in range(3)]


class CountedProbe(ProbeHead):
    """A probe that counts its fits."""

    def __init__(
        self, rows: npt.NDArray[Any] = ROWS, grid: tuple[float, ...] = (1e-2, 1.0), **more: Any
    ) -> None:
        super().__init__(lambda: rows, grid, **more)
        self.fits = 0

    def fit_predict(self, *given: Any) -> FoldResult:
        self.fits += 1
        return super().fit_predict(*given)


def probabilities(path: Path, head: ProbeHead, **changed: Any) -> list[list[list[float]]]:
    data, seed = changed.get("data", DATA), changed.get("seed", 0)
    found = CurveFits(path, data, seed, changed.get("reporter", QUIET)).results(
        changed.get("name", "a"), head, changed.get("folds", FOLDS), 0.25
    )
    return [one.probabilities.tolist() for one in found]


def test_a_second_call_reads_the_same_digits(tmp_path: Path) -> None:
    first = probabilities(tmp_path, CountedProbe())
    again = CountedProbe()
    assert probabilities(tmp_path, again) == first and again.fits == 0
    assert [path.name for path in (tmp_path / "curve" / "a").iterdir()] == ["25.json"]
    other = CountedProbe(ROWS[:, ::-1].copy())
    probabilities(tmp_path, other, name="b")
    assert other.fits == len(FOLDS), "another contender is fitted"
    assert probabilities(tmp_path, again) == first and again.fits == 0, "and leaves the first one's fits"


def moved() -> npt.NDArray[Any]:
    rows = ROWS.copy()
    rows[0, 0] = np.nextafter(rows[0, 0], 9)
    return rows


def swapped() -> list[Fold]:
    first = FOLDS[0]
    return [Fold(0, 0, first.train[2:], first.test), *FOLDS[1:]]


STALE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "one bit of a feature": ({"rows": moved()}, {}),
    "precision of the features": ({"rows": ROWS.astype(np.float32)}, {}),
    "grid": ({"grid": (1e-2, 0.5)}, {}),
    "class weights": ({"balanced": True}, {}),
    "seed": ({}, {"seed": 1}),
    "training part": ({}, {"folds": swapped()}),
    "a group": ({}, {"data": replace(DATA, groups=np.array(["g01", *DATA.groups[1:]]))}),
    "a label": ({}, {"data": replace(DATA, labels=np.array([1, *LABELS[1:]]))}),
    "names of classes": ({}, {"data": replace(DATA, classes=("no", "maybe"))}),
}


@pytest.mark.parametrize("what", STALE)
def test_a_stale_entry_is_never_used(tmp_path: Path, what: str) -> None:
    settings, study = STALE[what]
    probabilities(tmp_path, CountedProbe())
    changed = CountedProbe(**settings)
    found = probabilities(tmp_path, changed, **study)
    assert changed.fits == len(FOLDS)
    assert found == probabilities(tmp_path / "fresh", CountedProbe(**settings), **study)


@pytest.mark.parametrize("what", ["versions", "processor", "version of fitting"])
def test_what_computed_it_is_part_of_the_key(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    before = fits_key("a", CountedProbe(), FOLDS, DATA, 0)
    assert (
        before
        == fits_key("a", CountedProbe(), FOLDS, DATA, 0)
        != fits_key("b", CountedProbe(), FOLDS, DATA, 0)
    )
    if what == "versions":
        monkeypatch.setattr(curve_fits, "package_versions", lambda names: dict.fromkeys(names, "0"))
    elif what == "processor":
        monkeypatch.setattr(curve_fits, "processor", lambda: "another")
    else:
        monkeypatch.setattr(curve_fits, "FITTING", -1)
    assert fits_key("a", CountedProbe(), FOLDS, DATA, 0) != before


@pytest.mark.parametrize("damage", ["half", "shape", "nan", "list"])
def test_a_damaged_file_is_named_and_fitted_again(tmp_path: Path, damage: str) -> None:
    first = probabilities(tmp_path, CountedProbe())
    path = tmp_path / "curve" / "a" / "25.json"
    content = json.loads(path.read_text())
    if damage == "shape":
        content["probabilities"][0] = content["probabilities"][0][1:]
    elif damage == "nan":
        content["probabilities"][0][0] = [None, None]
    path.write_text("[]" if damage == "list" else json.dumps(content)[: 40 if damage == "half" else None])
    told: list[str] = []
    reporter: Any = SimpleNamespace(warning=told.append)
    again = CountedProbe()
    assert probabilities(tmp_path, again, reporter=reporter) == first and again.fits == len(FOLDS)
    assert len(told) == 1 and "25.json is damaged" in told[0]
    assert probabilities(tmp_path, CountedProbe(), reporter=reporter) == first and len(told) == 1


def test_what_is_no_probe_is_fitted_each_time(tmp_path: Path) -> None:
    probe = CountedProbe()
    other: Any = SimpleNamespace(fit_predict=probe.fit_predict)
    assert probabilities(tmp_path, other) == probabilities(tmp_path, other)
    assert probe.fits == 2 * len(FOLDS) and not (tmp_path / "curve").exists()
