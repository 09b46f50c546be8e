"""The audit's findings and scenes as the page shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

__all__ = ["AuditView", "audit_view"]

QUIET = ("passed", "not_applicable", "skipped", "ignored")
LABELS = {
    "passed": "passed",
    "not_applicable": "not applicable",
    "skipped": "skipped",
    "ignored": "ignored",
    "tip": "tip",
}
MOST_THUMBS = 12
MOST_SCENES = 60


@dataclass(frozen=True, slots=True)
class AuditView:
    """Findings that say something, those that do not, and the groups with several images."""

    facts: dict[str, Any] = field(default_factory=dict)
    data_sentence: str = ""
    findings: tuple[dict[str, Any], ...] = ()
    quiet_findings: tuple[dict[str, Any], ...] = ()
    scenes: tuple[dict[str, Any], ...] = ()
    scenes_note: str = ""

    def fields(self) -> dict[str, Any]:
        """Return the fields by name."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def audit_view(audit: Mapping[str, Any], thumbs: Mapping[str, str]) -> AuditView:
    """Return the audit's part of a page.

    Args:
        audit: the content of `audit.json`.
        thumbs: sample id -> data address, the content of `thumbs.json`.
    """
    loud = [one for one in audit["findings"] if one["outcome"] not in QUIET]
    quiet = [one for one in audit["findings"] if one["outcome"] in QUIET]
    shared: dict[str, list[str]] = audit["groups"]["shared"]
    extra = sum(len(ids) - 1 for ids in shared.values())
    note = (
        f"{extra} images show a scene that another image shows too. "
        "Each group stays together, in training or in test."
        + (f" The first {MOST_SCENES} groups are shown." if len(shared) > MOST_SCENES else "")
    )
    return AuditView(
        facts=dict(audit["dataset"]),
        data_sentence=_sentence(audit),
        findings=tuple(_finding(one, thumbs) for one in loud),
        quiet_findings=tuple(_finding(one, {}) for one in quiet),
        scenes=tuple(_scene(name, ids, thumbs) for name, ids in list(shared.items())[:MOST_SCENES]),
        scenes_note=note,
    )


def _finding(one: Mapping[str, Any], thumbs: Mapping[str, str]) -> dict[str, Any]:
    shown = [{"id": i, "src": thumbs[i]} for i in one["samples"] if i in thumbs][:MOST_THUMBS]
    return {
        "code": one["code"],
        "title": one["title"],
        "severity": one["severity"] if one["outcome"] == "issue" else one["outcome"],
        "label": LABELS.get(one["outcome"], one["severity"]),
        "message": one["message"],
        "advice": one["advice"],
        "thumbs": shown,
        "n_samples": len(one["samples"]),
    }


def _scene(name: str, ids: list[str], thumbs: Mapping[str, str]) -> dict[str, Any]:
    return {"name": name, "thumbs": [{"id": i, "src": thumbs.get(i, "")} for i in ids[:6]]}


def _sentence(audit: Mapping[str, Any]) -> str:
    facts, counts = audit["dataset"], audit["counts"]
    classes = ", ".join(
        f"{name}: {c['samples']} images in {c['groups']} groups" for name, c in facts["classes"].items()
    )
    return (
        f"{facts['n_samples']} images, {facts['n_groups']} groups that must stay together ({classes}). "
        f"The audit has {counts.get('severe', 0)} severe issues, {counts.get('warning', 0)} warnings, "
        f"{counts.get('passed', 0)} checks passed."
    )
