"""The claim: what is said, how mistakes are explained, and that it stays light."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from headtohead.cli.app import main
from headtohead.core.errors import UsageError
from headtohead.evaluate.published_claim import cases_needed, claim, paired_cases_needed
from headtohead.stats.intervals.proportions import fisher_exact, mcnemar_exact, wilson_interval


@pytest.fixture(autouse=True)
def _own_topics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headtohead.cli.app.TOPICS", ("claim", "verdict"))


def test_the_published_pair_is_no_evidence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["claim", "--correct", "35", "--total", "36", "--versus", "43/50", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["a"]["low"], found["a"]["high"]) == pytest.approx(wilson_interval(35, 36))
    assert found["b"]["value"] == pytest.approx(0.86)
    assert found["p_value"] == pytest.approx(stats.fisher_exact(np.array([[35, 1], [43, 7]])).pvalue)
    assert found["difference"]["low"] < 0 < found["difference"]["high"]
    assert found["sentence"].startswith("No evidence of a difference: 35 of 36 against 43 of 50")
    assert (found["verdict"], found["winner"]) == ("no_evidence", None)


def test_a_real_difference_names_the_better_side() -> None:
    assert claim(95, 100, versus=(70, 100)).winner == "a"
    found = claim(70, 100, versus=(95, 100))
    assert (found.verdict, found.winner) == ("better", "b")
    assert found.sentence.startswith("The other is better, by 25.0 percentage points")


def test_turning_the_sides_round_turns_everything_round() -> None:
    forth, back = claim(35, 36, versus=(43, 50)), claim(43, 50, versus=(35, 36))
    assert forth.p_value == pytest.approx(back.p_value)
    assert forth.difference is not None
    assert back.difference is not None
    assert forth.difference.low == pytest.approx(-back.difference.high)
    assert forth.needed == back.needed


def test_paired_counts_use_mcnemar_and_infer_the_other_side() -> None:
    found = claim(35, 36, paired=(5, 1))
    assert found.b is not None
    assert found.b.value == pytest.approx(31 / 36)
    assert found.p_value == pytest.approx(stats.binomtest(1, 6).pvalue)
    assert found.mid_p == pytest.approx(mcnemar_exact(5, 1)[1])
    assert claim(35, 36, versus=(31, 36), paired=(5, 1)) == found
    even = claim(30, 36, paired=(2, 2))
    assert (even.p_value, even.needed, even.verdict) == (1.0, None, "no_evidence")


def test_one_figure_alone_gets_its_interval() -> None:
    found = claim(36, 36)
    assert (found.a.value, found.a.high, found.b, found.p_value) == (1.0, 1.0, None, None)
    assert found.a.low == pytest.approx(0.9036, abs=5e-4)
    assert "anywhere from 90.4 to 100.0 %" in found.sentence


def test_cases_needed_give_fisher_the_promised_power() -> None:
    n = cases_needed(0.95, 0.80)
    assert n is not None
    right, other = stats.binom(n, 0.95), stats.binom(n, 0.80)
    power = sum(
        right.pmf(x) * other.pmf(y)
        for x in range(int(0.8 * n), n + 1)
        for y in range(int(0.55 * n), n + 1)
        if fisher_exact(x, n, y, n)[0] <= 0.05
    )
    assert 0.78 <= power <= 0.86  # the continuity correction errs on the safe side
    assert cases_needed(0.9, 0.9) is None
    assert paired_cases_needed(0.1, 0.1) is None


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--correct", "37", "--total", "36"], "between 0 and 36"),
        (["--correct", "-1", "--total", "36"], "between 0 and 36"),
        (["--correct", "0", "--total", "0"], "at least one case"),
        (["--correct", "3", "--total", "6", "--versus", "43"], "such as 43/50"),
        (["--correct", "3", "--total", "6", "--versus", "x/50"], "such as 43/50"),
        (["--correct", "3", "--total", "6", "--versus", "51/50"], "between 0 and 50"),
        (["--correct", "3", "--total", "6", "--paired", "4/1"], "discordant"),
        (["--correct", "3", "--total", "6", "--paired", "1/4"], "discordant"),
        (["--correct", "3", "--total", "6", "--paired", "1/0", "--versus", "3/6"], "mean 2/6"),
        (["--correct", "3", "--total", "6", "--level", "95"], "between 0.5 and 1"),
    ],
)
def test_counts_that_cannot_be_are_explained(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["claim", *words]) == 2
    assert says in capsys.readouterr().err


def test_the_error_is_the_librarys_own() -> None:
    with pytest.raises(UsageError, match="discordant counts -1/0"):
        claim(3, 6, paired=(-1, 0))


def test_nothing_heavy_is_imported() -> None:
    code = (
        "import sys; from headtohead.evaluate.published_claim import claim; claim(35, 36, versus=(43, 50));"
        "import headtohead.cli.claim, headtohead.cli.verdict;"
        "print(sorted({'numpy', 'scipy', 'pandas', 'torch', 'sklearn', 'pydantic'} & set(sys.modules)))"
    )
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )


def test_large_counts_stay_finite() -> None:
    found = claim(99_000, 100_000, versus=(98_000, 100_000))
    assert found.p_value is not None
    assert 0 <= found.p_value < 1e-50
    assert "p < 0.001" in found.sentence
