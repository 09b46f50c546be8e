"""From `timm:`, `hf:`, `path:` and `scratch:` names to records."""

from __future__ import annotations

from headtohead.backbones.record import BackboneRecord
from headtohead.backbones.weights.timm_config import as_settings, from_timm_config, timm_config
from headtohead.core.errors import UnknownNameError

__all__ = ["resolve_scheme"]


def resolve_scheme(scheme: str, rest: str) -> BackboneRecord:
    """Return the record of `scheme:rest`.

    Raises:
        UnknownNameError: timm knows no such model.
        WeightsError: the model has no weights on the hub, or its configuration cannot be read.
    """
    if scheme == "timm":
        return _timm(rest)
    if scheme == "scratch":
        return _scratch(rest)
    if scheme == "path":
        from headtohead.backbones.weights.local_files import resolve_path

        return resolve_path(rest)
    from headtohead.backbones.weights.hub import resolve_hub

    return resolve_hub(rest)


def _timm(name: str) -> BackboneRecord:
    config = timm_config(name)
    if config is None or not config.hf_hub_id:
        from headtohead.backbones.weights.cache import weights_unavailable

        why = "it names no hub repository for this model"
        raise weights_unavailable(f"timm:{name}", "timm's table of pretrained weights", why)
    architecture = name.partition(".")[0]
    return from_timm_config(
        f"timm:{name}", architecture, as_settings(config), source="timm-hub",
        model_id=str(config.hf_hub_id), pretraining=f"as timm's tag says: {config.tag or name}",
        licence=str(config.license or "not stated by timm"),
    )  # fmt: skip


def _scratch(name: str) -> BackboneRecord:
    config = timm_config(name)
    if "." in name:
        raise UnknownNameError(
            f"scratch:{name} names weights ({name.partition('.')[2]}), but random weights are drawn; "
            f"write scratch:{name.partition('.')[0]}."
        )
    return from_timm_config(
        f"scratch:{name}", name, as_settings(config), source="scratch", model_id=name,
        pretraining="none (random weights from the run's seed)", licence="none needed",
        notes="Random weights, not trained on anything: a lower bound, not a contender.",
    )  # fmt: skip
