"""The content of reproduce.json: counts, intervals on paired resamples, words, and the verdict that follows."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from headtohead.core.config import ReproductionConfig
from headtohead.core.records import Verdict
from headtohead.data.dataset import Dataset
from headtohead.studies.reproduction.protocol import ARMS, CORRECTIONS, NetworkPair
from headtohead.studies.reproduction.runner import ScoredImages
from headtohead.studies.reproduction.summary import predictions_frame, reproduction_verdict, summarise

N = 40
LABELS = [i % 2 for i in range(N)]
NETWORKS: Any = NetworkPair(SimpleNamespace(name="lite"), SimpleNamespace(name="dino"), False)  # type: ignore[arg-type]
Scored = dict[Any, ScoredImages]


def scored(right: Any, indices: Any = None, draws: Any = None) -> ScoredImages:
    """Return predictions that are right where `right` says so."""
    hits = np.asarray(right, bool)
    where = np.arange(N) if indices is None else np.asarray(indices)
    truth = np.asarray(LABELS)[where]
    rows = np.full((len(where), 2), 0.25)
    rows[np.arange(len(where)), np.where(hits, truth, 1 - truth)] = 0.75
    return ScoredImages(where, np.zeros(len(where), int) if draws is None else np.asarray(draws), rows, hits)


def content_of(data: Dataset, lines: Scored, **settings: Any) -> dict[str, Any]:
    config = ReproductionConfig(data="x", n_boot=400, **settings)
    return summarise(data, NETWORKS, lines, {key: 0.25 if key[1] == "cnn" else 0.5 for key in lines}, config)


def states(cnn: Any, vit: Any) -> Scored:
    return {(step.name, arm): cnn if arm == "cnn" else vit for step in CORRECTIONS for arm in ARMS}


def test_counts_and_draws_are_told_by_state_and_arm(samples: Callable[..., Dataset]) -> None:
    data = samples(LABELS, [f"g{i // 2}" for i in range(N)])
    cnn = scored([True] * 6 + [False, True], [0, 1, 2, 3, 0, 1, 2, 3], [0, 0, 0, 0, 1, 1, 1, 1])
    found = content_of(data, states(cnn, scored([True] * N)))
    state = found["steps"][0]["cnn"]
    assert (state["n_samples"], state["n_groups"], state["n_draws"]) == (4, 2, 2)
    assert state["value"] == 7 / 8 and (state["lowest_draw"], state["highest_draw"]) == (0.75, 1.0)
    assert state["copies_in_training"] == 0.25 and found["steps"][0]["vit"]["copies_in_training"] == 0.5
    assert (found["images"], found["groups"], found["level"]) == (N, N // 2, 0.95)
    assert found["title"] == "The published study taken apart: lite and dino"
    assert found["networks"] == {"cnn": "lite", "vit": "dino", "stand_in": False}


def test_a_difference_of_the_same_answers_is_zero_in_every_resample(samples: Callable[..., Dataset]) -> None:
    rng = np.random.default_rng(0)
    same = scored(rng.random(N) < 0.7)
    found = content_of(samples(LABELS), states(same, same))
    for step in found["steps"]:
        gap = step["difference"]
        assert (gap["value"], gap["low"], gap["high"]) == (0, 0, 0)
    assert found["steps"][0]["effect"] is None
    effect = found["steps"][3]["effect"]
    assert [(effect[w]["value"], effect[w]["low"], effect[w]["high"]) for w in effect] == [(0, 0, 0)] * 3


def test_intervals_are_percentiles_of_resampled_groups(samples: Callable[..., Dataset]) -> None:
    right = np.arange(N) % 4 != 0
    found = content_of(samples(LABELS), states(scored(right), scored(right)))["steps"][-1]["cnn"]
    rng = np.random.default_rng(1)
    means = [right[rng.integers(0, N, N)].mean() for _ in range(20_000)]
    np.testing.assert_allclose([found["low"], found["high"]], np.quantile(means, [0.025, 0.975]), atol=0.03)
    assert found["value"] == 0.75


@pytest.mark.parametrize("winner", ["vit", "cnn", None])
def test_the_verdict_refuses_flawed_states_and_decides_by_the_interval(
    winner: str | None, samples: Callable[..., Dataset]
) -> None:
    high, low = scored([True] * N), scored(np.arange(N) % 2 == 0)
    pair = {"vit": (low, high), "cnn": (high, low), None: (high, high)}[winner]
    content = content_of(samples(LABELS), states(*pair))
    found: Verdict = reproduction_verdict(content, NETWORKS, "yes")
    words = [one.verdict for one in found.comparisons]
    assert words[:3] == ["refused"] * 3, "copies, a peek, or different images"
    assert words[3:] == (["no_evidence"] if winner is None else ["better"]) * 4
    last = found.comparisons[-1]
    name = {"vit": "dino", "cnn": "lite", None: None}[winner]
    assert last.winner == (None if name is None else f"every image scored: {name}")
    assert (last.a, last.b) == ("every image scored: dino", "every image scored: lite")
    sign = {"vit": 0.5, "cnn": -0.5, None: 0.0}[winner]
    assert last.difference == pytest.approx(sign)
    assert last.sentence.startswith(
        f"every image scored: dino - every image scored: lite: {sign:+.3f} [".replace("0.000 [", "0.000 [")
    )
    ending = "no evidence of a difference." if name is None else f"every image scored: {name} is better."
    assert last.sentence.endswith(ending)
    refused = found.comparisons[0]
    assert refused.winner is None and refused.sentence.endswith(
        "no verdict, since this state of the protocol does not allow one."
    )
    assert (found.metric, found.positive, len(found.scores)) == ("accuracy", "yes", 14)
    assert found.sentence == content["sentences"][0] and found.caveats == tuple(content["shortened"])


def test_closing_sentences_say_what_is_supported_and_what_is_not(samples: Callable[..., Dataset]) -> None:
    better, worse = scored([True] * N), scored(np.arange(N) % 2 == 0)
    supports, against = content_of(samples(LABELS), states(worse, better))["sentences"]
    assert f"each of the {N} images scored, lite is right in 0.500 [" in supports
    assert "dino in 1.000 [1.000, 1.000]" in supports and supports.endswith(
        "so dino is the better of the two here."
    )
    assert (
        "35 of 36 [0.86, 1.00] and 43 of 50 [0.74, 0.93]" in against
        and "+0 and the transformer by +0" in against
    )
    even = content_of(samples(LABELS), states(better, better))["sentences"][0]
    assert even.endswith("so there is no evidence of a difference between them.")
    turned = content_of(samples(LABELS), states(better, worse))["sentences"][0]
    assert "a difference of -0.500 [" in turned and turned.endswith("so lite is the better of the two here.")


def test_predictions_are_one_line_per_state_network_draw_and_image(samples: Callable[..., Dataset]) -> None:
    data = samples(LABELS, [f"g{i // 2}" for i in range(N)])
    lines = {
        ("as published", "cnn"): scored([True, False], [3, 5], [0, 1]),
        ("as published", "vit"): scored([True], [7]),
    }
    found = predictions_frame(data, NETWORKS, lines)  # type: ignore[arg-type]
    assert found.to_dict("list") == {
        "sample": ["s003", "s005", "s007"], "group": ["g1", "g2", "g3"], "repeat": [0, 1, 0], "fold": [0, 0, 0],
        "contender": ["as published: lite", "as published: lite", "as published: dino"],
        "label": ["yes", "yes", "yes"], "prob_no": [0.25, 0.75, 0.25], "prob_yes": [0.75, 0.25, 0.75],
    }  # fmt: skip


def test_a_resample_without_any_scored_image_is_no_error(samples: Callable[..., Dataset]) -> None:
    """A fifth of twelve images: in one of nine resamples of groups none of the two scored ones is drawn."""
    labels = LABELS[:12]
    few = scored([True, False], [0, 1])
    found = content_of(samples(labels), states(few, few))
    state = found["steps"][0]["cnn"]
    assert np.isfinite([state["low"], state["high"], state["value"]]).all()
    assert 0 <= state["low"] <= state["high"] <= 1
