"""Every network gets the same decay over its depth, whatever the library counts; each branch keeps its own factor."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from headtohead.backbones.catalog import catalogue, resolve
from headtohead.backbones.hybrid import load_hybrid
from headtohead.backbones.weights.timm_config import family_of
from headtohead.contenders.plan import ContenderPlan
from headtohead.contenders.training_modes import parse_mode
from headtohead.contenders.tuned_modes import settings_for
from headtohead.core.config import TrainConfig
from headtohead.training.lr_schedule import depth_factor, network_factor
from headtohead.training.network.classifier import (
    Classifier,
    describe_layers,
    disable_fused_attention,
    freeze,
    parameter_groups,
)
from headtohead.training.settings import FinetuneSettings

CNN, VIT = resolve("scratch:test_efficientnet"), resolve("scratch:test_vit")


@pytest.mark.parametrize("n_blocks", [2, 5, 12, 13, 17, 45])
def test_ends_of_the_decay_are_those_of_a_transformer_of_twelve_blocks(n_blocks: int) -> None:
    shares = [depth_factor(block, n_blocks, 0.75) for block in range(n_blocks)]
    assert shares[-1] == pytest.approx(0.75) and shares[0] == pytest.approx(0.75**12)
    steps = [b / a for a, b in itertools.pairwise(shares)]
    assert steps == pytest.approx([steps[0]] * len(steps))
    if n_blocks == 12:
        assert shares == pytest.approx([0.75 ** (12 - block) for block in range(12)])


def _rates(first: Any, second: Any) -> tuple[float, dict[str, tuple[float, float]]]:
    """Return the head's rate, and of each branch by its family the smallest and the greatest rate."""
    settings = settings_for(TrainConfig(), parse_mode("finetune"), [first, second])
    hybrid = load_hybrid(first, second)
    net = Classifier(hybrid, hybrid.n_features, 2, 0.0, 0)
    share = {id(p): g["share"] for g in parameter_groups(net, settings) for p in g["params"]}
    rate = settings.learning_rate
    found = {}
    for branch in hybrid.branches():
        rates = [rate * share[id(p)] for p in branch.parameters()]
        found[branch.record.architecture] = (min(rates), max(rates))
    assert {share[id(p)] for p in net.linear.parameters()} == {1.0}
    return rate, found


def test_rates_of_a_hybrid_do_not_depend_on_the_order_of_its_names(monkeypatch: pytest.MonkeyPatch) -> None:
    def factor(record: Any) -> float:
        return 5.0 if record.architecture == CNN.architecture else 1.0

    monkeypatch.setattr("headtohead.training.network.classifier.network_factor", factor)
    monkeypatch.setattr("headtohead.contenders.tuned_modes.network_factor", factor)
    rate, rates = _rates(CNN, VIT)
    assert (rate, rates) == _rates(VIT, CNN)
    cnn, vit = rates[CNN.architecture], rates[VIT.architecture]
    assert cnn == pytest.approx([5 * value for value in vit])


def test_factors_by_kind() -> None:
    named = {record.name: network_factor(record) for record in catalogue()}
    assert (named["inception-resnet-v2"], named["vit-b16"], named["vit-small-r26"]) == (5.0, 1.0, 1.0)
    assert network_factor(CNN) == 10.0
    unknown = resolve("efficientnet-lite0").model_copy(update={"family": "unknown"})
    assert network_factor(unknown) == 1.0


@pytest.mark.parametrize(
    ("architecture", "family"),
    [
        ("mixer_b16_224", "unknown"), ("poolformer_s12", "unknown"), ("mambaout_base", "unknown"),
        ("efficientvit_b0", "hybrid"), ("nextvit_small", "hybrid"), ("mobilenetv4_hybrid_medium", "hybrid"),
        ("mobilenetv4_conv_small", "cnn"), ("inception_resnet_v2", "cnn"), ("vit_base_patch16_224", "transformer"),
    ],
)  # fmt: skip
def test_families_are_listed_and_never_guessed(architecture: str, family: str) -> None:
    assert family_of(architecture) == family


def test_long_sequences_keep_the_fused_attention(monkeypatch: pytest.MonkeyPatch) -> None:
    def fused(limit: int) -> set[bool]:
        monkeypatch.setattr("headtohead.training.network.classifier.PLAIN_ATTENTION_TOKENS", limit)
        from headtohead.backbones.load import load_backbone

        backbone = load_backbone(VIT)
        assert backbone.n_tokens == 100  # 160 px in patches of 16
        attention = [m for m in backbone.modules() if isinstance(getattr(m, "fused_attn", None), bool)]
        for layer in attention:
            layer.fused_attn = True  # type: ignore[assignment]
        disable_fused_attention(Classifier(backbone, backbone.n_features, 2, 0.0, 0))
        return {bool(layer.fused_attn) for layer in attention}

    assert fused(100) == {False} and fused(99) == {True}


def test_settings_of_the_flagship_pair() -> None:
    train = TrainConfig()
    for name, factor in (("inception-resnet-v2", 5), ("vit-b16", 1)):
        settings: FinetuneSettings = settings_for(train, parse_mode("finetune"), [resolve(name)])
        assert settings.learning_rate == pytest.approx(factor * train.learning_rate)


@pytest.mark.parametrize("name", ["test_vit", "test_vit4", "test_resnet"])
def test_tokens_and_positions_do_not_decay(name: str) -> None:
    """Of timm's own list (`no_weight_decay`) nothing decays; matrices and kernels all do."""
    from headtohead.backbones.load import load_backbone

    backbone = load_backbone(resolve(f"scratch:{name}"))
    net = Classifier(backbone, backbone.n_features, 2, 0.0, 0)
    groups = parameter_groups(net, FinetuneSettings())
    decayed = {id(p) for group in groups if group["weight_decay"] for p in group["params"]}
    named = {key: id(p) in decayed for key, p in net.named_parameters()}
    ask: Any = getattr(backbone.body, "no_weight_decay", set)
    assert not any(named[f"backbone.body.{key}"] for key in ask() if f"backbone.body.{key}" in named)
    assert not any(yes for key, yes in named.items() if "token" in key or "pos_embed" in key)
    matrices = [key for key, p in net.named_parameters() if p.ndim > 1 and key.endswith("weight")]
    assert matrices and all(named[key] for key in matrices)


def test_layers_are_described_as_they_learn() -> None:
    from headtohead.backbones.load import load_backbone

    backbone = load_backbone(VIT)
    net = Classifier(backbone, backbone.n_features, 2, 0.0, 0)
    settings = FinetuneSettings(depth="partial:2", learning_rate=1e-3)
    freeze(backbone, settings)
    n, decay = len(backbone.blocks()), settings.layer_decay
    found = describe_layers(net, settings)
    assert (found["blocks"], found["trained"], found["head_rate"]) == (n, 2, 1e-3)
    assert found["highest_rate"] == pytest.approx(1e-3 * decay)
    assert found["lowest_rate"] == pytest.approx(1e-3 * depth_factor(n - 2, n, decay))


def test_images_are_prepared_ahead_unless_the_user_says_otherwise() -> None:
    for stated, workers in ((TrainConfig(), 1), (TrainConfig(workers=0), 0)):
        assert settings_for(stated, parse_mode("finetune"), [CNN]).workers == workers


def test_a_hybrid_sees_the_larger_image_and_is_random_whatever_the_order() -> None:
    small, large = "scratch:vit_base_patch16_224", "scratch:inception_resnet_v2"
    for names in ((small, large), (large, small)):
        (one,) = ContenderPlan.parse(f"hybrid({','.join(names)})@finetune").contenders
        assert [record.input_size for record in one.records] == [299, 224]
        (kept,) = ContenderPlan.parse(f"hybrid({','.join(names)})@probe").contenders
        assert [record.name for record in kept.records] == list(names), "frozen features come one by one"
        repeated = ContenderPlan.parse(f"snapshots(hybrid({','.join(names)})@finetune,2)").contenders
        assert {tuple(record.input_size for record in one.records) for one in repeated} == {(299, 224)}
