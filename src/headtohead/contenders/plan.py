"""The contenders of a run, parsed once: in which order, how each is trained, and on which backbones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass

from headtohead.backbones.catalog import resolve
from headtohead.backbones.record import BackboneRecord
from headtohead.contenders.expression import REPEATS, ContenderSpec, parse_list
from headtohead.contenders.mode import PlannedContender
from headtohead.contenders.training_modes import parse_mode
from headtohead.contenders.tuned_modes import network_builder, settings_for
from headtohead.core.config import TrainConfig
from headtohead.core.errors import NoEffectError, UsageError, unknown_name
from headtohead.core.optional import require
from headtohead.heads.ensemble import CombinationRule, combination_rule
from headtohead.training.data_loader import get_augmenter

__all__ = ["ContenderPlan"]


@dataclass(frozen=True, slots=True)
class ContenderPlan:
    """Every contender of a run, those that an ensemble or a replicate is made of included.

    Attributes:
        named: the contenders that the user named.
        contenders: all of them: single networks and hybrids, then replicates of them, ensembles last.
        records: the backbones that they use, each once.
    """

    named: tuple[ContenderSpec, ...]
    contenders: tuple[PlannedContender, ...]
    records: tuple[BackboneRecord, ...]

    @classmethod
    def parse(cls, expressions: str | Iterable[str], default_mode: str = "probe") -> ContenderPlan:
        """Return the plan of contender expressions.

        Raises:
            UsageError: an expression that is not understood, an ensemble of ensembles.
            UnknownNameError: a backbone, mode or option that does not exist.
            NoEffectError: a replicate that would come out the same each time.
        """
        return cls.from_specs(parse_list(expressions, default_mode))

    @classmethod
    def from_specs(cls, specs: Sequence[ContenderSpec]) -> ContenderPlan:
        """Return the plan of parsed expressions; raises as `parse` does."""
        ordered = _with_members(specs)
        backbones = dict.fromkeys(name for spec in ordered for name in spec.backbones)
        records = {name: resolve(name) for name in backbones}
        # A member's spelling may differ from that of the contender that it means.
        names = {spec.key: spec.name for spec in ordered}
        needing = _keys_needing_inner(ordered)
        contenders = tuple(
            _planned(spec, records, names, needs_inner=spec.key in needing) for spec in ordered
        )
        return cls(tuple(specs), contenders, tuple(records.values()))

    @property
    def tuned(self) -> tuple[PlannedContender, ...]:
        """The contenders in whose training the network itself learns."""
        return tuple(contender for contender in self.contenders if contender.is_tuned)

    @property
    def needing_inner(self) -> tuple[PlannedContender, ...]:
        """The contenders that are trained again on inner folds, because an ensemble learns its weights there."""
        return tuple(contender for contender in self.contenders if contender.needs_inner)

    @property
    def members(self) -> dict[str, list[str]]:
        """For each ensemble and replicate the names of the contenders that it is made of."""
        return {c.name: list(c.members) for c in self.contenders if c.members}

    @property
    def pairable(self) -> tuple[PlannedContender, ...]:
        """The single networks that the user named, whose confounds are listed."""
        named = {spec.key for spec in self.named}
        return tuple(c for c in self.contenders if c.spec.kind == "single" and c.spec.key in named)

    def check_settings(self, train: TrainConfig) -> None:
        """Refuse training settings that would change nothing for these contenders.

        Raises:
            NoEffectError: names the settings.
            UnknownNameError: no such augmentation preset.
            MissingExtraError: the tuner is not installed.
        """
        changed = {
            name for name, field in TrainConfig.model_fields.items() if getattr(train, name) != field.default
        }
        get_augmenter(train.augment)
        modes = [c.mode for c in self.contenders if c.mode is not None]
        if not any(mode.mode.name == "lora" for mode in modes):
            _refuse(changed & {"lora_rank"}, "no contender is trained by lora")
        if not self.tuned:
            if train.balance == "sampler":
                raise NoEffectError(
                    "balance = 'sampler' draws images, and no contender is fine-tuned; use 'loss', which weighs the "
                    "classes of a probe or MLP."
                )
            # A budget goes with the policy "inner" alone, so that neither is idle without the other.
            idle = changed - {"budget", "balance"} - ({"policy"} if train.budget else set())
            if any(mode.view.flips for mode in modes):  # the preset says whether flipped images are sound
                idle -= {"augment"}
            _refuse(idle, "no contender is fine-tuned (write NAME@finetune)")
        for contender in self.tuned:
            if contender.mode is not None:
                settings_for(train, contender.mode, contender.records, cycles=contender.cycles)
        if self.tuned and train.tuner == "optuna":
            require("optuna", "tune", "propose trials by optuna")
        if self.tuned and all(r.source == "scratch" for c in self.tuned for r in c.records):
            _refuse(
                changed & {"batch_norm", "head_start", "layer_decay"}, "networks from scratch have their own"
            )

    def check_networks(self, train: TrainConfig, seed: int) -> None:
        """Load the networks of which blocks or stochastic depth are asked, and refuse what they do not have.

        Their weights must be available. Nothing is loaded unless one of these is set.

        Raises:
            NoEffectError: more blocks than there are, or stochastic depth without branches to drop.
            UsageError: stochastic depth in a hybrid of two.
        """
        for contender in self.tuned:
            if contender.mode is None:
                continue
            settings = settings_for(train, contender.mode, contender.records)
            if settings.last_blocks is not None or settings.drop_path:
                from headtohead.training.network.classifier import freeze
                from headtohead.training.setup import loader

                build = network_builder(contender) or loader(contender.records[0])
                freeze(build(seed, settings.drop_path), settings)


def _with_members(specs: Sequence[ContenderSpec]) -> tuple[ContenderSpec, ...]:
    """Return the contenders and what they are made of: singles, then replicates of them, ensembles last.

    Raises:
        UsageError: an ensemble of ensembles.
    """
    ranks: dict[int, list[ContenderSpec]] = {0: [], 1: [], 2: []}
    known: set[str] = set()
    below = [member for spec in specs for member in _below(spec)]
    for spec in (*specs, *below):  # named ones first, so that what is both keeps the user's spelling
        if spec.key not in known:
            known.add(spec.key)
            ranks[2 if spec.kind == "ensemble" else 1 if spec.kind in REPEATS else 0].append(spec)
    return (*ranks[0], *ranks[1], *ranks[2])


def _below(spec: ContenderSpec) -> Iterator[ContenderSpec]:
    """Yield the contenders whose finished cells a contender needs."""
    if spec.kind not in ("ensemble", *REPEATS):
        return
    for member in spec.members:
        if member.kind == "ensemble":
            raise UsageError(f"{spec.name!r} joins another ensemble; name that one's members instead.")
        yield member
        yield from _below(member)


def _keys_needing_inner(specs: Sequence[ContenderSpec]) -> frozenset[str]:
    """Return the keys of the fine-tuned contenders on whose inner predictions an ensemble learns weights."""
    weighted = [spec for spec in specs if spec.kind == "ensemble" and _combination(spec) != "mean"]
    members = [member for spec in weighted for member in _below(spec)]
    return frozenset(member.key for member in members if member.kind == "snapshots" or _is_tuned(member))


def _is_tuned(spec: ContenderSpec) -> bool:
    return spec.kind in ("single", "hybrid") and parse_mode(spec.mode).is_tuned


def _planned(
    spec: ContenderSpec,
    records: Mapping[str, BackboneRecord],
    names: Mapping[str, str],
    *,
    needs_inner: bool,
) -> PlannedContender:
    own = tuple(records[name] for name in spec.backbones)
    if spec.kind in ("single", "hybrid"):
        mode = parse_mode(spec.mode)
        if (
            mode.is_tuned
        ):  # images come in at the size of the first, so that none is made larger for the second
            own = tuple(sorted(own, key=lambda record: -record.input_size))
        return PlannedContender(spec, mode, own, needs_inner=needs_inner)
    members = tuple(names[member.key] for member in spec.members)
    if spec.kind == "ensemble":
        return PlannedContender(spec, None, own, members, _combination(spec))
    _check_replicate(spec)
    if spec.kind != "snapshots":
        return PlannedContender(spec, None, own, members, needs_inner=needs_inner)
    one = _planned(spec.members[0], records, names, needs_inner=needs_inner)
    return PlannedContender(spec, one.mode, one.records, members, needs_inner=needs_inner)


def _combination(spec: ContenderSpec) -> CombinationRule:
    """Return how an ensemble combines its members; an unknown option or rule is refused."""
    unknown = set(spec.options) - {"how"}
    if unknown:
        raise unknown_name("option of an ensemble", sorted(unknown)[0], ["how"])
    return combination_rule(spec.options.get("how", "mean"))


def _check_replicate(spec: ContenderSpec) -> None:
    """Refuse to replicate what would come out the same.

    Raises:
        NoEffectError: seeds of a probe, snapshots of what is not trained in epochs of one run.
    """
    (single,) = spec.members
    mode = parse_mode(single.mode)
    if spec.kind == "seeds" and mode.mode.name == "probe":
        raise NoEffectError(
            f"{spec.name!r}: a probe has one optimum, whatever the seed. Repeat @mlp or @finetune, "
            f"or write folds({single.name},5)."
        )
    if spec.kind == "snapshots" and not mode.is_tuned:
        raise NoEffectError(
            f"{spec.name!r}: only a training that is fine-tuned passes through states that could be kept; "
            f"write {single.name.partition('@')[0]}@finetune inside."
        )


def _refuse(idle: Set[str], reason: str) -> None:
    if idle:
        raise NoEffectError(f"{', '.join(sorted(idle))} would have no effect: {reason}.")
