"""Lists of files in messages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from headtohead.data.file_problems import FileProblem, truncate_list


@given(n=st.integers(0, 30), keep=st.integers(1, 12))
def test_a_list_shows_the_first_and_counts_the_rest(n: int, keep: int) -> None:
    text = truncate_list(range(n), keep)
    names, _, rest = text.partition(" and ")
    shown = names.split(", ") if names else []
    assert shown == [str(i) for i in range(min(n, keep))]
    assert rest == ("" if n <= keep else f"{n - keep} more")


def test_a_problem_reads_as_path_and_reason() -> None:
    assert str(FileProblem("a/b.png", "the file is empty")) == "a/b.png: the file is empty"
