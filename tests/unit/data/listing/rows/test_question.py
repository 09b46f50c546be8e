"""The question that is asked of images with several labels: its spelling, its answer and how a shell takes it."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headtohead.core.errors import UnknownNameError
from headtohead.data.listing.rows.question import Question, plain_label, quote_word

WORDS = st.text("aZ1 -_.'\"$\\`*!~#;&|<>(){}é心", max_size=12)


@given(WORDS)
def test_a_shell_reads_a_quoted_name_as_it_was(name: str) -> None:
    assert shlex.split(quote_word(name)) == [name]


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("Edema", "Edema"),
        ("No Finding", "'No Finding'"),
        ("œdème", "œdème"),
        ("grade_2-a", "grade_2-a"),
        ("$(rm x)", "'$(rm x)'"),
        ("Crohn's", "'Crohn'\"'\"'s'"),
    ],
)
def test_only_what_a_shell_would_change_is_quoted(name: str, quoted: str) -> None:
    assert quote_word(name) == quoted


@pytest.mark.parametrize("against", [None, "No Finding", "Crohn's disease"])
def test_a_question_is_written_as_the_options_that_ask_it(against: str | None) -> None:
    words = shlex.split(str(Question("Pleural effusion", against)))
    expected = ["--label-has", "Pleural effusion"] + ([] if against is None else ["--against", against])
    assert words == expected


def test_the_spelling_of_the_data_wins() -> None:
    names = ["Pleural Effusion", "No_Finding"]
    asked = Question("pleural_effusion", "NO  finding")
    assert asked.named(names) == Question("Pleural Effusion", "No_Finding")
    assert Question("PLEURAL effusion").named(names) == Question("Pleural Effusion")
    assert plain_label("  No__Finding ") == "no finding"


@pytest.mark.parametrize("asked", [Question("effusio"), Question("edema", "effusio")])
def test_a_label_that_does_not_occur_is_told_with_its_neighbour(asked: Question) -> None:
    with pytest.raises(UnknownNameError, match=r"effusio.*effusion"):
        asked.named(["effusion", "edema"])


@pytest.mark.parametrize(
    ("has", "against", "open_question", "against_word"),
    [
        (True, False, "edema", "edema"),
        (True, True, "edema", "edema"),  # both are said of it: it has the finding
        (False, True, "no edema", "normal"),
        (False, False, "no edema", ""),
        (None, True, "", "normal"),
        (None, False, "", ""),  # unknown is not negative
    ],
)
def test_the_class_of_an_image(
    has: bool | None, against: bool, open_question: str, against_word: str
) -> None:
    assert Question("edema").answer(has, against=against) == open_question
    assert Question("edema", "normal").answer(has, against=against) == against_word
    assert (Question("edema").negative, Question("edema", "normal").negative) == ("no edema", "normal")
