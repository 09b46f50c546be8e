"""From contender expressions to heads: the one place that knows every mode."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from headtohead.backbones.catalog import resolve
from headtohead.backbones.features.views import FeatureView
from headtohead.backbones.record import BackboneRecord
from headtohead.contenders.expand import (
    ENSEMBLE_FOLDS,
    check_repeat,
    expand_members,
    joined_names,
    needs_inner_predictions,
    records_of,
)
from headtohead.contenders.expression import REPEATS, ContenderSpec
from headtohead.core.config import StudyConfig
from headtohead.core.errors import UsageError, unknown_name
from headtohead.core.progress import QUIET, Reporter
from headtohead.core.training_config import Budget, TrainConfig
from headtohead.data.dataset import Dataset
from headtohead.heads.base import FoldJob, FoldResult, Head
from headtohead.heads.ensemble import EnsembleHead, combination_rule
from headtohead.heads.linear_probe import C_GRID, ProbeHead
from headtohead.heads.replicates import FoldEnsembleHead, Refittable, SeedEnsembleHead
from headtohead.preprocess.recipe import Recipe
from headtohead.training.data_loader import get_augmenter
from headtohead.training.tuning.trial_budget import TrialBudget, subsample_grid

if TYPE_CHECKING:
    from headtohead.training.settings import FinetuneSettings
    from headtohead.training.tuning.hyperparameter_search import Trial

__all__ = [
    "BuildContext",
    "build_heads",
    "check_networks",
    "check_specs",
    "expand_members",
    "joined_names",
    "records_of",
]


@dataclass(frozen=True)
class BuildContext:
    """What heads are built from.

    Attributes:
        cache: folder for cached features.
        lookup: (contender's name, cell) -> that contender's finished cell, for ensembles.
        tell: called with a backbone's name and how its features came about.
        cells: how many cells each contender has, among which a budget in minutes is shared.
        told: called with the file of a training's lines after each epoch.
        trials: an SQLite file for the trials of optuna.
        weighed: keys of the contenders whose inner probabilities an ensemble needs.
    """

    dataset: Dataset
    recipe: Recipe
    config: StudyConfig
    cache: Path
    lookup: Callable[[str, FoldJob], FoldResult]
    record_facts: Callable[[str, Mapping[str, Any]], None]
    reporter: Reporter = QUIET
    cells: int = 1
    on_epoch_end: Callable[[Path], None] | None = None
    trials: Path | None = None
    weighed: frozenset[str] = frozenset()

    @property
    def budget(self) -> Budget:
        """What each contender may spend; nothing is said where no budget was stated."""
        return Budget() if self.config.train.budget is None else self.config.train.effective_budget

    def trial_budget(self) -> Callable[[Path], TrialBudget] | None:
        """Return what makes the purse of a cell from its work folder, where there is a budget."""
        if self.config.train.budget is None:
            return None
        return lambda workdir: TrialBudget(self.budget, self.cells, workdir)

    def note(self, name: str) -> Callable[[FoldJob, Sequence[Trial], FinetuneSettings], None] | None:
        """Return what keeps the trials of a contender, where optuna proposes them."""
        store = self.trials
        if store is None or self.config.train.tuner != "optuna":
            return None
        from headtohead.training.tuning.optuna_storage import save_trials

        return lambda cell, trials, stated: save_trials(
            store, f"{name} r{cell.repeat}f{cell.fold}", trials, stated
        )

    def features(self, record: BackboneRecord, look: FeatureView | None = None) -> npt.NDArray[np.float32]:
        """Return the (n, D) features of all samples by one backbone, from the cache where possible."""
        from headtohead.backbones.features.views import extract_view

        found = extract_view(
            self.dataset,
            record,
            self.recipe,
            look or FeatureView(),
            precision=self.config.precision,
            device=self.config.device,
            cache=self.cache,
            seed=self.config.seed,
            reporter=self.reporter,
        )
        self.record_facts(record.name, {"how": dict(found.how)})
        return found.rows


HeadBuilder = Callable[[ContenderSpec, BuildContext], Head]


def check_specs(specs: Sequence[ContenderSpec]) -> None:
    """Refuse unknown backbones and modes, and repeats without effect, before any work is done."""
    for spec in expand_members(specs):
        for name in spec.backbones:
            resolve(name)
        if spec.kind in REPEATS:
            check_repeat(spec)
        elif spec.kind == "ensemble":
            _way(spec)
        else:
            _maker(spec)


def check_networks(specs: Sequence[ContenderSpec], train: TrainConfig, seed: int) -> None:
    """Load the networks of which blocks or stochastic depth are asked, and refuse what they do not have.

    Their weights must be at hand. Nothing is loaded where nothing of the kind is asked.

    Raises:
        NoEffectError: more blocks than there are, or stochastic depth without branches to drop.
        UsageError: stochastic depth in a hybrid of two.
    """
    from headtohead.contenders.training_modes import FINETUNE_MODES, settings_for
    from headtohead.training.network.classifier import freeze
    from headtohead.training.setup import loader

    for spec in expand_members(specs):
        single = spec.members[0] if spec.kind == "snapshots" else spec
        if single.mode.partition(":")[0] not in FINETUNE_MODES:
            continue
        records = [resolve(name) for name in single.backbones]
        settings = settings_for(train, single.mode, records[0])
        if settings.last_blocks is not None or settings.drop_path:
            build = _network(single, records) or loader(records[0])
            freeze(build(seed, settings.drop_path), settings)


def build_heads(specs: Sequence[ContenderSpec], shop: BuildContext) -> dict[str, Head]:
    """Return a head for each contender, repeats and ensembles after what they are made of.

    Raises:
        UsageError: an unknown backbone or mode.
    """
    ordered = expand_members(specs)
    names = {spec.key: spec.name for spec in ordered}
    _warn_of_cost(ordered, shop)
    shop = replace(shop, weighed=frozenset(spec.key for spec in needs_inner_predictions(ordered)))
    heads: dict[str, Head] = {}
    for spec in ordered:
        if spec.kind == "ensemble":
            heads[spec.name] = EnsembleHead([names[m.key] for m in spec.members], shop.lookup, _way(spec))
        elif spec.kind in REPEATS:
            heads[spec.name] = _repeat(spec, shop, names[spec.members[0].key], heads)
        else:
            heads[spec.name] = _maker(spec)(spec, shop)
    return heads


def _warn_of_cost(specs: Sequence[ContenderSpec], shop: BuildContext) -> None:
    """Say which trainings are repeated so that an ensemble can be weighed."""
    train = shop.config.train
    dear = [spec.name for spec in needs_inner_predictions(specs)]
    if dear and train.policy == "fixed":
        folds = train.inner_folds or ENSEMBLE_FOLDS
        shop.reporter.warning(
            f"The weights of an ensemble come from inner folds, so {', '.join(dear)} is trained {folds} more times "
            "in every cell. how=mean costs nothing more."
        )


def _way(spec: ContenderSpec) -> str:
    """Return how an ensemble joins its members; an unknown option or way is refused."""
    strange = set(spec.options) - {"how"}
    if strange:
        raise unknown_name("option of an ensemble", sorted(strange)[0], ["how"])
    return combination_rule(spec.options.get("how", "mean"))


def _repeat(spec: ContenderSpec, shop: BuildContext, single: str, heads: Mapping[str, Head]) -> Head:
    check_repeat(spec)
    if spec.kind == "snapshots":
        return _finetune(spec, shop)
    kind = SeedEnsembleHead if spec.kind == "seeds" else FoldEnsembleHead
    return kind(single, cast(Refittable, heads[single]), shop.lookup, spec.count)


def _maker(spec: ContenderSpec) -> HeadBuilder:
    mode, _, _ = spec.mode.partition(":")
    if mode not in HEAD_BUILDERS:
        raise unknown_name("mode", spec.mode, HEAD_BUILDERS)
    if mode in ("probe", "mlp"):
        FeatureView.parse(spec.mode)
    return HEAD_BUILDERS[mode]


def _joined_features(spec: ContenderSpec, shop: BuildContext) -> Callable[[], npt.NDArray[np.float32]]:
    """Return what gives the features of all the contender's backbones side by side."""
    records, look = [resolve(name) for name in spec.backbones], FeatureView.parse(spec.mode)
    if look.flips and not get_augmenter(shop.config.train.augment).flips:
        raise UsageError(
            f"{spec.name!r}: the augmentation preset {shop.config.train.augment!r} says that mirror images of these "
            "images are not sound; leave out flip and symmetry, or choose a preset that mirrors."
        )
    return lambda: np.concatenate([shop.features(record, look) for record in records], axis=1)


def _probe(spec: ContenderSpec, shop: BuildContext) -> Head:
    return ProbeHead(_joined_features(spec, shop), subsample_grid(C_GRID, shop.budget.trials))


def _mlp(spec: ContenderSpec, shop: BuildContext) -> Head:
    from headtohead.heads.mlp import MlpHead, MlpSettings

    settings = MlpSettings(decays=subsample_grid(MlpSettings().decays, shop.budget.trials))
    return MlpHead(_joined_features(spec, shop), settings, purse=shop.trial_budget())


def _finetune(spec: ContenderSpec, shop: BuildContext) -> Head:
    """Return the head of a single network or hybrid, or of the snapshots of one."""
    from headtohead.contenders.training_modes import settings_for
    from headtohead.heads.fine_tuning import FineTuningHead

    cycles, single = (spec.count, spec.members[0]) if spec.kind == "snapshots" else (1, spec)
    records = [resolve(name) for name in single.backbones]
    folds = ENSEMBLE_FOLDS if spec.key in shop.weighed else 0
    settings = settings_for(shop.config.train, single.mode, records[0], inner_folds=folds, cycles=cycles)
    return FineTuningHead(
        records[0],
        shop.dataset,
        shop.recipe,
        settings,
        device=shop.config.device,
        precision=shop.config.precision,
        build=_network(single, records),
        purse=shop.trial_budget(),
        told=shop.on_epoch_end,
        note=shop.note(spec.name),
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
        from headtohead.backbones.hybrid import load_hybrid

        if drop_path:
            raise UsageError(
                f"{spec.name!r}: stochastic depth is not supported in a hybrid of two backbones."
            )
        return load_hybrid(records[0], records[1], seed=seed)

    return joined


def _reader(record: BackboneRecord, seed: int, drop_path: float) -> Any:
    from headtohead.backbones.load import load_backbone
    from headtohead.training.network.map_transformer import FeatureMapTransformer

    return FeatureMapTransformer(
        load_backbone(record, seed=seed, drop_path=drop_path), record.input_size, seed=seed
    )


HEAD_BUILDERS: Mapping[str, HeadBuilder] = {
    "probe": _probe,
    "mlp": _mlp,
    "finetune": _finetune,
    "partial": _finetune,
    "lora": _finetune,
    "reader": _finetune,
}
