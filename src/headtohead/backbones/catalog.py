"""The contenders' backbones as a plain table, and the way from a name to a record.

No torch here: the table is read by `--help`, by the audit and by the report. Only names that reach
beyond the table (`timm:`, `hf:`, `path:`, `scratch:`) ask another library.
"""

from __future__ import annotations

import re

from headtohead.backbones.catalog_rows import ROWS
from headtohead.backbones.record import BackboneRecord
from headtohead.core.errors import UsageError, unknown_name

__all__ = ["catalogue", "is_scratch", "resolve", "with_input_size"]

SCHEMES = ("timm", "hf", "path", "scratch")


def catalogue() -> tuple[BackboneRecord, ...]:
    """Return the table's records, in the order in which they are listed.

    >>> [record.name for record in catalogue()][:3]
    ['efficientnet-lite0', 'efficientnet-lite1', 'efficientnet-lite2']
    """
    return tuple(BackboneRecord.model_validate(row) for row in ROWS)


def resolve(name: str) -> BackboneRecord:
    """Return the record that `name` stands for.

    Args:
        name: a name of the catalogue, `timm:<model>`, `hf:<repository>`, `path:<file or folder>`
            (`path:weights.safetensors?arch=<timm model>` for a bare file) or `scratch:<timm model>`.

    Raises:
        UnknownNameError: neither in the catalogue nor, after `timm:` and `scratch:`, known to timm.
        WeightsError: `hf:` or `path:` names something that cannot be read.

    >>> resolve("dinov2-small").input_size
    224
    """
    table = {record.name: record for record in catalogue()}
    if name in table:
        return table[name]
    scheme, colon, rest = name.partition(":")
    if colon and scheme in SCHEMES:
        if not rest:
            raise UsageError(
                f"{name!r} names no model; expected {scheme}:<name>, for example {_EXAMPLES[scheme]}."
            )
        from headtohead.backbones import name_schemes as names

        return names.resolve_scheme(scheme, rest)
    raise unknown_name("backbone", name, [*table, *_EXAMPLES.values()])


def with_input_size(record: BackboneRecord, side: int) -> BackboneRecord:
    """Return the record with another input side in pixels, for studies of resolution.

    Raises:
        UsageError: the side does not fit the network's patches (multiples of 14, 16 or 32).

    >>> with_input_size(resolve("dinov2-small"), 448).input_size
    448
    """
    # a token of vit_small_r26_s32_224 covers 32 pixels, one of vit_small_patch14_dinov2 14
    # (in mobileone_s0 or caformer_s18 the s is a size)
    strides = re.findall(r"(?:patch|_r\d*_s)(\d+)", record.architecture)
    step = int(strides[-1]) if strides else 1
    if side < 32 or side % step:
        raise UsageError(
            f"{record.name} takes square inputs of at least 32 px, a multiple of {step}; got {side}."
        )
    return record.model_copy(update={"input_size": side})


def is_scratch(record: BackboneRecord) -> bool:
    """Return whether the record's weights are random."""
    return record.source == "scratch"


_EXAMPLES = {
    "timm": "timm:resnet50.a1_in1k",
    "hf": "hf:facebook/dinov2-small",
    "path": "path:model.safetensors?arch=resnet50",
    "scratch": "scratch:vit_base_patch16_224",
}
