"""Figures of a run: the curves and pairs of its files, those that were asked for, in the Axes that were given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.figure import Figure
from tests.planting.verdicts import judge

from headtohead.api.results.comparison_run import COMPARISON_COLUMNS
from headtohead.api.results.plots import RunPlots
from headtohead.core.errors import UnknownNameError
from headtohead.core.records import Verdict


@pytest.fixture(autouse=True)
def no_figures_left() -> Iterator[None]:
    yield
    pyplot.close("all")


def verdict(classes: tuple[str, ...]) -> Verdict:
    rng = np.random.default_rng(0)
    rows = []
    for name, skill in (("good", 2.0), ("ensemble(a,b)", 0.5)):
        for i in range(60):
            score = rng.normal(size=len(classes))
            score[i % len(classes)] += skill
            p = np.exp(score) / np.exp(score).sum()
            rows.append(
                {"sample": f"s{i}", "group": f"g{i}", "repeat": 0, "fold": i % 3, "contender": name,
                 "label": classes[i % len(classes)]} | {f"prob_{c}": v for c, v in zip(classes, p, strict=True)}
            )  # fmt: skip
    return judge(
        pd.DataFrame(rows), classes=classes, positive=classes[1] if len(classes) == 2 else None, n_boot=100
    )


@pytest.fixture(scope="module")
def two() -> Verdict:
    return verdict(("no", "yes"))


def plots(made: Verdict) -> RunPlots:
    pairs = pd.DataFrame(
        [[getattr(c, n, None) for n in COMPARISON_COLUMNS] for c in made.comparisons],
        columns=list(COMPARISON_COLUMNS),
    )
    scores = pd.DataFrame(
        [(s.contender, s.metric, s.value) for s in made.scores], columns=["contender", "metric", "value"]
    )
    return RunPlots(made, pairs, scores)


def labels(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()] if axes.get_legend() else []


def test_roc_curves_are_named_with_their_areas(two: Verdict) -> None:
    axes = plots(two).roc()
    area = {s.contender: s.value for s in two.scores if s.metric == "auroc"}
    named = " ".join(labels(axes)) + " ".join(text.get_text() for text in axes.texts)
    for name, value in area.items():
        assert f"{name} ({value:.3f})" in named
    assert axes.get_title() == "positive class: yes"


def test_only_the_contenders_asked_for_are_drawn_as_a_list_or_a_text(two: Verdict) -> None:
    made = plots(two)
    every, one = len(made.roc().lines), len(made.roc(["good"]).lines)
    assert one < every == len(made.roc("good,ensemble(a,b)").lines) and len(made.roc("good").lines) == one
    assert len(made.calibration("ensemble(a,b)").lines) < len(made.calibration().lines)
    for draw in (made.roc, made.calibration):
        with pytest.raises(UnknownNameError, match=r"^Unknown contender 'god'; did you mean 'good'"):
            draw("god")


def test_given_axes_are_drawn_into_and_returned(two: Verdict) -> None:
    made = plots(two)
    for draw in (made.roc, made.calibration, made.differences):
        own = Figure().add_subplot()
        assert draw(ax=own) is own and (own.lines or own.collections)
    assert pyplot.get_fignums() == []
    made.differences()
    assert len(pyplot.get_fignums()) == 1, "new Axes are pyplot's, which a notebook shows"


def test_beyond_two_classes_each_class_has_a_curve_against_the_rest() -> None:
    made = verdict(("a", "b", "c"))
    axes = plots(made).roc(["good"])
    named = " ".join(labels(axes)) + " ".join(text.get_text() for text in axes.texts)
    for name in "abc":
        assert f"good, {name} against the rest" in named
    assert axes.get_title() == "" and "(0." not in named


def test_a_figure_of_many_pairs_is_taller(two: Verdict) -> None:
    made = plots(two)

    def height() -> float:
        figure: Any = made.differences().figure
        return float(figure.get_figheight())

    low = height()
    made._comparisons = pd.concat([made._comparisons] * 4, ignore_index=True)
    assert height() == pytest.approx(low + 3 * 0.6)
