"""The search: what it may see, what it may not, and that a cheating one would be caught."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from headtohead.best import _cells, _heads, _judged
from headtohead.core.records import Sample
from headtohead.core.reporter import QUIET
from headtohead.core.runs import RunFolder
from headtohead.data.dataset import Dataset
from headtohead.searching.figures import SEARCHED, content, final_model
from headtohead.searching.ingredients import Ingredients, candidates, ladder

N, D = 100, 8


def dataset(labels: npt.NDArray[np.int64], groups: int) -> Dataset:
    samples = tuple(
        Sample(
            id=f"s{i:03d}", path=f"s{i:03d}.png", label=("no", "yes")[label], group=f"g{i // 2 % groups}",
            sha256=f"{i:064x}", pixel_hash=f"p{i}", width=8, height=8, n_bytes=9, mode="L", format="PNG",
            suffix=".png", bit_depth=8,
        )
        for i, label in enumerate(labels)
    )  # fmt: skip
    return Dataset("nowhere", samples, ("no", "yes"), "yes")


class Noise:
    """Feature rows that know nothing, or a little, of the labels."""

    def __init__(self, data: Dataset, skill: float) -> None:
        self.labels, self.skill = data.labels(), skill

    def rows(self, wanted: Ingredients) -> npt.NDArray[np.float32]:
        rng = np.random.default_rng(len(wanted.name) * 7)
        rows = rng.normal(size=(N, D))
        rows[:, 0] += self.skill * self.labels
        return rows.astype(np.float32)


TRIED = [
    Ingredients("a"),
    Ingredients("a", mirror=True),
    Ingredients("bb", layers=True),
    Ingredients("ccc", "none"),
]
RUNGS = [("whole picture", [TRIED[0]]), ("+ others", TRIED[:2])]


def estimate(tmp_path: Path, data: Dataset, kitchen: Any) -> tuple[Any, Any, Any, list[Any]]:
    run = RunFolder(tmp_path)
    heads = _heads(TRIED, RUNGS, kitchen, run, 0)
    parts = _cells(heads, data, run, (4, 2, 0), np.inf, QUIET)
    shown = [*(name for name, _ in RUNGS), SEARCHED]
    verdict, table, chosen = _judged(shown, data, run, parts, 0, QUIET)
    return verdict, table, chosen, parts


def auroc(verdict: Any, name: str) -> float:
    return float(next(s.value for s in verdict.scores if s.contender == name and s.metric == "auroc"))


def test_meaningless_labels_get_chance_and_a_cheat_would_not(tmp_path: Path) -> None:
    labels = np.random.default_rng(4).permutation(np.arange(N) % 2)
    data = dataset(labels, N)
    verdict, table, chosen, parts = estimate(tmp_path, data, Noise(data, 0.0))
    score = next(s for s in verdict.scores if s.contender == SEARCHED and s.metric == "auroc")
    assert score.low < 0.5 < score.high
    assert chosen and len(parts) == 8
    # the same candidates, the best of them picked by what it scores on the test part: well above chance
    from headtohead.evaluate.crossval import cell_key
    from headtohead.heads.cellfile import read_cell

    run, hits = RunFolder(tmp_path), []
    for part in parts:
        truth = labels[part.test]
        found = [
            read_cell(run.cell_path(one.name, part.repeat, part.fold), cell_key(one.name, part, 0), 2)
            for one in TRIED
        ]
        hits.append(
            max(float((c.probabilities.argmax(axis=1) == truth).mean()) for c in found if c is not None)
        )
    honest = (table[table.contender == SEARCHED].prob_yes > 0.5) == (
        table[table.contender == SEARCHED].label == "yes"
    )
    assert np.mean(hits) > honest.mean() + 0.03


def test_search_finds_what_is_there_and_tells_it(tmp_path: Path) -> None:
    data = dataset((np.arange(N) // 2) % 2, N)
    kitchen: Any = Noise(data, 3.0)
    verdict, _, chosen, parts = estimate(tmp_path, data, kitchen)
    assert auroc(verdict, SEARCHED) > 0.9
    told = content(verdict, chosen, parts, data, [one.name for one in TRIED], 60.0)
    assert [row["name"] for row in told["ladder"]] == ["whole picture", "+ others", SEARCHED]
    gain = told["ladder"][1]["gain_in_auroc"]
    assert gain["difference"] == pytest.approx(auroc(verdict, "+ others") - auroc(verdict, "whole picture"))
    assert gain["low"] <= gain["difference"] <= gain["high"]
    model = final_model(TRIED, kitchen, data, tmp_path, 0)
    assert sum(one["weight"] for one in model["members"]) == pytest.approx(1.0)
    arrays = np.load(tmp_path / "model.npz")
    assert arrays[f"{model['members'][0]['arrays']}_weights"].shape == (1, D)
    told["model"] = model
    from headtohead.report.ladder import page

    whole = page(told, verdict)
    assert "+ others" in whole and "https://" not in whole


def test_time_that_is_over_ends_after_a_whole_repeat(tmp_path: Path) -> None:
    data = dataset((np.arange(N) // 2) % 2, N)
    run = RunFolder(tmp_path)
    heads = _heads(TRIED, RUNGS, Noise(data, 1.0), run, 0)  # type: ignore[arg-type]
    assert len(_cells(heads, data, run, (4, 3, 0), -np.inf, QUIET)) == 4


def test_ladder_adds_one_thing_at_a_time_from_what_is_searched() -> None:
    rungs = ladder(["x", "y"], "foreground")
    assert rungs[0][0] == "whole picture"
    assert [len(members) for _, members in rungs] == [1, 1, 1, 1, 2, 4]
    assert len({one.name for one in candidates(["x", "y"], "foreground")}) == 10
    assert all(one.recipe == "none" for one in candidates(["x"], "none"))
