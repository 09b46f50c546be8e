"""Facts of a comparison for the reporting checklists: only what was recorded while it ran."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headtohead.core.config import StudyConfig
from headtohead.core.records import Verdict
from headtohead.core.run_folder import RunFolder

if TYPE_CHECKING:
    from headtohead.contenders.plan import ContenderPlan
    from headtohead.data.dataset import Dataset

__all__ = ["checklist", "checklist_facts"]

_FAMILIES = {
    "cnn": "convolutional networks",
    "transformer": "vision transformers",
    "hybrid": "hybrid networks",
}


def checklist(
    verdict: Verdict, config: StudyConfig, dataset: Dataset, plan: ContenderPlan, run: RunFolder
) -> list[dict[str, str]]:
    """Return CLAIM 2024, TRIPOD+AI and STARD-AI as far as a run can fill them.

    Args:
        verdict: of the run.
        config: its settings.
        dataset: the grouped samples.
        plan: how each contender is trained.
        run: the run folder; it holds `recipe.json`, `learning.parquet`, `leak_proof.json` and `contenders`.
    """
    from headtohead.evaluate.reporting.reporting_checklist import build_checklists

    facts = {
        "source": Path(config.data).name,
        "n_samples": len(dataset),
        "n_groups": len(set(dataset.groups())),
        "classes": list(dataset.classes),
        "excluded": len(dataset.problems),
        "notes": list(dataset.notes),
    }
    return build_checklists(verdict, config.model_dump(mode="json"), {**facts, **checklist_facts(plan, run)})


def checklist_facts(plan: ContenderPlan, run: RunFolder) -> dict[str, Any]:
    """Return recipe, versions, weights, training, choices and leaks, each only where the run recorded it."""
    from headtohead.core.provenance import collect
    from headtohead.evaluate.training_words import training_sentence, was_selected

    chosen = _chosen(run)
    modes = {one.name: "" if one.mode is None else str(one.mode) for one in plan.contenders}
    sentences = [training_sentence(name, mode, chosen.get(name, [])) for name, mode in modes.items()]
    versions = collect()["packages"]
    backbones = [json.loads(path.read_text()) for path in sorted((run / "contenders").glob("*.json"))]
    facts: dict[str, Any] = {
        "versions": ", ".join(f"{name} {version}" for name, version in versions.items() if version),
        "weights": "; ".join(_weights(one["record"]) for one in backbones if "record" in one) or None,
        "families": _families(plan),
        "training": _joined(sentences),
        "chosen": [
            word for name, mode in modes.items() if (word := was_selected(mode, chosen.get(name, [])))
        ],
    }
    if (run / "recipe.json").is_file():
        recipe = run.json("recipe.json")
        facts["recipe"] = f"{recipe['name']} ({recipe['reason']})"
    if (run / "leak_proof.json").is_file():
        facts["leaks"] = len(run.json("leak_proof.json")["leaks"])
    return facts


def _joined(sentences: list[str]) -> str:
    """Return the sentences, those that say the same of several contenders once with all their names."""
    by_text: dict[str, list[str]] = {}
    for sentence in filter(None, sentences):
        name, _, text = sentence.partition(": ")
        by_text.setdefault(text, []).append(name)
    return " ".join(f"{', '.join(names)}: {text}" for text, names in by_text.items())


def _chosen(run: RunFolder) -> dict[str, list[Mapping[str, Any]]]:
    """Return contender -> what each of its cells recorded about its choices."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    if (run / "learning.parquet").is_file():
        for row in run.table("learning.parquet").to_dict("records"):
            found.setdefault(row["contender"], []).append(json.loads(row["chosen"]))
    return found


def _weights(record: Mapping[str, Any]) -> str:
    parts = [record["pretraining"]]
    parts += [f"{key} {record[key]}" for key in ("source", "revision", "licence") if record.get(key)]
    return f"{record['name']}: {', '.join(str(part) for part in parts if part)}"


def _families(plan: ContenderPlan) -> str | None:
    """Return which kinds of networks were compared, and whether they were pretrained; None without networks."""
    kinds = []
    for record in plan.records:
        start = "untrained (random weights)" if record.source == "scratch" else "pretrained"
        kinds.append(f"{start} {_FAMILIES.get(record.family, record.family)}")
    return ", ".join(dict.fromkeys(kinds)) or None
