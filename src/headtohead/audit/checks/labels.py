"""4xx, labels: balance, contradictions, likely errors, and classes that come from different places."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt

from headtohead.audit.check import Check, Observation, issue, not_applicable, passed, skipped
from headtohead.audit.checks.files import list_samples
from headtohead.audit.context import AuditContext
from headtohead.core.formatting import format_percent, pluralize
from headtohead.core.records import Sample

__all__ = ["CHECKS", "confident_errors", "cramers_v", "find_label_errors"]

IMBALANCE = 4.0  # largest class by smallest: accuracy of "always the largest" reaches 0.8
SOURCE_V = 0.25  # Cramér's V: between Cohen's medium (0.3) and small (0.1) effect, on the careful side
_ONE_CLASS = "there is one class only"


def class_balance(context: AuditContext) -> Observation:
    """Compare the sizes of the classes."""
    counts = Counter(s.label for s in context.samples)
    table = {c: counts[c] for c in context.dataset.classes}
    if len(table) < 2:
        return not_applicable(_ONE_CLASS)
    ratio = max(table.values()) / max(1, min(table.values()))
    text = "images by class: " + ", ".join(f"{c} {n}" for c, n in table.items())
    base = max(table.values()) / len(context.samples)
    if ratio < IMBALANCE:
        return passed(
            f"{text}; always saying the largest class is right in {format_percent(base)}", table=table
        )
    return issue(
        f"{text}; the largest class has {ratio:.1f} times as many as the smallest; always saying it is right in "
        f"{format_percent(base)}",
        "Judge by AUROC, balanced accuracy and sensitivity; accuracy says little here.",
        table=table,
        ratio=round(ratio, 2),
    )


def label_errors(context: AuditContext) -> Observation:
    """Rank samples whose out-of-fold probabilities speak against their label."""
    rows = context.settings.probabilities
    if rows is None:
        return skipped(
            "needs out-of-fold probabilities, which a comparison makes",
            "Run `headtohead compare`; its report ranks likely label errors.",
        )
    if rows.shape[1] != len(context.dataset.classes):
        return skipped(
            f"got {rows.shape[1]} columns of probabilities for {len(context.dataset.classes)} classes"
        )
    return find_label_errors(context.ids, rows, context.labels, context.groups)


def find_label_errors(
    ids: npt.NDArray[Any],
    rows: npt.NDArray[Any],
    labels: npt.NDArray[np.int64],
    groups: npt.NDArray[Any],
) -> Observation:
    """Rank the labels that out-of-fold probabilities speak against.

    Args:
        ids: (n,) sample ids; groups: (n,) one image and its copies share their fate and count as one.
        rows: (n, k) probabilities, from models that did not see the sample's group.
        labels: (n,) class indices.
    """
    wrong, how = _rank_errors(rows.astype(np.float64), labels)
    own = rows[np.arange(len(rows)), labels]
    if not len(wrong):
        return passed(f"no label is contradicted by the out-of-fold probabilities ({how})")
    named = [str(ids[i]) for i in wrong]
    n_groups = len({groups[i] for i in wrong})
    return issue(
        f"{len(named)} labels ({n_groups} groups) are contradicted by out-of-fold probabilities ({how}): "
        + list_samples(named),
        "Ask the source about them, worst first. Do not change a label because a model says so, and never on the "
        "samples that are scored.",
        samples=named,
        scores={str(ids[i]): round(float(own[i]), 4) for i in wrong},
        method=how,
    )


def _rank_errors(
    rows: npt.NDArray[np.float64], labels: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[Any], str]:
    own = "confident learning, own implementation"
    if np.bincount(labels, minlength=rows.shape[1]).min() < 2:
        return confident_errors(rows, labels), f"{own}; a class has fewer than two scored samples"
    try:
        from cleanlab.filter import find_label_issues
    except ImportError:
        return confident_errors(rows, labels), f"{own}; cleanlab is not installed"
    # by default cleanlab starts a pool of processes, one per core
    ranked = find_label_issues(labels, rows, return_indices_ranked_by="self_confidence", n_jobs=1)
    return np.asarray(ranked), "confident learning by cleanlab"


def confident_errors(rows: npt.NDArray[np.float64], labels: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return indices of samples that confidently belong to another class, least self-confident first.

    Confident learning (Northcutt, Jiang and Chuang, JAIR 2021): a class's threshold is the mean
    probability of that class among the samples labelled so; a sample that reaches the threshold of
    other classes only, and most of all that of another than its own, is counted off the diagonal.

    Args:
        rows: (n, k) out-of-fold probabilities, from models that did not see the sample's group.
        labels: (n,) class indices.
    """
    k = rows.shape[1]
    # nobody reaches the threshold of a class without samples
    threshold = np.array([rows[labels == c, c].mean() if (labels == c).any() else np.inf for c in range(k)])
    reached = np.where(rows >= threshold, rows, -1.0)  # below any probability
    guess = reached.argmax(axis=1)
    off = (reached.max(axis=1) >= 0) & (guess != labels)
    found = np.flatnonzero(off)
    return found[np.argsort(rows[found, labels[found]], kind="stable")]


def conflicting_labels(context: AuditContext) -> Observation:
    """Find near-duplicates (not exact ones) under different labels."""
    if len(context.dataset.classes) < 2:
        return not_applicable(_ONE_CLASS)
    label = {s.id: s.label for s in context.samples}
    pairs = [p for p in context.grouping.pairs if p.kind != "exact" and label[p.a] != label[p.b]]
    if not pairs:
        return passed("no verified copies of one scene carry different labels")
    return issue(
        f"{pluralize(len(pairs), 'pair', 'shows', 'show')} the same scene under different labels: "
        + list_samples(f"{p.a} ({label[p.a]}) / {p.b} ({label[p.b]})" for p in pairs),
        "One of the labels is wrong, or the label is not about what is seen. Settle each with the source, or leave "
        "both out.",
        samples=list(dict.fromkeys(i for p in pairs for i in (p.a, p.b))),
        pairs=[{"a": p.a, "b": p.b, "kind": p.kind, **p.evidence} for p in pairs],
    )


def _facts(sample: Sample) -> dict[str, str]:
    path = PurePosixPath(sample.path)
    return {
        "format": sample.format,
        "mode": sample.mode,
        "bit depth": str(sample.bit_depth),
        "suffix as written": path.suffix,
        "square or not": "square" if sample.width == sample.height else "not square",
        "size": f"{sample.width} x {sample.height}",
    }


def sources(context: AuditContext) -> Observation:
    """Measure how strongly single file facts go with the class."""
    if len(context.dataset.classes) < 2:
        return not_applicable(_ONE_CLASS)
    # reversed, so that the first sample of a group is the one that stays
    first = {context.grouping.groups[s.id]: s for s in reversed(context.samples)}
    found: dict[str, dict[str, Any]] = {}
    for fact in _facts(context.samples[0]):
        table = _table([(_facts(s)[fact], s.label) for s in first.values()], context.dataset.classes, fact)
        found[fact] = {"v": round(cramers_v(np.array(list(table.values()))), 3), "table": table}
    strong = sorted((f for f in found if found[f]["v"] >= SOURCE_V), key=lambda f: -found[f]["v"])
    differing = "; ".join(f"{f} (Cramér's V {found[f]['v']:.2f})" for f in strong)
    if not strong:
        return passed("no single file fact goes strongly with the class", facts=found)
    worst = found[strong[0]]["v"]
    return issue(
        f"classes differ in: {differing} (one sample per group)",
        "The classes were collected in different ways. No statistics can undo that; say so beside every result, and "
        "keep the file-facts baseline in the comparison.",
        severity="severe" if worst >= 0.9 else None,
        facts=found,
    )


def _table(
    pairs: list[tuple[str, str]], classes: tuple[str, ...], fact: str, rare: int = 5
) -> dict[str, list[int]]:
    """Return value -> counts by class; values with fewer than `rare` samples are put together."""
    total = Counter(value for value, _ in pairs)
    table: dict[str, list[int]] = defaultdict(lambda: [0] * len(classes))
    for value, label in pairs:
        name = value if total[value] >= rare else f"other {fact}"
        table[name][classes.index(label)] += 1
    return dict(sorted(table.items()))


def cramers_v(table: npt.NDArray[Any]) -> float:
    """Return Cramér's V of a contingency table with Bergsma's bias correction, 0 to 1.

    Bergsma, Journal of the Korean Statistical Society 2013; 0 where a side has one row only.

    Args:
        table: (r, c) counts.

    >>> cramers_v(np.array([[50, 0], [0, 50]])) > 0.98
    True
    """
    # an empty row or column has an expected count of 0, by which chi-squared divides
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0].astype(np.float64)
    n = float(table.sum())
    r, c = table.shape
    if min(r, c) < 2 or n < 2:
        return 0.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / n
    phi2 = float(((table - expected) ** 2 / expected).sum()) / n
    phi2 = max(0.0, phi2 - (r - 1) * (c - 1) / (n - 1))
    rows, cols = r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)
    smaller = min(rows - 1, cols - 1)
    return float(min(1.0, np.sqrt(phi2 / smaller))) if smaller > 0 else 0.0


def mixed_groups(context: AuditContext) -> Observation:
    """Count given groups (patients) with samples of several classes."""
    held: dict[str, set[str]] = defaultdict(set)
    for s in context.samples:
        held[s.group].add(s.label)
    if len(held) == len(context.samples):
        return not_applicable("the data bring no patients or other groups")
    mixed = {name: labels for name, labels in held.items() if len(labels) > 1}
    if not mixed:
        return passed("every given group has one label")
    return issue(
        f"{len(mixed)} of {len(held)} given groups (patients) have samples of several classes: {list_samples(mixed)}",
        "Fine where the label is of the image (a slice without tumour of a patient with one); wrong where it is "
        "of the patient.",
        samples=[s.id for s in context.samples if s.group in mixed],
        groups=list(mixed),
    )


CHECKS = (
    Check(
        "H2H401",
        "Class balance",
        "warning",
        class_balance,
        "The largest class at least four times the smallest.",
    ),
    Check(
        "H2H402",
        "Likely label errors",
        "warning",
        label_errors,
        "Confident learning on out-of-fold probabilities.",
    ),
    Check(
        "H2H403",
        "One scene, two labels",
        "severe",
        conflicting_labels,
        "Verified near-duplicates under different labels.",
    ),
    Check(
        "H2H404",
        "Classes from different sources",
        "warning",
        sources,
        "Association of format, mode, depth, suffix and size with the class (Cramér's V, one sample per group).",
    ),
    Check(
        "H2H406",
        "Groups with several labels",
        "note",
        mixed_groups,
        "Given groups that hold several classes.",
    ),
)
