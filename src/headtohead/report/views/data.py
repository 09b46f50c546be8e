"""The section on the data: flow of images, Table 1 by class, checks, findings, groups, features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headtohead.core.data_record import data_rows, mode_words
from headtohead.core.formatting import pluralize
from headtohead.report.views.image_store import ImageStore

__all__ = ["data_view"]

QUIET = ("passed", "not_applicable", "skipped", "ignored")
RANK = {"severe": 0, "warning": 1, "note": 2, "tip": 3}
MOST_SHOWN = 24  # images of a finding; the page says how many there are
MOST_GROUPS = 60  # keeps the page small; all stand in groups.csv
MOST_PAIRS = 12  # of one finding, side by side


def data_view(audit: Mapping[str, Any], samples: Any, store: ImageStore) -> dict[str, Any]:
    """Return the section on the data.

    Args:
        audit: the content of `audit.json`. samples: that of `samples.parquet`, None where there is none.
        store: the images.
    """
    loud = [one for one in audit["findings"] if one["outcome"] not in QUIET]
    loud.sort(key=lambda one: RANK.get(_severity(one), 9))
    quiet = [one for one in audit["findings"] if one["outcome"] in QUIET]
    shared: Mapping[str, Sequence[str]] = audit["groups"]["shared"]
    return {
        "flow": _flow(audit, shared),
        "understood": _understood(audit),
        "table": _table_one(audit, samples),
        "matrix": [_square(one) for one in [*loud, *quiet]],
        "findings": [_finding(one, store) for one in loud],
        "quiet": [
            {
                "code": one["code"],
                "outcome": one["outcome"].replace("_", " "),
                "title": one["title"],
                "message": one["message"],
            }
            for one in quiet
        ],
        "groups": [_group(name, ids, store) for name, ids in list(shared.items())[:MOST_GROUPS]],
        "groups_note": _groups_note(shared),
        "counts": dict(audit["counts"]),
    }


def _understood(audit: Mapping[str, Any]) -> list[list[str]]:
    """Return the rows of what was understood; none for an audit of an older version."""
    if "data" not in audit:
        return []
    return [list(row) for row in data_rows(audit["data"], audit["dataset"].get("positive_doubt", ""))]


def _severity(one: Mapping[str, Any]) -> str:
    return str(one["severity"] if one["outcome"] == "issue" else one["outcome"])


def _flow(audit: Mapping[str, Any], shared: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """Return the boxes of the flow diagram: found, unreadable, copies, analysed."""
    facts = audit["dataset"]
    unreadable = int(facts.get("n_unreadable", 0))
    images, groups = int(facts["n_samples"]), int(facts["n_groups"])
    inside = sum(len(ids) for ids in shared.values())
    extra = sum(len(ids) - 1 for ids in shared.values())
    return [
        {"n": images + unreadable, "text": f"{'image' if images + unreadable == 1 else 'images'} found"},
        {"n": unreadable, "text": "unreadable, left out", "side": True},
        {"n": images, "text": f"{'image' if images == 1 else 'images'} analysed"},
        {
            "n": inside,
            "text": f"share a group with another image ({extra} beyond the first of each group)",
            "side": True,
        },
        {"n": groups, "text": "groups (a patient, or copies of one scene): the units of every interval"},
    ]


def _table_one(audit: Mapping[str, Any], samples: Any) -> dict[str, Any]:
    """Return Table 1: what the images of each class are like."""
    classes = audit["dataset"]["classes"]
    rows: list[list[str]] = [
        ["images", *(str(one["samples"]) for one in classes.values())],
        ["groups", *(str(one["groups"]) for one in classes.values())],
    ]
    if samples is not None:
        by_class = {str(name): part for name, part in samples.groupby("label")}
        for column, title in (
            ("width", "width in pixels"),
            ("height", "height in pixels"),
            ("n_bytes", "bytes"),
        ):
            if column in samples:
                rows.append(
                    [f"{title}, median (range)", *(_spread(by_class.get(name), column) for name in classes)]
                )
        for column, title in (("format", "file format"), ("mode", "colour mode")):
            if column in samples:
                rows.append([title, *(_counts(by_class.get(name), column) for name in classes)])
    return {"heads": ["property", *classes], "rows": rows}


def _spread(part: Any, column: str) -> str:
    if part is None or not len(part):
        return ""
    values = part[column]
    return f"{values.median():,.0f} ({values.min():,.0f} to {values.max():,.0f})"


def _counts(part: Any, column: str) -> str:
    if part is None:
        return ""
    counts = part[column].astype(str).value_counts().head(4)
    return ", ".join(f"{mode_words(str(name))} {n}" for name, n in counts.items())


def _square(one: Mapping[str, Any]) -> dict[str, str]:
    state = _severity(one) if one["outcome"] not in QUIET else one["outcome"]
    return {
        "code": one["code"],
        "state": state,
        "title": f"{one['code']} {one['title']}: {state.replace('_', ' ')}",
    }


def _finding(one: Mapping[str, Any], store: ImageStore) -> dict[str, Any]:
    ids = list(one["samples"])
    pairs = [p for p in one["data"].get("pairs", ()) if isinstance(p, Mapping) and "a" in p and "b" in p]
    shown = [{"id": i, "im": store.number(i)} for i in ids[:MOST_SHOWN]]
    return {
        "code": one["code"],
        "severity": _severity(one),
        "title": one["title"],
        "message": one["message"],
        "advice": one["advice"],
        "images": [] if pairs else shown,
        "n_images": len(ids),
        "pairs": [
            {"a": p["a"], "b": p["b"], "im_a": store.number(p["a"]), "im_b": store.number(p["b"])}
            for p in pairs[:MOST_PAIRS]
        ],
        "n_pairs": len(pairs),
    }


def _group(name: str, ids: Sequence[str], store: ImageStore) -> dict[str, Any]:
    return {"name": name, "images": [{"id": i, "im": store.number(i)} for i in ids[:6]], "n": len(ids)}


def _groups_note(shared: Mapping[str, Sequence[str]]) -> str:
    inside = sum(len(ids) for ids in shared.values())
    extra = sum(len(ids) - 1 for ids in shared.values())
    first = f" The first {MOST_GROUPS} groups are shown." if len(shared) > MOST_GROUPS else ""
    return (
        f"{pluralize(inside, 'image', 'shows', 'show')} a scene that another image shows too, in "
        f"{pluralize(len(shared), 'group')}; {extra} of them are beyond the first of their group. Each group stays "
        f"together, in training or in test.{first}"
    )
