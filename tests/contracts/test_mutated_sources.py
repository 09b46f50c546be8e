"""Damaged tables, trees and options: each source is understood or refused in one error of ours, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.fuzz_sources import LONGEST, look, make_source
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.planting.layouts import FAMOUS

from headtohead.core.errors import HeadToHeadError
from headtohead.data.listing.discover import discover_images
from headtohead.data.options import LoadOptions

QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@QUICK
@given(number=st.integers(0, 10**9))
def test_a_random_source_is_understood_or_refused(
    number: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source, options = make_source(number, 0, tmp_path_factory.mktemp("source"))
    assert look(source, options)


@pytest.fixture(scope="module", params=["NIH ChestX-ray14", "CheXpert"])
def shipped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A famous set with empty files; returns its table."""
    famous = FAMOUS[request.param]
    root = tmp_path_factory.mktemp("famous")
    for path in famous.paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"\x89PNG\r\n\x1a\n")
    table = root / next(iter(famous.texts))
    table.write_text(next(iter(famous.texts.values())), encoding="utf-8")
    return table


@QUICK
@given(data=st.data())
def test_a_table_of_a_famous_set_with_changed_bytes(data: st.DataObject, shipped: Path) -> None:
    content = bytearray(shipped.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        length = data.draw(st.integers(0, 12))
        content[place : place + length] = data.draw(st.binary(max_size=12))
    changed = shipped.with_name("changed.csv")
    changed.write_bytes(bytes(content))
    for options in (LoadOptions(), LoadOptions(label_has="Effusion"), LoadOptions(drop_unlabelled=True)):
        try:
            discover_images(str(changed), options)
        except HeadToHeadError as error:
            assert len(str(error)) < LONGEST


WORDS = st.text(max_size=8)


@settings(QUICK, max_examples=15)
@given(has=WORDS, against=st.none() | WORDS, pattern=WORDS, role=WORDS)
def test_options_of_any_text(has: str, against: str | None, pattern: str, role: str, shipped: Path) -> None:
    for options in (
        LoadOptions(label_has=has, against=against),
        LoadOptions(exclude=(pattern,)),
        LoadOptions(include=(pattern,), drop=frozenset({has})),
        LoadOptions(columns={role: has}),
        LoadOptions(columns={"label": role, "group": pattern}),
        LoadOptions(label_from=pattern, group_from=has),
    ):
        for source in (shipped, shipped.parent):
            try:
                discover_images(str(source), options)
            except HeadToHeadError as error:
                assert len(str(error)) < LONGEST


def test_a_defect_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search would notice an error that is not ours."""

    def broken(*_: object) -> None:
        raise KeyError("planted")

    monkeypatch.setattr("benchmarks.fuzz_sources.discover_images", broken)
    source, options = make_source(1, 0, tmp_path)
    with pytest.raises(KeyError, match="planted"):
        look(source, options)
