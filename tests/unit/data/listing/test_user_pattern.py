"""Patterns of the user: what they read, and that none takes for ever."""

from __future__ import annotations

import time

import pytest

from headtohead.core.errors import UsageError
from headtohead.core.safety.limits import ENVIRONMENT
from headtohead.data.listing.label_rules import label_finder
from headtohead.data.listing.selection.user_pattern import UserPattern

NAME = "yes/" + "a" * 40 + "!.png"


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+$",
        r"(a|aa)+$",
        r"(.*)*_x",
        r"(\w+\s?)+$",
        r"^(([a-z])+.)+[A-Z]$",
        r"(?:yes)/(a|a?)+$",
        r"((a*)*)*b",
    ],
)
def test_a_pattern_that_tries_every_way_is_stopped(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, "pattern-seconds=1")
    read = UserPattern(pattern, "label_from", "label").first_group
    began = time.process_time()
    try:
        for _ in range(50):
            read(NAME)
    except UsageError as error:
        assert "takes longer than 1 s" in str(error)
    assert time.process_time() - began < 3


@pytest.mark.parametrize(
    ("pattern", "path", "label"),
    [
        ("(benign|malignant)", "a/malignant/1.png", "malignant"),
        (r"^(?:x)?/?([^/]+)/", "yes/1.png", "yes"),
        (r"(?P<label>no|yes)_(\d+)", "12_yes_7.png", "yes"),
        (r"(x)|(y)", "by.png", "y"),
        (r"(z)", "b.png", ""),
    ],
)
def test_it_reads_what_re_reads(pattern: str, path: str, label: str) -> None:
    assert label_finder(pattern)(path) == label


@pytest.mark.parametrize("pattern", ["(", "(a", "[", "(?P<x>", "(?<=a*)(b)", "a{99999999999999999999}(b)"])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(UsageError, match="is not a regular expression"):
        UserPattern(pattern, "label_from", "label")


def test_a_group_is_needed() -> None:
    with pytest.raises(UsageError, match="has no group in parentheses"):
        UserPattern("abc", "group_from", "group")
