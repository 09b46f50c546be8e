"""Many architectures with random weights: loaded, pooled as their library pools, laid out, fine-tuned a step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from tests.planting.threads import single_thread

from headtohead.backbones.network import Backbone, TimmBackbone
from headtohead.backbones.record import BackboneRecord
from headtohead.backbones.transformers_network import MODEL_TYPES, TransformersBackbone
from headtohead.backbones.weights import model_config
from headtohead.backbones.weights.fetch import Weights
from headtohead.backbones.weights.timm_config import family_of
from headtohead.training.network.classifier import Classifier, freeze, parameter_groups
from headtohead.training.settings import FinetuneSettings

NONE = Weights(path=None, sha256="", source="", revision=None, licence="", pretraining="")
# (architecture, side of a small input): one or more of each module of timm that people fine-tune.
FAST = [
    ("test_vit", 160), ("test_vit3", 160), ("test_efficientnet", 160), ("test_resnet", 160),
    ("test_convnext", 160), ("test_vit4", 160), ("test_byobnet", 160), ("resnet10t", 64),
    ("efficientnet_lite0", 64), ("vit_tiny_patch16_224", 64), ("vit_wee_patch16_reg1_gap_256", 64),
    ("vit_medium_patch16_reg4_gap_256", 64),
]  # fmt: skip
SLOW = [
    ("deit_tiny_distilled_patch16_224", 64), ("deit3_small_patch16_224", 64), ("beitv2_base_patch16_224", 64),
    ("eva02_tiny_patch14_224", 56), ("vit_base_patch16_siglip_224", 64), ("vit_small_patch14_dinov2", 56),
    ("vit_small_patch14_reg4_dinov2", 56), ("vit_small_patch16_dinov3", 64), ("vit_base_patch16_clip_224", 64),
    ("swin_tiny_patch4_window7_224", 224), ("swinv2_tiny_window8_256", 256), ("cait_xxs24_224", 224),
    ("xcit_nano_12_p16_224", 64), ("pvt_v2_b0", 64), ("mvitv2_tiny", 224), ("hiera_tiny_224", 224),
    ("maxvit_rmlp_pico_rw_256", 256), ("coatnet_0_rw_224", 224), ("levit_128s", 224), ("mobilevit_xxs", 64),
    ("fastvit_t8", 64), ("edgenext_xx_small", 64), ("tiny_vit_5m_224", 224), ("vit_small_r26_s32_224", 64),
    ("convnext_atto", 64), ("convnextv2_atto", 64), ("resnetv2_50", 64), ("resnet18", 64), ("densenet121", 64),
    ("regnety_002", 64), ("efficientnet_b0", 64), ("mobilenetv3_small_050", 64), ("rexnet_100", 64),
    ("inception_resnet_v2", 96), ("inception_v3", 96), ("xception41", 64), ("nfnet_l0", 64), ("seresnet50", 64),
    ("ghostnetv2_100", 64), ("repvit_m0_9", 64), ("dla34", 64), ("vgg11_bn", 64),
]  # fmt: skip
TIMM = [*FAST, *(pytest.param(*case, marks=pytest.mark.slow) for case in SLOW)]
SMALL = {
    "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 64,
    "image_size": 32, "patch_size": 8,
}  # fmt: skip
WITHOUT_HIDDEN = {key: value for key, value in SMALL.items() if key != "intermediate_size"}
MAPS = {"hidden_sizes": [8, 16, 32, 64], "depths": [1, 1, 1, 1]}
# (class in transformers, its options, tokens before the patches or None for maps)
TRANSFORMERS: list[tuple[str, dict[str, Any], int | None]] = [
    ("ViT", SMALL, 1), ("ViT", {**SMALL, "hidden_act": "relu"}, 1), ("DeiT", SMALL, 2), ("ViTMSN", SMALL, 1),
    ("Dinov2", WITHOUT_HIDDEN, 1), ("Dinov2WithRegisters", {**WITHOUT_HIDDEN, "num_register_tokens": 4}, 5),
    ("DINOv3ViT", {**SMALL, "num_register_tokens": 4}, 5), ("DINOv3ViT", SMALL, 1), ("SiglipVision", SMALL, 0),
    ("CLIPVision", SMALL, 1), ("ConvNext", MAPS, None), ("ConvNextV2", MAPS, None),
    ("ResNet", {**MAPS, "embedding_size": 8, "layer_type": "basic"}, None),
]  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Small networks gain nothing from threads that wait for one another."""
    with single_thread():
        yield


def _record(architecture: str, side: int, family: str = "transformer") -> BackboneRecord:
    return BackboneRecord.model_validate({
        "name": architecture, "family": family, "source": "scratch", "model_id": architecture,
        "architecture": architecture, "input_size": side, "mean": (0.5,) * 3, "std": (0.5,) * 3,
        "pretraining": "none", "licence": "none", "paper": "none",
    })  # fmt: skip


def _timm(architecture: str, side: int) -> tuple[TimmBackbone, Any]:
    import timm

    torch.manual_seed(0)
    config = timm.models.get_pretrained_cfg(architecture)
    options: dict[str, Any] = {"img_size": side} if config is not None and config.fixed_input_size else {}
    body = timm.create_model(architecture, pretrained=False, num_classes=0, **options).eval()
    return TimmBackbone(body, _record(architecture, side, family_of(architecture)), NONE), body


def _takes_a_step(network: Backbone, x: torch.Tensor) -> None:
    """One step moves the stem and the top; `partial:1` moves a block with matrices in it, and not the stem."""
    blocks = network.blocks()
    assert max(p.ndim for p in blocks[-1][1]) > 1
    net = Classifier(network, network.n_features, 2, 0.0, 0)
    settings = FinetuneSettings()
    groups = parameter_groups(net, settings)
    assert {id(p) for g in groups for p in g["params"]} == {id(p) for p in net.parameters()}
    assert min(g["share"] for g in groups) == pytest.approx(settings.layer_decay**12)
    optimizer = torch.optim.SGD(groups, lr=0.1)
    net.eval()
    before = [p.detach().clone() for p in network.parameters()]
    torch.nn.functional.cross_entropy(net(x), torch.tensor([0, 1])).backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    moved = [not torch.equal(p, q) for p, q in zip(network.parameters(), before, strict=True)]
    assert sum(moved) > len(moved) / 2
    freeze(network, FinetuneSettings(depth="partial:1"))
    assert not any(p.requires_grad for p in blocks[0][1]) and all(p.requires_grad for p in blocks[-1][1])


@pytest.mark.parametrize(("architecture", "side"), TIMM)
def test_timm_networks(architecture: str, side: int) -> None:
    network, body = _timm(architecture, side)
    x = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        rows, own, map_, deep = network(x), body(x), network.feature_map(x), network.layers(x)
    assert rows.shape == (2, network.n_features) and rows.dtype == torch.float32
    torch.testing.assert_close(rows[:, : own.shape[1]], own.float(), rtol=1e-4, atol=1e-5)
    if network.joins_mean:
        torch.testing.assert_close(rows[:, own.shape[1] :], map_.mean(dim=(2, 3)), rtol=1e-4, atol=1e-5)
    assert map_.ndim == 4 and map_.shape[2] == map_.shape[3] <= side // 4
    assert deep.shape[1] >= map_.shape[1] and torch.isfinite(deep).all()
    _takes_a_step(network, x)


@pytest.mark.parametrize(("name", "options", "prefix"), TRANSFORMERS)
def test_transformers_networks(name: str, options: dict[str, Any], prefix: int | None) -> None:
    import transformers

    torch.manual_seed(0)
    config = getattr(transformers, f"{name}Config")(**options)
    body = getattr(transformers, f"{name}Model")(config).eval()
    side = 32 if prefix is not None else 64
    network = TransformersBackbone(body, _record(f"transformers {name}", side), NONE)
    assert network.is_tokens == (prefix is not None) and network.n_prefix == (prefix or 0)
    x = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        rows, out, map_, deep = network(x), body(pixel_values=x), network.feature_map(x), network.layers(x)
        below = network.intermediate_features(x)[1]
    assert rows.shape == (2, network.n_features)
    # transformers' own pooled features, where they are trained and not a layer that only fine-tuning fills
    if name not in ("ViT", "DeiT", "ViTMSN"):
        own = out.pooler_output.flatten(1)
        torch.testing.assert_close(rows[:, : own.shape[1]], own, rtol=1e-4, atol=1e-5)
    if prefix is not None:
        assert map_.shape == (2, 32, 4, 4) == below.shape
        torch.testing.assert_close(rows[:, 32:], map_.mean(dim=(2, 3)), rtol=1e-4, atol=1e-5)
        if name in ("ViT", "DeiT", "ViTMSN"):
            torch.testing.assert_close(rows[:, :32], out.last_hidden_state[:, 0], rtol=1e-4, atol=1e-5)
    assert torch.isfinite(deep).all()
    _takes_a_step(network, x)


def test_the_two_tables_of_model_types_agree() -> None:
    """One is read before torch is loaded; CLIP and SigLIP repositories hold two towers under one more name each."""
    named = {name: kind.family for name, kind in MODEL_TYPES.items()}
    assert dict(model_config.MODEL_TYPES) == {**named, "clip": "transformer", "siglip": "transformer"}
