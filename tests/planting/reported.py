"""Scores, figures and the files of a run, as the report reads them, under hostile names."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd

from headtohead.core.config import StudyConfig
from headtohead.core.records import Comparison, Finding, Score, TestResult, Verdict
from headtohead.core.tables.comparison import ConfusionTable
from headtohead.core.tables.details import VerdictDetails

HOSTILE = "<script>alert('x')</script>&\""


CLASSES = ("no", "yes")


ORDER = ("vit-b16", HOSTILE, "majority", "file-facts")


SVG = "{http://www.w3.org/2000/svg}"


PIXEL = "data:image/png;base64,iVBORw0KGgo="


def score(contender: str, metric: str = "auroc", value: float | None = 0.8123) -> Score:
    if value is None:
        return Score(
            contender=contender, metric=metric, value=None, low=None, high=None, n_samples=40, n_groups=30,
            method="cluster bootstrap", note="one class only",
        )  # fmt: skip
    return Score(
        contender=contender, metric=metric, value=value, low=value - 0.1, high=value + 0.05, n_samples=40,
        n_groups=30, method="cluster bootstrap",
    )  # fmt: skip


def comparison(a: str, b: str, difference: float | None = 0.03) -> Comparison:
    return Comparison(
        a=a, b=b, metric="auroc", difference=difference,
        low=None if difference is None else difference - 0.05,
        high=None if difference is None else difference + 0.05,
        verdict="no_evidence" if difference is not None else "cannot_tell", winner=None,
        sentence=f"No evidence that {a} and {b} differ.", n_samples=40, n_groups=30, method="paired bootstrap",
        tests={"delong": TestResult(statistic=1.2, p_value=0.0002), "mcnemar": TestResult(statistic=None, note="none")},
    )  # fmt: skip


def parsed(drawing: str) -> ElementTree.Element:
    """Return a figure as XML; malformed ones raise."""
    return ElementTree.fromstring(drawing)


def words(drawing: str) -> list[str]:
    """Return the texts of a figure in order."""
    return [node.text or "" for node in parsed(drawing).iter(f"{SVG}text")]


def titles(drawing: str) -> list[str]:
    return [node.text or "" for node in parsed(drawing).iter(f"{SVG}title")]


def learning(names: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "contender": name, "repeat": 0, "fold": fold, "train_accuracy": 0.9 + 0.1 * fold, "train_loss": 0.2,
                "inner_accuracy": None, "inner_loss": None, "test_accuracy": 0.7 + 0.1 * fold, "test_loss": 0.6,
                "chosen": "{}", "epochs": "[]",
            }
            for name in names
            for fold in (0, 1)
        ]
    )  # fmt: skip


def predictions() -> pd.DataFrame:
    rows = [
        {"sample": f"{label}/{i}", "group": f"g{i}", "repeat": 0, "fold": i % 2, "contender": name, "label": label,
         "prob_no": 0.4, "prob_yes": 0.6}
        for name in ORDER for i, label in enumerate(("no", "yes", "no", "yes"))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def verdict() -> Verdict:
    matrix = ConfusionTable(classes=CLASSES, mean=((17.0, 3.0), (4.0, 16.0)), repeats=())
    return Verdict(
        sentence=f"No evidence of a difference; {HOSTILE} was there.",
        metric="auroc",
        scores=(
            score("vit-b16"),
            score(HOSTILE),
            score("majority", value=None),
            score("vit-b16", "accuracy"),
        ),
        comparisons=(comparison("vit-b16", HOSTILE),),
        caveats=(f"A caveat with {HOSTILE}.",),
        details=VerdictDetails(
            classes=CLASSES, positive="yes", confusion={"vit-b16": matrix, HOSTILE: matrix}
        ),
    )


def audit() -> dict[str, Any]:
    finding = Finding(
        code="H2H201", title=f"Copies {HOSTILE}", severity="severe", outcome="issue", message=f"see {HOSTILE}",
        samples=("no/0", f"no/{HOSTILE}"),
    )  # fmt: skip
    return {
        "format": 1,
        "findings": [
            finding.model_dump(mode="json"),
            finding.model_copy(update={"outcome": "passed"}).model_dump(mode="json"),
        ],
        "counts": {"severe": 1, "passed": 1},
        "dataset": {
            "n_samples": 4,
            "n_groups": 3,
            "digest": "abc123",
            "classes": {"no": {"samples": 2, "groups": 1}, "yes": {"samples": 2, "groups": 2}},
        },
        "groups": {"n_groups": 3, "shared": {"g0": ["no/0", f"no/{HOSTILE}"]}, "pairs": []},
        "notes": [],
    }


def contender() -> dict[str, Any]:
    record = {
        "name": "vit-b16", "family": "transformer", "pretraining": "ImageNet-21k", "source": "transformers",
        "licence": "Apache-2.0", "notes": HOSTILE, "input_size": 224, "interpolation": "bilinear", "revision": None,
    }  # fmt: skip
    return {
        "record": record,
        "weights": {"sha256": "ff"},
        "how": {"precision": "bf16", "relative_error": 0.01},
    }


def write_run(folder: Path) -> Path:
    """Write a finished run folder by hand, and return it."""
    (folder / "contenders").mkdir(parents=True)
    files: Mapping[str, Any] = {
        "verdict.json": verdict().model_dump(mode="json"),
        "audit.json": audit(),
        "thumbs.json": {"no/0": PIXEL, f"no/{HOSTILE}": PIXEL},
        "images.json": {
            "gallery": {"no/0": {"src": PIXEL, "width": 8, "height": 8, "box": [1, 1, 7, 7]}},
            "shown": [{"id": "no/0", "src": PIXEL}],
        },
        "recipe.json": {"name": "none", "reason": "as asked for", "steps": "", "digest": "d"},
        "provenance.json": {
            "headtohead": "0", "python": "3.11", "packages": {"numpy": "2"}, "system": "Linux", "machine": "x86_64",
            "processor": "some", "cores": 2, "command": ["headtohead", "compare", HOSTILE],
        },
        "contenders/vit-b16.json": contender(),
    }  # fmt: skip
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    config = StudyConfig(data=HOSTILE, contenders=("vit-b16",), folds=2, repeats=1)
    (folder / "study.toml").write_text(config.to_toml(), encoding="utf-8")
    predictions().to_parquet(folder / "predictions.parquet", index=False)
    learning(ORDER).to_parquet(folder / "learning.parquet", index=False)
    return folder
