"""train, predict and evaluate as commands: exit status, quiet data on stdout, a list from standard input."""

from __future__ import annotations

import csv
import io
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from tests.planting.trained_model import PROBE, data_folder, finished_run, trained

import headtohead as h2h
from headtohead.cli.app import main
from headtohead.core.errors import NoEffectError, UsageError
from headtohead.stats.metrics.lookup import get_metric

Capture = pytest.CaptureFixture[str]


@pytest.mark.slow
def test_train_from_a_run_gives_the_same_model(tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "model"
    assert main(["train", "--from", str(finished_run()), "-c", PROBE, "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["classes"] == ["no", "yes"]
    assert told["estimate"]["scores"]
    for name in ("model.safetensors", "calibration.json", "config.json", "estimate.json", "reference.json"):
        assert (out / name).read_bytes() == (trained() / name).read_bytes(), name
    card = (out / "README.md").read_text()
    assert "Research use only; not a medical device." in card
    assert not (tmp_path / ".model.work").exists()


def test_predict_prints_lines_in_order_and_exits_with_3(tmp_path: Path, capsys: Capture) -> None:
    good = sorted(data_folder().glob("*/*.bmp"))[:3]
    bad = tmp_path / "broken.png"
    bad.write_text("no image")
    files = [str(good[2]), str(bad), str(good[0]), str(good[1])]
    assert main(["predict", str(trained()), *files]) == 3
    out, err = capsys.readouterr()
    lines = list(csv.DictReader(io.StringIO(out)))
    assert [line["path"] for line in lines] == files
    assert [bool(line["error"]) for line in lines] == [False, True, False, False]
    assert "1 of 4 images have no prediction" in err
    assert list(lines[0]) == [
        "path", "sha256", "prob_no", "prob_yes", "predicted", "threshold", "set", "abstains", "flags", "error",
    ]  # fmt: skip


def test_predict_reads_a_list_and_writes_json_and_a_table(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = sorted(data_folder().glob("yes/*.bmp"))[:2]
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{file}\n" for file in files)))
    table = tmp_path / "deep" / "p.csv"
    assert main(["predict", str(trained()), "-", "--json", "--out", str(table)]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["path"] for line in told] == [str(file) for file in files]
    assert len(table.read_text().splitlines()) == 3


def test_predict_writes_the_maps_of_readable_images(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "broken.png").write_text("no image")
    good = [str(path) for path in sorted(data_folder().glob("*/*.bmp"))[:2]]
    maps = tmp_path / "maps"
    words = [*good, str(tmp_path / "broken.png"), "--explain", str(maps)]
    assert main(["predict", str(trained()), *words]) == 3
    assert len(capsys.readouterr().out.splitlines()) == 4
    rows = list(csv.DictReader(io.StringIO((maps / "index.csv").read_text())))
    assert [row["path"] for row in rows] == good
    model = h2h.load_model(trained())
    for path, row in zip(good, rows, strict=True):
        drawn = np.load(maps / row["file"])
        expected = model.explain_bytes(path, Path(path).read_bytes())
        assert drawn.shape == (72, 64)
        assert drawn.sum() == pytest.approx(expected.attribution.localised, abs=1e-4)
        assert (maps / row["file"]).with_suffix(".png").is_file()


def test_the_card_names_metrics_as_the_field_does() -> None:
    card = (trained() / "README.md").read_text()
    rows = [line.split("|")[1].strip() for line in card.splitlines() if line.startswith("| ")]
    titles = {get_metric(score.metric).title for score in h2h.load_model(trained()).estimate_record.scores}
    assert titles <= set(rows) and any(title.startswith("AUROC") for title in titles)
    assert "auroc" not in rows


def test_archives_and_folders_give_the_same_lines(tmp_path: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "images"), "zip", data_folder())
    model = h2h.load_model(trained())
    packed, plain = list(model.predict(archive)), list(model.predict(data_folder()))
    assert [p.sha256 for p in packed] == [p.sha256 for p in plain]
    assert [p.probabilities for p in packed] == [p.probabilities for p in plain]


def test_a_refused_verdict_must_be_accepted(tmp_path: Path, capsys: Capture) -> None:
    run = (
        Path(tempfile.mkdtemp(prefix="h2h-run-")) / "run"
    )  # as far from the data, whose path is seen from the run
    shutil.copytree(finished_run(), run)
    verdict = json.loads((run / "verdict.json").read_text())
    for found in verdict["comparisons"]:
        found |= {"verdict": "refused", "winner": None}
        found["details"]["refusal"] = "the split leaks."
    (run / "verdict.json").write_text(json.dumps(verdict))
    words = ["train", "--from", str(run), "-c", PROBE, "--out", str(tmp_path / "m")]
    assert main(words) == 1
    assert "--accept-refused" in capsys.readouterr().err
    assert not (tmp_path / "m").exists()
    assert main([*words, "--accept-refused"]) == 0
    assert "the split leaks." in (tmp_path / "m" / "README.md").read_text()


def test_settings_beside_a_run_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NoEffectError, match="folds would have no effect"):
        h2h.train(run=finished_run(), contender=PROBE, out=tmp_path / "m", folds=3)
    with pytest.raises(UsageError, match="has no contender 'vit-b16'"):
        h2h.train(run=finished_run(), contender="vit-b16", out=tmp_path / "m")
    with pytest.raises(UsageError, match="finished run"):
        h2h.train(out=tmp_path / "m")


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    assert main(["train", "--from", str(finished_run()), "-c", PROBE, "--out", str(tmp_path)]) == 1
    assert "thesis.txt" in capsys.readouterr().err
    assert [item.name for item in tmp_path.iterdir()] == ["thesis.txt"]


def test_evaluate_needs_a_model_and_data(capsys: Capture) -> None:
    assert main(["evaluate", str(trained()), "--out", "x"]) == 2
    assert "at least one model" in capsys.readouterr().err
