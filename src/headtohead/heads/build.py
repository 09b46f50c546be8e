"""From contender expressions to heads: the one place that knows every mode."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.backbones.catalog import BackboneRecord, resolve
from headtohead.core.config import StudyConfig
from headtohead.core.errors import UsageError, unknown_name
from headtohead.core.reporter import QUIET, Reporter
from headtohead.data.dataset import Dataset
from headtohead.heads.base import Head
from headtohead.heads.probe import ProbeHead
from headtohead.heads.spec import ContenderSpec
from headtohead.preprocess.recipe import Recipe

__all__ = ["MODES", "Workshop", "build_heads", "records_of", "with_members"]

MODES = ("probe", "mlp", "finetune", "partial:<k>", "lora")
Told = Callable[[str, Mapping[str, Any]], None]


@dataclass(frozen=True)
class Workshop:
    """What heads are built from.

    Attributes:
        cache: folder for cached features.
        tell: called with a contender's backbone and how its features came about.
    """

    dataset: Dataset
    recipe: Recipe
    config: StudyConfig
    cache: Path
    tell: Told
    reporter: Reporter = QUIET

    def features(self, record: BackboneRecord) -> npt.NDArray[np.float32]:
        """Return the (n, D) features of all samples by one backbone, from the cache where possible."""
        from headtohead.backbones.features import extract

        found = extract(
            self.dataset,
            record,
            self.recipe,
            precision=self.config.precision,
            device=self.config.device,
            cache=self.cache,
            seed=self.config.seed,
            reporter=self.reporter,
        )
        self.tell(record.name, found.how)
        return found.rows


def with_members(specs: Sequence[ContenderSpec]) -> tuple[ContenderSpec, ...]:
    """Return the contenders with the members of ensembles that were not named themselves, members first."""
    singles = [spec for spec in specs if spec.kind != "ensemble"]
    ensembles = [spec for spec in specs if spec.kind == "ensemble"]
    known = {spec.key for spec in singles}
    for ensemble in ensembles:
        for member in ensemble.members:
            if member.kind == "ensemble":
                raise UsageError(f"{ensemble.name!r}: an ensemble of ensembles is not supported; name its members.")
            if member.key not in known:
                known.add(member.key)
                singles.append(member)
    return (*singles, *ensembles)


def records_of(specs: Sequence[ContenderSpec]) -> dict[str, tuple[BackboneRecord, ...]]:
    """Return contender name -> the catalogue records of its backbones; unknown names are refused here."""
    return {spec.name: tuple(resolve(name) for name in _backbones(spec)) for spec in specs}


def build_heads(specs: Sequence[ContenderSpec], shop: Workshop) -> dict[str, Head]:
    """Return a head for each contender, ensembles after their members.

    Raises:
        UsageError: an unknown backbone or mode.
    """
    ordered = with_members(specs)
    names = {spec.key: spec.name for spec in ordered}
    return {spec.name: _build(spec, shop, names) for spec in ordered}


def _build(spec: ContenderSpec, shop: Workshop, names: Mapping[str, str]) -> Head:
    if spec.kind == "ensemble":
        return _ensemble(spec, names)
    mode, _, _ = spec.mode.partition(":")
    makers: dict[str, Callable[[ContenderSpec, Workshop], Head]] = {"probe": _probe}
    if mode not in makers:
        raise unknown_name("mode", spec.mode, MODES)
    return makers[mode](spec, shop)


def _probe(spec: ContenderSpec, shop: Workshop) -> Head:
    records = [resolve(name) for name in _backbones(spec)]
    return ProbeHead(lambda: np.concatenate([shop.features(record) for record in records], axis=1))


def _ensemble(spec: ContenderSpec, names: Mapping[str, str]) -> Head:
    raise UsageError(f"{spec.name!r}: ensembles are not built yet. {names}")


def _backbones(spec: ContenderSpec) -> tuple[str, ...]:
    if spec.kind == "single":
        return (spec.backbone,)
    return tuple(dict.fromkeys(name for member in spec.members for name in _backbones(member)))
