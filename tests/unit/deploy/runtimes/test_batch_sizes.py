"""Batches of any size reach the runtime as powers of two, and the answers are joined in order."""

from __future__ import annotations

import numpy as np
import pytest

from headtohead.deploy.runtimes.batch_sizes import FewBatchSizes, sizes_up_to


class Recorder:
    """Answers with the first number of each image; remembers the sizes of its batches."""

    name = "recorder"

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def forward(self, *inputs: np.ndarray) -> np.ndarray:
        return self.forward_features(*inputs)[0]

    def forward_features(self, *inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        assert len({len(batch) for batch in inputs}) == 1
        self.sizes.append(len(inputs[0]))
        first = np.stack([batch.reshape(len(batch), -1)[:, 0] for batch in inputs], axis=1)
        return first, first * 2


@pytest.mark.parametrize("n", [1, 5, 13, 16, 31])
def test_any_batch_becomes_powers_of_two(n: int) -> None:
    inner = Recorder()
    inputs = [np.arange(n * 12, dtype=np.float32).reshape(n, 3, 2, 2) + k for k in range(2)]
    logits, rows = FewBatchSizes(inner).forward_features(*inputs)
    np.testing.assert_array_equal(logits, np.stack([batch[:, 0, 0, 0] for batch in inputs], axis=1))
    np.testing.assert_array_equal(rows, 2 * logits)
    assert sum(inner.sizes) == n and set(inner.sizes) <= set(sizes_up_to(n))
