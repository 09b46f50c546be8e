"""The mark of the largest memory rises with what is held after it was set, and falls when it is set again."""

from __future__ import annotations

import subprocess
import sys

import pytest

MIB = 64
# In a process of its own: a long test process has freed memory that new arrays fill without any growth.
SCRIPT = f"""
import numpy as np
from headtohead.heads.peak_memory import peak_mib, reset_peak
if not reset_peak():
    print("unknown")
else:
    before = peak_mib()
    held = np.ones({MIB} * 2**17)
    after = peak_mib()
    del held
    print(before, after, reset_peak(), peak_mib())
"""


def test_the_mark_rises_with_what_was_held_and_is_set_back() -> None:
    printed = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    ).stdout.split()
    if printed == ["unknown"]:
        pytest.skip("this system does not tell the largest memory of a process")
    before, after, reset, later = printed
    assert float(after) - float(before) > 0.9 * MIB
    assert reset == "True"
    assert float(later) < float(after) - 0.5 * MIB
