"""What the details of a verdict become on the page: tables, limits, reasons."""

from __future__ import annotations

from tests.planting.reported import (
    CLASSES,
    HOSTILE,
    ORDER,
    learning,
    parsed,
    words,
)

from headtohead.report.figures import plots as figures
from headtohead.report.tables import decision_curve as benefit
from headtohead.report.tables import supplement as trust
from headtohead.report.tables.comparison import learning_rows, limits


def pair_of(value: float, low: float, high: float) -> dict[str, float]:
    return {"value": value, "low": low, "high": high}


def test_trust_tables_say_why_a_number_is_missing() -> None:
    point = {
        "scores": [
            {"metric": "sensitivity", "value": 0.9, "low": 0.8, "high": 0.95},
            {"metric": "ppv", "value": None, "low": None, "high": None, "note": "no positive answer"},
        ]
    }
    details = {"operating_points": {"half": {"chosen_for": "0.5", "contenders": {"vit-b16": point}}}}
    (table,) = trust.supplement_tables(details, ORDER)
    assert table.rows == (
        ("0.5", "vit-b16", "0.900 [0.800, 0.950]", "", "not defined (no positive answer)", ""),
    )
    assert len(table.head) == len(table.rows[0])
    assert trust.supplement_tables({}, ORDER) == ()
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
    (table,) = trust.supplement_tables(details, ORDER)
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
    brier, recalibration, intervals = trust.supplement_tables(details, ORDER)
    assert brier.rows == (("vit-b16", "0.100", "0.010", "0.150", "0.240", "0.000"),)
    assert few in brier.note and "fitted on 40 samples" in recalibration.note
    assert intervals.rows == (("vit-b16", "[0.800, 0.900]", "[0.790, 0.910]"),)


def test_refused_sets_say_why_and_sets_name_each_class() -> None:
    kept = {"coverage": pair_of(0.9, 0.8, 0.95), "coverage_no": pair_of(0.92, 0.8, 1.0)}
    sets = {"vit-b16": kept, HOSTILE: {"refused": "8 groups of 'yes' are fewer than 9"}}
    details = {"classes": list(CLASSES), "conformal": {"alpha": 0.1, "contenders": sets}}
    (table,) = trust.supplement_tables(details, ORDER)
    assert table.head[:4] == ("contender", "coverage", "coverage of no", "coverage of yes")
    assert table.rows[0][2] == "0.920 [0.800, 1.000]" and table.rows[1][1].startswith("refused: 8 groups")
    without = {"vit-b16": {"refused": "no inner predictions to learn the sets from"}}
    assert trust.supplement_tables({"conformal": {"alpha": 0.1, "contenders": without}}, ORDER) == ()


def test_subgroups_carry_their_adjusted_p() -> None:
    one = {
        "score": pair_of(0.9, 0.8, 0.95),
        "difference": pair_of(0.1, -0.1, 0.2),
        "p_value": 0.1,
        "p_holm": 0.4,
    }
    values = {"f": {"n_samples": 20, "n_groups": 12, "contenders": {"vit-b16": one}}}
    (table,) = trust.supplement_tables({"subgroups": {"sex": {"values": values}}}, ORDER)
    assert table.head[-1] == "adjusted p" and table.rows[0][-1] == "0.400"
