"""What a contender reads outside the subject: a planted corner mark is found, an honest contender is not accused."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from headtohead.api.explain import Explanation
from headtohead.cli.runs.explain import print_explanation
from headtohead.core.progress import QUIET
from headtohead.core.records import Box, Image
from headtohead.explain.attribution import Attribution
from headtohead.explain.image_map import ImageMap
from headtohead.explain.run import hidden_subject as tested
from headtohead.explain.run.hidden_subject import HiddenSubject, hidden_subject, outside_evidence, paint_over
from headtohead.preprocess.recipe import Prepared, get_recipe

SIDE, N = 96, 40
CORNER, MIDDLE = np.s_[84:94, 84:94], np.s_[40:56, 40:56]


def image(label: int, seed: int) -> npt.NDArray[np.uint8]:
    """Return a bright disc with a lesion in its middle and a mark in the lower right corner, both of class 1 alone."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    pixels = np.where(np.hypot(rows, columns) < 34, 120.0, 4.0) + rng.normal(0, 3, (SIDE, SIDE))
    pixels[CORNER] += 200 * label
    pixels[MIDDLE] += 60 * label
    return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)


def attribution(where: Any, log_odds: float = 2.0) -> Attribution:
    grid = np.zeros((SIDE, SIDE))
    grid[where] = np.sign(log_odds)
    return Attribution(grid, 1, log_odds, 0.0)


def map_of(sample: str, made: Attribution) -> ImageMap:
    return ImageMap(sample, "a", "contributions", ("no", "yes"), made, Box(0, 0, SIDE, SIDE), (SIDE, SIDE))


def found_by(monkeypatch: pytest.MonkeyPatch, where: Any) -> HiddenSubject | None:
    """Return the check of a contender whose log-odds are the brightness of one place."""
    labels = np.arange(N) % 2
    samples = [SimpleNamespace(id=f"s{i}", group=f"g{i}") for i in range(N)]
    fold = SimpleNamespace(test=np.arange(N))
    right = np.column_stack([1.0 - labels, labels]) * 0.8 + 0.1
    run: Any = SimpleNamespace(
        dataset=SimpleNamespace(
            samples=samples,
            read=lambda one: Image(image(int(one.id[1:]) % 2, int(one.id[1:])), 8, "L", "PNG"),
        ),
        recipe=get_recipe("none"),
        reporter=QUIET,
        config=SimpleNamespace(seed=0),
        labels=SimpleNamespace(labels=labels, groups=np.array([one.group for one in samples])),
        testing=lambda _index: [fold],
        cell=lambda *_: SimpleNamespace(probabilities=right),
    )
    maker: Any = SimpleNamespace(
        contender=SimpleNamespace(name="a"), model=None, head=lambda _fold: "the head that did not see it"
    )

    def score(_model: Any, images: list[Prepared], heads: Any, _targets: Any) -> list[Attribution]:
        assert heads == [["the head that did not see it"]] * len(images)
        return [attribution(where, float(one.pixels[where].mean())) for one in images]

    monkeypatch.setattr(tested, "explain_images", score)
    maps = [map_of(one.id, attribution(where, 2.0 if i % 2 else -2.0)) for i, one in enumerate(samples)]
    return hidden_subject(maker, run, maps, list(range(N)))


def test_a_contender_that_reads_the_corner_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    found = found_by(monkeypatch, CORNER)
    assert found is not None and found.is_finding and found.hidden.value == 1.0
    assert found.share == 1.0 and found.excess.low > 0.3 and found.place == "lower right"
    sentence = found.finding("a", ("no", "yes"))
    assert sentence.startswith("a still tells yes from no when the subject is painted over: AUROC 1.00 [")
    assert "0.5 is chance" in sentence and "100 % of the evidence" in sentence and "lower right" in sentence
    told = found.to_json("a", ("no", "yes"))
    assert told["finding"] == sentence and told["auroc"]["n_groups"] == N


def test_a_contender_that_reads_the_lesion_is_not_accused(monkeypatch: pytest.MonkeyPatch) -> None:
    found = found_by(monkeypatch, MIDDLE)
    assert found is not None and not found.is_finding and found.finding("a", ("no", "yes")) == ""
    assert found.hidden.low <= 0.5 and found.whole == 1.0
    assert found.share == 0.0 and found.excess.high < 0


def test_images_that_show_the_subject_alone_say_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tested, "LEAST_OUTSIDE", 0.99)
    assert found_by(monkeypatch, CORNER) is None


def test_evidence_against_counts_for_the_class_that_is_predicted() -> None:
    subject = np.zeros((SIDE, SIDE), bool)
    subject[24:72, 24:72] = True
    both = np.zeros((SIDE, SIDE))
    both[CORNER], both[MIDDLE] = -1.0, 1.0
    for log_odds, outside in ((-2.0, 1.0), (2.0, 0.0)):
        shares, areas, _ = outside_evidence(
            [map_of("x", Attribution(both, 1, log_odds, 0.0))], {"x": subject}
        )
        assert shares[0] == outside and areas[0] == pytest.approx(0.75)


def test_the_subject_gets_the_grey_of_what_lies_outside() -> None:
    whole = np.full((40, 60), 0.2, np.float32)
    subject = np.zeros((40, 60), bool)
    subject[10:20, 30:50] = True
    whole[subject] = 0.9
    box = Box(5, 20, 35, 60)
    cut = Prepared(box.crop(whole).copy(), box, ())
    assert (paint_over(cut, subject).pixels == np.float32(0.2)).all()
    assert (cut.pixels[5:15, 10:30] == np.float32(0.9)).all(), "the image itself stays"
    moved = np.roll(subject, 12, axis=0)
    assert (paint_over(cut, moved).pixels[5:15, 10:30] == np.float32(0.9)).any()


def test_the_command_prints_the_finding(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    print_explanation(Explanation(tmp_path, (), {}, ["a reads the corner."]))
    assert "Finding: a reads the corner." in capsys.readouterr().out
    print_explanation(Explanation(tmp_path, (), {}))
    assert "Finding" not in capsys.readouterr().out
