"""Summaries of the coverage study of learners: rates over its studies, and the table of docs/statistics.md."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import numpy.typing as npt
from learner_settings import Setting
from scipy import stats

LEVEL = 0.95
POWER = 0.8  # of the oracle, which knows the true spread of the difference
FEWEST_DEGREES = 10  # effective degrees of freedom below which the rule says "cannot tell"
FEWEST_EVEN = 6  # groups of equal size that those of the sample are worth, likewise


def summary(s: Setting, rows: Sequence[dict[str, float]], seconds: float) -> dict[str, Any]:
    """Return the rates over studies, each with the number of studies they rest on."""
    column = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    out: dict[str, Any] = {"setting": asdict(s), "studies": len(rows), "seconds": round(seconds, 1)}
    for block in dict.fromkeys(key.rsplit("|", 1)[0] for key in column):
        c = {key.rsplit("|", 1)[1]: v for key, v in column.items() if key.rsplit("|", 1)[0] == block}
        if block.startswith("pooled"):
            out[block] = {"frozen": _rate(np.abs(c["gap"]) > c["frozen"])}
            continue
        truth = float(c["gap"].mean()) if s.gain else 0.0
        spread = math.sqrt(float(((c["gap"] - truth) ** 2).mean()))
        gap = c["gap"] - truth
        oracle = spread * (stats.norm.ppf((1 + LEVEL) / 2) + stats.norm.ppf(POWER))
        means = (
            [float(np.concatenate([c["value0"], c["value1"]]).mean())] * 2
            if not s.gain
            else [float(c["value0"].mean()), float(c["value1"].mean())]
        )
        known = np.isfinite(c["low0"]) & np.isfinite(c["low1"])
        cover = [(c[f"low{i}"] <= means[i]) & (means[i] <= c[f"high{i}"]) for i in range(2)]
        single = np.concatenate([c["value0"] - means[0], c["value1"] - means[1]])
        up, down = c["high"] - c["gap"], c["gap"] - c["low"]
        outside, enough = (gap > down) | (gap < -up), (c["degrees"] >= FEWEST_DEGREES) & _even_enough(s)
        out[block] = {
            "value": means[0],
            "better": _rate(outside & enough),
            "better_interval": _rate(outside),
            "few_degrees": _rate(~enough),
            "better_wide": _rate((c["wide_low"] - truth > 0) | (c["wide_high"] - truth < 0)),
            "frozen": _rate(np.abs(gap) > c["frozen"]),
            "nadeau_bengio": _rate(np.abs(gap) > c["nadeau_bengio"]),
            "cover": [float(np.mean([x[known].mean() for x in cover])), int(known.sum())],
            "power": float(
                (np.mean((gap + oracle > down) & enough) + np.mean((oracle - gap > up) & enough)) / 2 / POWER
            ),
            "power_wide": float(
                (np.mean(c["wide_low"] - truth + oracle > 0) + np.mean(oracle - c["wide_high"] + truth > 0))
                / 2
                / POWER
            ),
            "oracle_difference": oracle,
            "spread": spread,
            "true_factor": spread**2 / float(c["variance"].mean()),
            "factor": float(c["factor"].mean()),
            "share": float(c["share"].mean()),
            "true_factor_single": float((single**2).mean())
            / float(np.mean([c["variance0"], c["variance1"]])),
            "factor_single": float(np.mean([c["factor0"], c["factor1"]])),
        }
        if s.gain:
            g = c["gap"]
            outside = (c["low"] > 0) | (c["high"] < 0)
            out[block]["found"] = float(np.mean(outside & enough))
            out[block]["found_interval"] = float(np.mean(outside))
            # Two one-sided tests at the margin of the true difference, which is the edge of equivalence.
            inner = (
                (up + down)
                / 2
                * stats.t.ppf(LEVEL, c["degrees"])
                / stats.t.ppf((1 + LEVEL) / 2, c["degrees"])
            )
            same = np.abs(c["gap"]) + inner < abs(truth)
            out[block]["equivalent"] = float(np.mean(same & enough))
            out[block]["equivalent_interval"] = float(np.mean(same))
            out[block]["values"] = means
            out[block]["oracle"] = float(np.mean(np.abs(g) > stats.norm.ppf((1 + LEVEL) / 2) * spread))
    main = {key.rsplit("|", 1)[1]: v for key, v in column.items() if key.startswith("main|auroc")}
    for name in ("once", "seed", "ten", "many"):
        other = {key.rsplit("|", 1)[1]: v for key, v in column.items() if key.startswith(f"{name}|auroc")}
        if other:
            shift = out["main|auroc"]["oracle_difference"]
            words = [
                [(d["low"] + x > 0).astype(int) - (d["high"] + x < 0) for d in (main, other)]
                for x in (0.0, shift)
            ]
            out[f"{name}|flips"] = [float(np.mean(a != b)) for a, b in words]
    return out


def _rate(hits: npt.NDArray[np.bool_]) -> list[float]:
    """Return a share with its 95 % Clopper-Pearson bounds."""
    k, n = int(hits.sum()), len(hits)
    low = float(stats.beta.ppf(0.025, k, n - k + 1)) if k else 0.0
    high = float(stats.beta.ppf(0.975, k + 1, n - k)) if k < n else 1.0
    return [k / n, low, high]


def table(found: Sequence[dict[str, Any]]) -> str:
    """Return the markdown table."""
    head = (
        "learner",
        "groups",
        "per group",
        "features",
        "copies",
        "K x R",
        "AUROC",
        "studies",
        "better, %",
        "bound",
        "frozen, %",
        "N-B, %",
        "cover, %",
        "power / oracle",
        "factor",
        "true",
        "few degrees, %",
        "better without that clause, %",
        "better 1 repeat, %",
        "cover 1 repeat, %",
        "power 1 repeat",
    )
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for one in found:
        s, m, o = one["setting"], one["main|auroc"], one["once|auroc"]
        cells = [
            f"{s['learner']} {s['strength']:g}",
            s["groups"],
            s["size"],
            s["features"],
            s["copies"],
            f"{s['folds']} x {s['repeats']}",
            f"{m['value']:.3f}",
            one["studies"],
            f"**{100 * m['better'][0]:.1f}**",
            f"{100 * m['better'][2]:.1f}",
            f"{100 * m['frozen'][0]:.1f}",
            f"{100 * m['nadeau_bengio'][0]:.1f}",
            f"{100 * m['cover'][0]:.1f}",
            f"{m['power']:.2f}",
            f"{m['factor']:.2f}",
            f"{m['true_factor']:.2f}",
            f"{100 * m['few_degrees'][0]:.1f}",
            f"{100 * m['better_interval'][0]:.1f}",
            f"{100 * o['better'][0]:.1f}",
            f"{100 * o['cover'][0]:.1f}",
            f"{o['power']:.2f}",
        ]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def gain_table(found: Sequence[dict[str, Any]]) -> str:
    """Return the markdown table of settings in which one contender is better."""
    head = (
        "learner", "groups", "per group", "copies", "AUROC", "studies", "few degrees, %", "oracle, %", "found, %",
        "without the clause, %", "false equivalent, %", "without the clause, %",
    )  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for one in found:
        s, m = one["setting"], one["main|auroc"]
        shares = (m["few_degrees"][0], m["oracle"], *(
            m[key] for key in ("found", "found_interval", "equivalent", "equivalent_interval")
        ))  # fmt: skip
        cells = [
            f"{s['learner']} {s['strength']:g}", s["groups"], s["size"], s["copies"],
            f"{m['values'][0]:.3f}, {m['values'][1]:.3f}", one["studies"], *(f"{100 * x:.1f}" for x in shares),
        ]  # fmt: skip
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def _even_enough(s: Setting) -> bool:
    """Return whether the groups are even enough for a verdict, by Kish's effective number."""
    sizes = np.array([s.giant] * s.giants + [s.size] * (s.groups - s.giants), dtype=np.float64)
    return bool(sizes.sum() ** 2 / (sizes**2).sum() >= FEWEST_EVEN)
