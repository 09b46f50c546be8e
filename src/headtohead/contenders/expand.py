"""Who takes part: the contenders that were named, those that they are made of, and in which order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from headtohead.backbones.catalog import resolve
from headtohead.backbones.record import BackboneRecord
from headtohead.contenders.expression import REPEATS, ContenderSpec
from headtohead.contenders.training_modes import FINETUNE_MODES
from headtohead.core.errors import NoEffectError, UsageError
from headtohead.heads.ensemble import combination_rule

__all__ = [
    "ENSEMBLE_FOLDS",
    "check_repeat",
    "expand_members",
    "joined_names",
    "needs_inner_predictions",
    "records_of",
]

ENSEMBLE_FOLDS = 3  # inner folds of a fine-tuned member whose ensemble needs weights


def expand_members(specs: Sequence[ContenderSpec]) -> tuple[ContenderSpec, ...]:
    """Return the contenders, what they are made of added: singles, then repeats of them, ensembles last.

    Raises:
        UsageError: an ensemble of ensembles.
    """
    ranks: dict[int, list[ContenderSpec]] = {0: [], 1: [], 2: []}
    known = set()
    below = [member for spec in specs for member in _below(spec)]
    for spec in (*specs, *below):
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


def records_of(specs: Sequence[ContenderSpec]) -> tuple[BackboneRecord, ...]:
    """Return the catalogue records of all backbones that the contenders use, each once."""
    names = (name for spec in expand_members(specs) for name in spec.backbones)
    return tuple(resolve(name) for name in dict.fromkeys(names))


def needs_inner_predictions(specs: Sequence[ContenderSpec]) -> tuple[ContenderSpec, ...]:
    """Return the fine-tuned contenders whose inner probabilities an ensemble's weights are found on."""
    ensembles = [spec for spec in specs if spec.kind == "ensemble"]
    joined = [s for s in ensembles if combination_rule(s.options.get("how", "mean")) != "mean"]
    members = [below for spec in joined for below in _below(spec)]
    found = {s.key: s for s in members if s.kind == "snapshots" or _is_tuned(s)}
    return tuple(found.values())


def joined_names(specs: Sequence[ContenderSpec]) -> dict[str, list[str]]:
    """Return for each ensemble and repeat the names of what it is made of."""
    ordered = expand_members(specs)
    names = {spec.key: spec.name for spec in ordered}
    joined = [spec for spec in ordered if spec.kind in ("ensemble", *REPEATS)]
    return {spec.name: [names[member.key] for member in spec.members] for spec in joined}


def check_repeat(spec: ContenderSpec) -> None:
    """Refuse to repeat what would come out the same.

    Raises:
        NoEffectError: seeds of a probe, snapshots of what is not trained in epochs of one run.
    """
    (single,) = spec.members
    mode = single.mode.partition(":")[0]
    if spec.kind == "seeds" and mode == "probe":
        raise NoEffectError(
            f"{spec.name!r}: a probe has one optimum, whatever the seed. Repeat @mlp or @finetune, "
            f"or write folds({single.name},5)."
        )
    if spec.kind == "snapshots" and not _is_tuned(single):
        raise NoEffectError(
            f"{spec.name!r}: only a training that is fine-tuned passes through states that could be kept; "
            f"write {single.name.partition('@')[0]}@finetune inside."
        )


def _is_tuned(spec: ContenderSpec) -> bool:
    return spec.mode.partition(":")[0] in FINETUNE_MODES
