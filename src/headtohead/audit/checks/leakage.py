"""2xx, leaks: copies and patients that stand on both sides of a split, or could."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath

from headtohead.audit.check import Check, Observation, issue, not_applicable, passed, skipped, tip
from headtohead.audit.checks.expected_leakage import expected_leaked_fraction, random_split_leakage
from headtohead.audit.checks.files import list_samples
from headtohead.audit.checks.series_names import case_of
from headtohead.audit.context import AuditContext
from headtohead.core.formatting import format_percent, pluralize
from headtohead.core.records import Sample
from headtohead.data.dataset import GIVEN_GROUP

__all__ = ["CHECKS", "expected_leaked_fraction"]

# whole words: "august" and "rotator" suggest no augmentation
_AUGMENTED = re.compile(
    r"(?<![a-z])(aug(mented)?|flip(ped)?|rot(ated)?\d*|mirror(ed)?|crop(ped)?\d*)(?![a-z])"
)


def duplicate_sets(samples: Iterable[Sample], key: str) -> list[list[Sample]]:
    """Return the sets of samples that share one field, largest first; sets of one are left out."""
    held: dict[str, list[Sample]] = defaultdict(list)
    for s in samples:
        held[str(getattr(s, key))].append(s)
    return sorted((v for v in held.values() if len(v) > 1), key=lambda v: (-len(v), v[0].id))


def exact_duplicates(context: AuditContext) -> Observation:
    """Count images with the same pixels."""
    sets = duplicate_sets(context.samples, "pixel_hash")
    bytes_ = duplicate_sets(context.samples, "sha256")
    if not sets:
        return passed("no two images have the same pixels")
    extra = sum(len(v) - 1 for v in sets)
    return issue(
        f"{pluralize(len(sets), 'set')} of images with equal pixels, {pluralize(extra, 'redundant file')} "
        f"({pluralize(len(bytes_), 'set')}, {pluralize(sum(len(v) - 1 for v in bytes_), 'file')} equal byte for byte)",
        "Grouped folds keep each set on one side; keep them grouped, or keep one of each (`headtohead clean`). A plain "
        "random split of these files leaks.",
        samples=[s.id for v in sets for s in v],
        sets=[[s.id for s in v] for v in sets],
    )


def near_duplicates(context: AuditContext) -> Observation:
    """Count verified near-duplicates."""
    if not context.grouping.counts:  # as `Grouping.from_reviewer` leaves it
        return skipped("groups were given by the reviewer, so near-duplicates were not searched for")
    pairs = [p for p in context.grouping.pairs if p.kind != "exact"]
    if not pairs:
        return passed("no near-duplicates were verified")
    flipped = sum(p.kind == "mirrored" for p in pairs)
    members = {i for p in pairs for i in (p.a, p.b)}
    shared = sum(1 for n in context.group_sizes.values() if n > 1)
    return issue(
        f"{pluralize(len(pairs), 'pair', 'is a near-duplicate', 'are near-duplicates')}"
        f"{f' ({flipped} of them flipped)' if flipped else ''}, in "
        f"{len(members)} images; with exact copies and given groups, {len(context.samples)} images make "
        f"{len(context.group_sizes)} groups, {shared} of them with several members",
        "Keep groups.csv with the data and split by it. Look at the groups side by side on the page; a pair that "
        "is wrong can be taken apart by editing groups.csv and giving it back with --groups.",
        samples=sorted(members),
        pairs=[{"a": p.a, "b": p.b, "kind": p.kind, **p.evidence} for p in pairs],
    )


def _across(groups: dict[str, list[Sample]]) -> list[list[Sample]]:
    split = [v for v in groups.values() if len({s.split for s in v if s.split is not None}) > 1]
    return sorted(split, key=lambda v: (-len(v), v[0].id))


def _by_group(context: AuditContext) -> dict[str, list[Sample]]:
    held: dict[str, list[Sample]] = defaultdict(list)
    for s in context.samples:
        held[context.grouping.groups[s.id]].append(s)
    return held


def duplicates_across_splits(context: AuditContext) -> Observation:
    """Find copies that stand in two of the given parts."""
    if len({s.split for s in context.samples if s.split is not None}) < 2:
        return not_applicable("the data bring no split of their own")
    # copies alone: patients in two parts are H2H206
    linked = {i for p in context.grouping.pairs for i in (p.a, p.b)}
    linked |= {s.id for v in duplicate_sets(context.samples, "pixel_hash") for s in v}
    groups = {name: [s for s in v if s.id in linked] for name, v in _by_group(context).items()}
    leaks = _across(groups)
    if not leaks:
        return passed("no copies stand in two of the given parts")
    named = [s for v in leaks for s in v]
    test = sum(1 for s in named if s.split == "test")
    return issue(
        f"{pluralize(len(leaks), 'set', 'of copies stands', 'of copies stand')} in several of the given parts "
        f"({len(named)} images, {test} of them "
        "in `test`): " + list_samples(" / ".join(f"{s.split}:{s.path}" for s in v[:3]) for v in leaks),
        "Scores on this split count what was learned by heart. Use `--split kfold`, or drop the copies from test.",
        samples=[s.id for s in named],
        sets=[[s.id for s in v] for v in leaks],
    )


def contradicting_labels(context: AuditContext) -> Observation:
    """Find equal images under different labels."""
    sets = [v for v in duplicate_sets(context.samples, "pixel_hash") if len({s.label for s in v}) > 1]
    if len(context.dataset.classes) < 2:
        return not_applicable("there is one class only")
    if not sets:
        return passed("no image occurs under two labels")
    return issue(
        f"{pluralize(len(sets), 'image', 'occurs', 'occur')} under more than one label: "
        + list_samples(" / ".join(f"{s.label}:{s.path}" for s in v) for v in sets),
        "One of the labels is wrong, or the image shows both. Settle each with the source, or leave them all out.",
        samples=[s.id for v in sets for s in v],
        sets=[[s.id for s in v] for v in sets],
    )


def augmented_copies(context: AuditContext) -> Observation:
    """Find copies that look like augmentation before the split: flipped, rotated, or named so."""
    transformed = [
        p for p in context.grouping.pairs if p.kind == "mirrored" or (p.kind == "near" and abs(p.turn) > 3.0)
    ]
    named = [s for s in context.samples if _AUGMENTED.search(PurePosixPath(s.path).stem.lower())]
    if not transformed and not named:
        return passed("no flipped or rotated copies, and no names that suggest augmentation")
    inside = sorted({i for p in transformed for i in (p.a, p.b)} | {s.id for s in named})
    share = len(inside) / len(context.samples)
    return issue(
        f"{pluralize(len(transformed), 'pair', 'is', 'are')} flipped or rotated copies of each other and "
        f"{pluralize(len(named), 'name', 'suggests', 'suggest')} "
        f"augmentation ({format_percent(share)} of the images are concerned)",
        "The set was augmented before it was split. Keep one of each group (`headtohead clean --keep one-per-group`) "
        "and augment in training only.",
        samples=inside,
        severity="severe" if share >= 0.3 else None,
        pairs=[{"a": p.a, "b": p.b, "kind": p.kind, "turn": p.turn} for p in transformed],
        named=[s.id for s in named],
    )


def _given_groups(context: AuditContext) -> dict[str, list[Sample]]:
    """Return groups that came with the data (not those found in pixels); empty where none came."""
    held: dict[str, list[Sample]] = defaultdict(list)
    for s in context.samples:
        held[s.group].append(s)
    return {} if len(held) == len(context.samples) else held


def patient_across(context: AuditContext) -> Observation:
    """Find patients (given groups) that stand in two of the given parts."""
    if len({s.split for s in context.samples if s.split is not None}) < 2:
        return not_applicable("the data bring no split of their own")
    given = _given_groups(context)
    if not given:
        return not_applicable("the data bring no patients or other groups")
    leaks = {name: v for name, v in given.items() if len({s.split for s in v if s.split is not None}) > 1}
    if not leaks:
        return passed("every given group stands in one part only")
    named = [s.id for v in leaks.values() for s in v]
    return issue(
        f"{len(leaks)} of {len(given)} given groups (patients) stand in several parts: {list_samples(sorted(leaks))}",
        "Scores on this split count recognised patients. Use `--split kfold`, which keeps groups whole.",
        samples=named,
        groups=sorted(leaks),
    )


def rejected_links(context: AuditContext) -> Observation:
    """Report links that were not followed because the far ends do not hold together."""
    found = context.grouping.chains
    if not found:
        return passed("no chain of near-duplicates had to be cut")
    return issue(
        f"{len(found)} links would have joined groups whose far ends do not match; they were not followed",
        "Look at both ends. If they are one patient, join them in groups.csv and give it back with --groups.",
        samples=list(dict.fromkeys(i for c in found for i in (*c.left, *c.right))),
        chains=[{"left": list(c.left), "right": list(c.right), "reason": c.reason} for c in found],
    )


def possibly_one_patient(context: AuditContext) -> Observation:
    """Report pairs that are possibly one patient, though not the same image."""
    if not context.grouping.counts:
        return skipped("groups were given by the reviewer, so likeness was not searched for")
    pairs = context.grouping.similar
    if not pairs:
        return passed("no two different images look like one patient's (weak likeness is not seen)")
    joined = context.settings.similar
    members = list(dict.fromkeys(i for p in pairs for i in (p.a, p.b)))
    return issue(
        f"{pluralize(len(pairs), 'pair', 'is', 'are')} possibly of one patient (neighbouring slices, other contrast); "
        + ("they were put into one group" if joined else "they are not grouped"),
        "Give patients with --group-from or a manifest, if they are known; else group these pairs with "
        "--group-similar and see whether the answer holds.",
        samples=members,
        severity="note" if joined else None,
        pairs=[{"a": p.a, "b": p.b, **p.evidence} for p in pairs],
    )


def names_of_series(context: AuditContext) -> Observation:
    """Look for a patient or series in the names where no group is given."""
    if _given_groups(context) or any(GIVEN_GROUP in s.extra for s in context.samples):
        return not_applicable("the data bring groups of their own")
    cases: Counter[str] = Counter()
    for s in context.samples:
        case = case_of(PurePosixPath(s.path).stem)
        # with the folder, since numbers of cases may begin again in each
        cases[str(PurePosixPath(s.path).parent / case) if case else s.path] += 1
    several = {name: n for name, n in cases.items() if n > 1}
    inside = sum(several.values())
    if inside < 0.3 * len(context.samples) or len(several) < 5:
        return passed("names do not look like series of one patient")
    example = max(several, key=lambda name: several[name])
    return tip(
        f"{inside} of {len(context.samples)} names look like {len(several)} series (for example {example}: "
        f"{several[example]} images), yet no group is given",
        r"If the name tells the patient, say so: --group-from '(p\d+)_'. Without it, slices of one patient may stand "
        "on both sides of a fold.",
        series=dict(sorted(several.items(), key=lambda kv: -kv[1])[:20]),
    )


CHECKS = (
    Check("H2H201", "Exact duplicates", "warning", exact_duplicates, "Images with equal decoded pixels."),
    Check(
        "H2H202",
        "Near-duplicates",
        "warning",
        near_duplicates,
        "Resized, recompressed, re-cropped or flipped copies, each verified by alignment.",
    ),
    Check(
        "H2H203",
        "Copies across the given split",
        "severe",
        duplicates_across_splits,
        "Exact or near copies in two parts of the data's own split.",
    ),
    Check(
        "H2H204",
        "One image, two labels",
        "severe",
        contradicting_labels,
        "Equal pixels under different labels.",
    ),
    Check(
        "H2H205",
        "Augmented before the split",
        "warning",
        augmented_copies,
        "Flipped or rotated copies, and names that suggest augmentation.",
    ),
    Check(
        "H2H206",
        "Patient in two parts",
        "severe",
        patient_across,
        "Given groups that stand in several parts of the data's own split.",
    ),
    Check(
        "H2H207",
        "Chains of copies",
        "note",
        rejected_links,
        "Links that would join groups whose far ends do not match.",
    ),
    Check(
        "H2H208",
        "Possibly one patient",
        "warning",
        possibly_one_patient,
        "Different images with much in common: neighbouring slices, other contrast.",
    ),
    Check(
        "H2H209",
        "What a random split would leak",
        "warning",
        random_split_leakage,
        "Expected share of test images with a copy in training under a plain random 80:20 split.",
    ),
    Check(
        "H2H210",
        "Series in the names",
        "note",
        names_of_series,
        "File names that look like slices of one case.",
    ),
)
