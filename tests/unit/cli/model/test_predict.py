"""`headtohead predict`: a line an image as it comes, names as they are read, tables whole or absent."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headtohead.deploy.prediction import row_columns

Run = Callable[..., Any]


class Prediction:
    """One prediction, of a name that a spreadsheet would run."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.error = "unreadable" if "bad" in path else None

    def to_row(self, classes: Any) -> dict[str, Any]:
        row = dict.fromkeys(row_columns(list(classes)), "")
        return {**row, "path": self.path, "prob_yes": 0.25, "error": self.error or ""}

    def model_dump_json(self) -> str:
        return json.dumps({"path": self.path})


class Model:
    """Predicts each name, and remembers what it was asked."""

    classes = ("no", "yes")
    map_problem = ""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.how: dict[str, Any] = {}

    def predict(self, names: Iterable[str], **how: Any) -> Iterator[Prediction]:
        self.how = how
        for name in names:
            self.asked.append(name)
            yield Prediction(name)


@pytest.fixture
def model(ask: Any) -> Any:
    made = Model()
    asked = ask("headtohead.api.models", "load_model", made)
    return SimpleNamespace(model=made, asked=asked)


def test_a_table_is_printed_in_order_and_runs_nothing(model: Any, run: Run) -> None:
    found = run(
        "predict",
        "m",
        "b.png",
        "=cmd().png",
        "a.png",
        "--threshold",
        "half",
        "--batch-size",
        3,
        "--strict",
        "--runtime",
        "auto",
    )
    rows = list(csv.DictReader(io.StringIO(found.out)))
    assert found.status == 0 and [row["prob_yes"] for row in rows] == ["0.25"] * 3
    assert rows[0]["path"] == "b.png" and not rows[1]["path"].startswith("=") and rows[2]["path"] == "a.png"
    assert list(rows[0]) == list(row_columns(["no", "yes"]))
    assert model.model.how["threshold"] == "half" and model.model.how["batch_size"] == 3
    ((given, named),) = model.asked.calls
    assert given == (Path("m"),) and named == {"strict": True, "runtime": "auto"}


def test_names_from_standard_input_keep_their_blanks(
    model: Any, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a b.png \n\n  \r\nc.png\r\n"))
    run("predict", "m", "first.png", "-", "last.png")
    assert model.model.asked == ["first.png", "a b.png ", "c.png", "last.png"]


def test_json_and_a_table_come_together_or_alone(model: Any, run: Run, tmp_path: Path) -> None:
    alone = run("predict", "m", "a.png", "b.png", "--json")
    assert [json.loads(line)["path"] for line in alone.out.splitlines()] == ["a.png", "b.png"]
    table = tmp_path / "deep" / "p.csv"
    both = run("predict", "m", "a.png", "--json", "--out", table)
    assert json.loads(both.out)["path"] == "a.png" and len(table.read_text().splitlines()) == 2
    quiet = run("predict", "m", "a.png", "--out", table)
    assert quiet.out == "" and list(table.parent.iterdir()) == [table]


def test_images_without_a_prediction_are_counted_and_end_with_three(model: Any, run: Run) -> None:
    found = run("predict", "m", "a.png", "bad.png", "bad2.png", "--json")
    assert found.status == 3
    assert found.err == "2 of 3 images have no prediction; see the column error.\n"


def test_a_table_that_is_not_finished_has_not_its_name(model: Any, run: Run, tmp_path: Path) -> None:
    class Breaks(Model):
        def predict(self, names: Iterable[str], **how: Any) -> Iterator[Prediction]:
            yield Prediction("a.png")
            raise OSError(28, "No space left on device")

    model.asked.answer = Breaks()
    table = tmp_path / "p.csv"
    table.write_text("the old one")
    assert run("predict", "m", "a.png", "--out", table).status == 1
    assert table.read_text() == "the old one"


def test_maps_are_of_the_same_names_and_a_problem_is_told(
    model: Any, run: Run, ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = ask("headtohead.deploy.predict.maps", "write_maps", Path("maps/index.csv"))
    monkeypatch.setattr("sys.stdin", io.StringIO("a.png\nb.png\n"))
    found = run("predict", "m", "-", "--explain", "maps", "--json")
    ((given, _),) = written.calls
    assert given[1:3] == (["a.png", "b.png"], Path("maps")), "standard input is read once"
    assert found.err.endswith("Maps: maps/index.csv\n") and len(found.out.splitlines()) == 2
