"""Images of the report: which are inside, how they are drawn, and what lies near them in the feature space."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Collection
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image as Pillow

from headtohead.core.errors import UnreadableError
from headtohead.core.records import Image
from headtohead.data.dataset import Dataset
from headtohead.heads.baselines import BASELINES
from headtohead.preprocess.recipe import get_recipe
from headtohead.studies import report_images as module
from headtohead.studies.report_images import feature_map, gallery_samples, report_images, webp


def table(wrong: dict[str, int], contenders: int = 3, repeats: int = 1) -> pd.DataFrame:
    """Return predictions in which each sample is wrong for so many contenders; a baseline is always wrong."""
    rows = []
    for sample, n in wrong.items():
        for repeat in range(repeats):
            for number in range(contenders):
                p = 0.9 if number >= n else 0.1
                rows.append((sample, repeat, f"c{number}", "yes", 1 - p, p))
            rows.append((sample, repeat, BASELINES[0], "yes", 0.9, 0.1))
    return pd.DataFrame(rows, columns=["sample", "repeat", "contender", "label", "prob_no", "prob_yes"])


def test_all_images_are_inside_where_there_is_room_worst_first() -> None:
    assert gallery_samples(table({"a": 0, "b": 3, "c": 1, "d": 3})) == ["b", "d", "c", "a"]


def test_errors_take_three_quarters_of_the_places_at_most_and_the_rest_is_spread() -> None:
    wrong = {f"{i:03d}": (3 if i < 50 else 0) for i in range(100)}
    found = gallery_samples(table(wrong), most=20)
    assert len(found) == len(set(found)) == 20
    assert found[:15] == [f"{i:03d}" for i in range(15)]
    rest = [int(name) for name in found[15:]]
    assert rest[0] == 15 and rest[-1] >= 80, "over all the others, not the next ones"
    few = gallery_samples(table({f"{i:03d}": int(i == 60) for i in range(100)}), most=20)
    assert few[0] == "060" and len(few) == 20


def test_baselines_do_not_decide_unless_they_are_all_there_is() -> None:
    alone = table({"a": 0, "b": 0}, contenders=0)
    assert sorted(gallery_samples(alone)) == ["a", "b"]
    mixed = table({"a": 0, "b": 1})
    assert gallery_samples(mixed)[0] == "b"


def decoded(source: str) -> Pillow.Image:
    kind, _, text = source.partition(",")
    assert kind == "data:image/webp;base64"
    return Pillow.open(io.BytesIO(base64.b64decode(text)))


@pytest.mark.parametrize(
    ("shape", "size"),
    [((416, 208), (104, 208)), ((100, 1000), (208, 21)), ((30, 20), (20, 30)), ((208, 208, 3), (208, 208))],
)
def test_images_are_drawn_small_in_their_own_proportions(
    shape: tuple[int, ...], size: tuple[int, int]
) -> None:
    found = decoded(webp(np.full(shape, 200, np.uint8)))
    assert found.size == size and found.mode == "RGB"
    assert abs(int(np.asarray(found)[..., 0].mean()) - 200) <= 2


def test_an_image_that_cannot_be_read_again_has_no_entry(
    samples: Callable[..., Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Prepared:
        def get(self, dataset: Any, recipe: Any, sample: Any, image: Image) -> Any:
            return recipe.apply(image)

    data = samples([0, 1, 0, 1])

    def read(_: Any, sample: Any) -> Image:
        number = int(sample.id[1:])
        if number == 1:
            raise UnreadableError("it is gone")
        return Image(np.full((20 + number, 30), 50 * number, np.uint8), 8, "L", "PNG")

    monkeypatch.setattr(Dataset, "read", read)
    monkeypatch.setattr(module, "PROCESSED", 2)
    prepared: Any = Prepared()
    predictions = table({sample.id: 0 for sample in data.samples})
    found = report_images(data, get_recipe("none"), predictions, prepared)
    assert list(found["gallery"]) == ["s000", "s002", "s003"]
    entry = found["gallery"]["s003"]
    assert (entry["width"], entry["height"], entry["box"]) == (30, 23, [0, 0, 23, 30])
    assert [shown["id"] for shown in found["shown"]] == ["s000", "s002"]
    assert decoded(found["shown"][1]["src"]).size == decoded(found["gallery"]["s002"]["src"]).size == (30, 22)


def mapped(rows: Any, groups: list[str], shown: Collection[str] | None = None) -> Any:
    ids = [str(i) for i in range(len(groups))]
    made: Any = SimpleNamespace(samples=[SimpleNamespace(id=name) for name in ids], groups=lambda: groups)
    return feature_map([("a", rows)], made, ids if shown is None else shown)["a"]


def test_neighbours_are_the_most_similar_images_of_other_groups() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(12, 6)).astype(np.float32)
    rows[1] = rows[0] + 0.01  # a copy, in the same group
    rows[5] = rows[0] + 0.02  # one that looks like it, in another
    groups = ["g0", "g0", *(f"g{i}" for i in range(2, 12))]
    near = mapped(rows, groups)["neighbours"]
    z = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    unit = z / np.linalg.norm(z, axis=1, keepdims=True)
    likeness = unit @ unit.T
    for i, found in near.items():
        others = [j for j in range(12) if groups[j] != groups[int(i)]]
        expected = sorted(others, key=lambda j: -likeness[int(i), j])[:3]
        assert found == [str(j) for j in expected]
    assert near["0"][0] == "5" and "1" not in near["0"]


def test_neighbours_are_looked_for_among_all_images_for_those_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.random.default_rng(1).normal(size=(30, 5)).astype(np.float32)
    groups = [f"g{i}" for i in range(30)]
    whole = mapped(rows, groups)["neighbours"]
    monkeypatch.setattr(module, "AT_ONCE", 2)
    shown = [str(i) for i in (3, 7, 8, 20, 29)]
    assert mapped(rows, groups, shown)["neighbours"] == {name: whole[name] for name in shown}
    assert {other for name in shown for other in whole[name]} - set(shown)


def test_with_few_groups_there_are_few_neighbours() -> None:
    rows = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    near = mapped(rows, ["a", "a", "b", "b"])["neighbours"]
    assert {name: len(found) for name, found in near.items()} == dict.fromkeys("0123", 2)
    assert mapped(rows, ["a"] * 4)["neighbours"] == {name: [] for name in "0123"}
