"""What may be done with a probability: operating points, sets, net benefit, abstention, ranks, spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from headtohead.report import figures

__all__ = ["Table", "decision", "of_class", "risk_coverage", "tables"]


RECALIBRATIONS = {
    "temperature": "temperature",
    "platt": "Platt",
    "isotonic": "isotonic",
    "venn_abers": "Venn-Abers",
}


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its heading and a sentence above it."""

    title: str
    note: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def of_class(by_name: Mapping[str, Any], label: str) -> dict[str, Any]:
    """Return contender -> curve of one class, where there is one."""
    return {name: one[label] for name, one in by_name.items() if label in one}


def tables(details: Mapping[str, Any], order: Sequence[str]) -> tuple[Table, ...]:
    """Return the tables that the verdict's details can fill, in reading order."""
    makers = (
        _gains,
        _budget,
        _operating_points,
        _recalibration,
        _conformal,
        _ranks,
        _critical,
        _variance,
        _subgroups,
    )
    found = (maker(details, order) for maker in makers)
    return tuple(table for table in found if table is not None)


def _gains(details: Mapping[str, Any], order: Sequence[str]) -> Table | None:
    del order
    rows = tuple(
        (one["contender"], one["member"], f"{one['gain']:+.3f}", f"{one['low']:+.3f} to {one['high']:+.3f}")
        for one in details.get("gains", ())
    )
    note = (
        "Against the member that came out best, which favours the member; the interval is that of the pair."
    )
    head = ("ensemble", "best member", "gain", "interval")
    return Table("What joining is worth", note, head, rows) if rows else None


def _budget(details: Mapping[str, Any], order: Sequence[str]) -> Table | None:
    found = details.get("budget")
    if not found:
        return None
    trials = found["trials"]
    rows = tuple(
        (name, str(min(trials[name])), str(max(trials[name])), str(sum(trials[name])))
        for name in order
        if name in trials
    )
    note = f"Each contender could spend {found['stated']}; all choosing was inside inner folds."
    head = ("contender", "least trials in a cell", "most", "in all")
    return Table("What choosing cost", note, head, rows)


def decision(details: Mapping[str, Any], order: Sequence[str]) -> str:
    """Return decision curves: net benefit against the threshold probability (Vickers and Elkin 2006)."""
    curves = details.get("decision_curves") or {}
    if not curves.get("contenders"):
        return ""
    xs = curves["thresholds"]
    lines = {
        name: (xs, _values(curves["contenders"][name])) for name in order if name in curves["contenders"]
    }
    lines["treat all"] = (xs, _values(curves["treat_all"]))
    lines["treat none"] = (xs, _values(curves["treat_none"]))
    return figures.curves(
        lines, xlabel="threshold probability", ylabel="net benefit", order=order, floor=-0.05
    )


def risk_coverage(details: Mapping[str, Any], order: Sequence[str]) -> str:
    """Return risk-coverage curves: error among the pictures kept when the least sure are left to a person."""
    curves = details.get("risk_coverage") or {}
    lines = {
        name: (
            [p["kept"] for p in curves[name]["points"]],
            [p["risk"]["value"] for p in curves[name]["points"]],
        )
        for name in order
        if name in curves
        and name != "majority"
        and all(p["risk"]["value"] is not None for p in curves[name]["points"])
    }
    return figures.curves(lines, xlabel="share of pictures answered", ylabel="error among them", order=order)


def _operating_points(details: Mapping[str, Any], order: Sequence[str]) -> Table | None:
    points = details.get("operating_points") or {}
    rows = []
    for point in points.values():
        for name in order:
            scores = point["contenders"].get(name, {}).get("scores", [])
            if not scores or name == "majority":
                continue
            found = {score["metric"]: _number(score) for score in scores}
            rows.append(
                (
                    point["chosen_for"],
                    name,
                    *(found.get(m, "") for m in ("sensitivity", "specificity", "ppv", "npv")),
                )
            )
    if not rows:
        return None
    note = (
        "Each threshold was chosen on inner folds of the training part (0.5 on nothing), "
        "then applied to the test lines."
    )
    return Table(
        "Operating points",
        note,
        ("chosen for", "contender", "sensitivity", "specificity", "PPV", "NPV"),
        tuple(rows),
    )


def _recalibration(details: Mapping[str, Any], order: Sequence[str]) -> Table | None:
    found = details.get("recalibration") or {}
    tried = [m for m in RECALIBRATIONS if any(f"{m}_log_loss_change" in entry for entry in found.values())]
    rows = tuple(
        (name, *(_number(found[name].get(f"{m}_log_loss_change")) for m in tried))
        for name in order
        if tried and name in found and name != "majority"
    )
    if not rows:
        return None
    note = (
        "Change of the log loss on the test lines after a recalibration that was fitted on inner folds; "
        "below 0 is better."
    )
    return Table("Recalibration", note, ("contender", *(RECALIBRATIONS[m] for m in tried)), rows)


def _conformal(details: Mapping[str, Any], order: Sequence[str]) -> Table | None:
    found = details.get("conformal") or {}
    rows = tuple(
        (
            name,
            *(
                _number(found["contenders"][name].get(key))
                for key in ("coverage", "mean_size", "singletons", "singletons_right")
            ),
        )
        for name in order
        if name in found.get("contenders", {}) and name != "majority"
    )
    if not rows:
        return None
    note = (
        f"Sets that hold the true class in {1 - found['alpha']:.0%} of cases, per class, cross-fitted on groups. "
        "A picture with more than one class in its set is left to a person."
    )
    return Table(
        "Conformal sets",
        note,
        ("contender", "coverage", "mean size", "single answers", "of them right"),
        rows,
    )


def _ranks(details: Mapping[str, Any], order: Sequence[str]) -> Table | None:
    found = (details.get("ranks") or {}).get("contenders", {})
    rows = tuple(
        (
            name,
            f"{found[name]['rank']:.0f}",
            f"{found[name]['low']:.0f} to {found[name]['high']:.0f}",
            f"{found[name]['share_first']:.0%}",
        )
        for name in order
        if name in found
    )
    if len(rows) < 3:
        return None
    note = "How often another draw of patients would have led to another order."
    return Table(
        "Ranks under the bootstrap", note, ("contender", "rank", "95 % of resamples", "first in"), rows
    )


def _critical(details: Mapping[str, Any], order: Sequence[str]) -> Table | None:
    found = details.get("critical_difference") or {}
    ranks = found.get("mean_ranks") or {}
    if len(ranks) < 3 or found.get("critical_difference") is None:
        return None
    note = (
        f"Friedman's test over {found['n_folds']} folds: p = {found['p_value']:.3g}; mean ranks that differ by less "
        f"than {found['critical_difference']:.2f} (Nemenyi) cannot be told apart. {found.get('note') or ''}"
    )
    rows = tuple(
        (name, f"{ranks[name]:.2f}") for name in sorted(ranks, key=lambda one: ranks[one]) if name in order
    )
    return Table("Critical difference", note, ("contender", "mean rank"), rows)


def _variance(details: Mapping[str, Any], order: Sequence[str]) -> Table | None:  # noqa: ARG001
    found = details.get("variance") or {}
    parts = {key.removeprefix("sd_"): value for key, value in found.items() if key.startswith("sd_")}
    rows = tuple((name, f"{value:.3f}") for name, value in parts.items() if value is not None)
    if not rows:
        return None
    note = f"Standard deviation of {found['metric']} that comes from each source: what a second study would see move."
    return Table("Where the spread comes from", note, ("source", "standard deviation"), rows)


def _subgroups(details: Mapping[str, Any], order: Sequence[str]) -> Table | None:
    rows = []
    for column, found in (details.get("subgroups") or {}).items():
        for value, entry in found["values"].items():
            size = f"{entry['n_samples']} in {entry['n_groups']}"
            if "too_few" in entry:
                rows.append((column, value, size, "all", entry["too_few"], ""))
            for name in order:
                if name in entry["contenders"]:
                    one = entry["contenders"][name]
                    rows.append(
                        (column, value, size, name, _number(one["score"]), _number(one.get("difference")))
                    )
    if not rows:
        return None
    note = "Differences are against all other pictures; many subgroups find differences by chance."
    head = ("column", "value", "pictures in groups", "contender", "score", "difference from the rest")
    return Table("Subgroups", note, head, tuple(rows))


def _number(value: Any) -> str:
    """Return a number with its interval in words."""
    if isinstance(value, (int, float)):
        return _digits(value)
    if not isinstance(value, Mapping):
        return ""
    if value.get("value") is None:
        return f"not defined ({value['note']})" if value.get("note") else "not defined"
    if value.get("low") is None or value.get("high") is None:
        return _digits(value["value"])
    return f"{_digits(value['value'])} [{_digits(value['low'])}, {_digits(value['high'])}]"


def _digits(value: float) -> str:
    text = f"{value:.3f}"
    return "0.000" if text == "-0.000" else text


def _values(points: Sequence[Any]) -> list[float]:
    return [float(p["value"] if isinstance(p, Mapping) else p) for p in points]
