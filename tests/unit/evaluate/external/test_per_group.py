"""One prediction per group: mean and largest, and what cannot be joined."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest

from headtohead.api.predictions import verdict
from headtohead.core.errors import ManifestError, UnknownNameError, UsageError
from headtohead.evaluate.external.per_group import PerGroup
from headtohead.evaluate.external_predictions import parse_predictions


def images(n_groups: int = 40, size: int = 3) -> pd.DataFrame:
    """Return images of patients, labels by patient; the first patient has thirty more images."""
    rng = np.random.default_rng(0)
    group = np.r_[np.repeat(np.arange(n_groups), size), np.zeros(30, dtype=int)]
    label = (group % 2 == 0).astype(int)
    parts = [
        pd.DataFrame(
            {"sample": [f"s{i}" for i in range(len(group))], "group": [f"p{g}" for g in group], "model": model,
             "label": np.array(["benign", "malignant"])[label],
             "score": 1 / (1 + np.exp(-(label - 0.5 + rng.normal(size=len(group)))))}
        )
        for model in ("cnn", "vit")
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


@pytest.mark.parametrize(("way", "summary"), [("mean", "mean"), ("max", "max")])
def test_each_group_has_one_line_per_model(way: PerGroup, summary: Literal["mean", "max"]) -> None:
    frame = images()
    found = parse_predictions(frame, per_group=way)
    assert len(found.frame) == 80
    assert found.frame["sample"].tolist() == found.frame["group"].tolist()
    for model in ("cnn", "vit"):
        expected = frame[frame["model"] == model].groupby("group")["score"].agg(summary)
        got = found.frame[found.frame["contender"] == model].set_index("group")
        assert got["prob_malignant"].to_dict() == pytest.approx(expected.to_dict())
        assert (got["prob_malignant"] + got["prob_benign"]).to_numpy() == pytest.approx(1)
    assert any("150 samples in 40 groups" in note for note in found.notes)


def test_a_patient_with_many_images_is_named_and_then_counts_once() -> None:
    frame = images().assign(site="A")
    whole = verdict(frame, n_boot=100, quiet=True)
    assert any("One group, p0, has 33 of 150 samples (22 %)" in text for text in whole.caveats)
    assert any("--per-group mean" in text for text in whole.caveats)
    once = verdict(frame, per_group="mean", by=["site"], n_boot=100, quiet=True)
    assert once.details.size is not None and once.details.size.n_samples == 40
    assert not any("p0" in text for text in once.caveats)


def test_even_groups_are_not_remarked_upon() -> None:
    frame = images()
    even = frame[frame["sample"].str.removeprefix("s").astype(int) < 120]
    assert not any(
        "every sample counts alike" in text for text in verdict(even, n_boot=100, quiet=True).caveats
    )


@pytest.mark.parametrize(
    ("column", "values"), [("label", ["benign", "malignant"]), ("fold", [0, 1]), ("site", ["A", "B"])]
)
def test_a_group_with_several_values_is_refused(column: str, values: list[Any]) -> None:
    frame = images().assign(fold=0, site="A")
    cells: list[Any] = [
        values[1] if name == "s0" else old for name, old in zip(frame["sample"], frame[column], strict=True)
    ]
    frame[column] = cells
    with pytest.raises(ManifestError, match=f"1 group with more than one {column} .p0."):
        parse_predictions(frame, per_group="mean", by=["site"])


def test_the_largest_needs_two_classes_and_a_way_must_be_known() -> None:
    three = pd.DataFrame(
        {"sample": list("abc"), "group": list("abc"), "model": "m", "label": ["x", "y", "z"],
         "prob_x": [0.5, 0.3, 0.2], "prob_y": [0.3, 0.4, 0.2], "prob_z": [0.2, 0.3, 0.6]}
    )  # fmt: skip
    with pytest.raises(UsageError, match="3 classes"):
        parse_predictions(three, per_group="max")
    with pytest.raises(UnknownNameError, match="--per-group"):
        verdict(images(), per_group="median", quiet=True)
