"""Supplementary tables: a row for each contender, and the reason where a number is missing."""

from __future__ import annotations

from typing import Any

from tests.planting.reported import CLASSES, HOSTILE, ORDER

from headtohead.core.tables.details import VerdictDetails
from headtohead.report.tables.supplement import supplement_tables


def details(**tables: Any) -> VerdictDetails:
    return VerdictDetails.model_validate(tables)


def estimate(value: float | None, low: float | None = None, high: float | None = None) -> dict[str, Any]:
    return {"value": value, "low": low, "high": high}


def score(metric: str, value: float | None, low: float | None, high: float | None, note: str = "") -> dict[str, Any]:  # fmt: skip  # noqa: E501
    counts = {"n_samples": 40, "n_groups": 30, "method": "bootstrap"}
    return {"contender": "vit-b16", "metric": metric, "note": note, **estimate(value, low, high), **counts}


def point(**more: Any) -> dict[str, Any]:
    scores = [score("sensitivity", 0.9, 0.8, 0.95), score("ppv", None, None, None, "no positive answer")]
    return {
        "half": {
            "chosen_for": "0.5", "chosen_on": "nothing", "contenders": {"vit-b16": {"scores": scores, **more}}
        }
    }  # fmt: skip


def curves(thresholds: list[float], prevalence: float) -> dict[str, Any]:
    own = [estimate(0.015, 0.01, 0.02)] * (len(thresholds) - 1) + [estimate(-0.3, -0.4, -0.2)]
    return {
        "prevalence": prevalence, "prevalence_of_data": 0.5, "thresholds": thresholds,
        "treat_all": [prevalence - x for x in thresholds], "treat_none": [0.0] * len(thresholds),
        "contenders": {"vit-b16": own}, "note": "re-based",
    }  # fmt: skip


def test_operating_points_say_why_a_number_is_missing() -> None:
    (table,) = supplement_tables(details(operating_points=point()), ORDER)
    assert table.rows == (
        ("0.5", "vit-b16", "0.50", "0.900 [0.800, 0.950]", "", "not defined (no positive answer)", ""),
    )
    assert len(table.head) == len(table.rows[0])
    assert "fixed beforehand" in table.note, "with a single point nothing was chosen"
    assert supplement_tables(details(), ORDER) == ()
    (chosen,) = supplement_tables(details(operating_points=point(thresholds=[[0.2, 0.3], [0.4]])), ORDER)
    assert chosen.rows[0][2] == "0.30 (0.20 to 0.40)"


def difference(metric: str, a: str, b: str, **more: Any) -> dict[str, Any]:
    plain = {
        "a": a, "b": b, "metric": metric, "title": metric, "role": "secondary", "better": "high", "level": 0.9,
        "difference": 0.1, "low": -0.05, "high": 0.25, "method": "t",
    }  # fmt: skip
    return plain | more


def test_differences_in_every_metric_stand_pair_by_pair_and_say_that_they_are_secondary() -> None:
    pairs = [("a", "b"), ("a", "c"), ("b", "c"), ("a", "d")]
    found = [
        one
        for pair in pairs
        for one in (
            difference("auroc", *pair, role="primary"),
            difference("brier", *pair, better="low", low=None, high=None, note="the same"),
            difference("mcc", *pair, difference=None, low=None, high=None, note="constant"),
        )
    ]
    (table,) = supplement_tables(details(differences=found), ORDER)
    assert table.head == ("metric", "better", "a − b", "a − c", "b − c")
    assert [row[:3] for row in table.rows] == [
        ("auroc (primary)", "higher", "+0.100 [−0.050, +0.250]"),
        ("brier", "lower", "+0.100"),
        ("mcc", "higher", "not defined"),
    ]
    for words in ("90 % intervals", "first row alone", "not adjusted", "The first 3 of 4 pairs"):
        assert words in table.note
    assert supplement_tables(details(differences=[]), ORDER) == ()


def test_the_positive_class_is_named_beside_sensitivity() -> None:
    (table,) = supplement_tables(details(operating_points=point(), positive="yes"), ORDER)
    assert "The positive class is 'yes': sensitivity and PPV are its own." in table.note


def test_predictive_values_are_given_at_the_prevalence_of_use() -> None:
    at = {"ppv": estimate(0.074, 0.05, 0.11), "npv": estimate(0.996, 0.994, 0.997)}
    tables = supplement_tables(
        details(operating_points=point(at_prevalence=at), decision_curves=curves([0.01, 0.02], 0.02)), ORDER
    )
    assert tables[0].head[-2:] == ("PPV at 0.02", "NPV at 0.02")
    assert tables[0].rows[0][-2:] == ("0.074 [0.050, 0.110]", "0.996 [0.994, 0.997]")


def test_net_benefit_is_given_around_the_prevalence_beside_treating_all_and_none() -> None:
    xs = [0.005, 0.01, 0.02, 0.04, 0.08, 0.5]
    (table,) = supplement_tables(details(decision_curves=curves(xs, 0.02)), ORDER)
    assert table.head == ("contender", *(f"at threshold {t}" for t in ("0.01", "0.02", "0.04", "0.08")))
    assert [row[0] for row in table.rows] == ["vit-b16", "treat all", "treat none"]
    assert table.rows[1][1:] == ("0.010", "0.000", "−0.020", "−0.060") and table.note.endswith("Re-based.")


def test_brier_parts_recalibration_and_intervals() -> None:
    parts = {"brier": 0.1, "reliability": 0.01, "resolution": 0.15, "uncertainty": 0.24, "within_bin": 0.0}
    few = "30 groups are few for a calibration curve"
    after = {"scores": [], "log_loss_change": estimate(-0.1, -0.2, -0.05)}
    brier, recalibration, intervals = supplement_tables(
        details(
            positive="yes",
            calibration={"vit-b16": {"bins": [], "brier_parts": parts, "note": few}},
            recalibration={
                "vit-b16": {
                    "before": [],
                    "methods": {"temperature": after},
                    "notes": ["fitted on 40 samples"],
                }
            },
            intervals={"vit-b16": {"bca": [0.8, 0.9], "obuchowski_logit": [0.79, 0.91]}},
        ),
        ORDER,
    )
    assert brier.rows == (("vit-b16", "0.100", "0.010", "0.150", "0.240", "0.000"),)
    assert few in brier.note and "Summed" not in brier.note
    assert recalibration.rows == (("vit-b16", "−0.100 [−0.200, −0.050]"),)
    assert "Caution: fitted on 40 samples" in recalibration.note, "it holds for all that were recalibrated"
    assert intervals.rows == (("vit-b16", "[0.800, 0.900]", "[0.790, 0.910]"),)


def test_refused_sets_say_why_and_sets_name_each_class() -> None:
    sets = {"coverage": estimate(0.9, 0.8, 0.95), "coverage_no": estimate(0.92, 0.8, 1.0)}
    refused = {"refused": "8 groups of 'yes' are fewer than 9"}
    (table,) = supplement_tables(
        details(classes=CLASSES, conformal={"alpha": 0.1, "contenders": {"vit-b16": sets, HOSTILE: refused}}),
        ORDER,
    )
    assert table.head[:4] == ("contender", "coverage", "coverage of no", "coverage of yes")
    assert table.rows[0][2] == "0.920 [0.800, 1.000]" and table.rows[1][1].startswith("refused: 8 groups")
    assert len({len(row) for row in table.rows} | {len(table.head)}) == 1
    without = {"vit-b16": {"refused": "no inner predictions to learn the sets from"}}
    assert supplement_tables(details(conformal={"alpha": 0.1, "contenders": without}), ORDER) == ()


def test_subgroups_carry_their_adjusted_p_and_say_what_is_too_few() -> None:
    one = {"score": score("auroc", 0.9, 0.8, 0.95), "difference": estimate(0.1, -0.1, 0.2), "p_value": 0.1, "p_holm": 0.4}  # fmt: skip  # noqa: E501
    values = {
        "f": {"n_samples": 20, "n_groups": 12, "contenders": {"vit-b16": one}},
        "x": {"n_samples": 2, "n_groups": 1, "too_few": "1 group is too few", "contenders": {}},
    }
    (table,) = supplement_tables(details(subgroups={"sex": {"metric": "auroc", "values": values}}), ORDER)
    assert table.head[-1] == "adjusted p" and table.rows[0][-1] == "0.400"
    assert table.rows[1][3:5] == ("all", "1 group is too few")


def test_gains_and_budget_have_standard_titles() -> None:
    gain = {"contender": "ensemble", "member": "vit-b16", "gain": 0.01, "low": -0.01, "high": 0.03, "verdict": "no_evidence", "sentence": "s"}  # fmt: skip  # noqa: E501
    gains, budget = supplement_tables(
        details(gains=[gain], budget={"stated": "8 trials", "trials": {"vit-b16": [8, 3]}}), ORDER
    )
    assert (gains.title, budget.title) == ("Ensemble gain", "Tuning budget")
    assert gains.rows == (("ensemble", "vit-b16", "+0.010", "−0.010 to +0.030"),)
    assert budget.rows == (("vit-b16", "3", "8", "11"),)


def test_ranks_and_variance() -> None:
    rank = {"rank": 1.0, "mean_rank": 1.2, "low": 1.0, "high": 2.0, "share_first": 0.9}
    names = ("vit-b16", HOSTILE, "majority")
    spread = {"metric": "auroc", "sd_contender": 0.02, "sd_group": None, "sd_repeat": None, "sd_fold": 0.03, "contenders": names}  # fmt: skip  # noqa: E501
    ranks, variance = supplement_tables(
        details(ranks={"contenders": dict.fromkeys(names, rank), "cliques": []}, variance=spread), ORDER
    )
    assert ranks.rows[0] == ("vit-b16", "1", "1 to 2", "90 %")
    assert variance.rows == (
        ("contenders (between them)", "0.020"),
        ("folds (within one repeat; mostly their small size)", "0.030"),
    )


def test_what_holds_for_one_contender_alone_names_it() -> None:
    after = {"scores": [], "log_loss_change": estimate(-0.1, -0.2, -0.05)}
    found = {
        "vit-b16": {"before": [], "methods": {"temperature": after}, "notes": []},
        HOSTILE: {"before": [], "methods": {}, "notes": ["nothing was recalibrated"]},
    }
    (table,) = supplement_tables(details(recalibration=found), ORDER)
    assert f"Caution: {HOSTILE}: nothing was recalibrated." in table.note
    assert table.rows[1] == (HOSTILE, "not done")
