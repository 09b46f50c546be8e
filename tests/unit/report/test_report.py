"""The page and its figures: well-formed, self-contained, safe against hostile names, honest about gaps."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest

from headtohead.core.config import StudyConfig
from headtohead.core.errors import RunFolderError
from headtohead.core.records import Comparison, Finding, Score, TestResult, Verdict
from headtohead.core.runs import RunFolder
from headtohead.report import benefit, figures, svg, trust
from headtohead.report.page import write_report
from headtohead.report.tables import learning_rows, limits
from headtohead.report.view import build_view

HOSTILE = "<script>alert('x')</script>&\""
CLASSES = ("no", "yes")
ORDER = ("vit-b16", HOSTILE, "majority", "file-facts")
PIXEL = "data:image/png;base64,iVBORw0KGgo="
READ_BY_THE_PAGE = (
    "verdict.json",
    "audit.json",
    "thumbs.json",
    "pictures.json",
    "recipe.json",
    "provenance.json",
    "study.toml",
    "predictions.parquet",
    "learning.parquet",
)


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
    return [node.text or "" for node in parsed(drawing).iter("text")]


def titles(drawing: str) -> list[str]:
    return [node.text or "" for node in parsed(drawing).iter("title")]


# ---- figures --------------------------------------------------------------------------------------


def test_building_blocks_escape_what_they_are_given() -> None:
    parts = [
        svg.text(1, 2, HOSTILE),
        svg.circle(1, 2, 3, fill="red", title=HOSTILE),
        svg.rect(1, 2, -3, 4, fill="red", title=HOSTILE),
        svg.path([(0, 0), (1, 1)], stroke="red"),
        svg.band([(0, 0)], [(0, 1)], fill="red"),
        svg.line(0, 0, 1, 1, dash="4 3"),
    ]
    whole = svg.figure(10, 10, parts, label=HOSTILE)
    assert "<script" not in whole
    assert words(whole) == [HOSTILE] and titles(whole) == [HOSTILE, HOSTILE]
    assert parsed(whole).get("aria-label") == HOSTILE
    assert parsed(whole).find("rect").get("width") == "0.0"  # type: ignore[union-attr]  # never negative
    assert svg.path([], stroke="red") == ""


def test_a_frame_puts_data_where_it_belongs() -> None:
    frame = svg.Frame(10, 20, 100, 50, (0, 2), (0, 1))
    assert (frame.x(0), frame.x(1), frame.x(2)) == (10, 60, 110)
    assert (frame.y(0), frame.y(1)) == (70, 20), "y grows upwards"
    assert svg.colour(0) == svg.colour(svg.N_SERIES)


def test_forest_shows_each_contender_with_its_three_figures() -> None:
    drawing = figures.forest([score("vit-b16"), score("majority", value=0.5)], ORDER, chance=0.5)
    said = words(drawing)
    assert said[said.index("vit-b16") + 1] == "0.812 [0.712, 0.862]"
    assert said[said.index("majority") + 1] == "0.500 [0.400, 0.550]"
    assert HOSTILE not in said, "without a score there is no row"
    dots = [node.get("fill") for node in parsed(drawing).iter("circle")]
    assert dots == [svg.colour(0), svg.colour(2)], "the colour follows the place in the order"
    assert titles(drawing)[0] == "vit-b16: 0.812 [0.712, 0.862]"


def test_forest_says_not_defined_and_draws_no_dot_for_it() -> None:
    drawing = figures.forest([score("vit-b16", value=None), score(HOSTILE)], ORDER)
    said = words(drawing)
    assert said[said.index("vit-b16") + 1] == "not defined"
    assert len(list(parsed(drawing).iter("circle"))) == 1
    assert "<script" not in drawing
    only = figures.forest([score("vit-b16", value=None)], ORDER)
    assert "not defined" in words(only)


def test_differences_are_signed_and_leave_out_what_has_no_interval() -> None:
    drawing = figures.differences([comparison("vit-b16", HOSTILE), comparison("vit-b16", "majority", None)])
    assert "+0.030 [-0.020, +0.080]" in words(drawing)
    assert len(list(parsed(drawing).iter("circle"))) == 1 and "<script" not in drawing
    assert figures.differences([comparison("a", "b", None)]) == ""


def test_confusion_has_truth_in_rows() -> None:
    said = words(figures.confusion([[18, 2], [5.5, 14.5]], (HOSTILE, "yes")))
    cells = [word for word in said if re.fullmatch(r"[\d.]+%?", word)]
    assert cells == ["18", "90%", "2", "10%", "5.5", "28%", "14.5", "72%"]
    assert said.count("yes") == 2
    assert len(words(figures.confusion([[1, 0, 0, 0]] * 4, "abcd"))) == 1 + 4 + 4 + 16
    assert "0%" in words(figures.confusion([[0, 0], [0, 3]], CLASSES)), "an empty row divides by nothing"


def test_curves_are_well_formed_with_any_names() -> None:
    ends = {"false_positive_rate": [0.0, 0.2, 1.0], "true_positive_rate": [0.0, 0.7, 1.0]}
    assert len(list(parsed(figures.roc({HOSTILE: ends, "stranger": ends}, ORDER)).iter("path"))) == 1
    bins = [
        {"mean_probability": p, "n_groups": 9, "observed": {"value": p, "low": p - 0.1, "high": p + 0.1}}
        for p in (0.2, 0.5, 0.8)
    ]
    empty = {"mean_probability": 0.9, "n_groups": 0, "observed": {"value": None, "low": None, "high": None}}
    drawing = figures.calibration({HOSTILE: [*bins, empty]}, ORDER)
    assert titles(drawing) == [f"{HOSTILE}: 9 groups"] * 3
    lines = {HOSTILE: ([0.0, 1.0], [0.3, float("nan")]), "treat all": ([0.0, 1.0], [0.3, -5.0])}
    parsed(figures.curves(lines, xlabel="x", ylabel=HOSTILE, order=ORDER, floor=-0.05))
    assert figures.curves({}, xlabel="x", ylabel="y", order=ORDER) == ""


@pytest.mark.parametrize("key", ["loss", "accuracy"])
def test_learning_curves_stand_a_single_epoch_and_no_inner_part(key: str) -> None:
    one = {"epoch": 1, f"train_{key}": 0.5, f"inner_{key}": None}
    two = {"epoch": 2, f"train_{key}": 0.4, f"inner_{key}": 0.6}
    assert len(list(parsed(figures.learning([one], key, key)).iter("path"))) == 1
    assert len(list(parsed(figures.learning([one, two], key, key)).iter("path"))) == 2


# ---- tables ---------------------------------------------------------------------------------------


def test_trust_tables_say_why_a_number_is_missing() -> None:
    point = {
        "scores": [
            {"metric": "sensitivity", "value": 0.9, "low": 0.8, "high": 0.95},
            {"metric": "ppv", "value": None, "low": None, "high": None, "note": "no positive answer"},
        ]
    }
    details = {"operating_points": {"half": {"chosen_for": "0.5", "contenders": {"vit-b16": point}}}}
    (table,) = trust.tables(details, ORDER)
    assert table.rows == (
        ("0.5", "vit-b16", "0.900 [0.800, 0.950]", "", "not defined (no positive answer)", ""),
    )
    assert len(table.head) == len(table.rows[0])
    assert trust.tables({}, ORDER) == ()
    assert benefit.decision({}, ORDER) == "" and trust.risk_coverage({}, ORDER) == ""


def test_trust_figures_are_well_formed() -> None:
    curves = {
        "thresholds": [0.1, 0.2],
        "contenders": {HOSTILE: [0.3, {"value": 0.2}]},
        "treat_all": [0.3, -0.4],
        "treat_none": [0.0, 0.0],
    }
    assert len(list(parsed(benefit.decision({"decision_curves": curves}, ORDER)).iter("path"))) == 3
    risk = {HOSTILE: {"points": [{"kept": k, "risk": {"value": k / 4}} for k in (0.5, 1.0)]}}
    parsed(trust.risk_coverage({"risk_coverage": risk}, ORDER))


def test_learning_rows_give_mean_and_range_and_a_dash_for_nothing() -> None:
    (row,) = learning_rows(learning(["vit-b16"]), ["vit-b16"])
    assert row["cells"] == ["0.950 (0.900–1.000)", "–", "0.750 (0.700–0.800)", "0.200 (0.200–0.200)", "–", "0.600 (0.600–0.600)"]  # fmt: skip  # noqa: E501


def test_limits_name_what_this_run_did() -> None:
    plain = " ".join(limits({}, {"n_groups": 900}, ["vit-b16"]))
    all_of_it = " ".join(
        limits({"allow_leaks": True}, {"n_groups": 30}, ["scratch:vit", "vit-b16", "file-facts"])
    )
    for word in ("random weights", "30 groups", "split leaks", "file-facts baseline"):
        assert word in all_of_it and word not in plain


# ---- the page -------------------------------------------------------------------------------------


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
    matrix = {"classes": list(CLASSES), "mean": [[17.0, 3.0], [4.0, 16.0]], "repeats": []}
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
        details={
            "classes": list(CLASSES),
            "positive": "yes",
            "confusion": {"vit-b16": matrix, HOSTILE: matrix},
        },
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


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A finished run folder written by hand."""
    folder = tmp_path / "by-hand"
    (folder / "contenders").mkdir(parents=True)
    files: Mapping[str, Any] = {
        "verdict.json": verdict().model_dump(mode="json"),
        "audit.json": audit(),
        "thumbs.json": {"no/0": PIXEL, f"no/{HOSTILE}": PIXEL},
        "pictures.json": {
            "missed": [{"id": HOSTILE, "label": "no", "truth": 0.1, "src": PIXEL}],
            "shown": [{"id": HOSTILE, "before": PIXEL, "src": PIXEL}],
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


def test_the_view_gathers_what_the_files_say(run: Path) -> None:
    view = build_view(RunFolder(run))
    assert view.sentence.startswith("No evidence of a difference")
    assert [figure.title for figure in view.forests] == ["AUROC (area under the ROC curve)", "Accuracy"]
    assert [figure.title for figure in view.confusions] == ["vit-b16", HOSTILE]
    assert [name for name, _ in view.baselines] == ["majority", "file-facts"]
    assert (len(view.findings), len(view.quiet_findings)) == (1, 1)
    tests = dict(view.comparisons[0]["tests"])
    assert tests["delong"]["p"] == "< 0.001" and tests["mcnemar"]["p"] == ""
    assert view.contenders[0]["name"] == "vit-b16" and "precision bf16" in view.contenders[0]["how"]


def test_the_page_is_one_safe_self_contained_file(run: Path) -> None:
    target = write_report(run)
    page = target.read_text(encoding="utf-8")
    assert target == run / "report.html" and page.lower().startswith("<!doctype html>")
    assert "<script" not in page.lower(), "hostile names are escaped, and the page needs no script"
    assert "&lt;script&gt;" in page
    loads = re.findall(r"""(?:src|href|srcset|poster)\s*=\s*["']?([^"'\s>]+)""", page)
    assert loads and all(one.startswith(("data:image/", "#")) for one in loads), loads
    assert not re.search(r"url\(\s*['\"]?(?:https?:)?//|@import|<link|<iframe", page)
    assert "Research use only" in page and "prefers-color-scheme" in page
    assert 'name="viewport"' in page and "@media print" in page
    for drawing in re.findall(r"<svg .*?</svg>", page, flags=re.DOTALL):
        parsed(drawing)
    assert "not defined: one class only" in page


def test_the_same_files_give_the_same_page(run: Path) -> None:
    first = write_report(run).read_bytes()
    assert write_report(run).read_bytes() == first


@pytest.mark.parametrize("name", READ_BY_THE_PAGE)
def test_a_missing_file_is_named(run: Path, name: str) -> None:
    (run / name).unlink()
    with pytest.raises(RunFolderError, match=re.escape(name)):
        write_report(run)
    assert not (run / "report.html").exists()


def test_the_page_is_written_without_torch(run: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from headtohead.report.page import write_report; "
        "write_report(Path(sys.argv[1])); "
        "sys.exit(','.join(m for m in ('torch', 'timm', 'transformers', 'sklearn') if m in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(run)], capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == "", done.stderr  # what was imported against the promise, or a failure
    assert (run / "report.html").is_file()


# ---- what the details of a verdict become -----------------------------------------------------------


def pair_of(value: float, low: float, high: float) -> dict[str, float]:
    return {"value": value, "low": low, "high": high}


def test_predictive_values_stand_at_the_prevalence_that_was_asked_for() -> None:
    at = {"ppv": pair_of(0.074, 0.05, 0.11), "npv": pair_of(0.996, 0.994, 0.997)}
    one = {
        "scores": [{"metric": "sensitivity"} | pair_of(0.9, 0.8, 0.95)],
        "at_prevalence": at,
    }
    details = {
        "operating_points": {"half": {"chosen_for": "0.5", "contenders": {"vit-b16": one}}},
        "decision_curves": {"prevalence": 0.02, "contenders": {}},
    }
    (table,) = trust.tables(details, ORDER)
    assert table.head[-2:] == ("PPV at 0.02", "NPV at 0.02")
    assert table.rows[0][-2:] == ("0.074 [0.050, 0.110]", "0.996 [0.994, 0.997]")
    assert "fixed beforehand" in table.note, "with a single point nothing was chosen"


def test_net_benefit_is_told_around_the_prevalence_beside_treating_all_and_none() -> None:
    xs = [0.005, 0.01, 0.02, 0.04, 0.08, 0.5]
    curves = {
        "prevalence": 0.02, "thresholds": xs, "treat_all": [0.02 - x for x in xs], "treat_none": [0.0] * 6,
        "contenders": {"vit-b16": [pair_of(0.015, 0.01, 0.02)] * 5 + [pair_of(-0.3, -0.4, -0.2)]}, "note": "re-based",
    }  # fmt: skip
    table = benefit.benefit_table({"decision_curves": curves}, ORDER)
    assert table is not None
    assert table.head == ("acting from", "0.01", "0.02", "0.04", "0.08")
    assert [row[0] for row in table.rows] == ["vit-b16", "treat all", "treat none"]
    assert table.rows[1][1:] == ("0.010", "0.000", "-0.020", "-0.060") and table.note.endswith("Re-based.")
    drawing = benefit.decision({"decision_curves": curves}, ORDER)
    shown = [word for word in words(drawing) if word.replace(".", "").isdigit()]
    assert "0.5" not in shown, "nothing is worth drawing where nobody has a benefit"


def test_a_curve_is_cut_where_it_crosses_the_floor_and_never_bridged() -> None:
    found = figures._above([0.0, 1.0, 2.0, 3.0, 4.0], [1.0, -1.0, -1.0, 1.0, float("nan")], -0.5)
    assert found == [[(0.0, 1.0), (0.75, -0.5)], [(2.25, -0.5), (3.0, 1.0)]]
    assert figures._above([0.0, 1.0], [-1.0, -2.0], 0.0) == []


def test_parts_of_the_brier_score_and_what_is_too_small_are_told() -> None:
    parts = {"brier": 0.1, "reliability": 0.01, "resolution": 0.15, "uncertainty": 0.24, "within_bin": 0.0}
    few = "30 groups are few for a calibration curve"
    details = {
        "positive": "yes",
        "calibration": {"vit-b16": {"bins": [], "brier_parts": parts, "note": few}},
        "recalibration": {
            "vit-b16": {"temperature_log_loss_change": pair_of(-0.1, -0.2, -0.05), "notes": ["fitted on 40 samples"]}
        },
        "intervals": {"vit-b16": {"bca": [0.8, 0.9], "obuchowski_logit": [0.79, 0.91]}},
    }  # fmt: skip
    brier, recalibration, intervals = trust.tables(details, ORDER)
    assert brier.rows == (("vit-b16", "0.100", "0.010", "0.150", "0.240", "0.000"),)
    assert few in brier.note and "fitted on 40 samples" in recalibration.note
    assert intervals.rows == (("vit-b16", "[0.800, 0.900]", "[0.790, 0.910]"),)


def test_refused_sets_say_why_and_sets_name_each_class() -> None:
    kept = {"coverage": pair_of(0.9, 0.8, 0.95), "coverage_no": pair_of(0.92, 0.8, 1.0)}
    sets = {"vit-b16": kept, HOSTILE: {"refused": "8 groups of 'yes' are fewer than 9"}}
    details = {"classes": list(CLASSES), "conformal": {"alpha": 0.1, "contenders": sets}}
    (table,) = trust.tables(details, ORDER)
    assert table.head[:4] == ("contender", "coverage", "coverage of no", "coverage of yes")
    assert table.rows[0][2] == "0.920 [0.800, 1.000]" and table.rows[1][1].startswith("refused: 8 groups")
    without = {"vit-b16": {"refused": "no inner predictions to learn the sets from"}}
    assert trust.tables({"conformal": {"alpha": 0.1, "contenders": without}}, ORDER) == ()


def test_subgroups_carry_their_adjusted_p() -> None:
    one = {
        "score": pair_of(0.9, 0.8, 0.95),
        "difference": pair_of(0.1, -0.1, 0.2),
        "p_value": 0.1,
        "p_holm": 0.4,
    }
    values = {"f": {"n_samples": 20, "n_groups": 12, "contenders": {"vit-b16": one}}}
    (table,) = trust.tables({"subgroups": {"sex": {"values": values}}}, ORDER)
    assert table.head[-1] == "adjusted p" and table.rows[0][-1] == "0.400"


def test_what_the_rule_looks_at_stands_among_the_tests(run: Path) -> None:
    text = (run / "verdict.json").read_text(encoding="utf-8")
    found = json.loads(text)
    found["comparisons"][0]["details"] = {"p_holm": 0.21, "rope": 0.02, "equivalence_interval": [-0.03, 0.04]}
    (run / "verdict.json").write_text(json.dumps(found), encoding="utf-8")
    tests = dict(build_view(RunFolder(run)).comparisons[0]["tests"])
    assert tests["interval, adjusted"]["p"] == "0.210"
    assert (
        tests["equivalence"]["note"] == "90 % interval -0.030 to +0.040; equivalent if it lies within ±0.02"
    )
