"""The error tree: what the command exits with, and the nearest known names."""

from __future__ import annotations

import difflib
from typing import Any

import pytest

from headtohead.core import errors
from headtohead.core.errors import HeadToHeadError, UnknownNameError, UsageError, unknown_name

TREE = errors.__doc__ or ""


def test_wrong_usage_exits_with_2_and_everything_else_with_1() -> None:
    kinds = [getattr(errors, name) for name in errors.__all__ if name != "unknown_name"]
    for kind in kinds:
        assert issubclass(kind, HeadToHeadError)
        assert kind.exit_status == (2 if issubclass(kind, UsageError) else 1), kind


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    """Each line's parent is the nearest line above that is indented less."""
    above: list[tuple[int, str]] = []
    for line in TREE.splitlines():
        name = next((word for word in line.split() if word.endswith("Error")), None)
        if name is None or not hasattr(errors, name):
            continue
        indent = line.index(name)
        above = [one for one in above if one[0] < indent]
        if above:
            assert getattr(errors, name).__base__.__name__ == above[-1][1], line
        above.append((indent, name))
    assert len(above) >= 2


@pytest.mark.parametrize(
    ("got", "hint"),
    [
        ("BRIER", "; did you mean 'brier'?"),
        ("briar score", "; did you mean 'brier'?"),
        ("acuracy", "; did you mean 'accuracy' or 'auroc'?"),
        ("zzz", "."),
        ("", "."),
    ],
)
def test_the_nearest_names_are_offered(got: str, hint: str) -> None:
    error = unknown_name("metric", got, {"brier": 1, "auroc": 2, "accuracy": 3})
    assert isinstance(error, UnknownNameError)
    assert str(error) == f"Unknown metric {got!r}{hint} Known: accuracy, auroc, brier."


def test_at_most_three_names_are_offered_best_first() -> None:
    said = str(unknown_name("x", "name1", ["name2", "name3", "name4", "name5", "name1b"]))
    assert said.split("did you mean ")[1].count("'") == 6
    assert said.split("did you mean ")[1].startswith("'name1b' or ")


def test_a_name_in_capitals_is_offered_as_it_is_written() -> None:
    assert "did you mean 'ViT'?" in str(unknown_name("x", "vit", ["ViT"]))


def test_a_huge_name_is_cut_before_it_is_compared_and_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []
    find = difflib.get_close_matches

    def noted(word: str, *others: Any, **options: Any) -> list[str]:
        compared.append(word)
        return find(word, *others, **options)

    monkeypatch.setattr(difflib, "get_close_matches", noted)  # its time is the product of both lengths
    said = str(unknown_name("metric", "a" * 1_000_000, [f"{n:05d}" for n in range(300)]))
    assert compared == ["a" * 100]
    assert "a" * 200 + "…" in said and "a" * 201 not in said
    assert repr("b" * 200) in str(unknown_name("metric", "b" * 200, ["c"])), "200 are shown whole"
