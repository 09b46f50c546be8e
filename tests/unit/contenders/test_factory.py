"""Heads are built in the order of the plan, budgets cut grids, and repeated trainings are announced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from headtohead.contenders.factory import build_heads
from headtohead.contenders.mode import BuildContext, PlannedContender
from headtohead.contenders.plan import ContenderPlan
from headtohead.contenders.tuned_modes import ENSEMBLE_FOLDS
from headtohead.core.errors import UsageError
from headtohead.heads.ensemble import EnsembleHead
from headtohead.heads.linear_probe import C_GRID, ProbeHead
from headtohead.heads.mlp import MlpHead
from headtohead.heads.replicates import FoldEnsembleHead, SeedEnsembleHead

VIT, CNN = "scratch:test_vit", "scratch:test_efficientnet"
Make = Callable[..., BuildContext]


def heads_of(text: str, context: BuildContext) -> dict[str, Any]:
    return dict(build_heads(ContenderPlan.parse(text), context))


def test_each_kind_of_contender_gets_its_head_members_first(context: Make) -> None:
    found = heads_of(f"ensemble(seeds({VIT}@mlp,2),folds({CNN},3)),{CNN}", context())
    assert {name: type(head) for name, head in found.items()} == {
        CNN: ProbeHead,
        f"{VIT}@mlp": MlpHead,
        f"seeds({VIT}@mlp,2)": SeedEnsembleHead,
        f"folds({CNN},3)": FoldEnsembleHead,
        f"ensemble(seeds({VIT}@mlp,2),folds({CNN},3))": EnsembleHead,
    }
    assert list(found)[:2] == [CNN, f"{VIT}@mlp"] and next(reversed(found)).startswith("ensemble(")


def test_replicates_repeat_the_head_of_their_member_as_often_as_was_asked(context: Make) -> None:
    found = heads_of(f"folds({CNN},3),seeds({VIT}@mlp,2)", context())
    folds, seeds = found[f"folds({CNN},3)"], found[f"seeds({VIT}@mlp,2)"]
    assert found[CNN] in vars(folds).values() and 3 in vars(folds).values()
    assert found[f"{VIT}@mlp"] in vars(seeds).values() and 2 in vars(seeds).values()


def test_a_budget_of_trials_is_the_number_of_values_of_c(context: Make) -> None:
    def grid(**train: Any) -> tuple[float, ...]:
        head = heads_of(CNN, context(**train))[CNN]
        return next(value for value in vars(head).values() if isinstance(value, tuple))

    assert grid() == tuple(C_GRID)
    assert grid(budget="3", policy="inner") == (C_GRID[0], C_GRID[len(C_GRID) // 2], C_GRID[-1])
    assert grid(budget="10min", policy="inner") == tuple(C_GRID), "minutes do not cut a grid"


@pytest.mark.parametrize(("balance", "balanced"), [("none", False), ("loss", True), ("sampler", True)])
def test_balanced_classes_reach_probes_and_mlps(context: Make, balance: str, balanced: bool) -> None:
    found = heads_of(f"{CNN},{CNN}@mlp", context(balance=balance))
    assert balanced in vars(found[CNN]).values()
    settings = next(v for v in vars(found[f"{CNN}@mlp"]).values() if hasattr(v, "decays"))
    assert settings.balance == ("loss" if balanced else "none"), "full batches draw no images"


def test_features_of_joined_networks_stand_side_by_side_in_the_order_named(context: Make) -> None:
    made = context()
    sizes = {VIT: 2, CNN: 3}
    made.features.matrix = lambda record, view: np.full(  # type: ignore[method-assign]
        (4, sizes[record.name]), float(view.flip) + sizes[record.name]
    )
    for text, row in (
        (f"hybrid({VIT},{CNN})", [2, 2, 3, 3, 3]),
        (f"hybrid({CNN},{VIT})", [3, 3, 3, 2, 2]),
        (f"{VIT}@probe:flip", [3, 3]),
    ):
        (head,) = heads_of(text, made).values()
        rows = head.rows()
        assert rows.shape == (4, len(row)) and rows[1].tolist() == row


def test_flips_are_refused_where_the_preset_says_that_they_are_not_sound(context: Make) -> None:
    with pytest.raises(UsageError) as told:
        heads_of(f"{VIT}@probe:symmetry", context(augment="xray"))
    assert str(told.value) == (
        f"'{VIT}@probe:symmetry': the augmentation preset 'xray' says that flipped images are not sound for this kind "
        "of image; leave out flip and symmetry, or choose a preset that flips."
    )
    heads_of(f"{VIT}@probe:symmetry,{VIT}@mlp:flip", context())
    heads_of(f"{VIT}@probe:layers", context(augment="xray"))


def test_trainings_repeated_for_weights_are_announced_with_their_number(context: Make) -> None:
    plan = ContenderPlan.parse(f"ensemble({VIT}@finetune,{CNN},how=stacked)")
    for train, folds in (({}, ENSEMBLE_FOLDS), ({"inner_folds": 4}, 4)):
        made = context(**train)
        made.features.dataset.samples = ()  # type: ignore[misc]
        build_heads(plan, made)
        (said,) = made.features.reporter.warnings  # type: ignore[attr-defined]
        assert said.startswith(
            f"The weights of an ensemble come from inner folds, so {VIT}@finetune is trained {folds} more times in "
            "every cell."
        )
    quiet = context()
    heads_of(f"ensemble({VIT},{CNN},how=stacked)", quiet)
    assert quiet.features.reporter.warnings == []  # type: ignore[attr-defined]


def test_a_contender_of_no_kind_is_refused(context: Make) -> None:
    spec = ContenderPlan.parse(VIT).named[0]
    plan = ContenderPlan((spec,), (PlannedContender(spec),), ())
    with pytest.raises(UsageError, match="is neither trained nor made of other contenders"):
        build_heads(plan, context())


def test_fine_tuned_members_predict_inner_folds_only_where_weights_are_learned(context: Make) -> None:
    for how, folds in (("stacked", ENSEMBLE_FOLDS), ("mean", 0)):
        made = context()
        made.features.dataset.samples = ()  # type: ignore[misc]
        found = heads_of(f"ensemble({VIT}@finetune,{CNN},how={how})", made)
        assert found[f"{VIT}@finetune"].settings.inner_folds == folds
