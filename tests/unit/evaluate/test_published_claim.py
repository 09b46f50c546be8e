"""The claim: what is said, how mistakes are explained, and that it stays light."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys

import numpy as np
import pytest
from scipy import stats

from headtohead.cli.app import main
from headtohead.core.errors import UsageError
from headtohead.evaluate.published_claim import Claim, claim
from headtohead.stats.intervals.proportions import newcombe, newcombe_paired, wilson_interval


@pytest.fixture(autouse=True)
def _own_topics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headtohead.cli.app.TOPICS", ("claim", "verdict"))


def test_the_published_pair_is_no_evidence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["claim", "--correct", "35", "--total", "36", "--versus", "43/50", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["a"]["low"], found["a"]["high"]) == pytest.approx(wilson_interval(35, 36))
    assert found["b"]["value"] == pytest.approx(0.86)
    assert found["p_value"] == pytest.approx(0.0885, abs=5e-5)
    assert (found["difference"]["low"], found["difference"]["high"]) == pytest.approx(
        newcombe(35, 36, 43, 50)
    )
    assert found["sentence"].startswith(
        "The counts show neither a difference nor that there is none: 35 of 36"
    )
    assert "difference 11.2 percentage points (95 % interval −2.2 to 23.6, p = 0.09)" in found["sentence"]
    assert (found["verdict"], found["winner"]) == ("no_evidence", None)


def test_a_real_difference_names_the_better_side() -> None:
    assert claim(95, 100, versus=(70, 100)).winner == "a"
    found = claim(70, 100, versus=(95, 100))
    assert (found.verdict, found.winner) == ("better", "b")
    assert found.sentence.startswith("The other had more right, by 25.0 percentage points (95 % interval")
    assert "on other cases, so the cases may explain it" in found.sentence


def test_turning_the_sides_round_turns_everything_round() -> None:
    forward, back = claim(35, 36, versus=(43, 50)), claim(43, 50, versus=(35, 36))
    assert forward.p_value == pytest.approx(back.p_value)
    assert forward.difference is not None
    assert back.difference is not None
    assert forward.difference.low == pytest.approx(-back.difference.high)


def test_paired_counts_use_newcombes_pairs_and_infer_the_other_side() -> None:
    found = claim(35, 36, paired=(5, 1))
    assert found.b is not None
    assert found.b.value == pytest.approx(31 / 36)
    assert found.difference is not None
    assert (found.difference.low, found.difference.high) == pytest.approx(newcombe_paired(30, 5, 1, 0))
    assert "other cases" not in found.sentence
    assert claim(35, 36, versus=(31, 36), paired=(5, 1)) == found
    even = claim(30, 36, paired=(2, 2))
    assert even.verdict == "no_evidence"
    assert even.p_value == pytest.approx(1.0)


def test_one_figure_alone_gets_its_interval() -> None:
    found = claim(36, 36)
    assert (found.a.value, found.a.high, found.b, found.p_value) == (1.0, 1.0, None, None)
    assert found.a.low == pytest.approx(0.9036, abs=5e-4)
    assert "true shares from 90.4 to 100.0 %" in found.sentence


def contradicts(found: Claim) -> bool:
    """Return whether verdict, interval and p-value tell different stories."""
    assert found.difference is not None
    assert found.p_value is not None
    excluded = found.difference.low > 0 or found.difference.high < 0
    return not excluded == (found.p_value <= 1 - found.level) == (found.verdict == "better")


@pytest.mark.parametrize(("n", "step"), [(30, 1), (50, 3), (100, 7)])
def test_test_and_interval_never_contradict(n: int, step: int) -> None:
    for correct in range(0, n + 1, step):
        for other in range(correct + 1):
            assert not contradicts(claim(correct, n, versus=(other, n))), (correct, other, n)
    for both in range(0, n + 1, 2 * step):
        for only_a in range(0, n + 1 - both, step):
            for only_b in range(0, min(only_a, n - both - only_a) + 1, step):
                assert not contradicts(claim(both + only_a, n, paired=(only_a, only_b))), (
                    both,
                    only_a,
                    only_b,
                )


@pytest.mark.slow
@pytest.mark.parametrize("n", [30, 50, 100])
def test_test_and_interval_contradict_on_no_table_at_all(n: int) -> None:
    for correct, other in itertools.combinations_with_replacement(range(n + 1), 2):
        assert not contradicts(claim(other, n, versus=(correct, n)))
    for both in range(n + 1):
        for only_a in range(n + 1 - both):
            for only_b in range(min(only_a, n - both - only_a) + 1):
                assert not contradicts(claim(both + only_a, n, paired=(only_a, only_b)))


def test_an_equal_pair_is_called_different_in_about_the_promised_share() -> None:
    """The exact chance of "better" where both sides are right equally often; Newcombe's interval is not exact."""
    for n, m in ((30, 30), (10, 100)):
        better = np.array(
            [[claim(x, n, versus=(y, m)).verdict == "better" for y in range(m + 1)] for x in range(n + 1)]
        )
        for p in (0.5, 0.7, 0.9, 0.97):
            rate = stats.binom.pmf(range(n + 1), n, p) @ better @ stats.binom.pmf(range(m + 1), m, p)
            assert rate < 0.055, (n, m, p)


def test_a_difference_that_matters_is_told_as_a_range_and_nothing_is_told_without() -> None:
    assert "need" not in claim(95, 100, versus=(86, 100)).sentence
    found = claim(95, 100, versus=(86, 100), matters=0.05)
    assert found.needed is not None
    assert found.needed[0] < found.needed[1]
    assert "To show a difference of 5.0 percentage points" in found.sentence
    assert "roughly 360 to 1200 cases on each side" in found.sentence
    pairs = claim(35, 36, paired=(5, 1), matters=0.05)
    assert "cases seen by both" in pairs.sentence


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
        (["--correct", "3", "--total", "6", "--matters", "5"], "between 0 and 1"),
        (["--correct", "3"], "without --total"),
        ([], "no figure"),
        (["--correct", "3", "--total", "6", "--auroc", "0.9"], "expected one of"),
        (["--correct", "3", "--total", "6", "--positives", "4"], "has no meaning"),
        (["--auroc", "0.9", "--positives", "20"], "without --negatives"),
        (["--auroc", "1.9", "--positives", "20", "--negatives", "20"], "expected 0 to 1"),
        (["--auroc", "0.9", "--positives", "20", "--negatives", "0"], "at least one of each"),
        (["--accuracy", "97.1%", "--total", "36"], "No count of 36 rounds to 97.1%"),
        (["--sensitivity", "90%", "--specificity", "70/80"], "expected both"),
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
    assert 0 <= found.p_value <= 1e-12
    assert "p < 0.001" in found.sentence


def test_the_sentences_are_whole() -> None:
    assert claim(35, 36).sentence == (
        "35 of 36 right is 97.2 %, which is compatible with true shares from 85.8 to 99.5 % (95 % interval)."
    )
    assert claim(95, 100, versus=(70, 100)).sentence == (
        "The first had more right, by 25.0 percentage points (95 % interval 14.8 to 35.0, p < 0.001): 95 of 100 right "
        "(95.0 %; 88.8 to 97.8) against 70 of 100 (70.0 %; 60.4 to 78.1). The two were tested on other cases, so the "
        "cases may explain it."
    )
    paired = claim(90, 100, paired=(22, 2))
    assert paired.sentence.startswith("The first had more right, by 20.0 percentage points (95 % interval ")
    assert paired.sentence.endswith(
        "on the same cases, 22 right for the first alone and 2 for the other alone."
    )
    assert claim(70, 100, paired=(2, 22)).sentence.startswith(
        "The other had more right, by 20.0 percentage points"
    )


def test_a_difference_at_the_edge_is_told_to_the_digit_that_decides() -> None:
    for correct in range(60, 100):
        found = claim(correct, 100, versus=(60, 100))
        assert found.difference is not None
        if found.verdict == "better":
            ends = found.sentence.split("interval ")[1].split(", p")[0].split(" to ")
            assert 0 < float(ends[0]) < float(ends[1])
            assert float(ends[0]) == pytest.approx(100 * found.difference.low, abs=0.06)
            assert float(ends[1]) == pytest.approx(100 * found.difference.high, abs=0.06)
