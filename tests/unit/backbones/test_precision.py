"""The check of a fast arithmetic: figures by hand, and what makes it fail."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from headtohead.backbones.features.precision import check_precision, dtype_of, fast_precision, pick_device
from headtohead.core.errors import UsageError

ROWS = np.random.default_rng(1).normal(size=(8, 20)).astype(np.float32)


def test_figures_by_hand() -> None:
    reference = np.array([[3.0, 4.0], [0.0, 10.0], [6.0, 8.0]], np.float32)
    fast = reference + np.array([[0.3, 0.4], [0.0, 0.0], [0.0, 0.0]], np.float32)
    found = check_precision(reference, fast)
    assert found.relative_error == pytest.approx(0.1)  # 0.5 / 5
    # the error (0.3, 0.4) in one row of three leaves 2/3 and -1/3, -1/3 of it once its mean is taken off
    spread = np.sqrt(((reference - reference.mean(0)) ** 2).sum())
    assert found.centred_error == pytest.approx(0.5 * np.sqrt(4 / 9 + 1 / 9 + 1 / 9) / spread)
    assert found.neighbours == 1.0
    assert not found.holds  # 0.1 is beyond the tolerance


def test_rounding_to_bf16_holds_and_noise_does_not() -> None:
    rounded = torch.from_numpy(ROWS).bfloat16().float().numpy()
    assert check_precision(ROWS, rounded).holds
    noise = np.random.default_rng(2).normal(size=ROWS.shape).astype(np.float32)
    assert not check_precision(ROWS, ROWS + 0.3 * noise).holds


def test_small_error_that_swaps_neighbours_is_caught() -> None:
    rows = 1000 + ROWS  # all images alike: 0.1 % of error is larger than what tells them apart
    shuffled = 1000 + ROWS[::-1] * np.float32(-1)
    found = check_precision(rows, shuffled)
    assert found.relative_error is not None
    assert found.relative_error < 0.01
    assert not found.holds


def test_a_shift_common_to_all_images_is_no_loss_of_difference() -> None:
    found = check_precision(ROWS, ROWS + np.float32(0.01))
    assert found.centred_error == pytest.approx(0.0, abs=1e-6)
    assert found.flips == 0.0 and found.holds


def test_a_large_common_part_hides_no_loss_of_difference() -> None:
    """The relative error is tiny, neighbours agree, and still most of the differences between images are lost."""
    rows = 1000 + ROWS
    faded = 1000 + np.float32(0.5) * ROWS
    found = check_precision(rows, faded)
    assert found.relative_error is not None and found.relative_error < 0.01
    assert found.neighbours == 1.0 and found.centred_error == pytest.approx(0.5, rel=1e-3)
    assert not found.holds and "of the differences between images" in str(found)


def test_answers_of_a_probe_that_flip_are_counted() -> None:
    swapped = ROWS[[1, 0, *range(2, 8)]]
    found = check_precision(ROWS, swapped)
    assert found.flips == pytest.approx(4 / 64)  # two images, each asked by its own probe and by the other's


def test_another_runtime_in_fp32_must_be_all_but_equal() -> None:
    found = check_precision(ROWS, ROWS * np.float32(1.01))
    assert found.holds and not found.holds_for("fp32")
    assert check_precision(ROWS, ROWS * np.float32(1.00001)).holds_for("fp32")


def test_overflow_is_caught() -> None:
    broken = ROWS.copy()
    broken[2, 3] = np.inf
    found = check_precision(ROWS, broken)
    assert not found.holds
    assert "not finite" in str(found)


def test_devices() -> None:
    assert pick_device("cpu").type == "cpu"
    with pytest.raises(UsageError, match="Unknown device"):
        pick_device("gpu")
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="available"):
            pick_device("cuda")


def test_precisions() -> None:
    assert fast_precision(torch.device("cpu")) in ("bf16", "fp32")
    assert dtype_of("bf16") is torch.bfloat16
    with pytest.raises(UsageError, match="fp32"):
        dtype_of("int8")  # type: ignore[arg-type]
