"""What is said of a shortcut: how bad it is, against whom, and which marks go with the class."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2_contingency, fisher_exact
from tests.planting.summaries import context_of, record, records, summary

from headtohead.audit.checks import shortcuts
from headtohead.audit.context import AuditConfig, AuditContext
from headtohead.audit.descriptors.shortcut_probes import ShortcutProbe
from headtohead.core.records import Box
from headtohead.stats.intervals.auroc_bootstrap import AurocInterval

SAMPLES = [*records(10), *records(10, "yes", width=120)]


def probe(value: float, low: float, high: float) -> ShortcutProbe:
    interval = AurocInterval(value, low, high, 20, 20, "cluster bootstrap")
    return ShortcutProbe(interval, np.zeros((20, 2)), ((0.0, 0.0), (0.5, 1.0), (1.0, 1.0)))


def told(context: AuditContext, kind: str, found: ShortcutProbe) -> Any:
    """Return what the check of one probe says where the probe found this."""
    context._probes[kind] = found
    return shortcuts._looker(kind)(context)


@pytest.mark.parametrize(
    ("low", "severity"),
    [(0.9, "severe"), (0.899, "warning"), (0.6, "warning"), (0.599, "note"), (0.51, "note")],
)
def test_the_lower_end_decides_how_bad_a_shortcut_is(low: float, severity: str) -> None:
    assert shortcuts.severity_of(low) == severity
    found = told(context_of(SAMPLES), "facts", probe(0.95, low, 0.99))
    assert (found.outcome, found.severity) == ("issue", severity)


def test_an_interval_that_reaches_chance_passes() -> None:
    found = told(context_of(SAMPLES), "border", probe(0.6, 0.5, 0.7))
    assert found.outcome == "passed"
    assert found.message == (
        "the outer 6 % border alone reaches AUROC 0.60 [0.50, 0.70], not above chance (0.50)"
    )
    assert found.data["auroc"]["low"] == 0.5 and found.data["curve"] == [[0.0, 0.0], [0.5, 1.0], [1.0, 1.0]]
    assert found.data["best_contender"] is None


@pytest.mark.parametrize(
    ("best", "words"), [(0.81, "above"), (0.80, "not clearly above"), (0.5, "not clearly above")]
)
def test_the_best_contender_is_held_against_the_upper_end(best: float, words: str) -> None:
    context = context_of(SAMPLES, settings=AuditConfig(best=("net", best)))
    found = told(context, "facts", probe(0.7, 0.6, 0.8))
    assert found.message.endswith(f"; the best contender, net, with {best:.2f} is {words} it")
    assert "alone reach AUROC 0.70 [0.60, 0.80]; chance is 0.50" in found.message
    assert found.data["best_contender"] == {"name": "net", "auroc": best}


def test_files_that_do_not_differ_tell_nothing_and_run_no_probe() -> None:
    context = context_of([*records(6), *records(6, "yes")])
    found = shortcuts._looker("facts")(context)
    assert found.outcome == "passed" and "same width" in found.message and not context.known_probes


def test_without_any_foreground_there_is_no_background() -> None:
    context = context_of(SAMPLES)
    assert told(context, "background", probe(0.9, 0.8, 1.0)).outcome == "not_applicable"
    name = SAMPLES[0].id
    context = context_of(SAMPLES, {name: summary(name, foreground=Box(1, 1, 5, 5))})
    assert told(context, "background", probe(0.9, 0.8, 1.0)).outcome == "issue"


def test_the_strongest_shortcut_is_the_one_to_beat() -> None:
    found = {"facts": probe(0.7, 0.6, 0.8).interval, "border": probe(0.75, 0.7, 0.78).interval}
    passed = shortcuts.compare_with_shortcuts(("net", 0.79), found)
    assert passed.outcome == "passed", "the interval of the weaker one reaches further, and does not count"
    assert "best shortcut, the outer 6 % border alone, 0.75 [0.70, 0.78]" in passed.message
    assert shortcuts.compare_with_shortcuts(("net", 0.78), found).outcome == "issue"
    assert shortcuts.compare_with_shortcuts(("net", 0.9), {}).outcome == "not_applicable"


# ---- marks --------------------------------------------------------------------------------------------------


def marked(no: int, yes: int, **values: float) -> AuditContext:
    """Return twenty images of each class, of which so many carry these measures."""
    samples = [*records(20), *records(20, "yes")]
    chosen = [s.id for s in samples[:no]] + [s.id for s in samples[20 : 20 + yes]]
    return context_of(samples, {name: summary(name, values) for name in chosen})


def test_a_mark_that_goes_with_the_class_is_tested_exactly() -> None:
    found = shortcuts.artifacts_by_class(marked(1, 12, glyphs=1.0))
    assert found.outcome == "issue"
    row = found.data["marks"]["letters"]
    assert row["share"] == {"no": 0.05, "yes": 0.6}
    assert row["p"] == pytest.approx(fisher_exact(np.array([[19, 1], [8, 12]]))[1])
    assert "letters (no 5 %, yes 60 %)" in found.message
    assert found.data["marks"]["tint"] == {"p": 1.0, "share": {"no": 0.0, "yes": 0.0}}


def test_five_tests_are_corrected_for() -> None:
    p = fisher_exact(np.array([[19, 1], [12, 8]]))[1]
    assert 0.01 < p < 0.05, "alone it would count"
    found = shortcuts.artifacts_by_class(marked(1, 8, frame=0.95))
    assert found.outcome == "passed"
    assert f"nearest: bright frame, p = {p:.3f} before correction for 5 tests" in found.message


@pytest.mark.parametrize(
    ("name", "values"),
    [("bright frame", {"frame": 0.9}), ("tint", {"cast": 0.01}), ("softness", {"softness": 0.5}),
     ("colour marks", {"coloured": 2e-4})],
)  # fmt: skip
def test_a_mark_counts_from_its_bound_on(name: str, values: dict[str, float]) -> None:
    found = shortcuts.artifacts_by_class(marked(0, 20, **values))
    assert found.data["marks"][name]["share"] == {"no": 0.0, "yes": 1.0}
    below = {key: 0.99 * value for key, value in values.items()}
    assert shortcuts.artifacts_by_class(marked(0, 20, **below)).outcome == "passed"


def test_copies_of_a_marked_image_count_once() -> None:
    samples = [*records(20), *(record(f"y{i}", "yes", group="one") for i in range(20))]
    given = {f"y{i}": summary(f"y{i}", {"glyphs": 5.0}) for i in range(20)}
    found = shortcuts.artifacts_by_class(context_of(samples, given))
    assert found.outcome == "passed"
    assert found.data["marks"]["letters"]["share"] == {"no": 0.0, "yes": 1.0}


def test_the_first_image_of_a_group_speaks_for_it() -> None:
    samples = [
        record(f"{c}{i}{part}", c, group=f"{c}{i}") for c in ("no", "yes") for i in range(20) for part in "ab"
    ]
    given = {s.id: summary(s.id, {"glyphs": 5.0}) for s in samples if s.label == "yes" and s.id.endswith("b")}
    assert shortcuts.artifacts_by_class(context_of(samples, given)).outcome == "passed"


def test_beyond_two_classes_the_test_is_chi_squared() -> None:
    table = [[20, 5], [15, 10], [5, 20]]
    found = shortcuts._association(table, ("a", "b", "c"))
    assert found["p"] == pytest.approx(chi2_contingency(np.array(table))[1])
    assert shortcuts._association([[20, 5], [0, 0], [5, 20]], ("a", "b", "c"))["p"] == 1.0
    assert shortcuts._association([[20, 0], [9, 0]], ("a", "b")) == {"p": 1.0, "share": {"a": 0.0, "b": 0.0}}
