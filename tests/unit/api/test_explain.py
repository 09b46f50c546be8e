"""Maps from Python: what is asked of a run, and the frame of what was found."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import headtohead as h2h
from headtohead.api.explain import Explanation
from headtohead.core.errors import UsageError


def one_map(sample: str, contender: str, *, is_sum: bool) -> Any:
    attribution = SimpleNamespace(is_sum=is_sum, offset=0.1, localised=0.5, not_localised=0.2, log_odds=0.8)
    return SimpleNamespace(
        sample=sample, contender=contender, label="yes", target="yes", attribution=attribution, sanity="ok", words="w"
    )  # fmt: skip


def test_parts_of_the_log_odds_are_told_only_where_they_sum_to_it() -> None:
    found = Explanation(
        Path("maps"), [one_map("a", "x", is_sum=True), one_map("a", "y", is_sum=False)], {"z": "no"}
    )
    frame = found.frame()
    assert list(frame.columns) == [
        "image", "contender", "label", "target", "log_odds", "offset", "localised", "not_localised", "sanity", "words",
    ]  # fmt: skip
    first, second = frame.to_dict("records")
    assert first["log_odds"] == pytest.approx(first["offset"] + first["localised"] + first["not_localised"])
    assert second["log_odds"] == 0.8 and all(
        np.isnan(second[n]) for n in ("offset", "localised", "not_localised")
    )
    assert repr(found) == "Explanation(1 images, 2 contenders, in maps)" and found.left_out == {"z": "no"}
    empty = Explanation(Path("maps"), [], {})
    assert list(empty.frame().columns) == list(frame.columns) and empty.findings == ()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what was asked of the run, and the files that were made again."""
    given: list[Any] = []

    def run(folder: Path, request: Any, reporter: Any) -> Any:
        given.append((folder, request))
        return SimpleNamespace(folder=folder / "maps", maps=[], left_out={"a": "why"}, findings=["one"])

    for name, attribute, does in (
        ("headtohead.explain.run.explain_run", "explain_run", run),
        ("headtohead.explain.run.checklist_item", "fill_explainability", lambda f: given.append("checklist")),
        ("headtohead.report.page", "write_report", lambda f: given.append("report")),
    ):
        monkeypatch.setattr(importlib.import_module(name), attribute, does)
    return given


def test_a_request_holds_what_was_asked(asked: list[Any]) -> None:
    found = h2h.explain("runs/a", quiet=True)
    folder, request = asked[0]
    assert folder == Path("runs/a") and found.folder == Path("runs/a/maps") and found.findings == ("one",)
    assert (request.images, tuple(request.contenders), request.method, request.target, request.masks) == (
        "errors", (), "contributions", None, None,
    )  # fmt: skip
    h2h.explain(
        Path("runs/a"), images=["x.png", "y.png"], contenders="a,ensemble(a,b)", method="occlusion", target="yes",
        masks="masks", quiet=True,
    )  # fmt: skip
    request = asked[-1][1]
    assert tuple(request.images) == ("x.png", "y.png") and request.contenders == ("a", "ensemble(a,b)")
    assert (request.method, request.target, request.masks) == ("occlusion", "yes", Path("masks"))


@pytest.mark.parametrize(
    ("method", "again"),
    [("contributions", True), ("integrated-contributions", True), ("occlusion", False), ("gradcam", False)],
)
def test_the_report_is_made_again_where_it_shows_the_maps(method: str, again: bool, asked: list[Any]) -> None:
    h2h.explain("runs/a", method=method, quiet=True)
    assert asked[1:] == (["checklist", "report"] if again else [])


def test_a_run_that_is_no_path_is_refused(asked: list[Any]) -> None:
    with pytest.raises(UsageError, match=r"^Got run = ''; expected a path\.$"):
        h2h.explain("", quiet=True)
    with pytest.raises(UsageError, match=r"^Got images = \[\]; expected a list of names"):
        h2h.explain("runs/a", images=[], quiet=True)
    assert asked == []
