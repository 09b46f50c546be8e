"""timm's own configuration of a model, as a record."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from headtohead.backbones.catalog_rows import IMAGENET_MEAN, IMAGENET_STD
from headtohead.backbones.record import BackboneRecord, Family
from headtohead.core.errors import UnknownNameError, WeightsError, unknown_name

__all__ = ["as_settings", "count_parameters", "family_of", "from_timm_config", "timm_config"]

# timm's module -> family. A module that is not listed is "unknown": a guess would set its learning
# rate and stand in the verdict. Mixers, state-space and modulation networks are none of the three.
TRANSFORMERS = frozenset((
    "beit", "cait", "convit", "crossvit", "davit", "deepseek_vit", "deit", "eva", "gcvit", "gemma4_vit",
    "hiera", "hieradet_sam2", "mvitv2", "naflexvit", "nest", "pit", "pvt_v2", "qwen3_vit", "swin_transformer",
    "swin_transformer_v2", "swin_transformer_v2_cr", "tnt", "twins", "vision_transformer",
    "vision_transformer_relpos", "vision_transformer_sam", "volo", "xcit",
))  # fmt: skip
HYBRIDS = frozenset((
    "byoanet", "coat", "edgenext", "efficientformer", "efficientformer_v2", "efficientvit_mit",
    "efficientvit_msra", "fastvit", "iformer", "levit", "lowformer", "maxxvit", "mobilenetv5", "mobilevit",
    "nextvit", "shvit", "swiftformer", "tiny_vit", "vision_transformer_hybrid", "visformer", "vitamin",
))  # fmt: skip
CNNS = frozenset((
    "byobnet", "convmixer", "convnext", "cspnet", "cspnext", "densenet", "dla", "dpn", "efficientnet",
    "fasternet", "ghostnet", "hardcorenas", "hgnet", "hrnet", "inception_next", "inception_resnet_v2",
    "inception_v3", "inception_v4", "lcnetv2", "mobilenetv3", "nasnet", "nfnet", "pnasnet", "rdnet", "regnet",
    "repghost", "repvit", "res2net", "resnest", "resnet", "resnetv2", "rexnet", "selecsls", "senet", "sknet",
    "starnet", "tresnet", "vgg", "vovnet", "xception", "xception_aligned",
))  # fmt: skip


def timm_config(name: str) -> Any:
    """Return timm's configuration of a model, with or without a tag of its weights.

    Raises:
        UnknownNameError: there is no such architecture, or no such tag; the nearest are named.
    """
    import timm
    from timm.models import get_pretrained_cfg

    architecture, _, tag = name.partition(".")
    if not timm.is_model(architecture):
        known = timm.list_models()
        # a name may be hostile, and the time of difflib grows with the square of its length
        near = difflib.get_close_matches(architecture[:100], known, n=5, cutoff=0.4)
        if near:
            raise unknown_name("timm model", name, near)
        raise UnknownNameError(
            f"Unknown timm model {name[:100]!r}; `timm.list_models()` lists all {len(known)}."
        )
    if tag and name not in timm.list_pretrained():
        raise unknown_name("timm weights", name, timm.list_pretrained(f"{architecture}.*") or [architecture])
    return get_pretrained_cfg(name)


def as_settings(config: Any) -> dict[str, Any]:
    """Return timm's configuration of a model as settings by name; empty for None."""
    return {} if config is None else dict(config.to_dict())


def from_timm_config(name: str, architecture: str, stated: Mapping[str, Any], **facts: Any) -> BackboneRecord:
    """Return the record of an architecture with the preprocessing that timm's configuration states, else ImageNet's."""
    interpolation = stated.get("interpolation", "bicubic")
    return BackboneRecord.model_validate({
        "name": name, "family": family_of(architecture), "architecture": architecture,
        "input_size": stated.get("input_size", (3, 224, 224))[-1], "mean": stated.get("mean", IMAGENET_MEAN),
        "std": stated.get("std", IMAGENET_STD), "crop_pct": stated.get("crop_pct") or 1.0,
        "interpolation": interpolation if interpolation == "bilinear" else "bicubic",
        "n_parameters": count_parameters(architecture, facts.get("model_args")),
        "paper": str(stated.get("paper_ids") or "see timm"), **facts,
    })  # fmt: skip


def family_of(architecture: str) -> Family:
    """Return "cnn", "transformer", "hybrid" or "unknown" by the module in which timm keeps the architecture.

    >>> [family_of(name) for name in ("resnet50", "deit_tiny_patch16_224", "coatnet_0_rw_224", "mixer_b16_224")]
    ['cnn', 'transformer', 'hybrid', 'unknown']
    """
    from timm.models import _registry

    module = str(_registry._model_to_module.get(architecture, ""))
    # MobileNetV4's hybrids share a module with its plain networks.
    if module in HYBRIDS or (module in CNNS and "hybrid" in architecture):
        return "hybrid"
    if module in TRANSFORMERS:
        return "transformer"
    return "cnn" if module in CNNS else "unknown"


def count_parameters(architecture: str, model_args: Mapping[str, Any] | None = None) -> int:
    """Return the number of parameters of timm's architecture without its classifier; no weights are made."""
    import timm
    import torch

    try:
        with torch.device("meta"):
            model = timm.create_model(architecture, pretrained=False, num_classes=0, **(model_args or {}))
    except (RuntimeError, NotImplementedError, TypeError) as error:
        raise WeightsError(f"timm cannot build {architecture}: {error}") from error
    return sum(parameter.numel() for parameter in model.parameters())
