"""What differs between two contenders besides their kind of architecture, and which control would part it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from headtohead.backbones.catalog import catalogue, is_scratch
from headtohead.backbones.record import BackboneRecord

__all__ = ["Contender", "confounds", "controls", "differing_fields"]

KINDS = {
    "cnn": "a CNN",
    "transformer": "a transformer",
    "hybrid": "a hybrid",
    "unknown": "of an unknown kind",
}
NOTABLE = 1.25  # parameter counts within a quarter of each other are called alike
Contender = tuple[str, BackboneRecord, str, Mapping[str, str]]


def differing_fields(
    a: BackboneRecord,
    b: BackboneRecord,
    modes: tuple[str, str] = ("", ""),
    training: tuple[Mapping[str, str], Mapping[str, str]] = ({}, {}),
) -> list[dict[str, str]]:
    """Return what differs between two contenders, one {"what", "a", "b"} each; none if nothing does.

    Args:
        a, b: their backbones.
        modes: how each is trained, in one word.
        training: what each does with images and choices besides, by name; the same names for both.

    >>> from headtohead.backbones.catalog import resolve
    >>> [d["what"] for d in differing_fields(resolve("vit-b16"), resolve("convnext-b-in22k"))]
    ['kind', 'pretraining']
    """
    return list(_differences(a, b, modes, training))


def _differences(
    a: BackboneRecord,
    b: BackboneRecord,
    modes: tuple[str, str],
    training: tuple[Mapping[str, str], Mapping[str, str]],
) -> Iterator[dict[str, str]]:
    rows = [
        ("kind", KINDS[a.family], KINDS[b.family]),
        ("pretraining", _pretraining(a), _pretraining(b)),
        ("input side", f"{a.input_size} px", f"{b.input_size} px"),
        ("way of training", *modes),
        *((what, words, training[1].get(what, "")) for what, words in training[0].items()),
    ]
    if not _alike(a.n_parameters, b.n_parameters):
        rows.insert(2, ("parameters", _millions(a.n_parameters), _millions(b.n_parameters)))
    for what, left, right in rows:
        if left != right:
            yield {"what": what, "a": left, "b": right}


def controls(a: BackboneRecord, b: BackboneRecord) -> list[str]:
    """Return the catalogue's names with the kind of one of the two and the pretraining of the other.

    >>> from headtohead.backbones.catalog import resolve
    >>> controls(resolve("inception-resnet-v2"), resolve("vit-b16"))
    ['resnetv2-50-in21k', 'vit-b16-in1k']
    """
    wanted = {(a.family, _pretraining(b)), (b.family, _pretraining(a))}
    # where both share kind or pretraining, each would be the other's control
    wanted -= {(one.family, _pretraining(one)) for one in (a, b)}
    return [one.name for one in catalogue() if (one.family, _pretraining(one)) in wanted]


def confounds(contenders: Sequence[Contender]) -> list[dict[str, Any]]:
    """Return one entry per pair of contenders that differ in more than one thing.

    Args:
        contenders: (name, record of its backbone, mode, what else its training does) of each.
    """
    return [
        {"a": a, "b": b, "differs": found, "controls": controls(one, other)}
        for (a, one, mode, does), (b, other, other_mode, other_does) in combinations(contenders, 2)
        if len(found := differing_fields(one, other, (mode, other_mode), (does, other_does))) > 1
    ]


def _pretraining(record: BackboneRecord) -> str:
    return "none (random weights)" if is_scratch(record) else record.pretraining


def _alike(a: int | None, b: int | None) -> bool:
    # an unknown number is no difference that anybody could name
    return a is None or b is None or max(a, b) <= NOTABLE * min(a, b)


def _millions(count: int | None) -> str:
    return "unknown" if count is None else f"{count / 1e6:.1f} million"
