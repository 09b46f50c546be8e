"""A model card of a run: Markdown with the metadata that the Hugging Face hub reads and validates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from headtohead.core.records import Score, Verdict
from headtohead.report.tables.format import format_estimate

__all__ = ["card_metadata", "model_card"]

# Metrics of the card, under the names that the hub knows.
METRICS = {"auroc": "roc_auc", "accuracy": "accuracy", "sensitivity": "recall", "specificity": "specificity"}
CONTROLS = ("majority", "file-facts")

Records = Mapping[str, Mapping[str, Any]]


def card_metadata(view: Mapping[str, Any], verdict: Verdict, records: Records) -> dict[str, Any]:
    """Return the metadata in front of the card.

    No field of the hub's holds an interval, so it stands in the arguments of each metric and in the text. The data
    have no place on the hub, so the data set's type is "private".

    Args:
        view: the content of `report.json`. verdict: of the run. records: backbone -> its catalogue record.
    """
    results = []
    for name in dict.fromkeys(score.contender for score in verdict.scores):
        scores = [
            s for s in verdict.scores if s.contender == name and s.metric in METRICS and s.value is not None
        ]
        if name not in CONTROLS and scores:
            results.append({"name": name, "results": [_result(view, scores)]})
    licences = {str(record["licence"]) for record in records.values()}
    return {
        "license": "apache-2.0" if licences == {"Apache-2.0"} else "other",
        # which the hub asks for beside "other"
        **({} if licences == {"Apache-2.0"} else {"license_name": "; ".join(sorted(licences)) or "unknown"}),
        "library_name": "timm",
        "pipeline_tag": "image-classification",
        **({"base_model": bases} if (bases := _on_the_hub(records)) else {}),
        "tags": ["medical-imaging", "headtohead", "research-use-only"],
        "metrics": sorted({METRICS[s.metric] for s in verdict.scores if s.metric in METRICS}),
        "model-index": results,
    }


def _on_the_hub(records: Records) -> list[str]:
    """Return the backbones by their names on the hub; those from wheels and files have none."""
    named = [record for record in records.values() if record.get("source") in ("timm", "transformers")]
    ids = [str(record["model_id"]) for record in named if record.get("model_id")]
    return sorted({one if "/" in one else f"timm/{one}" for one in ids})


def _result(view: Mapping[str, Any], scores: list[Score]) -> dict[str, Any]:
    metrics = [
        {
            "type": METRICS[score.metric],
            "name": f"{score.metric} (out of fold)",
            "value": round(float(score.value or 0), 4),
            "args": {"level": score.level, "low": score.low, "high": score.high, "groups": score.n_groups},
        }
        for score in scores
    ]
    return {
        "task": {"type": "image-classification", "name": "image classification"},
        "dataset": {"type": "private", "name": str(view["title"]), "split": "grouped cross-validation"},
        "metrics": metrics,
    }


def model_card(view: Mapping[str, Any], verdict: Verdict, records: Records) -> str:
    """Return `card.md`: metadata as JSON, which is YAML, then what was asked, what came out, and the limits."""
    head = json.dumps(card_metadata(view, verdict, records), indent=1, ensure_ascii=False)
    lines = [f"# {view['title']}", "", f"**{view['answer']['heading']}**", "", view["answer"]["numbers"], ""]
    lines += ["Research use only; not a medical device.", "", "## Performance, out of fold", ""]
    lines += ["| contender | " + " | ".join(METRICS) + " |", "|---" * (len(METRICS) + 1) + "|"]
    found = {(s.contender, s.metric): s for s in verdict.scores}
    for name in dict.fromkeys(score.contender for score in verdict.scores):
        cells = [format_estimate(found.get((name, metric))) for metric in METRICS]
        lines.append(f"| {_cell(name)} | {' | '.join(cells)} |")
    positive = f" Positive class: {view['positive']}." if view["positive"] else ""
    lines += [
        "",
        f"Intervals: {view['level']}, over groups.{positive}",
        "",
        "## Methods",
        "",
        view["methods"]["paragraph"],
        "",
    ]
    lines += ["## Limits", "", *(f"- {text}" for text in (*verdict.caveats, *view["limits"])), ""]
    return f"---\n{head}\n---\n\n" + "\n".join(lines)


def _cell(name: str) -> str:
    return name.replace("|", "\\|")
