"""4xx, class names: names that are one class, and classes that differ between the parts of a split."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict

from headtohead.audit.check import Check, Observation, issue, not_applicable, passed
from headtohead.audit.context import AuditContext
from headtohead.data.listing.evidence.part_classes import part_differences

__all__ = ["CHECKS"]


def similar_class_names(context: AuditContext) -> Observation:
    """Find class names that differ in case, spaces or punctuation only."""
    held: dict[str, list[str]] = defaultdict(list)
    for name in context.dataset.classes:
        plain = unicodedata.normalize("NFKC", name).strip()
        # A sign at the end is what tells HER2+ from HER2-.
        sign = found[1] if (found := re.search(r"([+-])\W*$", plain)) else ""
        # In numbers sign and point are no punctuation: -1 is not 1, nor 0.5 05, but 1,0 is 1.
        number = plain.replace(",", ".") if re.fullmatch(r"[+-]?\d+([.,]\d+)?", plain) else ""
        held[str(float(number)) if number else re.sub(r"[\W_]+", "", plain).casefold() + sign].append(name)
    alike = [names for names in held.values() if len(names) > 1]
    if not alike:
        return passed("class names are distinct")
    text = "; ".join(" / ".join(repr(n) for n in names) for names in alike)
    return issue(
        f"class names that differ in case or punctuation only: {text}",
        "They are one class, as a rule: join them with --map-labels 'a=b'.",
        alike=alike,
    )


def differing_parts(context: AuditContext) -> Observation:
    """Compare the classes of the parts of the data's own split."""
    if len({s.split for s in context.samples if s.split is not None}) < 2:
        return not_applicable("the data bring no split of their own")
    found = part_differences((s.split, s.label) for s in context.samples)
    if not found:
        return passed("every part of the given split holds the same classes")
    return issue(
        " ".join(map(str, found)),
        "Join classes of two names with --map-labels; leave out a class that one part lacks with --drop. `--split "
        "given` cannot score a class that was not trained on.",
        samples=[
            s.id for s in context.samples if any(s.label in (*d.only_there, *d.only_in_train) for d in found)
        ],
        renames={a: b for d in found for a, b in d.renames.items()},
    )


CHECKS = (
    Check(
        "H2H405",
        "Class names alike",
        "severe",
        similar_class_names,
        "Names that differ in case or punctuation only.",
    ),
    Check(
        "H2H407",
        "Classes differ between parts",
        "severe",
        differing_parts,
        "A class of the given train part that val or test lacks, or the other way round.",
    ),
)
