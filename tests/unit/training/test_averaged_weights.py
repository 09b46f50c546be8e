"""The moving average of weights against its definition, and that the weights come back."""

from __future__ import annotations

import pytest
import torch

from headtohead.training.averaged_weights import AveragedWeights


def test_the_average_follows_and_forgets_the_start() -> None:
    weights = torch.tensor([1.0, 2.0])
    average = AveragedWeights([weights], 0.9)
    expected = weights.clone()
    for step in range(1, 200):
        weights += 0.1
        average.follow(step)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * weights
        (values,) = average.of(weights)
        torch.testing.assert_close(values, expected)
    assert float((weights - values).max()) == pytest.approx(0.1 * 0.9 / (1 - 0.9), rel=0.01)  # lag of a ramp


def test_applied_averages_are_taken_back_after_an_error_too() -> None:
    weights = torch.ones(2)
    average = AveragedWeights([weights], 0.5)
    weights += 1
    with pytest.raises(KeyError), average.applied():
        assert torch.equal(weights, torch.ones(2))
        raise KeyError
    assert torch.equal(weights, torch.full((2,), 2.0))


def test_without_a_decay_nothing_is_averaged() -> None:
    weights = torch.ones(2)
    average = AveragedWeights([weights], None)
    average.follow(1)
    with average.applied():
        assert torch.equal(weights, torch.ones(2))
    assert average.values is None and average.of(weights) == []
    average.restore([torch.zeros(2)], torch.device("cpu"))
    assert torch.equal(average.of(weights)[0], torch.zeros(2))


def test_parameters_that_learn_get_their_averages_too_and_still_have_gradients() -> None:
    """As `train` and `explain` ask for them, outside of any `no_grad`."""
    weights = torch.nn.Parameter(torch.ones(2))
    average = AveragedWeights([weights], 0.5)
    with torch.no_grad():
        weights.add_(2)
    with average.applied():
        assert torch.equal(weights.detach(), torch.ones(2))
        weights.square().sum().backward()  # type: ignore[no-untyped-call]
    assert torch.equal(weights.detach(), torch.full((2,), 3.0)) and weights.requires_grad
    assert weights.grad is not None and torch.equal(weights.grad, torch.full((2,), 2.0))
