"""The section on maps: their checks, and the grids that the script draws over the images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headtohead.core.formatting import pluralize
from headtohead.core.run_folder import RunFolder
from headtohead.report.tables.format import digits, true_minus

__all__ = ["explain_view", "map_grids"]

DRAWN = ("rows", "columns", "cells", "box", "sanity")
WITHIN = 0.95  # share of the maps whose bars end within their scale
CHECK_HEADS = (
    "contender", "checks", "agreement, two halves", "agreement, permuted labels", "difference (CI)",
    "drop in log-odds, evidence hidden − random hidden (CI)", "images",
)  # fmt: skip
BESIDE_HEADS = (
    "contender", "correlation with a random head", "with a random network", "drop, hidden by grey (CI)",
    "rise, evidence alone shown (CI)", "images",
)  # fmt: skip
AGREEMENT_HEADS = ("contenders", "maps of one image", "maps of two images", "difference (CI)", "images")
HIDDEN_HEADS = (
    "contender", "AUROC, subject painted over (CI)", "AUROC, whole images", "evidence outside the subject",
    "that less its share of the area (CI)", "images",
)  # fmt: skip
REGION_HEADS = (
    "map", "greatest value inside (CI)", "mass inside / area (CI)", "distance of centres (CI)", "AUPRC (CI)", "images",
)  # fmt: skip


def map_grids(run: RunFolder) -> dict[str, dict[str, Any]]:
    """Return contender -> sample -> grid of `maps/grids.json`, {} where the run has no maps."""
    if not (run / "maps/grids.json").is_file():
        return {}
    content = run.json("maps/grids.json")
    return {
        contender: {sample: _drawn(one) for sample, one in by_sample.items()}
        for contender, by_sample in content["contenders"].items()
    }


def _drawn(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return a grid as the script draws it, with its words; then offset, localised, not localised and their sum."""
    # the script writes the sum from its parts
    words = true_minus(str(one.get("words", "")).partition(" Sum: ")[0])
    found = {key: one[key] for key in DRAWN if key in one} | {"words": words}
    if "offset" in one:
        elsewhere = sum(one.get("not_localised", {}).values())
        parts = (one["offset"], one["localised"], elsewhere, one["log_odds"])
        found["sum"] = [round(float(part), 2) for part in parts]
    return found


def explain_view(run: RunFolder) -> dict[str, Any]:
    """Return method, unit, scale and the table of believability; {} where the run has no maps."""
    if not (run / "maps/grids.json").is_file():
        return {}
    content = run.json("maps/grids.json")
    ratio = float(content["color_limit"]) / float(content["scale"]) if content.get("scale") else 1.0
    parts = [_parts(name, by_sample) for name, by_sample in content["contenders"].items()]
    targets = {one.get("target", "") for by in content["contenders"].values() for one in by.values()}
    return {
        "method": content.get("method_words", content["method"]),
        "unit": content["unit"],
        # of more than two classes each map explains the class that its contender holds most probable
        "target": targets.pop() if len(targets) == 1 else "",
        # The script draws whole numbers, of which 127 stands for the scale of all maps.
        "limit": round(127 * min(1.0, ratio), 1),
        "sum_limit": _sum_limit(content["contenders"]),
        "contenders": list(content["contenders"]),
        "unchecked": _unchecked(content["contenders"]),
        "parts": [row for row in parts if row],
        **_faithfulness(run),
        "failed": sorted(
            name
            for name, by_sample in content["contenders"].items()
            if any(str(one.get("sanity", "")).startswith("fail") for one in by_sample.values())
        ),
    }


def _unchecked(contenders: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the contenders whose maps no check has judged."""
    return [
        name
        for name, by_sample in contenders.items()
        if any(one.get("sanity") == "not checked" for one in by_sample.values())
    ]


def _sum_limit(contenders: Mapping[str, Mapping[str, Any]]) -> float:
    """Return the end of the one scale of all bars: 95 % of maps reach no further with a partial sum.

    A few extreme images would leave all others hardly a bar; those are cut at the end, their numbers stand beside them.
    """
    ends = sorted(
        max(abs(one["offset"]), abs(one["offset"] + one["localised"]), abs(one["log_odds"]))
        for by_sample in contenders.values()
        for one in by_sample.values()
        if "offset" in one
    )
    return round(float(ends[min(len(ends) - 1, int(WITHIN * len(ends)))]), 2) if ends else 0.0


def _parts(name: str, by_sample: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return how much of the evidence is localised, as a mean share over the images of one contender."""
    shares = []
    for one in by_sample.values():
        elsewhere = sum(abs(value) for value in one.get("not_localised", {}).values())
        whole = abs(one["localised"]) + elsewhere
        if whole > 0 and "not_localised" in one:
            shares.append(abs(one["localised"]) / whole)
    if not shares:
        return None
    return {"name": name, "localised": f"{100 * sum(shares) / len(shares):.0f} %", "n": len(shares)}


def _faithfulness(run: RunFolder) -> dict[str, Any]:
    """Return the tables of `maps/faithfulness.json` as rows of text, {} for each that there is not."""
    if not (run / "maps/faithfulness.json").is_file():
        return {"checks": {}, "beside": {}, "hidden": {}, "findings": [], "agreement": {}, "regions": {}}
    content = run.json("maps/faithfulness.json")
    contenders: Mapping[str, Mapping[str, Any]] = content["contenders"]
    return {
        "checks": _checks(contenders),
        "beside": _beside(contenders),
        "hidden": _hidden(contenders),
        "findings": [
            text for one in contenders.values() if (text := one.get("subject_hidden", {}).get("finding"))
        ],
        "agreement": _agreement(content.get("agreement", ())),
        "regions": _regions(content.get("localisation", {})),
    }


def _checks(contenders: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    rows = [
        [
            name,
            one["sanity"].partition(":")[0],
            digits(one["repeatability"]),
            # the check takes the size of this correlation in each image; its mean is what the difference leaves
            digits(one["repeatability"] - one["labels"]["value"]),
            _difference(one["labels"]),
            _difference(one["deletion"]),
            _images(one["labels"]),
        ]
        for name, one in contenders.items()
    ]
    return {"heads": list(CHECK_HEADS), "rows": rows} if rows else {}


def _beside(contenders: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the figures that decide nothing; runs of before have none."""
    rows = [
        [
            name,
            _number(one["random_head"]),
            _number(one["random_backbone"]),
            _difference(one["deletion_grey"]),
            _difference(one["insertion"]),
            _images(one["insertion"]),
        ]
        for name, one in contenders.items()
        if "insertion" in one
    ]
    return {"heads": list(BESIDE_HEADS), "rows": rows} if rows else {}


def _hidden(contenders: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what remains of each contender without the subject; runs of before have none."""
    rows = [
        [
            name,
            _difference(one["auroc"]),
            digits(one["auroc_whole"]),
            digits(one["share_outside"]),
            _difference(one["share_less_area"]),
            f"{one['auroc']['n_samples']} in {one['auroc']['n_groups']} groups",
        ]
        for name, whole in contenders.items()
        if (one := whole.get("subject_hidden"))
    ]
    return {"heads": list(HIDDEN_HEADS), "rows": rows} if rows else {}


def _agreement(pairs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    rows = [
        [
            f"{one['a']} and {one['b']}",
            _number(one["same"]),
            _number(one["other"]),
            _difference(one["difference"]),
            _images(one["difference"]),
        ]
        for one in pairs
    ]
    return {"heads": list(AGREEMENT_HEADS), "rows": rows} if rows else {}


def _regions(told: Mapping[str, Any]) -> dict[str, Any]:
    if not told:
        return {}
    rows = [
        [name, *(_difference(one[key]) for key in ("hit", "lift", "distance", "auprc")), _images(one)]
        for name, one in told["rows"].items()
    ]
    return {"heads": list(REGION_HEADS), "rows": rows, "masks": told["masks"], "empty": told["empty"]}


def _images(one: Mapping[str, Any]) -> str:
    return f"{one['n_images']} in {pluralize(one['n_groups'], 'group')}"


def _number(value: float) -> str:
    return digits(value)


def _difference(one: Mapping[str, Any]) -> str:
    return f"{digits(one['value'])} [{digits(one['low'])}, {digits(one['high'])}]"
