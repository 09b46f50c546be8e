"""What is scored: images or cases, and whether that is what training scored."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest
from tests.planting.listener import Listener

from headtohead.core.errors import UsageError
from headtohead.core.records import Sample
from headtohead.data.options import LoadOptions
from headtohead.deploy.bundle.records import InputSpec, PreprocessorConfig
from headtohead.deploy.evaluation.lines import same_units, score_lines, warn_of_readings

SAMPLES = [
    Sample.model_construct(
        id=f"{n}", group=f"g{n // 2}", label="yes" if n > 3 else "no", extra={"site": "ab"[n // 4]}
    )
    for n in range(6)
]
FRAME = pd.DataFrame(
    {
        "sample": [s.id for s in SAMPLES],
        "group": [s.group for s in SAMPLES],
        "contender": "m",
        "repeat": 0,
        "fold": 0,
        "label": [s.label for s in SAMPLES],
        "prob_no": [0.9, 0.7, 0.6, 0.8, 0.4, 0.2],
        "prob_yes": [0.1, 0.3, 0.4, 0.2, 0.6, 0.8],
    }
)
MODEL = cast(Any, SimpleNamespace(classes=("no", "yes"), positive="yes"))


def test_images_are_scored_as_they_are() -> None:
    lines = score_lines(FRAME, SAMPLES, MODEL, ["site"], None)
    assert lines.frame is FRAME and lines.notes == ()
    assert lines.by == {"site": {"0": "a", "1": "a", "2": "a", "3": "a", "4": "b", "5": "b"}}
    assert score_lines(FRAME, SAMPLES, MODEL, [], None).by == {}


@pytest.mark.parametrize(
    ("per", "expected"),
    [("case", [0.2, 0.3, 0.7]), ("case:mean", [0.2, 0.3, 0.7]), ("case:max", [0.3, 0.4, 0.8])],
)
def test_a_case_has_the_mean_or_the_greatest_of_its_images(per: str, expected: list[float]) -> None:
    lines = score_lines(FRAME, SAMPLES, MODEL, ["site"], per)
    assert lines.frame["prob_yes"].tolist() == pytest.approx(expected)
    assert lines.frame["label"].tolist() == ["no", "no", "yes"]
    assert set(lines.by["site"].values()) == {"a", "b"} and len(lines.by["site"]) == 3
    assert len(lines.notes) == 1


def test_a_column_that_no_image_has_is_named() -> None:
    with pytest.raises(UsageError, match=r"The data have no column 'scanner' for --by"):
        score_lines(FRAME, SAMPLES, MODEL, ["site", "scanner"], None)


@pytest.mark.parametrize(
    ("here", "trained", "same"),
    [
        (None, None, True), ("case", "case:mean", True), ("case:max", "case:max", True),
        ("case", None, False), (None, "case:mean", False), ("case:max", "case", False),
    ],
)  # fmt: skip
def test_units_are_the_same_by_their_rule(here: str | None, trained: str | None, same: bool) -> None:
    assert same_units(here, trained) is same


@pytest.mark.parametrize(
    ("channels", "volume", "options", "named"),
    [
        ((0, 2), None, {}, ["--channels 0,2"]),
        ((0, 2), None, {"channels": (0, 2)}, []),
        ((0, 2), None, {"channels": (2, 0)}, ["--channels 0,2"]),
        ((), 3, {}, ["--volume 3"]),
        ((), 3, {"volume": 3}, []),
        ((1,), 3, {"volume": 2}, ["--channels 1", "--volume 3"]),
        ((), None, {"channels": (1,), "volume": 2}, []),
    ],
)
def test_other_readings_than_those_of_training_are_warned_of(
    channels: tuple[int, ...], volume: int | None, options: dict[str, Any], named: list[str]
) -> None:
    one = InputSpec(input_size=8, mean=(0.5,) * 3, std=(0.5,) * 3)
    taken = PreprocessorConfig(recipes=(), inputs=(one,), channels=channels, volume=volume)
    listening = Listener()
    warn_of_readings(
        [cast(Any, SimpleNamespace(name="m", preprocessing=taken))], LoadOptions(**options), listening
    )
    assert len(listening.warnings) == len(named)
    assert all(
        f"m was trained with {name};" in said for name, said in zip(named, listening.warnings, strict=True)
    )
