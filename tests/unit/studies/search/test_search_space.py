"""What is searched over: names that tell candidates apart, sizes of larger inputs, features made once each."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from headtohead.backbones.catalog import resolve
from headtohead.backbones.features.views import FeatureView
from headtohead.core.progress import QUIET
from headtohead.studies.search import search_space as module
from headtohead.studies.search.augmented_probe import AugmentedCopy
from headtohead.studies.search.search_space import (
    CandidateSpec,
    FeatureProvider,
    ablation_steps,
    candidate_specs,
)
from headtohead.training.data_loader import get_augmenter

CNN, VIT, HYBRID = "efficientnet-lite0", "dinov2-small", "vit-small-r26"


def test_a_name_says_all_that_a_candidate_is() -> None:
    assert CandidateSpec(CNN).name == f"{CNN}, foreground"
    whole = CandidateSpec(CNN, "none", FeatureView(layers=True, flip=True), large=True, copies=3)
    assert whole.name == f"{CNN}, none, layers+flip, large, 3 copies"


def test_larger_inputs_are_for_cnns_alone() -> None:
    found = candidate_specs([CNN, VIT, HYBRID], "foreground")
    assert [(one.backbone, str(one.view), one.large) for one in found] == [
        (CNN, "plain", False), (CNN, "symmetry", False), (CNN, "symmetry", True),
        (VIT, "plain", False), (VIT, "symmetry", False),
        (HYBRID, "plain", False), (HYBRID, "symmetry", False),
    ]  # fmt: skip


def test_steps_of_the_ablation_that_change_nothing_are_left_out() -> None:
    plain = [step.name for step in ablation_steps([CNN, VIT], "foreground")]
    assert plain == [
        "whole image", "+ foreground crop", "+ flipped images", "+ features of several layers",
        "+ differences of left and right", "+ larger input", "+ other backbones",
    ]  # fmt: skip
    assert [step.name for step in ablation_steps([CNN], "none")] == [
        name for name in plain[:6] if "crop" not in name
    ]
    last = ablation_steps([CNN, VIT], "foreground")[-1].members
    assert [(one.backbone, one.large) for one in last] == [(CNN, True), (VIT, False)]


def test_copies_are_tried_beside_the_first_and_the_last_features() -> None:
    steps = ablation_steps([CNN, VIT], "foreground", copies=2)
    aside = [step for step in steps if step.side_branch]
    assert [step.name for step in aside] == [
        "aside: 2 copies, last features",
        "aside: 2 copies, symmetry",
    ]
    assert [(str(one.view), one.copies) for step in aside for one in step.members] == [
        ("plain", 2),
        ("symmetry", 2),
    ]


@pytest.mark.parametrize(
    ("name", "side"),
    [(CNN, 320), ("efficientnet-lite2", 384), (VIT, 336), ("inception-resnet-v2", 448)],
)
def test_a_larger_input_is_about_half_as_large_again_in_whole_patches_or_strides(
    name: str, side: int
) -> None:
    record = resolve(name)
    assert module._sized_record(CandidateSpec(name)) == record
    large = module._sized_record(CandidateSpec(name, large=True))
    multiple = 14 if "patch14" in record.architecture else 32
    assert large.input_size == side and side % multiple == 0
    assert abs(side - 1.5 * record.input_size) <= multiple / 2


@pytest.fixture
def extracted(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what extractions were asked for; each gives rows of its own."""
    asked: list[Any] = []

    def extract(dataset: Any, record: Any, recipe: Any, view: Any, options: Any, **more: Any) -> Any:
        asked.append((record, recipe, view, options, more))
        return SimpleNamespace(rows=np.full((2, 2), len(asked)))

    monkeypatch.setattr(module, "extract_view", extract)
    return asked


def test_features_are_extracted_once_for_each_candidate(extracted: list[Any]) -> None:
    nothing: Any = None
    provider = FeatureProvider(nothing, Path("cache"), 7, QUIET)
    one, other = CandidateSpec(CNN), CandidateSpec(CNN, "none", FeatureView(flip=True), large=True)
    assert provider.features(one) is provider.features(CandidateSpec(CNN))
    assert provider.features(other)[0, 0] == 2 and len(extracted) == 2
    record, recipe, view, options, more = extracted[1]
    assert (record.input_size, recipe.name, view.flip, options.seed) == (320, "none", True, 7)
    assert options.change is None and more["cache"] == Path("cache")
    assert extracted[0][4]["prepared"] is more["prepared"], "images are prepared once for all"


def test_each_copy_is_another_draw_of_the_preset(extracted: list[Any]) -> None:
    nothing: Any = None
    light = get_augmenter("light")
    provider = FeatureProvider(nothing, Path("cache"), 7, QUIET, light)
    made = provider.copies(CandidateSpec(CNN, copies=3))
    assert len(made) == 3 and extracted == [], "made when they are asked for"
    for make in made:
        make()
    assert [asked[3].change for asked in extracted] == [AugmentedCopy(light, 7, n) for n in (1, 2, 3)]
    plain = FeatureProvider(nothing, Path("cache"), 7, QUIET)
    plain.copies(CandidateSpec(CNN, copies=1))[0]()
    assert extracted[-1][3].change is None
