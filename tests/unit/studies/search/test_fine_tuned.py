"""Fine-tuning until the time is over: what is finished is kept and said, what is not is in neither table nor model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headtohead.core.progress import QUIET
from headtohead.core.run_folder import RunFolder
from headtohead.data.dataset import Dataset
from headtohead.data.splits.folds import Fold
from headtohead.heads.base import SampleLabels
from headtohead.studies.search.deadline import DeadlineReporter, TimeOverError
from headtohead.studies.search.fine_tuned import GO_ON, FineTuner, tuned_heads

FOLDS = [Fold(repeat, fold, np.array([0]), np.array([1])) for repeat in (0, 1, 2) for fold in (0, 1)]
NAMES = ("a@finetune", "b@finetune")
OVER = DeadlineReporter(QUIET, np.inf)


@pytest.fixture
def tuner(samples: Callable[..., Dataset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a tuner whose work is written down, and which ends after so many steps."""
    data = samples([0, 1])
    heads: Any = dict.fromkeys(NAMES, object())
    made: Any = FineTuner(
        heads, data, SampleLabels(data.labels(), data.groups(), data.classes), "none", RunFolder(tmp_path), 0
    )
    done: list[str] = []

    def step(what: str, most: int) -> None:
        if len(done) >= most:
            raise TimeOverError("The time that was given is over.")
        done.append(what)

    def run(most: int) -> tuple[Any, list[str]]:
        def fit(heads: Any, folds: Any, *_: Any, **__: Any) -> None:
            assert set(heads) == set(NAMES)
            step(f"repeat {folds[0].repeat} of {len(folds)} folds", most)

        def whole(name: str, *_: Any) -> dict[str, Any]:
            step(f"all {name}", most)
            return {"name": name}

        monkeypatch.setattr("headtohead.heads.cross_validation.fit_cells", fit)
        monkeypatch.setattr("headtohead.studies.search.fine_tuned.fit_on_all", whole)
        return made.run(FOLDS, OVER), done

    return run


def test_one_repeat_then_all_images_then_the_others(tuner: Any) -> None:
    found, done = tuner(99)
    assert done == [
        "repeat 0 of 2 folds", "all a@finetune", "all b@finetune", "repeat 1 of 2 folds", "repeat 2 of 2 folds"
    ]  # fmt: skip
    assert found.names == NAMES and found.folds == FOLDS and found.notes == []
    assert [model["name"] for model in found.models] == list(NAMES)


@pytest.mark.parametrize(
    ("steps", "n_folds", "n_models", "note"),
    [
        (0, 0, 0, f"The time was over before fine-tuning of a and b had finished one repeat. {GO_ON}"),
        (1, 0, 0, f"The time was over before fine-tuning of a and b had finished on all images. {GO_ON}"),
        (2, 0, 0, f"The time was over before fine-tuning of a and b had finished on all images. {GO_ON}"),
        (
            3,
            2,
            2,
            "The time was over before fine-tuning of a and b had finished: all rows are of 1 of 3 repeats.",
        ),
        (
            4,
            4,
            2,
            "The time was over before fine-tuning of a and b had finished: all rows are of 2 of 3 repeats.",
        ),
    ],
)
def test_what_the_time_did_not_suffice_for_is_said(
    steps: int, n_folds: int, n_models: int, note: str, tuner: Any
) -> None:
    found, _ = tuner(steps)
    assert (len(found.folds), len(found.models), found.notes) == (n_folds, n_models, [note])


def test_without_networks_nothing_is_fine_tuned(samples: Callable[..., Dataset], tmp_path: Path) -> None:
    data = samples([0, 1])
    labels = SampleLabels(data.labels(), data.groups(), data.classes)
    found = FineTuner({}, data, labels, "none", RunFolder(tmp_path), 0).run(FOLDS, OVER)
    assert (found.names, found.folds, found.models, found.notes) == ((), [], [], [])


def test_heads_choose_nothing_and_train_as_was_stated(samples: Callable[..., Dataset]) -> None:
    data = samples([0, 1])
    found = tuned_heads(["efficientnet-lite0", "dinov2-small"], data, "foreground", epochs=3, augment="mri")
    assert list(found) == ["efficientnet-lite0@finetune", "dinov2-small@finetune"]
    cnn, vit = (head.settings for head in found.values())
    assert {(one.policy, one.epochs, one.augment) for one in (cnn, vit)} == {("fixed", 3, "mri")}
    assert cnn.learning_rate == pytest.approx(5 * vit.learning_rate)
