"""A hub's answers name no place outside the cache."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headtohead.core.safety.hub_answers import HostileAnswerError, check_headers, watch_hub


@pytest.mark.parametrize(
    "stated",
    [
        "../../x", "..", ".", "a/b", "a\\b", '"../x"', 'W/"../../x"', 'W/".."', '"."', "C:x", 'W/"c:evil"', "a\nb",
        "a\x00", "a\x7f", "a\u202eb",
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["etag", "x-linked-etag", "x-repo-commit"])
def test_a_name_that_leads_elsewhere_is_refused(name: str, stated: str) -> None:
    with pytest.raises(HostileAnswerError, match=f"the server's {name} .* is no name of a file"):
        check_headers({name: stated})


@settings(max_examples=40, deadline=None)
@given(st.text("0123456789abcdef", min_size=1, max_size=64), st.sampled_from(["{}", '"{}"', 'W/"{}"']))
def test_hashes_pass(digest: str, form: str) -> None:
    check_headers({"etag": form.format(digest), "x-linked-etag": digest, "x-repo-commit": digest})


def test_a_name_longer_than_a_file_name_is_refused() -> None:
    check_headers({"etag": '"' + "a" * 200 + '"'})
    with pytest.raises(HostileAnswerError, match="the server's etag has 201 characters"):
        check_headers({"etag": '"' + "a" * 201 + '"'})


def test_a_long_hostile_answer_is_cut() -> None:
    with pytest.raises(HostileAnswerError) as caught:
        check_headers({"etag": "/" * 5000})
    assert len(str(caught.value)) < 150


def test_of_other_answers_only_the_commit_names_a_file() -> None:
    check_headers({"etag": "a/b", "x-linked-etag": "../x", "x-repo-commit": "0123"}, is_head=False)
    with pytest.raises(HostileAnswerError, match="x-repo-commit"):
        check_headers({"x-repo-commit": "../x"}, is_head=False)


def answer(method: str, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return SimpleNamespace(headers=named, request=SimpleNamespace(method=method))


@pytest.mark.parametrize("attribute", ["event_hooks", "hooks"])  # of httpx, and of requests
def test_every_answer_of_the_client_is_looked_at_once(attribute: str) -> None:
    hooks: dict[str, list[Any]] = {"response": []}
    session = SimpleNamespace(**{attribute: hooks})
    hub = SimpleNamespace(utils=SimpleNamespace(get_session=lambda: session))
    watch_hub(hub)
    watch_hub(hub)
    (look,) = hooks["response"]
    look(answer("GET", etag="a/b"), timeout=3)
    with pytest.raises(HostileAnswerError):
        look(answer("HEAD", etag="a/b"))
    with pytest.raises(HostileAnswerError):
        look(answer("GET", x_repo_commit=".."))
