"""A question that cannot be asked of the data is refused before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from headtohead.core.config import StudyConfig
from headtohead.core.errors import NoEffectError, UndefinedMetricError, UnknownNameError, UsageError
from headtohead.studies.comparison import ComparisonStudy


@pytest.fixture
def three_classes(tmp_path: Path) -> Path:
    """A table of twelve tiny images of three classes, with a column `site`."""
    rng = np.random.default_rng(0)
    rows = ["path,label,patient,site"]
    for i in range(12):
        Image.fromarray(rng.integers(0, 255, (24, 24), dtype=np.uint8)).save(tmp_path / f"{i}.png")
        rows.append(f"{i}.png,{'abc'[i % 3]},p{i},{'north' if i % 2 else 'south'}")
    table = tmp_path / "images.csv"
    table.write_text("\n".join(rows) + "\n")
    return table


def study_of(table: Path, **more: Any) -> ComparisonStudy:
    settings = {"data": str(table), "contenders": ("scratch-cnn",), **more}
    return ComparisonStudy(StudyConfig.from_settings(settings), table.parent / "run")


def test_a_metric_that_no_data_has_leaves_no_trace(three_classes: Path) -> None:
    study = study_of(three_classes, metric="auc")
    with pytest.raises(UnknownNameError, match="did you mean 'auroc'"):
        study.run()
    assert not (three_classes.parent / "run" / "study.toml").exists()


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        ({"metric": "sensitivity_d"}, UnknownNameError, "sensitivity_d"),
        ({"metric": "partial_auroc"}, UndefinedMetricError, "two classes; got 3"),
        ({"prevalence": 0.02}, NoEffectError, "with 3 classes"),
        ({"by": ("sites",)}, UnknownNameError, "did you mean 'site'"),
    ],
)
def test_what_these_classes_or_columns_cannot_answer_is_refused_first(
    three_classes: Path, asked: dict[str, Any], error: type[UsageError], words: str
) -> None:
    with pytest.raises(error, match=words):
        study_of(three_classes, **asked).run()
    assert not list((three_classes.parent / "run").glob("cells/*"))


@pytest.mark.parametrize(
    ("contender", "train", "error", "words"),
    [
        ("scratch:test_resnet@partial:99", {}, NoEffectError, "partial:99 asks for 99 of"),
        ("snapshots(scratch:test_resnet@partial:99,2)", {}, NoEffectError, "partial:99 asks for 99 of"),
        ("scratch:dla46_c@finetune", {"drop_path": 0.1}, NoEffectError, "no branches"),
        ("hybrid(scratch:test_resnet,scratch:test_vit)@finetune", {"drop_path": 0.1}, UsageError, "hybrid"),
    ],
)
def test_what_a_network_does_not_have_is_refused_before_the_first_contender_is_trained(
    three_classes: Path, contender: str, train: dict[str, Any], error: type[UsageError], words: str
) -> None:
    study = study_of(three_classes, contenders=("scratch-cnn", contender), train=train)
    with pytest.raises(error, match=words):
        study.run()
    assert not list((three_classes.parent / "run").glob("cells/*"))


def test_blocks_that_a_network_has_are_let_through(three_classes: Path) -> None:
    contenders = ("scratch:test_resnet@partial:1",)
    study_of(three_classes, contenders=contenders, train={"drop_path": 0.1}).validate_contenders()


def test_what_can_be_asked_is_let_through(three_classes: Path) -> None:
    study_of(three_classes, metric="sensitivity_b", by=("site",)).validate_against_data()


@pytest.mark.parametrize("kind", ["compare", "best", "reproduce"])
def test_two_classes_that_do_not_say_which_is_positive_are_asked_about_before_any_work(
    three_classes: Path, kind: str
) -> None:
    from headtohead.core.config import ReproductionConfig, SearchConfig, StudyConfig
    from headtohead.studies.base import Study
    from headtohead.studies.reproduction.reproduce import ReproductionStudy
    from headtohead.studies.search.search import SearchStudy

    settings = {"data": str(three_classes), "data_options": {"drop": ("c",)}}
    run = three_classes.parent / "run"
    study: Study[Any]
    if kind == "compare":
        study = ComparisonStudy(StudyConfig.from_settings({**settings, "contenders": ("scratch-cnn",)}), run)
    elif kind == "best":
        study = SearchStudy(SearchConfig.from_settings(settings), run)
    else:
        study = ReproductionStudy(ReproductionConfig.from_settings(settings), run)
    with pytest.raises(
        UsageError, match=r"'a' \(4 images\) or 'b' \(4 images\).*--positive a or --positive b"
    ):
        study.run()
    assert not (run / "study.toml").exists() and not (run / "audit.json").exists()


def test_a_positive_class_that_was_given_is_not_asked_for_again(three_classes: Path) -> None:
    study_of(three_classes, data_options={"drop": ("c",), "positive": "b"})._refuse_unclear_classes()
