"""Tables whose samples are spread unevenly are named: a group with many samples, repeats that test different ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
from tests.planting.verdicts import judge


def images(extra: int) -> pd.DataFrame:
    """Return images of forty patients, three each, labels by patient; the first patient has `extra` more."""
    rng = np.random.default_rng(0)
    group = np.r_[np.repeat(np.arange(40), 3), np.zeros(extra, dtype=int)]
    label = (group % 2 == 0).astype(int)
    parts = []
    for name in ("cnn", "vit"):
        p = 1 / (1 + np.exp(-(label - 0.5 + rng.normal(size=len(group)))))
        parts.append(
            pd.DataFrame(
                {"sample": [f"s{i}" for i in range(len(group))], "group": [f"p{g}" for g in group],
                 "contender": name, "label": np.array(["no", "yes"])[label], "prob_no": 1 - p, "prob_yes": p}
            )
        )  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def said(frame: pd.DataFrame) -> str:
    return " ".join(judge(frame, classes=("no", "yes"), n_boot=100).caveats)


def test_a_group_with_many_samples_is_named_with_the_way_out() -> None:
    text = said(images(30))
    assert (
        "One group, p0, has 33 of 150 samples (22 %), and every sample counts the same. `headtohead verdict"
        in text
    )


def test_where_labels_differ_inside_groups_no_way_out_is_offered() -> None:
    frame = images(30)
    mixed = frame.assign(
        label=[
            "no" if name == "s0" else old for name, old in zip(frame["sample"], frame["label"], strict=True)
        ]
    )
    text = said(mixed)
    assert "One group, p0, has 33 of 150 samples" in text
    assert "--per case" not in text


def test_even_groups_are_not_remarked_upon() -> None:
    assert "counts the same" not in said(images(0))


def test_repeated_hold_out_is_about_methods_and_says_what_it_takes_for_the_training_size() -> None:
    frame, rng = images(0), np.random.default_rng(1)
    parts = []
    for repeat in range(3):
        chosen = {f"p{g}" for g in rng.permutation(40)[:15]}
        parts.append(frame[frame["group"].isin(chosen)].assign(repeat=repeat, fold=0))
    found = judge(pd.concat(parts, ignore_index=True), classes=("no", "yes"), n_boot=100)
    assert found.comparisons[0].target == "learners"
    assert any("repeated hold-out" in text for text in found.caveats)
    same = pd.concat([frame.assign(repeat=r, fold=0) for r in range(3)], ignore_index=True)
    assert judge(same, classes=("no", "yes"), n_boot=100).comparisons[0].target == "fixed_models"
