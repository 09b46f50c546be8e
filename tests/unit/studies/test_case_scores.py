"""A comparison scores its images, or its cases."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from headtohead.core.errors import NoEffectError
from headtohead.core.records import Sample
from headtohead.data.dataset import Dataset
from headtohead.studies.case_scores import scored_lines


def dataset(n_images: int = 3) -> Dataset:
    samples = tuple(
        Sample(
            id=f"{case}/{i}", path=f"{case}/{i}", label=("no", "yes")[case % 2], group=f"p{case}", sha256=f"{case}{i}",
            pixel_hash=f"{case}{i}", width=1, height=1, n_bytes=1, mode="L", format="PNG", suffix=".png", bit_depth=8,
        )
        for case in range(8)
        for i in range(n_images)
    )  # fmt: skip
    return Dataset(root="", samples=samples, classes=("no", "yes"), positive="yes")


def predicted(data: Dataset, *, inner: bool = False) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = []
    for sample in data.samples:
        own = int(sample.group[1:]) % 4 // 2
        for fold in [1 - own] if inner else [own]:
            p = rng.uniform()
            rows.append(("a", 0, fold, sample.id, sample.group, sample.label, 1 - p, p))
    names = ["contender", "repeat", "fold", "sample", "group", "label", "prob_no", "prob_yes"]
    return pd.DataFrame(rows, columns=names)


@pytest.mark.parametrize("rule", ["case", "case:max"])
def test_cases_take_the_place_of_images(rule: str) -> None:
    data = dataset()
    outer, inner = predicted(data), predicted(data, inner=True)
    by: Mapping[str, Mapping[str, str]] = {"site": {s.id: f"site {s.group}" for s in data.samples}}
    scored = scored_lines(outer, inner, by, data, rule)
    expected = outer.groupby("group")["prob_yes"].agg("max" if rule == "case:max" else "mean")
    assert scored.predictions.set_index("sample")["prob_yes"].to_dict() == pytest.approx(expected.to_dict())
    assert len(scored.inner) == 8 and set(scored.inner["fold"]) == {0, 1}
    assert scored.by == {"site": {f"p{i}": f"site p{i}" for i in range(8)}}
    assert "24 images of 8 cases" in scored.notes[0]


def test_without_the_option_nothing_changes() -> None:
    data = dataset()
    outer, inner = predicted(data), predicted(data, inner=True)
    assert scored_lines(outer, inner, None, data, "case").by == {}
    scored = scored_lines(outer, inner, {}, data, None)
    assert scored.predictions is outer and scored.inner is inner and scored.notes == ()


def test_one_image_a_case_is_no_reason_for_it() -> None:
    data = dataset(1)
    with pytest.raises(NoEffectError, match="every group has one image"):
        scored_lines(predicted(data), predicted(data, inner=True), {}, data, "case")
