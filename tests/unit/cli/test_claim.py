"""`headtohead claim`: a published figure, its counts with a slash, and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

import headtohead as h2h

Run = Callable[..., Any]


def test_the_sentence_is_that_of_the_function_with_its_caveat(run: Run) -> None:
    found = run("claim", "--correct", 35, "--total", 36, "--versus", "43/50")
    expected = h2h.claim(35, 36, versus=(43, 50))
    assert found.out == f"{expected.sentence}\n{expected.caveat}\n" and found.err == ""
    told = run("claim", "--correct", 35, "--total", 36, "--versus", "43/50", "--json")
    assert json.loads(told.out) == json.loads(json.dumps(expected.to_json()))


def test_every_option_reaches_the_claim(ask: Any, run: Run) -> None:
    asked = ask("headtohead.api.predictions", "claim", h2h.claim(35, 36))
    run(
        "claim", "--correct", 1, "--total", 2, "--accuracy", "90%", "--auroc", "0.9", "--sensitivity", "18/20",
        "--specificity", "87%", "--positives", 3, "--negatives", 4, "--versus", "a", "--paired", " 5 / 1 ", "--matters",
        0.05, "--level", 0.9,
    )  # fmt: skip
    ((given, named),) = asked.calls
    assert given == (1, 2)
    assert named == {
        "accuracy": "90%", "auroc": "0.9", "sensitivity": "18/20", "specificity": "87%", "positives": 3,
        "negatives": 4, "versus": "a", "paired": (5, 1), "matters": 0.05, "level": 0.9,
    }  # fmt: skip


@pytest.mark.parametrize("text", ["5", "5/1/2", "a/1", "5/-1", "5/²", "/", "5.0/1"])
def test_a_pair_of_counts_has_one_slash(text: str, run: Run) -> None:
    found = run("claim", "--correct", 35, "--total", 36, "--paired", text)
    assert found.status == 2
    assert found.err == f"headtohead: Got --paired {text!r}; expected two counts with a slash, such as 5/1.\n"
