"""A plan says in which order contenders come, how each is trained, and refuses what would change nothing."""

from __future__ import annotations

from typing import Any

import pytest

from headtohead.contenders.plan import ContenderPlan
from headtohead.core.config import TrainConfig
from headtohead.core.errors import NoEffectError, UnknownNameError, UsageError
from headtohead.training.setup import loader

VIT, CNN = "scratch:test_vit", "scratch:test_efficientnet"


def names(plan: ContenderPlan) -> list[str]:
    return [one.name for one in plan.contenders]


def test_networks_come_first_then_their_replicates_and_ensembles_last() -> None:
    plan = ContenderPlan.parse(f"ensemble(seeds({VIT}@mlp,2),{CNN}),folds({CNN},3),hybrid({VIT},{CNN})")
    assert names(plan) == [
        f"hybrid({VIT},{CNN})", f"{VIT}@mlp", CNN, f"folds({CNN},3)", f"seeds({VIT}@mlp,2)",
        f"ensemble(seeds({VIT}@mlp,2),{CNN})",
    ]  # fmt: skip
    assert plan.members == {
        f"folds({CNN},3)": [CNN],
        f"seeds({VIT}@mlp,2)": [f"{VIT}@mlp"],
        f"ensemble(seeds({VIT}@mlp,2),{CNN})": [f"seeds({VIT}@mlp,2)", CNN],
    }
    assert {record.name for record in plan.records} == {VIT, CNN} and len(plan.records) == 2


def test_a_member_is_the_named_contender_however_either_is_spelt() -> None:
    plan = ContenderPlan.parse(f"ensemble({VIT}@probe,{CNN}),{VIT}")
    assert names(plan) == [VIT, CNN, f"ensemble({VIT}@probe,{CNN})"]
    assert plan.members[f"ensemble({VIT}@probe,{CNN})"] == [VIT, CNN]


def test_the_default_mode_is_that_of_every_network_without_one() -> None:
    plan = ContenderPlan.parse(f"{VIT},{CNN}@probe", "finetune")
    assert [str(one.mode) for one in plan.contenders] == ["finetune", "probe"]
    assert [one.name for one in plan.tuned] == [VIT]


def test_only_single_networks_that_were_named_are_paired() -> None:
    plan = ContenderPlan.parse(f"{VIT}@mlp,ensemble({VIT}@mlp,{CNN}),hybrid({VIT},{CNN})")
    assert [one.name for one in plan.pairable] == [f"{VIT}@mlp"], f"{CNN} is a member alone"


def test_snapshots_train_one_network_themselves_and_seeds_do_not() -> None:
    plan = ContenderPlan.parse(f"snapshots({VIT}@finetune,4),seeds({CNN}@finetune,2)")
    found = {one.name: one for one in plan.contenders}
    snaps, seeds = found[f"snapshots({VIT}@finetune,4)"], found[f"seeds({CNN}@finetune,2)"]
    assert snaps.is_tuned and snaps.cycles == 4 and str(snaps.mode) == "finetune"
    assert seeds.mode is None and not seeds.is_tuned and seeds.cycles == 1
    assert found[f"{VIT}@finetune"].cycles == 1


@pytest.mark.parametrize(
    ("text", "needing"),
    [
        (f"ensemble({VIT}@finetune,{CNN})", []),
        (f"ensemble({VIT}@finetune,{CNN},how=mean)", []),
        (f"ensemble({VIT}@finetune,{CNN},how=stacked)", [f"{VIT}@finetune"]),
        (f"ensemble(hybrid({VIT},{CNN})@finetune,{CNN},how=greedy)", [f"hybrid({VIT},{CNN})@finetune"]),
        (f"ensemble({VIT}@mlp,{CNN},how=stacked)", []),
    ],
)
def test_inner_predictions_are_made_for_weights_alone(text: str, needing: list[str]) -> None:
    plan = ContenderPlan.parse(text)
    assert [one.name for one in plan.needing_inner] == needing


def test_unknown_options_and_rules_of_an_ensemble_are_named() -> None:
    with pytest.raises(UnknownNameError, match=r"^Unknown option of an ensemble 'hwo'; did you mean 'how'\?"):
        ContenderPlan.parse(f"ensemble({VIT},{CNN},hwo=mean)")
    with pytest.raises(UnknownNameError, match="did you mean 'stacked'"):
        ContenderPlan.parse(f"ensemble({VIT},{CNN},how=stakced)")
    assert [
        one.combination for one in ContenderPlan.parse(f"ensemble({VIT},{CNN},how=weighted)").contenders
    ] == [None, None, "weighted"]


def test_replicates_that_come_out_the_same_say_what_to_write_instead() -> None:
    with pytest.raises(NoEffectError) as told:
        ContenderPlan.parse(f"seeds({VIT},3)")
    assert str(told.value) == (
        f"'seeds({VIT},3)': a probe has one optimum, whatever the seed. Repeat @mlp or @finetune, or write "
        f"folds({VIT},5)."
    )
    with pytest.raises(NoEffectError, match=rf"write {VIT}@finetune inside\.$"):
        ContenderPlan.parse(f"snapshots({VIT}@mlp,3)")
    ContenderPlan.parse(f"folds({VIT},3)")


def test_an_ensemble_of_ensembles_is_refused_at_any_depth() -> None:
    with pytest.raises(UsageError, match="joins another ensemble; name that one's members instead"):
        ContenderPlan.parse(f"ensemble(ensemble({VIT},{CNN}),{CNN})")


@pytest.mark.parametrize(
    ("contenders", "changes", "refused"),
    [
        (VIT, {}, None),
        (VIT, {"balance": "loss"}, None),
        (VIT, {"balance": "sampler"}, "'sampler' draws images, and no contender is fine-tuned"),
        (VIT, {"workers": 3}, "workers would have no effect: no contender is fine-tuned"),
        (VIT, {"policy": "inner", "budget": "3"}, None),
        (VIT, {"augment": "xray"}, "augment would have no effect"),
        (f"{VIT}@probe:symmetry", {"augment": "xray"}, None),
        (f"{VIT}@lora", {"lora_rank": 4}, None),
        (f"{VIT}@finetune,{CNN}@lora", {"lora_rank": 4}, None),
        (
            f"{VIT}@finetune",
            {"lora_rank": 4},
            "lora_rank would have no effect: no contender is trained by lora",
        ),
        (f"{VIT}@finetune", {"balance": "sampler"}, None),
        (f"{VIT}@finetune", {"layer_decay": 0.5}, "layer_decay would have no effect: networks from scratch"),
        (f"{VIT}@finetune", {"head_start": "random"}, "head_start would have no effect"),
        ("dinov2-small@finetune", {"layer_decay": 0.5, "batch_norm": "train"}, None),
        (f"{VIT}@finetune,dinov2-small@finetune", {"layer_decay": 0.5}, None),
        (f"seeds({VIT}@finetune,2)", {"epochs": 2}, None),
        (f"snapshots({VIT}@finetune,5)", {"epochs": 1}, "5 cycles need as many epochs; got 3"),
        ("snapshots(dinov2-small@finetune,5)", {"epochs": 4}, "5 cycles need as many epochs; got 4"),
    ],
)
def test_settings_are_checked_against_what_is_trained(
    contenders: str, changes: dict[str, Any], refused: str | None
) -> None:
    plan = ContenderPlan.parse(contenders)
    if refused is None:
        plan.check_settings(TrainConfig(**changes))
        return
    with pytest.raises(NoEffectError, match=refused):
        plan.check_settings(TrainConfig(**changes))


def test_several_idle_settings_are_told_in_one_sentence_in_the_order_of_the_alphabet() -> None:
    with pytest.raises(NoEffectError) as told:
        ContenderPlan.parse(VIT).check_settings(TrainConfig(mixup=0.2, clip=0.5, epochs=3))
    assert str(told.value) == (
        "clip, epochs, mixup would have no effect: no contender is fine-tuned (write NAME@finetune)."
    )


def test_an_unknown_preset_is_named_whatever_is_trained() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'mri'"):
        ContenderPlan.parse(VIT).check_settings(TrainConfig(augment="mir"))


def test_networks_are_loaded_only_where_blocks_or_depth_are_asked_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded: list[str] = []

    def watched(record: Any) -> Any:
        loaded.append(record.name)
        return loader(record)

    with monkeypatch.context() as patched:
        patched.setattr("headtohead.training.setup.loader", watched)
        ContenderPlan.parse(f"{VIT}@finetune,{CNN}").check_networks(TrainConfig(), 0)
        assert loaded == []
        plan = ContenderPlan.parse(f"{VIT}@partial:2,{CNN}@finetune")
        plan.check_networks(TrainConfig(), 0)
        assert loaded == [VIT]
        with pytest.raises(
            NoEffectError, match=r"^partial:99 asks for 99 of \d+ blocks; that is 'finetune'\."
        ):
            ContenderPlan.parse(f"{VIT}@partial:99").check_networks(TrainConfig(), 0)
    with pytest.raises(UsageError, match="stochastic depth is not supported in a hybrid of two"):
        ContenderPlan.parse(f"hybrid({VIT},{CNN})@finetune").check_networks(TrainConfig(drop_path=0.1), 0)


def test_optuna_is_asked_for_only_where_it_proposes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("headtohead.contenders.plan.require", lambda name, *_: asked.append(name))
    tuned = ContenderPlan.parse(f"{VIT}@finetune")
    tuned.check_settings(TrainConfig())
    assert asked == []
    tuned.check_settings(TrainConfig(tuner="optuna", policy="inner", trials=4))
    assert asked == ["optuna"]
