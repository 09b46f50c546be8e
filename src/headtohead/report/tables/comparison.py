"""Tables of the report on tests, training, limitations and provenance, as rows of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headtohead.core.records import Comparison
from headtohead.report.tables.format import digits, p_words, signed_digits

__all__ = ["adjusted_tests", "learning_rows", "limits", "provenance_rows", "weights_row"]

MEASURES = ("train_accuracy", "inner_accuracy", "test_accuracy", "train_loss", "inner_loss", "test_loss")


# what other columns tell, and what only decided how features are computed; provenance.json has all
UNTOLD = (
    "backbone", "architecture", "recipe", "kind", "precision_asked", "runtime_planned", "arithmetic", "fastest",
    "device_name",
)  # fmt: skip
LONGEST = 640  # letters of a value: two checks of a runtime, as where bf16 was given up for fp32, take 420
HOW = {
    "precision_note": "check:",
    "runtime_note": "choice:",
    "computed": "computed in this run",
    "batch": "images at once",
}


def adjusted_tests(comparison: Comparison) -> list[tuple[str, dict[str, str]]]:
    """Return what the rule looks at beside the interval: Holm's p, and the interval for equivalence."""
    rows, details = [], comparison.details
    if details.p_holm is not None:
        note = "adjusted over the pairs of contenders, or those with baselines (Holm; a stated pair keeps its own)"
        rows.append(("interval, adjusted", {"statistic": "", "p": p_words(details.p_holm), "note": note}))
    if details.rope and details.equivalence_interval:
        low, high = details.equivalence_interval
        # Two one-sided tests at alpha are an interval of 1 - 2 alpha (Schuirmann 1987).
        level = (
            f"{100 * (2 * comparison.level - 1):g} % interval {signed_digits(low)} to {signed_digits(high)}"
        )
        note = f"{level}; equivalent if it lies within ±{details.rope:g}"
        rows.append(("equivalence", {"statistic": "", "p": "", "note": note}))
    return rows


def learning_rows(learning: Any, order: Sequence[str]) -> tuple[dict[str, Any], ...]:
    """Return per contender the mean and range over cells of accuracy and loss on each part."""
    rows = []
    for name in order:
        cells = learning[learning["contender"] == name]
        rows.append({"name": name, "cells": [_mean_range(cells[measure].dropna()) for measure in MEASURES]})
    return tuple(rows)


def limits(config: Mapping[str, Any], facts: Mapping[str, Any], order: Sequence[str]) -> tuple[str, ...]:
    """Return the limitations of this run, one sentence or two each."""
    sentences = [
        "The scores hold for images like these, taken where these were taken. Another hospital, scanner or selection "
        "needs its own test set: no cross-validation replaces external validation.",
        "A difference between two contenders is a difference between two packages: architecture, pretraining data, "
        "input size and training together. It does not show that one kind of architecture is better than another.",
        "Groups come from the metadata and the pixels. Two images of one patient that look different and carry no "
        "patient identifier cannot be found, and would make the scores too good.",
        "The intervals cover which patients (groups) happened to be tested, for these trained models and folds; they "
        "do not include the uncertainty of the labels.",
    ]
    if "file-facts" in order:
        sentences.append(
            "Where the file-facts baseline is above chance, part of every contender's score may come from how files "
            "were collected rather than from what they show; only images from one source rule that out."
        )
    if any(name.startswith("scratch:") for name in order):
        sentences.append(
            "Contenders whose names begin with 'scratch:' have random weights; their scores say nothing about "
            "pretrained networks."
        )
    if facts.get("n_groups", 0) < 400:
        sentences.append(
            f"With {facts.get('n_groups')} groups, small differences cannot be distinguished from chance, "
            "whatever the decimals."
        )
    if config.get("allow_leaks"):
        sentences.append(
            "The given split leaks and was used on request: the scores are too good by an unknown amount."
        )
    return tuple(sentences)


def provenance_rows(provenance: Mapping[str, Any], facts: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return versions, hardware, command and the data's digest as rows."""
    packages = ", ".join(f"{name} {version}" for name, version in provenance["packages"].items() if version)
    return (
        ("headtohead", str(provenance["headtohead"])),
        ("command", " ".join(provenance["command"])),
        ("data digest (sha256)", str(facts.get("digest", ""))),
        ("Python", str(provenance["python"])),
        ("packages", packages),
        (
            "hardware",
            f"{provenance['processor']}, {provenance['cores']} cores, {provenance['system']} {provenance['machine']}",
        ),
    )


def weights_row(entry: Mapping[str, Any]) -> dict[str, str]:
    """Return one backbone's row: where its weights come from and how its features were computed."""
    record, how = entry["record"], entry.get("how") or {}
    weights = [
        record["pretraining"],
        record["source"],
        f"licence {record['licence']}",
        record.get("notes") or "",
    ]
    computed = [
        f"{HOW.get(key, key).replace('_', ' ')} {_brief(value)}"
        for key, value in how.items()
        if key not in UNTOLD and _is_plain(value)
    ]
    return {
        "name": record["name"],
        "family": record["family"],
        "weights": "; ".join(word for word in weights if word),
        "input": f"{record['input_size']} px, {record['interpolation']}",
        "how": "; ".join(computed),
    }


def _mean_range(values: Any) -> str:
    if not len(values):
        return "–"
    return f"{digits(values.mean())} ({digits(values.min())} to {digits(values.max())})"


def _is_plain(value: Any) -> bool:
    return isinstance(value, (str, int, float, bool)) and value != ""


def _brief(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    words = str(value)
    return words if len(words) <= LONGEST else f"{words[:LONGEST]}…"
