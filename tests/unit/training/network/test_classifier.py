"""A classifier on a backbone: the head that a probe gives it, what learns, how fast, and states lent for a while."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from tests.planting.finetuned import SIDE, Tiny
from torch import nn

from headtohead.core.errors import NoEffectError
from headtohead.training.logistic import fit_probe
from headtohead.training.network.classifier import (
    START_C,
    Classifier,
    copy_state,
    describe_layers,
    freeze,
    init_head_from_probe,
    norm_layers,
    parameter_groups,
    temporary_state,
)
from headtohead.training.settings import FinetuneSettings

X = torch.rand(5, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))


def classifier(k: int = 2, dropout: float = 0.0, seed: int = 3) -> Classifier:
    return Classifier(Tiny(1), 32, k, dropout, seed)


def test_a_new_head_knows_nothing_and_follows_from_its_seed_alone() -> None:
    torch.manual_seed(5)
    one = classifier()
    torch.manual_seed(6)
    state = torch.random.get_rng_state()
    two, other = classifier(), classifier(seed=4)
    assert torch.equal(torch.random.get_rng_state(), state), "the global generator is left alone"
    assert torch.equal(one.linear.weight, two.linear.weight) and not torch.equal(
        one.linear.weight, other.linear.weight
    )
    assert (one.linear.bias == 0).all() and one.linear.weight.abs().max() < 0.1
    assert (one.mean == 0).all() and (one.scale == 1).all()


@pytest.mark.parametrize("k", [2, 3])
def test_the_head_from_a_probe_gives_the_probes_probabilities(k: int) -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 32)) * rng.uniform(0.1, 9, 32) + 3
    labels = np.arange(60) % k
    rows[:, :k] += 4 * np.eye(k)[labels]
    net = classifier(k).eval()
    net.backbone = nn.Identity()
    init_head_from_probe(net, rows, labels)
    found = torch.softmax(net(torch.from_numpy(rows)), dim=1).detach().numpy()
    np.testing.assert_allclose(found, fit_probe(rows, labels, START_C).predict_proba(rows), atol=2e-5)


def test_scores_are_in_fp32_and_dropout_falls_on_standardised_features() -> None:
    net = classifier(dropout=0.5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert net(X).dtype == torch.float32
    with torch.no_grad():
        net.mean.copy_(net.backbone.eval()(X)[0])
    net.train()
    net.backbone.eval()
    assert net(X[:1]).abs().max() < 1e-6, "an image at the mean has nothing that could be dropped"
    assert not torch.equal(net(X[1:2]), net(X[1:2]))


def learning(net: nn.Module) -> set[str]:
    return {name for name, parameter in net.named_parameters() if parameter.requires_grad}


def test_what_learns_is_what_the_depth_names() -> None:
    everything = learning(Tiny(0))
    for depth, expected in (
        ("all", everything),
        ("lora", everything),
        ("partial:1", {name for name in everything if name.startswith("top.")}),
        ("bitfit", {name for name in everything if name.endswith("bias") or ".1." in name}),
    ):
        net = Tiny(0)
        freeze(net, FinetuneSettings(depth=depth))
        assert learning(net) == expected, depth
    with pytest.raises(NoEffectError) as told:
        freeze(Tiny(0), FinetuneSettings(depth="partial:2"))
    assert str(told.value) == (
        "partial:2 asks for 2 of 2 blocks; that is 'finetune'. Use partial:1 to partial:1."
    )


def test_each_parameter_that_learns_is_in_one_group_with_its_share_and_decay() -> None:
    net = classifier()
    settings = FinetuneSettings(layer_decay=0.5, weight_decay=0.03)
    groups = parameter_groups(net, settings)
    found = {id(p): (group["share"], group["weight_decay"]) for group in groups for p in group["params"]}
    assert sum(len(group["params"]) for group in groups) == len(found) == len(list(net.parameters()))
    named = {name: found[id(p)] for name, p in net.named_parameters()}
    assert named["linear.weight"] == (1.0, 0.03) and named["linear.bias"] == (1.0, 0.0)
    assert named["backbone.top.0.weight"] == (0.5, 0.03) and named["backbone.top.1.weight"] == (0.5, 0.0)
    assert named["backbone.stem.0.weight"] == (pytest.approx(0.5**12), 0.03)
    freeze(net.backbone, FinetuneSettings(depth="partial:1"))
    kept = {id(p) for group in parameter_groups(net, settings) for p in group["params"]}
    assert not kept & {id(p) for p in net.backbone.stem.parameters()}  # type: ignore[union-attr]


def test_parameters_in_no_block_learn_at_the_rate_of_the_head() -> None:
    net = classifier()
    net.backbone.extra = nn.Parameter(torch.zeros(3, 3))
    shares = {id(p): g["share"] for g in parameter_groups(net, FinetuneSettings()) for p in g["params"]}
    assert shares[id(net.backbone.extra)] == 1.0


def test_the_description_counts_blocks_and_rates_that_learn() -> None:
    net, settings = classifier(), FinetuneSettings(learning_rate=1e-2, layer_decay=0.5)
    assert describe_layers(net, settings) == {
        "blocks": 2, "trained": 2, "head_rate": 1e-2, "highest_rate": pytest.approx(5e-3),
        "lowest_rate": pytest.approx(1e-2 * 0.5**12),
    }  # fmt: skip
    for parameter in net.backbone.parameters():
        parameter.requires_grad_(False)
    assert describe_layers(net, settings) == {"blocks": 2, "trained": 0, "head_rate": 1e-2}


def test_an_earlier_state_is_lent_and_given_back_after_an_error_too() -> None:
    net: Any = classifier()
    early = copy_state(net)
    with torch.no_grad():
        net.linear.weight += 1
        net.backbone.stem[1].running_mean += 1
    late = copy_state(net)
    assert not torch.equal(early["linear.weight"], late["linear.weight"]), "a copy is apart from the network"
    with pytest.raises(KeyError), temporary_state(net, early):
        assert torch.equal(net.linear.weight, early["linear.weight"])
        assert torch.equal(net.backbone.stem[1].running_mean, early["backbone.stem.1.running_mean"])
        raise KeyError
    assert all(torch.equal(value, late[name]) for name, value in net.state_dict().items())


def test_layers_with_batch_statistics_are_found_in_any_dimension() -> None:
    net = nn.Sequential(
        nn.BatchNorm2d(2), nn.LayerNorm(2), nn.Sequential(nn.BatchNorm1d(2)), nn.GroupNorm(1, 2)
    )
    assert [type(layer).__name__ for layer in norm_layers(net)] == ["BatchNorm2d", "BatchNorm1d"]
