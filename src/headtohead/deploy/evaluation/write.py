"""The files of an evaluation."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from headtohead.core.atomic_io import write_atomic, write_table
from headtohead.core.provenance import collect
from headtohead.core.records import Verdict
from headtohead.core.run_folder import write_record
from headtohead.core.safety.spreadsheet import guard_row
from headtohead.deploy.evaluation.records import Evaluation
from headtohead.deploy.prediction import ImagePrediction, row_columns

if TYPE_CHECKING:
    import pandas as pd

    from headtohead.data.dataset import Dataset

__all__ = ["write_evaluation"]


def write_evaluation(
    out: Path,
    evaluation: Evaluation,
    verdict: Verdict,
    frame: pd.DataFrame,
    dataset: Dataset,
    answers: Mapping[str, list[ImagePrediction]],
) -> None:
    """Write the page, evaluation.json, verdict.json, scores.json, comparisons.json, provenance.json and the tables.

    Args:
        out: the folder.
        frame: predictions that are scored. answers: of each model, one per sample, those with an error too.
    """
    from headtohead.deploy.guard.guard import FLAGS
    from headtohead.report.evaluation_page import evaluation_page
    from headtohead.report.views.cases import build_cases

    content, classes = verdict.model_dump(mode="json"), verdict.details.classes
    facts = evaluation.model_dump(mode="json")
    write_record(out / "verdict.json", content)
    write_record(out / "scores.json", {"scores": content["scores"]})
    write_record(out / "comparisons.json", {"comparisons": content["comparisons"]})
    write_record(out / "evaluation.json", facts)
    write_record(out / "provenance.json", collect())
    write_table(out / "predictions.parquet", frame)
    write_table(out / "samples.parquet", dataset.frame())
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, ["model", "label", *row_columns(classes)], lineterminator="\n")
    writer.writeheader()
    for name, found in answers.items():
        for sample, answer in zip(dataset.samples, found, strict=True):
            cells = {"model": name, "label": sample.label, **answer.to_row(classes)}
            # Labels and names are others' text, which a spreadsheet could run as a formula.
            writer.writerow(dict(zip(cells, guard_row(cells.values()), strict=True)))
    write_atomic(out / "predictions.csv", buffer.getvalue())
    names = [model.name for model in evaluation.models]
    cases = build_cases(frame, classes, verdict.details.positive, names)
    write_atomic(out / "evaluation.html", evaluation_page(facts, verdict, cases, FLAGS))
