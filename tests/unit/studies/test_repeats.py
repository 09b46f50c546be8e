"""Repeats are added while the decision hangs on the seed of the folds, and the digits are those of a stated number."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.journeys.test_compare import make_images
from tests.planting.listener import Listener
from tests.planting.repeats import repeated
from tests.planting.verdicts import judge

from headtohead.contenders.plan import ContenderPlan
from headtohead.core.config import StudyConfig
from headtohead.core.errors import UsageError
from headtohead.core.records import Verdict
from headtohead.core.tables.details import SeedStability
from headtohead.heads.linear_probe import ProbeHead
from headtohead.stats.hypothesis.seed_stability import STABLE, seed_stability
from headtohead.studies import repeats as module
from headtohead.studies.comparison import ComparisonStudy
from headtohead.studies.repeats import FIRST, STEPS, RepeatCount

PAIR = ("scratch:test_efficientnet", "scratch:test_vit")


def count_of(
    repeats: Any = "auto", contenders: tuple[str, ...] = PAIR, n: int = 200, split: str = "kfold"
) -> RepeatCount:
    config = StudyConfig(data="x", contenders=contenders, repeats=repeats, split=split)
    return RepeatCount(config, ContenderPlan.parse(contenders), n)


def verdict_of(gain: float, noise: float) -> Verdict:
    return judge(repeated(gain, noise), classes=("no", "yes"), n_boot=100)


CLOSE, CLEAR = (0.2, 0.4), (3.0, 0.05)


def test_a_close_decision_gets_the_repeats_that_it_names() -> None:
    verdict, count, listener = verdict_of(*CLOSE), count_of(), Listener()
    seeds = verdict.comparisons[0].details.seeds
    assert seeds is not None and seeds.changes > 0.05
    assert count.now == FIRST and count.grow(verdict, listener)
    wanted = seeds.repeats or STEPS[-1]
    assert count.now == next(n for n in (*STEPS, wanted) if n >= min(wanted, STEPS[-1]))
    assert f"about {100 * seeds.changes:.0f} % of runs" in listener.infos[0]
    assert f"running {count.now - FIRST} more repeats." in listener.infos[0]
    noted = count.noted(verdict).details.repeats
    assert noted is not None and noted.foretold == ((FIRST, seeds.changes),) and noted.most == STEPS[-1]


def test_a_settled_one_stays_at_three() -> None:
    verdict, count, listener = verdict_of(*CLEAR), count_of(), Listener()
    assert not count.grow(verdict, listener) and count.now == FIRST and not listener.infos
    noted = count.noted(verdict).details.repeats
    assert noted is not None and "(here 0.0 % with 3)" in noted.sentence


@pytest.mark.parametrize("number", [1, 3, 7])
def test_a_stated_number_is_that_number(number: int) -> None:
    verdict, count = verdict_of(*CLOSE), count_of(number)
    assert count.now == number and not count.grow(verdict) and count.noted(verdict) is verdict


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (
            {"contenders": ("scratch:test_vit@finetune", PAIR[0])},
            "each trains scratch:test_vit@finetune again",
        ),
        ({"n": 10_000}, "no more than 3 are run"),
        ({"split": "holdout:0.2"}, "no more than 3 are run"),
    ],
)
def test_what_takes_long_stays_at_three_and_says_so(given: Any, reason: str) -> None:
    verdict, count, listener = verdict_of(*CLOSE), count_of(**given), Listener()
    assert not count.grow(verdict, listener) and count.now == FIRST
    noted = count.noted(verdict).details.repeats
    assert noted is not None and noted.most == FIRST
    assert reason in listener.infos[0] and reason in noted.sentence


def test_many_images_get_fewer_and_the_last_step_ends_it() -> None:
    count, unsettled = count_of(n=4000), verdict_of(*CLOSE)
    far = {"seeds": SeedStability(changes=0.4, repeats=None)}
    first = unsettled.comparisons[0]
    first = first.model_copy(update={"details": first.details.model_copy(update=far)})
    unsettled = unsettled.model_copy(update={"comparisons": (first,)})
    assert count.grow(unsettled) and count.now == 10
    assert not count.grow(unsettled) and count.now == 10
    noted = count.noted(unsettled).details.repeats
    assert noted is not None and noted.foretold == ((3, 0.4), (10, 0.4))
    assert noted.sentence.endswith("(here 40.0 % with 3, 40.0 % with 10; no more than 10 are run).")


@pytest.mark.parametrize("value", ["auto", "7", 7])
def test_a_number_or_auto_is_understood(value: Any) -> None:
    config = StudyConfig.from_settings({"data": "x", "contenders": PAIR, "repeats": value})
    assert config.repeats == ("auto" if value == "auto" else 7)
    assert StudyConfig.from_toml(config.to_toml()) == config


@pytest.mark.parametrize("value", [0, "0", "many", 1.5, True, None])
def test_anything_else_is_refused(value: Any) -> None:
    with pytest.raises(UsageError, match="expected auto or a whole number from 1"):
        StudyConfig.from_settings({"data": "x", "contenders": PAIR, "repeats": value})


class Killed(BaseException):
    """Stands for a kill; nothing catches it."""


def study(images: Path, out: Path, repeats: Any) -> ComparisonStudy:
    config = StudyConfig(
        data=str(images), contenders=PAIR, recipe="none", folds=2, repeats=repeats, n_boot=100
    )
    return ComparisonStudy(config, out, learning_curve=False)


def test_added_repeats_have_the_digits_of_a_stated_number_even_after_a_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = make_images(tmp_path / "scans", per_class=8)
    monkeypatch.setenv("HEADTOHEAD_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(module, "STEPS", (4,))
    near = SeedStability(changes=0.2, repeats=4)
    monkeypatch.setattr(module, "_first_seeds", lambda verdict: near)
    out, whole = tmp_path / "open", ProbeHead.fit_predict

    def dies_in_the_fourth(self: ProbeHead, job: Any, *given: Any, **named: Any) -> Any:
        if job.repeat == 3:
            raise Killed
        return whole(self, job, *given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(ProbeHead, "fit_predict", dies_in_the_fourth)
        with pytest.raises(Killed):
            study(images, out, "auto").run()
    assert pd.read_parquet(out / "predictions.parquet")["repeat"].nunique() == 3
    study(images, out, "auto").run()
    study(images, tmp_path / "stated", 4).run()
    verdicts = []
    for run in (out, tmp_path / "stated"):
        assert pd.read_parquet(run / "folds.parquet")["repeat"].nunique() == 4
        verdicts.append(json.loads((run / "verdict.json").read_text()))
    for name in ("predictions.parquet", "inner.parquet", "folds.parquet"):
        assert (out / name).read_bytes() == (tmp_path / "stated" / name).read_bytes()
    told = verdicts[0]["details"].pop("repeats")
    assert told["foretold"] == [[3, 0.2], [4, 0.2]] and "repeats" not in verdicts[1]["details"]
    assert verdicts[0] == verdicts[1]
    methods = (out / "checklist.json").read_text()
    assert "repeated 4 times" in methods and "Repeats are added to the first 3" in methods
    assert "4 × 2 grouped" in (out / "report.html").read_text()


def test_the_simulation_of_open_repeats_follows_the_rule_of_the_product(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3] / "benchmarks"))
    simulated: Any = importlib.import_module("verdict_stability")
    assert (simulated.FIRST, simulated.STEPS, simulated.SURE) == (FIRST, STEPS, STABLE)
    rng, seen = np.random.default_rng(0), set()
    for now in (FIRST, *STEPS):
        for _ in range(40):
            values = 0.05 + 0.02 * rng.normal(size=now)
            seeds = seed_stability(values.tolist(), 0.04, 1e9, alpha=0.05)
            monkeypatch.setattr(module, "_first_seeds", lambda verdict, seeds=seeds: seeds)
            count: Any = count_of()
            count.now = now
            count.grow(None)
            seen.add((now, count.now))
            assert simulated.grown(values.mean(), 0.04, values.std(ddof=1), now) == count.now
    assert len(seen) > 2 * len(STEPS)
