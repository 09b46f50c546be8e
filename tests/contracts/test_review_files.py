"""Every file of the statistical review has its right outcome: read alike, refused with the way out, or a verdict."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.planting.review.files import FILES, two_contenders

from headtohead.api.predictions import verdict
from headtohead.core.errors import HeadToHeadError
from headtohead.core.records import Verdict
from headtohead.evaluate.external_predictions import read_predictions

# Files that hold the plain predictions, written otherwise -> how they are read, and the largest error of rounding.
SAME: dict[str, tuple[dict[str, Any], float]] = {
    "c05_percent": ({"score": "percent"}, 6e-4),
    "c05b_logit": ({"score": "logit"}, 1e-9),
    "c06_12": ({"positive": "2"}, 0),
    "c06b_21": ({"positive": "1"}, 0),
    "c06c_ADCN": ({}, 0),
    "c06d_melnev": ({"positive": "melanoma"}, 0),
    "c06e_float": ({}, 0),
    "c06f_mixed01": ({}, 0),
    "c06g_bool": ({}, 0),
    "c06h_pm1": ({}, 0),
    "c14_semi": ({}, 0),
    "c14b_semi_comma": ({}, 0),
    "c14c_quoted_comma": ({}, 6e-5),
    "c15_bom": ({}, 0),
    "c15b_crlf": ({}, 0),
    "c15c_utf16": ({}, 0),
    "c15d_latin1": ({}, 0),
    "c16_order": ({}, 0),
    "c16b_extra": ({}, 0),
    "c17_nogroup": ({}, 0),
    "c18_caps": ({}, 0),
    "c21_oneprob": ({}, 0),
    "c21c_round": ({}, 6e-3),
    "c22_space": ({}, 0),
    "c24_wide": ({}, 0),
    "c25_labelcase": ({}, 0),
    "g07_pctsign": ({}, 6e-4),
    "g09": ({}, 0),
}
REFUSED = {
    "c04_nan": "not a finite number in 1 line.*--complete-cases",
    "c04b_nanlabel": "'label' is empty in 1 line.*sample 's00005', model 'cnn'.*--complete-cases",
    "c05_percent": "look like percentages.*--score percent",
    "c05b_logit": "not logits: give --score logit",
    "c05c_birads": "--score ordinal",
    "c06_12": "Which class is positive, '1' .130 samples. or '2'.*--positive",
    "c06b_21": "Which class is positive, '1' .70 samples. or '2'",
    "c06d_melnev": "'melanoma' .* or 'nevus'.*--positive melanoma or --positive nevus",
    "c07_missing": "no prediction for 2 of 200 samples: s00005, s00010.*--complete-cases",
    "c08_dup": "'s00003' appears more than once",
    "c08b_dupdiff": "'s00003' appears more than once",
    "c14d_unquoted_comma": "6 cells under 5 names.*semicolons",
    "c19_emptygroup": "'group' is empty in 2 line",
    "c20_twogroups": "more than one group.*g3 and zzz",
    "c20b_twolabels": "more than one label",
    "c21b_sum101": "just above 1.*must add up to 1",
    "c22b_case": "differ in letter case only",
    "d01_melanoma": "--positive melanoma or --positive nevus",
}


def _verdict(name: str, folder: Path, **how: Any) -> Verdict:
    path = FILES[name](folder / f"{name}.csv")
    return verdict(path, n_boot=100, quiet=True, **how)


def _first(found: Verdict) -> tuple[str, str | None]:
    return found.comparisons[0].verdict, found.comparisons[0].winner


def _says(found: Verdict, *words: str) -> None:
    text = " ".join([found.sentence, *found.caveats])
    for word in words:
        assert word in text, f"{word!r} is not in: {text}"


def _p_value(found: Verdict) -> float:
    p = found.comparisons[0].details.p_value
    assert p is not None
    return p


def _ties(found: Verdict) -> None:
    tests = found.comparisons[0].tests
    assert tests["delong"].statistic == pytest.approx(2.225761, abs=1e-6)  # pROC
    assert tests["delong"].p_value == pytest.approx(0.0260302, abs=1e-6)


def _majority_value_is_kept(found: Verdict) -> None:
    values = {(s.contender, s.metric): (s.value, s.low, s.high) for s in found.scores}
    assert values["majority", "auroc"] == (0.5, 0.5, 0.5)
    assert values["majority", "auroc_fold_mean"] == (0.5, 0.5, 0.5)
    _says(found, "It ranks cases better than majority", "cannot tell it from vit")


def _sites(found: Verdict) -> None:
    site = found.details.subgroups["site"].values["S0"].contenders["m1"]
    assert site.p_value is not None and site.p_value < 1e-5
    for value in found.details.subgroups["sex"].values.values():  # halves are one test, not two
        assert value.pair is None or (value.pair.p_value is None) == (value.contenders["m0"].p_value is None)
    tested = [v.contenders["m0"].p_value for v in found.details.subgroups["sex"].values.values()]
    assert sum(p is not None for p in tested) == 1


Check = Callable[[Verdict], None]


def _plain(*words: str) -> Check:
    return lambda found: _says(found, *words)


FITTED, METHODS = "about these fitted models", "about the methods"
# Name -> how it is judged, word and winner of the first comparison, and what else must hold.
JUDGED: dict[str, tuple[dict[str, Any], str, str | None, Check]] = {
    "c01_ties": ({}, "better", "cnn", _ties),
    "c02_perfect": ({}, "better", "cnn", _plain("AUROC 1.000 against 0.810", FITTED)),
    "c03_constant": ({}, "better", "cnn", _plain("against 0.500")),
    "c03b_bothconst": ({}, "identical", None, _plain("same predictions (200 of 200 samples)")),
    "c04_nan": ({"complete_cases": True}, "cannot_tell", None, _plain("1 of 200 samples were left out")),
    "c05c_birads": ({"score": "ordinal"}, "better", "cnn", _plain("read as grades")),
    "c07_missing": ({"complete_cases": True}, "cannot_tell", None, _plain("2 of 200 samples")),
    "c09_huge": ({}, "cannot_tell", None, _plain("One group, g0, has 100 of 200 samples (50 %)")),
    "d01_melanoma": ({"positive": "melanoma"}, "better", "cnn", _plain("0.861 against 0.766")),
    "d01b_pm1": ({}, "better", "cnn", _plain("'1' counts as positive")),
    "d02_identical": ({}, "identical", None, _plain("Was one file given twice?")),
    "d03_three": ({}, "cannot_tell", None, _plain("only 3 cases of class c (at least 10 are needed)")),
    "d03b_absent": ({}, "cannot_tell", None, _plain("not defined (no sample of class c)")),
    "d05_rep20": ({}, "cannot_tell", None, _plain(METHODS)),
    "d06_minor": ({}, "cannot_tell", None, _plain("only 4 cases of class 1 (at least 10 are needed)")),
    "d07_revperfect": ({}, "cannot_tell", None, _plain("AUROC below 0.5 for cnn", "probably reversed")),
    "d08_bothperfect": ({}, "cannot_tell", None, _plain("1.000 against 1.000")),
    "d09_hard": ({}, "better", "cnn", _plain("answers, not probabilities")),
    "d10_g1": ({}, "refused", None, _plain("1 group; at least 10")),
    "d10_g2": ({}, "refused", None, _plain("2 groups; at least 10")),
    "d10_g9": ({}, "refused", None, _plain("9 groups; at least 10")),
    "d10_g10": ({}, "cannot_tell", None, _plain("only 10 groups (at least 30 are needed), though")),
    "d10_g12": ({}, "cannot_tell", None, _plain("only 12 groups (at least 30 are needed)")),
    "d10_g29": ({}, "cannot_tell", None, _plain("only 29 groups (at least 30 are needed)")),
    "d10_g30": ({}, "better", "cnn", _plain("200 samples in 30 groups")),
    "d11_fold": ({}, "cannot_tell", None, _plain(METHODS)),
    "f01_sites": ({"by": ["site", "sex"]}, "no_evidence", None, _sites),
    "g01_rare3": ({"metric": "accuracy"}, "better", "cnn", _plain("0.977 against 0.581")),
    "g02_low": ({"metric": "brier"}, "no_evidence", None, _plain("nor that there is none")),
    "g03_holdout": ({}, "cannot_tell", None, _plain(METHODS, "repeated hold-out")),
    "g04_onefold": ({}, "cannot_tell", None, _plain("only 7 cases of class malignant")),
    "g05_majority": ({}, "cannot_tell", None, _majority_value_is_kept),
    "g06_rounded": ({"metric": "log_loss"}, "cannot_tell", None, _plain("handful of cases decides log loss")),
    "g08_markup": ({}, "cannot_tell", None, _plain("[red]cnn")),
    "g10_hospital": ({}, "refused", None, _plain("5 groups; at least 10")),
    "i1_foldoffset": ({}, "cannot_tell", None, _plain("pooled over folds", "may be on different scales")),
    "j1_leakfold": ({}, "refused", None, _plain("100 of 100 groups are spread over several folds")),
}
ELSEWHERE = {"c23_single", "d04_ten", "d04r_ten", "f02_onemodel"}


def test_no_file_is_without_an_outcome() -> None:
    assert set(FILES) == {*SAME, *REFUSED, *JUDGED, *ELSEWHERE}


@pytest.mark.parametrize("name", SAME)
def test_the_same_predictions_are_read(name: str, tmp_path: Path) -> None:
    how, rounding = SAME[name]
    found = read_predictions([FILES[name](tmp_path / f"{name}.csv")], **how)
    plain = two_contenders().sort_values(["model", "sample"])
    positive = found.classes[-1]
    frame = found.frame.sort_values(["contender", "sample"], key=_as_number)
    assert frame["contender"].tolist() == plain["model"].tolist()
    assert (frame["label"] == positive).tolist() == (plain["label"] == "malignant").tolist()
    assert frame[f"prob_{positive}"].tolist() == pytest.approx(plain["score"].tolist(), abs=rounding + 1e-12)


def _as_number(column: pd.Series) -> pd.Series:
    if column.name != "sample":
        return column
    return column.astype(str).str.removeprefix("s").astype(int)


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_says_what_to_do(name: str, tmp_path: Path) -> None:
    with pytest.raises(HeadToHeadError, match=f"(?s){REFUSED[name]}"):
        _verdict(name, tmp_path)


@pytest.mark.parametrize("name", JUDGED)
def test_the_verdict_is_the_right_one(name: str, tmp_path: Path) -> None:
    how, word, winner, check = JUDGED[name]
    found = _verdict(name, tmp_path, **how)
    assert _first(found) == (word, winner), found.sentence
    check(found)


@pytest.mark.parametrize("name", ["c23_single", "f02_onemodel"])
def test_one_contender_is_described(name: str, tmp_path: Path) -> None:
    found = _verdict(name, tmp_path)
    assert found.comparisons == ()
    assert found.sentence.startswith("There is one contender, so there is nothing to compare")


def test_the_order_of_the_lines_decides_nothing(tmp_path: Path) -> None:
    found, again = (_verdict(name, tmp_path) for name in ("d04_ten", "d04r_ten"))
    assert found.sentence == again.sentence
    assert found.sentence.startswith("Of 10 contenders m0 has the highest AUROC")
    assert "It ranks cases better than m8 and m9" in found.sentence


def test_log_loss_with_zeros_is_bounded(tmp_path: Path) -> None:
    found = _verdict("c01_ties", tmp_path, metric="log_loss")
    assert _first(found) == ("cannot_tell", None)
    assert 0.5 < _p_value(found) <= 1


def test_a_wide_margin_is_called_out(tmp_path: Path) -> None:
    found = _verdict("c16_order", tmp_path, rope=0.5)
    assert _first(found) == ("equivalent", None)
    _says(found, "A margin above 0.1 of AUROC lets very different contenders pass")


def test_a_control_stands_in_the_answer(tmp_path: Path) -> None:
    _says(
        _verdict("c16_order", tmp_path, baselines=["vit"]),
        "Against the control vit (AUROC 0.810): cnn is not",
    )


def test_binned_calibration_as_a_primary_metric_is_called_out(tmp_path: Path) -> None:
    found = _verdict("c16_order", tmp_path, metric="ece")
    _says(found, "the one that ranks better tends to have the lower error")


def test_log_loss_of_methods_is_called_out(tmp_path: Path) -> None:
    words = "held the truth in as few as 90 %"
    _says(_verdict("d11_fold", tmp_path, metric="log_loss"), words)
    fitted = _verdict("c16_order", tmp_path, metric="log_loss")
    assert not any(words in text for text in fitted.caveats)
