"""The networks below the heads of a bundle, built from their records."""

from __future__ import annotations

from torch import nn

from headtohead.backbones.hybrid import HybridBackbone
from headtohead.backbones.load import build_backbone, load_backbone
from headtohead.backbones.weights.fetch import Weights
from headtohead.core.errors import BundleError
from headtohead.deploy.bundle.records import BodySpec
from headtohead.training.network.map_transformer import FeatureMapTransformer

__all__ = ["build_body"]


def build_body(spec: BodySpec) -> nn.Module:
    """Return a body; weights that the bundle holds are put in later, others are loaded and checked.

    Raises:
        BundleError: weights outside the bundle are not those that the model was trained with.
        WeightsError: weights outside the bundle are not available.
    """
    parts: list[nn.Module] = []
    for record, settings, facts in zip(spec.records, spec.settings, spec.weights, strict=True):
        if spec.stored:
            # Its weights come from the bundle, not from a path of the machine that trained it.
            parts.append(build_backbone(record, Weights.model_validate({**facts, "path": None}), settings))
            continue
        found = load_backbone(record)
        if found.weights.sha256 != facts["sha256"]:
            raise BundleError(
                f"The weights of {record.name} on this machine are not those that the model was trained with "
                f"(sha256 {found.weights.sha256[:12]}…, expected {facts['sha256'][:12]}…). "
                "Use a bundle that holds its own weights (train without --no-self-contained)."
            )
        parts.append(found)
    if spec.kind == "hybrid":
        return HybridBackbone(parts[0], parts[1]).eval()  # type: ignore[arg-type]
    if spec.kind == "reader":
        return FeatureMapTransformer(parts[0], spec.records[0].input_size).eval()
    return parts[0]
