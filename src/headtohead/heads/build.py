"""From contender expressions to heads: the one place that knows every mode."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.backbones.catalog import BackboneRecord, resolve
from headtohead.backbones.looks import Look
from headtohead.core.config import StudyConfig
from headtohead.core.errors import UsageError, unknown_name
from headtohead.core.reporter import QUIET, Reporter
from headtohead.data.dataset import Dataset
from headtohead.heads.base import Cell, CellResult, Head
from headtohead.heads.pictures import get_augmenter
from headtohead.heads.probe import ProbeHead
from headtohead.heads.spec import ContenderSpec
from headtohead.preprocess.recipe import Recipe

__all__ = ["Workshop", "build_heads", "check_specs", "records_of", "with_members"]


@dataclass(frozen=True)
class Workshop:
    """What heads are built from.

    Attributes:
        cache: folder for cached features.
        lookup: (contender's name, cell) -> that contender's finished cell, for ensembles.
        tell: called with a backbone's name and how its features came about.
    """

    dataset: Dataset
    recipe: Recipe
    config: StudyConfig
    cache: Path
    lookup: Callable[[str, Cell], CellResult]
    tell: Callable[[str, Mapping[str, Any]], None]
    reporter: Reporter = QUIET

    def features(self, record: BackboneRecord, look: Look | None = None) -> npt.NDArray[np.float32]:
        """Return the (n, D) features of all samples by one backbone, from the cache where possible."""
        from headtohead.backbones.looks import looked_at

        found = looked_at(
            self.dataset,
            record,
            self.recipe,
            look or Look(),
            precision=self.config.precision,
            device=self.config.device,
            cache=self.cache,
            seed=self.config.seed,
            reporter=self.reporter,
        )
        self.tell(record.name, {"how": dict(found.how)})
        return found.rows


Maker = Callable[[ContenderSpec, Workshop], Head]


def with_members(specs: Sequence[ContenderSpec]) -> tuple[ContenderSpec, ...]:
    """Return the contenders, members of ensembles that were not named themselves added, ensembles last."""
    singles = [spec for spec in specs if spec.kind != "ensemble"]
    ensembles = [spec for spec in specs if spec.kind == "ensemble"]
    known = {spec.key for spec in singles}
    for ensemble in ensembles:
        for member in ensemble.members:
            if member.kind == "ensemble":
                raise UsageError(
                    f"{ensemble.name!r} joins another ensemble; name that one's members instead."
                )
            if member.key not in known:
                known.add(member.key)
                singles.append(member)
    return (*singles, *ensembles)


def check_specs(specs: Sequence[ContenderSpec]) -> None:
    """Refuse unknown backbones and modes, before any work is done."""
    for spec in with_members(specs):
        for name in _backbones(spec):
            resolve(name)
        if spec.kind != "ensemble":
            _maker(spec)


def records_of(specs: Sequence[ContenderSpec]) -> tuple[BackboneRecord, ...]:
    """Return the catalogue records of all backbones that the contenders use, each once."""
    names = (name for spec in with_members(specs) for name in _backbones(spec))
    return tuple(resolve(name) for name in dict.fromkeys(names))


def build_heads(specs: Sequence[ContenderSpec], shop: Workshop) -> dict[str, Head]:
    """Return a head for each contender, ensembles after their members.

    Raises:
        UsageError: an unknown backbone or mode.
    """
    ordered = with_members(specs)
    names = {spec.key: spec.name for spec in ordered}
    return {
        spec.name: _ensemble(spec, shop, names) if spec.kind == "ensemble" else _maker(spec)(spec, shop)
        for spec in ordered
    }


def _maker(spec: ContenderSpec) -> Maker:
    mode, _, _ = spec.mode.partition(":")
    if mode not in MAKERS:
        raise unknown_name("mode", spec.mode, MAKERS)
    if mode in ("probe", "mlp"):
        Look.of(spec.mode)
    return MAKERS[mode]


def _joined_features(spec: ContenderSpec, shop: Workshop) -> Callable[[], npt.NDArray[np.float32]]:
    """Return what gives the features of all the contender's backbones side by side."""
    records, look = [resolve(name) for name in _backbones(spec)], Look.of(spec.mode)
    if look.flip and not get_augmenter(shop.config.train.augment).mirrors:
        raise UsageError(
            f"{spec.name!r}: the augmentation preset {shop.config.train.augment!r} says that mirror images of these "
            "pictures are not sound; leave out flip, or choose a preset that mirrors."
        )
    return lambda: np.concatenate([shop.features(record, look) for record in records], axis=1)


def _probe(spec: ContenderSpec, shop: Workshop) -> Head:
    return ProbeHead(_joined_features(spec, shop))


def _mlp(spec: ContenderSpec, shop: Workshop) -> Head:
    from headtohead.heads.mlp import MlpHead

    return MlpHead(_joined_features(spec, shop))


def _finetune(spec: ContenderSpec, shop: Workshop) -> Head:
    from headtohead.heads.finetune import FinetuneHead
    from headtohead.heads.modes import settings_for

    records = [resolve(name) for name in _backbones(spec)]
    settings = settings_for(shop.config.train, spec.mode, records[0])
    return FinetuneHead(
        records[0],
        shop.dataset,
        shop.recipe,
        settings,
        device=shop.config.device,
        precision=shop.config.precision,
        build=_network(spec, records),
    )


def _network(spec: ContenderSpec, records: Sequence[BackboneRecord]) -> Callable[[int, float], Any] | None:
    """Return what makes the network of a hybrid; None for a single backbone, which makes itself."""
    if spec.mode == "reader":
        if len(records) > 1:
            raise UsageError(f"{spec.name!r}: the reader reads one network's feature map; name one backbone.")
        return lambda seed, drop_path: _reader(records[0], seed, drop_path)
    if len(records) == 1:
        return None
    if len(records) > 2:
        raise UsageError(
            f"{spec.name!r}: a hybrid that is fine-tuned joins two backbones; got {len(records)}."
        )

    def joined(seed: int, drop_path: float) -> Any:
        from headtohead.backbones.joined import load_joined

        if drop_path:
            raise UsageError(
                f"{spec.name!r}: stochastic depth is not supported in a hybrid of two backbones."
            )
        return load_joined(records[0], records[1], seed=seed)

    return joined


def _reader(record: BackboneRecord, seed: int, drop_path: float) -> Any:
    from headtohead.backbones.load import load_backbone
    from headtohead.heads.reader import MapReader

    return MapReader(load_backbone(record, seed=seed, drop_path=drop_path), record.input_size, seed=seed)


def _ensemble(spec: ContenderSpec, shop: Workshop, names: Mapping[str, str]) -> Head:
    from headtohead.heads.ensemble import EnsembleHead

    strange = set(spec.options) - {"how"}
    if strange:
        raise unknown_name("option of an ensemble", sorted(strange)[0], ["how"])
    members = [names[member.key] for member in spec.members]
    return EnsembleHead(members, shop.lookup, spec.options.get("how", "mean"))


def _backbones(spec: ContenderSpec) -> tuple[str, ...]:
    if spec.kind == "single":
        return (spec.backbone,)
    return tuple(dict.fromkeys(name for member in spec.members for name in _backbones(member)))


MAKERS: Mapping[str, Maker] = {
    "probe": _probe,
    "mlp": _mlp,
    "finetune": _finetune,
    "partial": _finetune,
    "lora": _finetune,
    "reader": _finetune,
}
