"""Figures read as papers give them."""

from __future__ import annotations

import json

import pytest

import headtohead as h2h
from headtohead.cli.app import main
from headtohead.core.errors import UsageError
from headtohead.evaluate.published.figures import read_area, read_count


@pytest.fixture(autouse=True)
def _own_topics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headtohead.cli.app.TOPICS", ("claim",))


@pytest.mark.parametrize("total", [7, 36, 253])
@pytest.mark.parametrize("digits", [0, 1, 2])
def test_a_rounded_percentage_stands_for_every_count_that_rounds_to_it(total: int, digits: int) -> None:
    """Against the definition: format each count and see which read alike."""
    written = [f"{100 * k / total:.{digits}f}%" for k in range(total + 1)]
    for k, text in enumerate(written):
        found = read_count(text, total)
        alike = [other for other, its in enumerate(written) if its == text]
        assert found.fewest <= alike[0]
        assert alike[-1] <= found.most
        assert k in range(found.fewest, found.most + 1)
        # Beyond those that format alike only exact halves, which others round the other way.
        for extra in set(range(found.fewest, found.most + 1)) - set(alike):
            assert (100 * 10**digits * extra / total * 2) % 1 == pytest.approx(0, abs=1e-6)


def test_shares_fractions_and_decimal_commas_read_alike() -> None:
    for text in ("97.2%", "97,2 %", "0.972"):
        assert read_count(text, 36).correct == 35
    assert read_count("86%/50") == read_count("43/50")
    with pytest.raises(UsageError, match="give the total once"):
        read_count("43/50", 60)
    for wrong in ("0.9", "0.9/20", "x/20/80", "0.9/20/-1"):
        with pytest.raises(UsageError, match="AUROC/POSITIVES/NEGATIVES"):
            read_area(wrong)


def test_an_ambiguous_percentage_is_said_and_covered() -> None:
    found = h2h.claim(accuracy="97%", total=500)
    assert "may stand for 483 to 487 of 500" in found.sentence
    low, high = h2h.claim(483, 500).a.low, h2h.claim(487, 500).a.high
    assert (found.a.low, found.a.high) == pytest.approx((low, high))
    versus = h2h.claim(accuracy="97%", total=500, versus="94%/500")
    exact = h2h.claim(485, 500, versus=(470, 500))
    assert exact.verdict == "better"
    assert versus.verdict == "no_evidence"  # 483 against 472 is no evidence
    assert h2h.claim(accuracy="97.2%", total=36, versus="86%/50").p_value == pytest.approx(
        h2h.claim(35, 36, versus=(43, 50)).p_value
    )


def test_the_terminal_and_python_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--auroc", "0.95", "--positives", "20", "--negatives", "80", "--versus", "0.90/30/70"]
    assert main(["claim", *words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    same = h2h.claim(auroc=0.95, positives=20, negatives=80, versus=(0.90, 30, 70))
    assert found == json.loads(json.dumps(same.to_json()))
    words = ["--sensitivity", "90%", "--positives", "20", "--specificity", "70/80", "--versus", "17/20,75/80"]
    assert main(["claim", *words, "--json"]) == 0
    rates = h2h.claim(sensitivity="90%", positives=20, specificity=(70, 80), versus=((17, 20), (75, 80)))
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(rates.to_json()))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"accuracy": "x", "total": 36}, "such as 43/50"),
        ({"accuracy": "120%", "total": 36}, "0% to 100%"),
        ({"accuracy": "97%", "total": 0}, "at least one case"),
        ({"correct": 35, "total": 36, "versus": (43, 50, 1)}, "expected .correct, total"),
        ({"sensitivity": (18, 20), "specificity": (70, 80), "versus": "17/20"}, "sensitivity,specificity"),
        ({"correct": 485, "total": 500, "versus": "94%/500", "paired": (20, 5)}, "give counts"),
        ({"auroc": 0.9, "positives": 20, "negatives": 20, "matters": 0.05}, "for shares only"),
    ],
)
def test_figures_that_do_not_go_together_are_explained(given: dict[str, object], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        h2h.claim(**given)  # type: ignore[arg-type]
