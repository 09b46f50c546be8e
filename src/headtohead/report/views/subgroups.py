"""The section on subgroups, learning curve and cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headtohead.core.tables.details import VerdictDetails
from headtohead.report.tables.format import digits, format_estimate

__all__ = ["subgroups_view"]


def subgroups_view(
    details: VerdictDetails,
    order: Sequence[str],
    contenders: Sequence[Mapping[str, Any]],
    spent: Mapping[str, Any],
    growth: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the tables of the section.

    Args:
        details: of the verdict. order: contenders.
        contenders: the content of `contenders/*.json`. spent: contender -> seconds in all.
        growth: the content of `learning_curve.json`, {} where there is none.
    """
    return {
        "tables": [_subgroups(column, table, order) for column, table in details.subgroups.items()],
        "cost": _cost(contenders, order, spent),
        "growth": _growth(growth),
    }


def _subgroups(column: str, table: Any, order: Sequence[str]) -> dict[str, Any]:
    rows = []
    for value, group in table.values.items():
        for name in order:
            if name in group.contenders:
                score = group.contenders[name]
                gap = "" if score.difference is None else format_estimate(score.difference)
                rows.append(
                    [
                        value,
                        str(group.n_samples),
                        str(group.n_groups),
                        name,
                        format_estimate(score.score),
                        gap,
                    ]
                )
        if group.too_few:
            rows.append([value, str(group.n_samples), str(group.n_groups), "", group.too_few, ""])
    return {"column": column, "note": table.note, "rows": rows}


def _cost(
    contenders: Sequence[Mapping[str, Any]], order: Sequence[str], spent: Mapping[str, Any]
) -> dict[str, Any]:
    """Return parameters, input size and training time, as far as the run knows them."""
    records = {one["record"]["name"]: one["record"] for one in contenders if "record" in one}
    rows = []
    for name in order:
        record = records.get(name.partition("@")[0], {})
        size = record.get("n_parameters")
        rows.append(
            [
                name,
                "" if size is None else f"{size / 1e6:.1f} million",
                f"{record['input_size']} px" if "input_size" in record else "",
                "" if spent.get(name) is None else f"{float(spent[name]):.1f} s",
            ]
        )
    return {"heads": ["contender", "parameters", "input", "fitting, all folds and repeats"], "rows": rows}


def _growth(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the learning curve over the number of training groups as rows of text."""
    rows = [
        [
            one["contender"],
            f"{100 * one['share']:.0f} %",
            str(one["groups"]),
            f"{digits(one['value'])} [{digits(one['low'])}, {digits(one['high'])}]",
        ]
        for one in content.get("points", ())
    ]
    return {"rows": rows, "sentences": list(content.get("sentences", ()))} if rows else {}
