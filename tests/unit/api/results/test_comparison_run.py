"""A finished comparison: its frames by hand, what it says of itself, and what is missing or damaged."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from tests.planting.reported import HOSTILE, score, write_run

from headtohead.api.results.comparison_run import Run, summary
from headtohead.core.errors import RunFolderError, UnknownNameError


@pytest.mark.parametrize(("caveats", "words"), [(["One."], "1 caveat;"), (["One.", "Two."], "2 caveats;")])
def test_the_summary_counts_caveats_and_names_the_metric_as_the_field_does(
    caveats: list[str], words: str, tmp_path: Path
) -> None:
    folder = write_run(tmp_path / "run")
    content = json.loads((folder / "verdict.json").read_text())
    (folder / "verdict.json").write_text(json.dumps(content | {"caveats": caveats}))
    lines = summary(Run(folder)).splitlines()
    assert lines[-1].startswith(words)
    assert any(line.startswith("AUROC (95% CI)") for line in lines)


def planted(folder: Path) -> Run:
    """Return a run of two contenders and two repeats whose mean probabilities are known by hand."""
    write_run(folder)
    given = {  # image: truth, then probabilities of "yes" by a in both repeats and by b in both
        "n1": ("no", (0.1, 0.3), (0.6, 0.8)),
        "n2": ("no", (0.9, 0.5), (0.2, 0.2)),
        "n3": ("no", (0.55, 0.55), (0.9, 0.9)),
        "y1": ("yes", (0.2, 0.2), (0.4, 0.5)),
        "y2": ("yes", (0.3, 0.9), (0.7, 0.7)),
    }
    rows = [
        {"sample": image, "group": f"g-{image}", "repeat": repeat, "fold": 0, "contender": name, "label": truth,
         "prob_no": 1 - p[repeat], "prob_yes": p[repeat]}
        for image, (truth, a, b) in given.items() for name, p in (("vit-b16", a), ("other", b)) for repeat in (0, 1)
    ]  # fmt: skip
    pd.DataFrame(rows).to_parquet(folder / "predictions.parquet", index=False)
    content = json.loads((folder / "verdict.json").read_text())
    content["scores"] = [
        score("vit-b16").model_dump(mode="json"), score("other", value=None).model_dump(mode="json"),
    ]  # fmt: skip
    (folder / "verdict.json").write_text(json.dumps(content))
    return Run(folder)


def test_errors_are_of_mean_probabilities_most_confident_first(tmp_path: Path) -> None:
    found = planted(tmp_path / "run").errors("vit-b16")
    assert found["image"].tolist() == ["y1", "n2", "n3"]
    assert list(found.columns) == ["image", "group", "truth", "predicted", "prob_no", "prob_yes"]
    assert found["prob_yes"].tolist() == pytest.approx([0.2, 0.7, 0.55])
    assert found["truth"].tolist() == ["yes", "no", "no"] and found["predicted"].tolist() == [
        "no",
        "yes",
        "yes",
    ]
    assert found["group"].tolist() == ["g-y1", "g-n2", "g-n3"] and found.index.tolist() == [0, 1, 2]


def test_disagreements_show_what_each_gave_to_the_truth_largest_gap_first(tmp_path: Path) -> None:
    run = planted(tmp_path / "run")
    found = run.disagreements("vit-b16", "other")
    assert found.to_dict("list") == {
        "image": ["n1", "n2"], "group": ["g-n1", "g-n2"], "truth": ["no", "no"],
        "predicted_a": ["no", "yes"], "predicted_b": ["yes", "no"],
        "prob_a": pytest.approx([0.8, 0.3]), "prob_b": pytest.approx([0.3, 0.8]),
    }  # fmt: skip
    turned = run.disagreements("other", "vit-b16")
    assert turned["prob_a"].tolist() == pytest.approx(found["prob_b"].tolist())
    assert run.disagreements("other", "other").empty


def test_unknown_contenders_are_told_with_the_nearest(tmp_path: Path) -> None:
    run = planted(tmp_path / "run")
    said = r"^Unknown contender 'vit-b61'; did you mean 'vit-b16'"
    with pytest.raises(UnknownNameError, match=said):
        run.errors("vit-b61")
    with pytest.raises(UnknownNameError, match=said):
        run.disagreements("other", "vit-b61")


def test_frames_hold_each_score_and_pair_with_numbers_or_none(tmp_path: Path) -> None:
    run = planted(tmp_path / "run")
    scores = run.scores
    assert run.contenders == ["vit-b16", "other"] == scores["contender"].tolist()
    assert scores["value"].tolist()[0] == pytest.approx(0.8123) and scores["value"].isna().tolist() == [
        False,
        True,
    ]
    assert scores["note"].tolist() == ["", "one class only"] and scores["low"].dtype == float
    pairs = run.comparisons
    assert (pairs["a"][0], pairs["b"][0], pairs["verdict"][0]) == ("vit-b16", HOSTILE, "no_evidence")
    assert pairs["difference"][0] == pytest.approx(0.03) and pairs["p_adjusted"].isna().all()
    assert pairs["low"][0] == pytest.approx(-0.02) and pairs["winner"][0] is None
    assert run.differences.empty and "role" in run.differences.columns, "of a run of an earlier version"


def test_a_learning_curve_is_read_with_what_it_leads_to_and_missed_with_the_command(tmp_path: Path) -> None:
    run = planted(tmp_path / "run")
    with pytest.raises(
        RunFolderError, match=r"has no learning curve\. The same compare command with --learning-curve"
    ):
        _ = run.learning_curve
    point = {"contender": "a", "share": 0.5, "groups": 20, "value": 0.8, "low": 0.7, "high": 0.9}
    ahead = {
        "contender": "a", "factor": 2.0, "groups": 80, "value": 0.9, "low": 0.8, "high": 0.95, "gain": 0.1,
        "gain_low": 0.0, "gain_high": 0.2,
    }  # fmt: skip
    (run.path / "learning_curve.json").write_text(json.dumps({"points": [point], "extrapolation": [ahead]}))
    found = run.learning_curve
    assert found["share"].tolist() == [0.5, 2.0] and found["extrapolated"].tolist() == [False, True]
    assert found["gain"].isna().tolist() == [True, False] and found["gain_high"].tolist()[1] == 0.2


def test_a_folder_that_is_no_finished_comparison_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        RunFolderError, match=r"^There is no run at .*; expected the folder that a study wrote\.$"
    ):
        Run(tmp_path / "nowhere")
    with pytest.raises(
        RunFolderError, match=r"has no verdict\.json; the run is not finished, or of another kind\.$"
    ):
        Run(tmp_path)


def test_damaged_files_are_told_by_name(tmp_path: Path) -> None:
    run = planted(tmp_path / "run")
    for content in ('{"findings": 3}', "{}", '{"findings": [{}]}'):
        (run.path / "audit.json").write_text(content)
        with pytest.raises(RunFolderError, match=r"audit\.json holds no findings as headtohead writes them"):
            _ = run.audit
    (run.path / "audit.json").write_text("[]")
    with pytest.raises(
        RunFolderError, match=r"audit\.json holds a list; expected a table\. It is damaged\.$"
    ):
        _ = run.audit
    write_run(tmp_path / "whole")
    assert Run(tmp_path / "whole").audit["code"].tolist() == ["H2H201", "H2H201"]


def test_the_page_is_found_or_missed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = planted(tmp_path / "run")
    with pytest.raises(RunFolderError, match=r"has no report\.html; the run is not finished"):
        run.report()
    (run.path / "report.html").write_text("page")
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert run.report() == run.path / "report.html" and opened == []
    run.report(show=True)
    assert opened == [(run.path / "report.html").resolve().as_uri()]


def test_the_summary_fits_a_terminal_whatever_the_names_and_sentence(tmp_path: Path) -> None:
    run = planted(tmp_path / "run")
    content = json.loads((run.path / "verdict.json").read_text())
    long = "timm:" + "x" * 90
    content["sentence"] = "word " * 200
    content["scores"] = [score(f"{long}{i}").model_dump(mode="json") for i in range(9)]
    content["positive"] = "yes"
    (run.path / "verdict.json").write_text(json.dumps(content))
    lines = repr(Run(run.path)).splitlines()
    assert len(lines) <= 15 and all(len(line) <= 80 for line in lines[:-1])
    assert lines[4].endswith("…") and lines[6] == "AUROC (95% CI), positive class: yes"


def test_what_a_notebook_shows_is_escaped_and_complete(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    page = Run(folder)._repr_html_()
    assert "<script>alert" not in page and "&lt;script&gt;" in page
    assert page.count("<svg") == 1 and "Paired differences with 95% intervals" in page
    assert page.startswith('<div class="headtohead-run"') and page.endswith("not a medical device.</p></div>")
    content = json.loads((folder / "verdict.json").read_text())
    content["comparisons"] = []
    content["caveats"] = [f"caveat {i}" for i in range(7)]
    (folder / "verdict.json").write_text(json.dumps(content))
    bare = Run(folder)._repr_html_()
    assert (
        "<svg" not in bare and bare.count("<li>caveat") == 4 and "<li>and 3 more in the report</li>" in bare
    )
