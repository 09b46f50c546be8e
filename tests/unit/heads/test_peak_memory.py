"""The mark of the largest memory rises with what is held after it was set, and falls when it is set again."""

from __future__ import annotations

import numpy as np
import pytest

from headtohead.heads.peak_memory import peak_mib, reset_peak

MIB = 64


def test_the_mark_rises_with_what_was_held_and_is_set_back() -> None:
    if not reset_peak():
        pytest.skip("this system does not tell the largest memory of a process")
    before = peak_mib()
    held = np.ones(MIB * 2**17)  # 8 bytes each
    after = peak_mib()
    assert before is not None and after is not None and after - before > 0.9 * held.nbytes / 2**20
    del held
    assert reset_peak()
    assert (peak_mib() or 0) < after - 0.5 * MIB
