"""Memory that threads claim together, and time that one block may take."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from headtohead.core.safety.bounded_work import SMALL, MemoryGate, TookTooLongError, time_limit
from headtohead.core.safety.limits import ENVIRONMENT

MIB = 1 << 20


def test_claims_fit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, f"memory-bytes={100 * MIB}")
    gate, most, lock = MemoryGate(), [0], threading.Lock()

    def job(n_bytes: int) -> None:
        with gate.scope():
            gate.claim(n_bytes // 2)
            gate.claim(n_bytes)
            with lock:
                most[0] = max(most[0], gate.used)
            time.sleep(0.002)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(job, [20 * MIB, 60 * MIB, 95 * MIB, 400 * MIB] * 10))
    assert 0 < most[0] <= 100 * MIB
    assert gate.used == 0


def test_a_claim_larger_than_all_passes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT, f"memory-bytes={50 * MIB}")
    gate = MemoryGate()
    with gate.scope():
        gate.claim(500 * MIB)
        assert gate.used == 50 * MIB
        with gate.scope():
            gate.claim(SMALL)
        assert gate.used == 50 * MIB
    assert gate.used == 0


def test_outside_of_a_scope_and_small_nothing_is_counted() -> None:
    gate = MemoryGate()
    gate.claim(900 * MIB)
    with gate.scope():
        gate.claim(SMALL)
        assert gate.used == 0


def test_what_is_claimed_comes_back_after_an_error() -> None:
    gate = MemoryGate()
    with pytest.raises(KeyError), gate.scope():
        gate.claim(20 * MIB)
        raise KeyError
    assert gate.used == 0


def test_a_loop_is_stopped_also_in_a_thread() -> None:
    def endless() -> bool:
        try:
            with time_limit(0.05) as clock:
                while True:
                    pass
        except TookTooLongError:
            return clock.expired

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(endless).result(timeout=60)


def test_a_block_in_time_is_left_alone() -> None:
    with time_limit(600) as clock:
        pass
    time.sleep(0.01)
    assert not clock.expired
