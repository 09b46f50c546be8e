"""The loss whose optimum is the probability at the class frequencies of the training part."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from headtohead.training.class_balance import BALANCES, Balance, ClassificationLoss
from headtohead.training.logistic import fit_probe

CPU = torch.device("cpu")
LABELS = np.repeat(np.arange(3, dtype=np.int64), [80, 15, 5])


def best_constant(balance: Balance, smoothing: float) -> np.ndarray:
    """Return the probabilities of the scores, the same for all lines, that minimise the loss."""
    loss = ClassificationLoss.from_labels(LABELS, 3, balance, smoothing, CPU)
    drawn = (
        LABELS if balance != "sampler" else np.repeat(np.arange(3), 40)
    )  # as often as the sampler draws them
    scores = torch.zeros(3, requires_grad=True)
    optimizer = torch.optim.LBFGS([scores], max_iter=200, tolerance_grad=1e-9)

    def step() -> torch.Tensor:
        optimizer.zero_grad()
        value = loss(scores.expand(len(drawn), 3), torch.from_numpy(drawn))
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(step)  # type: ignore[no-untyped-call]
    return torch.softmax(scores.detach(), dim=0).numpy()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("balance", BALANCES)
def test_without_knowledge_the_answer_is_the_class_frequencies(balance: Balance, smoothing: float) -> None:
    np.testing.assert_allclose(best_constant(balance, smoothing), [0.8, 0.15, 0.05], atol=2e-3)


def test_smoothing_towards_equal_classes_would_miss_them() -> None:
    """The planted defect: torch's own smoothing moves the mean probability of the rarest class from 0.05 to 0.08."""
    scores = torch.zeros(3, requires_grad=True)
    optimizer = torch.optim.LBFGS([scores], max_iter=200)

    def step() -> torch.Tensor:
        optimizer.zero_grad()
        value = functional.cross_entropy(
            scores.expand(len(LABELS), 3), torch.from_numpy(LABELS), label_smoothing=0.1
        )
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(step)  # type: ignore[no-untyped-call]
    assert torch.softmax(scores.detach(), dim=0)[2] == pytest.approx(0.9 * 0.05 + 0.1 / 3, abs=2e-3)


def test_equal_classes_give_the_cross_entropy_of_torch() -> None:
    labels = np.arange(60, dtype=np.int64) % 3
    scores = torch.from_numpy(np.random.default_rng(0).normal(size=(60, 3)))
    wanted = functional.cross_entropy(scores, torch.from_numpy(labels), label_smoothing=0.1)
    for balance in BALANCES:
        loss = ClassificationLoss.from_labels(labels, 3, balance, 0.1, CPU)
        assert float(loss(scores, torch.from_numpy(labels))) == pytest.approx(float(wanted), rel=1e-6)


def test_a_class_that_the_part_lacks_keeps_the_loss_finite() -> None:
    labels = np.zeros(8, dtype=np.int64)
    for balance in BALANCES:
        loss = ClassificationLoss.from_labels(labels, 2, balance, 0.1, CPU)
        assert torch.isfinite(loss(torch.zeros(8, 2), torch.from_numpy(labels)))


def test_settled_scores_have_the_class_frequencies_as_their_mean() -> None:
    loss = ClassificationLoss.from_labels(LABELS, 3, "none", 0.0, CPU)
    scores = torch.from_numpy(np.random.default_rng(0).normal(size=(100, 3)))
    mean = torch.softmax(scores + loss.settle(scores), dim=1).mean(dim=0)
    np.testing.assert_allclose(mean, [0.8, 0.15, 0.05], atol=1e-6)


def test_scores_that_give_a_class_to_nobody_are_settled_with_finite_numbers() -> None:
    """A network that one epoch drove far out: exp(-5000) is 0 as a number, and its logarithm has no value."""
    loss = ClassificationLoss.from_labels(LABELS, 3, "none", 0.0, CPU)
    scores = torch.tensor([[5000.0, 0.0, -5000.0]], dtype=torch.float64).repeat(50, 1)
    shift = loss.settle(scores)
    assert torch.isfinite(shift).all()
    np.testing.assert_allclose(torch.softmax(scores + shift, dim=1).mean(dim=0), [0.8, 0.15, 0.05], atol=1e-6)


@pytest.mark.parametrize("k", [2, 3])
def test_a_balanced_probe_is_scikit_learns_shifted_to_the_frequencies(k: int) -> None:
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(1)
    labels = np.repeat(np.arange(k), [120, 20, 10][:k]).astype(np.int64)
    rows = rng.normal(size=(len(labels), 6))
    rows[:, :k] += np.eye(k)[labels]
    standard = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    reference = LogisticRegression(C=0.1, class_weight="balanced", max_iter=20000, tol=1e-10)
    balanced = reference.fit(standard, labels).predict_proba(standard)
    odds = balanced * (np.bincount(labels) / len(labels))
    ours = fit_probe(rows, labels, 0.1, balanced=True).predict_proba(rows)
    np.testing.assert_allclose(ours, odds / odds.sum(axis=1, keepdims=True), atol=2e-4)


def test_a_class_of_one_image_weighs_as_much_as_the_others_together() -> None:
    labels = np.repeat(np.arange(2, dtype=np.int64), [9, 1])
    loss = ClassificationLoss.from_labels(labels, 2, "loss", 0.0, CPU)
    assert loss.weights is not None
    np.testing.assert_allclose(loss.weights.numpy(), [10 / 18, 10 / 2], rtol=1e-6)
    none = ClassificationLoss.from_labels(labels, 3, "loss", 0.0, CPU)
    assert none.weights is not None and none.weights[2] == 0 and none.weights[1] == pytest.approx(10 / 3)
