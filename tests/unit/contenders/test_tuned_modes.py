"""From stated settings to those of a network: rates, epochs, trials, and which networks can be joined."""

from __future__ import annotations

from typing import Any

import pytest

from headtohead.backbones.catalog import resolve
from headtohead.contenders.plan import ContenderPlan
from headtohead.contenders.training_modes import parse_mode
from headtohead.contenders.tuned_modes import network_builder, settings_for
from headtohead.core.config import TrainConfig
from headtohead.core.errors import NoEffectError, UsageError

VIT, CNN = "scratch:test_vit", "scratch:test_efficientnet"


def made(mode: str = "finetune", name: str = "dinov2-small", train: Any = None, **more: Any) -> Any:
    return settings_for(TrainConfig(**(train or {})), parse_mode(mode), [resolve(name)], **more)


def test_rates_to_choose_from_are_three_around_the_stated_one_and_all_are_scaled() -> None:
    found = made(train={"learning_rate": 3e-4})
    assert found.learning_rate == pytest.approx(3e-4)
    assert found.learning_rates == pytest.approx((1e-4, 3e-4, 9e-4))
    cnn = made(name="efficientnet-lite0", train={"learning_rate": 3e-4})
    assert cnn.learning_rates == pytest.approx((5e-4, 15e-4, 45e-4))
    stated = made("lora", train={"learning_rates": (1e-4, 2e-4), "policy": "inner"})
    assert stated.learning_rates == pytest.approx((5e-4, 1e-3))
    assert made(train={"policy": "fixed"}).learning_rates == ()


def test_networks_from_scratch_train_three_times_as_long_at_a_rate_that_adapters_do_not_raise() -> None:
    found = made("bitfit", VIT, {"epochs": 4})
    assert found.epochs == 12 and found.learning_rate == pytest.approx(10 * TrainConfig().learning_rate)
    assert made("bitfit", train={"epochs": 4}).epochs == 4


def test_the_smallest_factor_among_joined_networks_is_that_of_the_head() -> None:
    pair = [resolve("efficientnet-lite0"), resolve("dinov2-small")]
    for records in (pair, pair[::-1]):
        found = settings_for(TrainConfig(), parse_mode("finetune"), records)
        assert found.learning_rate == pytest.approx(TrainConfig().learning_rate)


@pytest.mark.parametrize(
    ("train", "trials"),
    [
        ({"policy": "fixed"}, 1),
        ({"budget": "7", "policy": "inner"}, 7),
        ({"budget": "10min", "policy": "inner"}, 200),
        ({"trials": 4, "policy": "inner"}, 4),
    ],
)
def test_trials_are_those_of_the_budget(train: dict[str, Any], trials: int) -> None:
    assert made(train=train).trials == trials


def test_stated_inner_folds_win_over_those_that_an_ensemble_needs() -> None:
    assert made(inner_folds=3).inner_folds == 3
    assert made(train={"inner_folds": 2}, inner_folds=3).inner_folds == 2
    assert made().inner_folds == 0 and made(cycles=4).cycles == 4
    with pytest.raises(NoEffectError, match="6 cycles need as many epochs; got 5"):
        made(train={"epochs": 5}, cycles=6)


def test_a_mode_that_trains_no_network_is_refused() -> None:
    with pytest.raises(UsageError, match=r"^Got the mode 'probe:flip'; expected finetune"):
        made("probe:flip")


def builder(text: str) -> Any:
    return network_builder(ContenderPlan.parse(text).contenders[-1])


def test_one_network_makes_itself_and_two_are_joined() -> None:
    assert builder(f"{VIT}@finetune") is None
    joined = builder(f"hybrid({VIT},{CNN})@finetune")(3, 0.0)
    singles = [network.n_features for network in joined.branches()]
    assert joined.n_features == sum(singles) and len(singles) == 2


def test_what_cannot_be_joined_is_refused_with_the_number() -> None:
    third = "scratch:test_resnet"
    with pytest.raises(UsageError, match=r"a hybrid that is fine-tuned joins two backbones; got 3\.$"):
        builder(f"hybrid({VIT},{CNN},{third})@finetune")
    with pytest.raises(UsageError, match=r"reads one network's feature map; name one backbone\.$"):
        builder(f"hybrid({VIT},{CNN})@reader")


def test_a_reader_is_built_on_the_network_from_its_seed() -> None:
    import torch

    make = builder("scratch:test_resnet@reader")
    one, two, other = make(3, 0.0), make(3, 0.0), make(4, 0.0)
    assert torch.equal(one.project.weight, two.project.weight)
    assert not torch.equal(one.project.weight, other.project.weight)
    assert one.n_features == one.backbone.n_features + 128
