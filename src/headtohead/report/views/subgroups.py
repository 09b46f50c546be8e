"""The section on subgroups, learning curve and cost."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from headtohead.core.tables.details import VerdictDetails
from headtohead.report.tables.format import digits, format_estimate

__all__ = ["members_of", "subgroups_view"]

COST_HEADS = (
    "contender", "parameters", "input", "frozen network, per image", "fitting, all folds and repeats",
    "largest memory of the process",
)  # fmt: skip


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
        contenders: the content of `contenders/*.json`. spent: contender -> what its cells took.
        growth: the content of `learning_curve.json`, {} where there is none.
    """
    return {
        "tables": [_subgroups(column, table, order) for column, table in details.subgroups.items()],
        "cost": _cost(contenders, order, spent),
        "growth": _growth(growth, 1 if details.size is None else details.size.n_repeats),
    }


def members_of(samples: Any, columns: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return sample -> column -> value, for the columns that scores are split by.

    Args:
        samples: the content of `samples.parquet`, None where the run has none.
    """
    if samples is None or not columns:
        return {}
    extras = ((str(row["id"]), json.loads(str(row["extra"]))) for row in samples.to_dict("records"))
    return {sample: {c: str(extra[c]) for c in columns if c in extra} for sample, extra in extras}


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
    """Return parameters, input size, time and memory, as far as the run measured them."""
    records = {one["record"]["name"]: one for one in contenders if "record" in one}
    rows = []
    for name in order:
        one = records.get(name.partition("@")[0], {})  # before the @ is the network
        record, rate = one.get("record", {}), one.get("how", {}).get("images_per_second")
        size, cost = record.get("n_parameters"), spent.get(name, {})
        rows.append(
            [
                name,
                "" if size is None else f"{size / 1e6:.1f} million",
                f"{record['input_size']} px" if "input_size" in record else "",
                _milliseconds(rate, one),
                "" if "seconds" not in cost else f"{float(cost['seconds']):.1f} s",
                "" if "peak_mib" not in cost else f"{float(cost['peak_mib']):.0f} MiB",
            ]
        )
    return {"heads": list(COST_HEADS), "rows": rows}


def _milliseconds(rate: float | None, one: Mapping[str, Any]) -> str:
    """Return the time per image of the frozen network; empty for what has no network of its own."""
    if rate:
        return f"{1000 / rate:.1f} ms"
    return "not measured: features were cached" if "how" in one else ""


def _growth(content: Mapping[str, Any], n_repeats: int) -> dict[str, Any]:
    """Return the learning curve over the number of training groups as rows of text."""
    rows = [
        [one["contender"], f"{100 * one['share']:.0f} %", str(one["groups"]), _estimate(one), ""]
        for one in content.get("points", ())
    ]
    rows += [
        [
            one["contender"],
            f"{100 * one['factor']:.0f} %, extrapolated",
            str(one["groups"]),
            _estimate(one),
            f"{digits(one['gain'])} [{digits(one['gain_low'])}, {digits(one['gain_high'])}]",
        ]
        for one in content.get("extrapolation", ())
    ]
    if not rows:
        return {}
    order = list(dict.fromkeys(row[0] for row in rows))
    left_out = [f"Left out: {text}" for text in content.get("left_out", ())]
    used = content.get("repeats", n_repeats)  # runs of before do not know
    if used < n_repeats:
        first = (
            f"the first {used} of {n_repeats} repeats" if used > 1 else f"the first of {n_repeats} repeats"
        )
        left_out.append(
            f"The curve is made of {first}, so its last point may differ from the table of scores."
        )
    if others := content.get("not_probes", ()):
        left_out.append(f"Only probes have a curve, so not: {', '.join(others)}.")
    return {
        "names": order,
        "heads": [
            "contender",
            "share of training groups",
            "groups",
            content.get("title", "score"),
            "gain over all groups",
        ],
        "rows": sorted(rows, key=lambda row: order.index(row[0])),
        "sentences": list(content.get("sentences", ())),
        "method": content.get("method", ""),
        "left_out": left_out,
    }


def _estimate(one: Mapping[str, Any]) -> str:
    if one["value"] is None:
        return "not defined"
    ends = "" if one["low"] is None else f" [{digits(one['low'])}, {digits(one['high'])}]"
    return f"{digits(one['value'])}{ends}"
