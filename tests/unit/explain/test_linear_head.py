"""The log-odds of one class as a linear function of scores, against softmax; heads in units of raw features."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp, softmax

from headtohead.explain.linear_head import LinearHead, target_log_odds
from headtohead.training.logistic import fit_probe
from headtohead.training.network.classifier import Classifier


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-30, 30), min_size=2, max_size=6), st.integers(0, 5))
def test_log_odds_are_those_of_softmax(scores: list[float], target: int) -> None:
    values, target = np.array(scores), target % len(scores)
    mixing, constant, found = target_log_odds(values, target)
    expected = values[target] - logsumexp(np.delete(values, target))
    assert found == pytest.approx(expected, abs=1e-9)
    assert mixing @ values + constant == pytest.approx(found, abs=1e-9)
    p = softmax(values)[target]
    if 1e-9 < p < 1 - 1e-6:
        assert found == pytest.approx(np.log(p / (1 - p)), rel=1e-6, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-30, 30), min_size=3, max_size=6))
def test_the_shares_are_a_mean_over_the_other_classes(scores: list[float]) -> None:
    mixing, constant, _ = target_log_odds(np.array(scores), 0)
    assert mixing[0] == 1.0 and (mixing[1:] <= 0).all()
    assert mixing[1:].sum() == pytest.approx(-1)
    assert -np.log(len(scores) - 1) - 1e-12 <= constant <= 1e-12, "an entropy, with its sign reversed"


def test_one_score_is_the_log_odds_of_the_last_of_two_classes() -> None:
    for target, sign in ((1, 1.0), (0, -1.0)):
        mixing, constant, found = target_log_odds(np.array([0.7]), target)
        assert (mixing.tolist(), constant, found) == ([sign], 0.0, sign * 0.7)


def test_scores_that_would_overflow_have_finite_log_odds() -> None:
    mixing, constant, found = target_log_odds(np.array([2000.0, -2000.0, 1999.0]), 1)
    assert np.isfinite([*mixing, constant, found]).all()
    assert found == pytest.approx(-4000 - np.log1p(np.exp(-1)), rel=1e-12)


@pytest.mark.parametrize("k", [2, 3])
def test_a_probe_gives_its_own_probabilities(k: int) -> None:
    rng = np.random.default_rng(k)
    rows = rng.normal(3.0, [0.1, 5.0, 1.0, 20.0], (30, 4))
    probe = fit_probe(rows, np.arange(30) % k, 0.5)
    head = LinearHead.from_probe(probe)
    assert head.n_classes == k
    scores = head.scores(rows)
    expected = probe.predict_proba(rows)
    found = softmax(np.hstack([np.zeros((30, 1)), scores]) if k == 2 else scores, axis=1)
    assert np.allclose(found, expected, atol=1e-9)
    assert np.allclose(head.scores(head.mean[None]), head.bias), (
        "the average image has the bias for its scores"
    )


@pytest.mark.parametrize("k", [2, 4])
def test_a_fine_tuned_layer_gives_its_own_log_odds(k: int) -> None:
    net = Classifier.__new__(Classifier)
    torch.nn.Module.__init__(net)
    generator = torch.Generator().manual_seed(k)
    net.linear = torch.nn.Linear(5, k)
    with torch.no_grad():
        net.linear.weight.copy_(torch.randn(k, 5, generator=generator))
        net.linear.bias.copy_(torch.randn(k, generator=generator))
    net.register_buffer("mean", torch.randn(5, generator=generator))
    net.register_buffer("scale", torch.rand(5, generator=generator) + 0.5)
    head = LinearHead.from_classifier(net)
    rows = torch.randn(7, 5, generator=generator)
    logits = net.linear((rows - net.mean) / net.scale).detach().double().numpy()
    found = head.scores(rows.numpy())
    expected = logits[:, 1:] - logits[:, :1] if k == 2 else logits
    assert head.n_classes == k and np.allclose(found, expected, atol=1e-5)
