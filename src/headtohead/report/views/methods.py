"""The section on methods: a paragraph for a paper, the rule with the row that applied, tests, checklists."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from headtohead.core.records import Comparison, Verdict
from headtohead.report.tables.comparison import adjusted_tests
from headtohead.report.tables.format import p_words

__all__ = ["methods_view"]

RULE_ROW = {"refused": 1, "better": 2, "equivalent": 3, "cannot_tell": 4, "no_evidence": 5}
# Items of CLAIM 2024 that make up the paragraph, in its order.
PARAGRAPH = ("22", "14", "9", "20", "19", "25", "24", "29", "23")
NAMES = {
    "interval": "interval of the rule (p where it touches 0)", "delong": "DeLong", "obuchowski": "Obuchowski",
    "mcnemar_exact": "McNemar, exact", "mcnemar_midp": "McNemar, mid-p", "mcnemar_clustered": "McNemar, clustered",
    "nadeau_bengio": "Nadeau-Bengio", "bayes_rope": "Bayesian ROPE", "permutation": "permutation of groups",
    "cluster_bootstrap": "cluster bootstrap",
}  # fmt: skip


def methods_view(verdict: Verdict, checklist: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """Return the section on methods.

    Args:
        verdict: of the run. checklist: the items of `checklist.json`.
    """
    filled = sum(row["status"] != "author" for row in checklist)
    return {
        "paragraph": _paragraph(checklist),
        "rule": _rule(verdict),
        "tests": [_tests(c) for c in verdict.comparisons if c.tests],
        "checklist": list(checklist),
        "checklist_share": f"{filled} of {len(checklist)}" if checklist else "",
        "limits": [],
    }


def _paragraph(checklist: Sequence[Mapping[str, str]]) -> str:
    """Return what the run recorded of itself as one paragraph; each sentence stands in the checklist too."""
    claim = {row["item"]: row["text"] for row in checklist if row["list"].startswith("CLAIM")}
    texts = [claim.get(item, "") for item in PARAGRAPH]
    rule = texts[PARAGRAPH.index("29")]
    # runs of before call the rule fixed beforehand
    texts[PARAGRAPH.index("29")] = re.split(r" Fixed (?:in the software|beforehand)", rule)[0]
    return " ".join(text for text in texts if text)


def _rule(verdict: Verdict) -> dict[str, Any]:
    """Return the rule's clauses, the one that fired marked; the whole text where it has no clauses."""
    # The group of the pattern leaves the numbers between the texts.
    head, *rest = re.split(r"\((\d)\) ", verdict.rule)
    fired = RULE_ROW.get(verdict.comparisons[0].verdict) if verdict.comparisons else None
    rows: list[dict[str, Any]] = []
    for number, text in zip(rest[::2], rest[1::2], strict=True):
        word, _, condition = text.strip().rstrip(";").partition(": ")
        rows.append({"number": number, "word": word, "condition": condition, "fired": int(number) == fired})
    tail = ""
    if rows and not rows[-1]["condition"]:
        last, _, tail = rows[-1]["word"].partition(". ")
        rows[-1] |= {"word": last.removeprefix("otherwise "), "condition": "otherwise"}
    return {"head": head.strip().rstrip(":,"), "rows": rows, "tail": tail, "text": verdict.rule}


def _named(note: str, one: Comparison) -> str:
    """Return the note of a test with the names of the pair in place of "a" and "b"."""
    return note.replace("P(a better)", f"P({one.a} better)").replace("P(b better)", f"P({one.b} better)")


def _tests(one: Comparison) -> dict[str, Any]:
    """Return the tests of a pair: what each is of, whether the rule uses it, and whether it ignores the groups."""
    rows = []
    for name, test in one.tests.items():
        role = {"decides": "used by the rule", "same": "", "other": "another quantity"}[test.role]
        marks = ", ".join(filter(None, [test.of, role, "ignores the groups" if test.ignores_groups else ""]))
        value = "" if test.statistic is None else f"{test.statistic:.3g}".replace("-", "−")
        row = {"name": NAMES.get(name, name.replace("_", " ")), "of": marks, "statistic": value}
        rows.append(
            {**row, "p": p_words(test.p_value), "note": _named(test.note, one), "muted": test.ignores_groups}
        )
    for name, told in adjusted_tests(one):  # after the interval, to which they belong
        rows.insert(1, {"name": name, "of": "", **told, "muted": False})
    return {"a": one.a, "b": one.b, "rows": rows}
