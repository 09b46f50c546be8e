"""The maps of an ensemble fail with those of a member."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from headtohead.core.records import Box
from headtohead.explain.attribution import Attribution
from headtohead.explain.image_map import ImageMap
from headtohead.explain.run import believable as tested
from headtohead.explain.run.contender_maps import ProbeMaps

MEMBERS = ("a", "b")


class Probe(ProbeMaps):
    """A probe without images; what its checks say is planted."""

    def __init__(self, name: str) -> None:
        self.name = name


@pytest.mark.parametrize(
    ("failing", "sanity"), [((), "not checked"), (("b",), "failed: it holds the maps of b")]
)
def test_an_ensemble_fails_with_a_member(
    monkeypatch: pytest.MonkeyPatch, failing: tuple[str, ...], sanity: str
) -> None:
    plan = [SimpleNamespace(name=name, members=()) for name in MEMBERS]
    both = SimpleNamespace(name="both", members=MEMBERS)
    run: Any = SimpleNamespace(
        dataset=SimpleNamespace(
            classes=("no", "yes"), samples=[SimpleNamespace(group=f"g{i}") for i in range(12)]
        ),
        plan=SimpleNamespace(contenders=[*plan, both]),
    )
    monkeypatch.setattr(tested, "maps_of", lambda name, _run: Probe(name) if name in MEMBERS else None)
    told = {name: "failed: planted" if name in failing else "passed" for name in MEMBERS}
    monkeypatch.setattr(tested, "check_probe", lambda maker, *_: SimpleNamespace(sanity=told[maker.name]))
    made = Attribution(np.zeros((2, 2)), 1, 0.0, 0.0)
    found = [
        ImageMap("x", name, "contributions", ("no", "yes"), made, Box(0, 0, 4, 4), (4, 4))
        for name in (*MEMBERS, "both")
    ]
    marked, checks = tested.check_maps(run, found, range(12))
    assert set(checks) == set(MEMBERS)
    assert marked[2].sanity.startswith(sanity)
