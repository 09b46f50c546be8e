"""Published worked examples, each with its source; the product must return the printed digits."""

from __future__ import annotations

import numpy as np
import pytest

from headtohead.evaluate.published_claim import claim
from headtohead.stats.decision.decision_curve import net_benefit
from headtohead.stats.decision.operating_points import predictive_values_at_prevalence
from headtohead.stats.hypothesis.corrected_ttest import corrected_t
from headtohead.stats.hypothesis.counts_needed import cases_needed
from headtohead.stats.hypothesis.mcnemar import clustered_mcnemar
from headtohead.stats.hypothesis.multiplicity import holm
from headtohead.stats.hypothesis.ranks import critical_difference
from headtohead.stats.intervals.delong import auroc_components, covariance
from headtohead.stats.intervals.proportions import (
    fisher_exact,
    mcnemar_exact,
    newcombe,
    newcombe_paired,
    wilson_interval,
)
from headtohead.stats.intervals.resampling import bca, concordance_bound
from headtohead.stats.metrics.fold_values import FoldValue
from headtohead.stats.metrics.ranking import weighted_auroc
from headtohead.stats.predictions import ContenderPredictions


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_is_newcombes_table_1(right: int, total: int, low: float, high: float) -> None:
    """Newcombe 1998, Stat Med 17:857, table I, method 3."""
    found = wilson_interval(right, total)
    assert found == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("a", "b", "low", "high"),
    [((56, 70), (48, 80), 0.0524, 0.3339), ((9, 10), (3, 10), 0.1705, 0.8090)],
)
def test_difference_is_newcombes_table_2(
    a: tuple[int, int], b: tuple[int, int], low: float, high: float
) -> None:
    """Newcombe 1998, Stat Med 17:873, table II, method 10."""
    assert newcombe(*a, *b) == pytest.approx((low, high), abs=5e-5)


def test_paired_difference_is_newcombes() -> None:
    """Newcombe 1998, Stat Med 17:2635, method 10 on 36, 12, 2, 0."""
    assert newcombe_paired(36, 12, 2, 0) == pytest.approx((0.0569, 0.3404), abs=5e-5)


def test_paired_difference_of_agreeing_results_is_fagerlands() -> None:
    """Fagerland, Lydersen and Laake 2014, Stat Med 33:2850: airway hyper-responsiveness, 1, 1, 7, 12."""
    assert newcombe_paired(1, 1, 7, 12) == pytest.approx((-0.507, -0.026), abs=5e-4)


@pytest.mark.parametrize(
    ("b", "c", "asymptotic", "exact", "midp"), [(1, 7, 0.034, 0.070, 0.039), (6, 16, 0.033, 0.052, 0.035)]
)
def test_mcnemar_is_fagerlands(b: int, c: int, asymptotic: float, exact: float, midp: float) -> None:
    """Fagerland, Lydersen and Laake 2013, BMC Med Res Methodol 13:91, tables 1 and 2."""
    assert mcnemar_exact(b, c) == pytest.approx((exact, midp), abs=5e-4)
    single = clustered_mcnemar(np.array([1.0] * b + [-1.0] * c))
    assert single is not None
    assert single[1] == pytest.approx(asymptotic, abs=5e-4)


def test_mcnemar_is_agrestis_approval_rating() -> None:
    """Agresti 1990, Categorical Data Analysis, section 10.1: 150 and 86 discordant, z squared 17.36."""
    found = clustered_mcnemar(np.array([1.0] * 150 + [-1.0] * 86))
    assert found is not None
    assert found[0] == pytest.approx(17.36, abs=5e-3)


def test_fisher_is_the_lady_tasting_tea() -> None:
    """Fisher 1935: three of four cups right on each side, two-sided p = 34/70."""
    assert fisher_exact(3, 4, 1, 4)[0] == pytest.approx(34 / 70)


def test_auroc_is_hanley_and_mcneils() -> None:
    """Hanley and McNeil 1982, Radiology 143:29, table I: 109 CT images in five ratings, area 0.893."""
    normal, abnormal = [33, 6, 6, 11, 2], [3, 2, 2, 11, 33]
    score = np.repeat(np.tile(np.arange(5.0), 2), normal + abnormal)
    positive = np.repeat([False, True], [58, 51])
    assert weighted_auroc(score, positive, np.arange(109), np.ones((109, 1)))[0] == pytest.approx(
        0.893, abs=5e-4
    )
    lines = ContenderPredictions(
        np.arange(109), np.arange(109), positive.astype(np.int64), np.zeros(109, dtype=np.int64),
        np.stack([1 - score / 4, score / 4], axis=1),
    )  # fmt: skip
    components = auroc_components([lines], 109, by_group=False)
    # their nonparametric standard error is 0.032; DeLong's estimate differs in the third decimal
    assert np.sqrt(covariance(components, components)) == pytest.approx(0.032, abs=0.0015)


# albumin, total protein, K-G score, outcome of 43 patients: DeLong, DeLong and Clarke-Pearson 1988, Biometrics
# 44:837, as printed in the SAS/STAT User's Guide, The LOGISTIC Procedure, "Comparing ROC Curves"
OVARIAN = """
3.0 5.8 10 0  3.2 6.3 5 1  3.9 6.8 3 1  2.8 4.8 6 0  3.2 5.8 3 1  0.9 4.0 5 0  2.5 5.7 8 0  1.6 5.6 5 1  3.8 5.7 5 1
3.7 6.7 6 1  3.2 5.4 4 1  3.8 6.6 6 1  4.1 6.6 5 1  3.6 5.7 5 1  4.3 7.0 4 1  3.6 6.7 4 0  2.3 4.4 6 1  4.2 7.6 4 0
4.0 6.6 6 0  3.5 5.8 6 1  3.8 6.8 7 1  3.0 4.7 8 0  4.5 7.4 5 1  3.7 7.4 5 1  3.1 6.6 6 1  4.1 8.2 6 1  4.3 7.0 5 1
4.3 6.5 4 1  3.2 5.1 5 1  2.6 4.7 6 1  3.3 6.8 6 0  1.7 4.0 7 0  3.7 6.1 5 1  3.3 6.3 7 1  4.2 7.7 6 1  3.5 6.2 5 1
2.9 5.7 9 0  2.1 4.8 7 1  2.8 6.2 8 0  4.0 7.0 7 1  3.3 5.7 6 1  3.7 6.9 5 1  3.6 6.6 5 1
"""


@pytest.mark.parametrize(("column", "area", "error"), [(1, 0.6478, 0.1000), (2, 0.7258, 0.1028)])
def test_delong_is_delongs(column: int, area: float, error: float) -> None:
    """Area and standard error of total protein and of the K-G score (low is good) in the example above."""
    rows = np.array(OVARIAN.split(), dtype=float).reshape(43, 4)
    score = -rows[:, 2] if column == 2 else rows[:, column]
    share = (score - score.min()) / np.ptp(score)
    lines = ContenderPredictions(
        np.arange(43), np.arange(43), rows[:, 3].astype(np.int64), np.zeros(43, dtype=np.int64),
        np.stack([1 - share, share], axis=1),
    )  # fmt: skip
    components = auroc_components([lines], 43, by_group=False)
    assert components.value == pytest.approx(area, abs=5e-5)
    assert np.sqrt(covariance(components, components)) == pytest.approx(error, abs=6e-5)


EFRON_A = [
    48,
    36,
    20,
    29,
    42,
    42,
    20,
    42,
    22,
    41,
    45,
    14,
    6,
    0,
    33,
    28,
    34,
    4,
    32,
    24,
    47,
    41,
    24,
    26,
    30,
    41,
]


def test_bca_is_efron_and_tibshiranis() -> None:
    """Efron and Tibshirani 1993, section 14.3: variance of 26 spatial test scores, 90 % BCa (115.8, 259.6)."""
    data = np.array(EFRON_A, dtype=float)
    assert data.var() == pytest.approx(171.5, abs=0.05)
    rng = np.random.default_rng(0)
    boot = data[rng.integers(0, 26, size=(40_000, 26))].var(axis=1)
    jack = np.array([np.delete(data, i).var() for i in range(26)])
    low, high = bca(float(data.var()), boot, jack, 0.9)
    assert low == pytest.approx(115.8, abs=3)  # theirs rests on 2,000 replicates
    assert high == pytest.approx(259.6, abs=6)
    plain_low, plain_high = np.quantile(boot, [0.05, 0.95])
    assert (plain_low, plain_high) == (pytest.approx(100.8, abs=3), pytest.approx(233.9, abs=4))


def test_corrected_t_by_hand() -> None:
    """Nadeau and Bengio 2003, section 3: five folds, variance times (1/5 + 1/4) in place of 1/5."""
    x = np.array([0.02, 0.01, 0.03, 0.00, 0.04])
    found = corrected_t(x, 0.25)
    assert found is not None
    assert found[0] == pytest.approx(0.02 / np.sqrt(0.00025 * 0.45), rel=1e-12)


def test_holm_is_wrights() -> None:
    """Wright 1992, Biometrics 48:1005: 0.01, 0.02, 0.03 -> 0.03, 0.04, 0.04."""
    assert holm([0.03, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])


def test_perfect_result_has_the_binomial_bound() -> None:
    """Clopper and Pearson 1934: 30 of 30 leaves 0.884 at 95 %, the bound 0.025 ** (1/30)."""
    assert concordance_bound(30, 0.95) == pytest.approx(0.025 ** (1 / 30), abs=1e-12)
    assert concordance_bound(30, 0.95) == pytest.approx(0.884, abs=5e-4)


def test_net_benefit_is_vickers() -> None:
    """Vickers, Van Calster and Steyerberg 2016, BMJ 352:i6: TP/n - FP/n * odds of the threshold."""
    sensitivity, specificity, prevalence = 90 / 100, 700 / 900, 0.1
    expected = 90 / 1000 - 200 / 1000 * 0.1 / 0.9
    found = net_benefit(np.array(sensitivity), np.array(specificity), prevalence, 0.1)
    assert float(found) == pytest.approx(expected, rel=1e-12)


def test_predictive_values_follow_bayes() -> None:
    """Altman and Bland 1994, BMJ 309:102: liver scan, sensitivity 0.90, specificity 0.63, prevalence 0.25 -> 0.45."""
    found = predictive_values_at_prevalence(np.array([0.90]), np.array([0.63]), 0.25)
    assert float(found["ppv"][0]) == pytest.approx(0.45, abs=5e-3)
    assert float(found["npv"][0]) == pytest.approx(0.95, abs=5e-3)


def test_sample_size_is_fleiss() -> None:
    """Fleiss, Tytun and Ury 1980: 0.25 against 0.40, alpha 0.05, power 0.8 -> 152 per arm (165 for Fisher's test)."""
    assert cases_needed(0.25, 0.40) == 152


# accuracies of C4.5, with m, with cf and with both tuned, on 14 data sets: Demsar 2006, JMLR 7:1, table 6
DEMSAR = """
0.763 0.599 0.954 0.628 0.882 0.936 0.661 0.583 0.775 1.000 0.940 0.619 0.972 0.957
0.768 0.591 0.971 0.661 0.888 0.931 0.668 0.583 0.838 1.000 0.962 0.666 0.981 0.978
0.771 0.590 0.968 0.654 0.886 0.916 0.609 0.563 0.866 1.000 0.965 0.614 0.9751 0.946
0.798 0.569 0.967 0.657 0.898 0.931 0.685 0.625 0.875 1.000 0.962 0.669 0.975 0.970
"""


def test_friedman_and_the_critical_difference_are_demsars() -> None:
    """Demsar 2006, section 3.2.2: mean ranks 3.143, 2.000, 2.893, 1.964, chi squared 9.28, difference 1.25."""
    rows = np.array(DEMSAR.split(), dtype=float).reshape(4, 14)
    folds = {
        str(i): [FoldValue(0, fold, float(v), 10) for fold, v in enumerate(row)] for i, row in enumerate(rows)
    }
    found = critical_difference(folds, 1, 0.95)
    assert list((found.mean_ranks or {}).values()) == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)
    assert found.friedman_chi2 == pytest.approx(9.28, abs=5e-3)
    assert found.critical_difference == pytest.approx(1.25, abs=5e-3)
    reversed_direction = critical_difference(folds, -1, 0.95)
    assert list((reversed_direction.mean_ranks or {}).values()) == pytest.approx(
        [1.857, 3.000, 2.107, 3.036], abs=5e-4
    )


def test_the_study_in_question() -> None:
    """The study's two figures: 43 of 50 and 35 of 36."""
    found = claim(35, 36, versus=(43, 50))
    assert found.b is not None
    assert (found.a.low, found.a.high) == pytest.approx((0.858, 0.995), abs=5e-4)
    assert (found.b.low, found.b.high) == pytest.approx((0.738, 0.930), abs=5e-4)
    assert found.verdict == "no_evidence"
