"""`headtohead explain`: the words of the first maps, and a frame for scripts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from headtohead.api.explain import Explanation

Run = Callable[..., Any]


def explanation(n: int, *findings: str) -> Explanation:
    attribution = SimpleNamespace(is_sum=True, offset=0.1, localised=0.5, not_localised=0.2, log_odds=0.8)
    maps: list[Any] = [
        SimpleNamespace(
            sample=f"s{i}", contender="a", label="yes", target="yes", attribution=attribution, sanity="ok", words=f"w{i}"
        )
        for i in range(n)
    ]  # fmt: skip
    return Explanation(Path("runs/a/maps"), maps, {}, findings)


@pytest.mark.parametrize(("n", "more"), [(3, ""), (5, "… and 2 more.\n")])
def test_the_words_of_three_maps_are_printed(n: int, more: str, ask: Any, run: Run) -> None:
    asked = ask("headtohead.api.explain", "explain", explanation(n, "It reads the border."))
    found = run("explain", "runs/a")
    words = "".join(f"a, s{i}: w{i}\n\n" for i in range(3))
    assert found.out == (
        f"{words}{more}Finding: It reads the border.\n\nMaps (.npy), pictures (.png) and index: "
        f"{Path('runs/a/maps/index.csv')}\n"
    )
    assert asked.named == {
        "images": "errors", "contenders": (), "method": "contributions", "target": None, "masks": None
    }  # fmt: skip


def test_options_are_handed_on_and_json_is_the_frame(ask: Any, run: Run) -> None:
    asked = ask("headtohead.api.explain", "explain", explanation(2))
    found = run(
        "explain", "runs/a", "--images", "x.png,y.png", "-c", "a,b", "--method", "rise", "--class", "yes", "--masks", "m",
        "--json",
    )  # fmt: skip
    told = json.loads(found.out)
    assert [row["image"] for row in told] == ["s0", "s1"] and told[0]["log_odds"] == 0.8
    assert asked.named == {
        "images": "x.png,y.png", "contenders": ("a", "b"), "method": "rise", "target": "yes", "masks": Path("m")
    }  # fmt: skip
