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
from headtohead.core.runs import RunFolder
from headtohead.data.dataset import Dataset
from headtohead.heads.base import Head
from headtohead.heads.probe import ProbeHead
from headtohead.heads.spec import ContenderSpec
from headtohead.preprocess.recipe import Recipe

__all__ = ["Workshop", "build_heads", "check_specs", "records_of", "with_members"]


@dataclass(frozen=True)
class Workshop:
    """What heads are built from.

    Attributes:
        cache: folder for cached features.
        run, parts: the run folder and the folds, from which ensembles read their members' cells.
        tell: called with a backbone's name and how its features came about.
    """

    dataset: Dataset
    recipe: Recipe
    config: StudyConfig
    cache: Path
    run: RunFolder
    parts: Sequence[Any]
    tell: Callable[[str, Mapping[str, Any]], None]
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
    return MAKERS[mode]


def _probe(spec: ContenderSpec, shop: Workshop) -> Head:
    records = [resolve(name) for name in _backbones(spec)]
    return ProbeHead(lambda: np.concatenate([shop.features(record) for record in records], axis=1))


def _ensemble(spec: ContenderSpec, shop: Workshop, names: Mapping[str, str]) -> Head:  # noqa: ARG001
    raise UsageError(f"{spec.name!r}: ensembles are not built yet.")


def _backbones(spec: ContenderSpec) -> tuple[str, ...]:
    if spec.kind == "single":
        return (spec.backbone,)
    return tuple(dict.fromkeys(name for member in spec.members for name in _backbones(member)))


MAKERS: Mapping[str, Maker] = {"probe": _probe}
