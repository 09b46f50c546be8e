"""Which values of a grid are tried under a budget, and what is written down of the time of trials."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headtohead.core.config import Budget
from headtohead.training.tuning.trial_budget import TrialBudget, subsample_grid

GRID = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


@given(st.integers(1, 5))
def test_fewer_trials_take_values_of_the_grid_with_both_ends(trials: int) -> None:
    found = subsample_grid(GRID, trials)
    assert len(found) == len(set(found)) == trials and set(found) <= set(GRID)
    assert found == tuple(sorted(found))
    if trials > 1:
        assert (found[0], found[-1]) == (GRID[0], GRID[-1])
    else:
        assert found == (1e-2,)


@given(st.integers(6, 40))
def test_more_trials_divide_the_range_in_equal_ratios(trials: int) -> None:
    found = subsample_grid(GRID, trials)
    assert len(found) == trials and found[0] == pytest.approx(1e-4) and found[-1] == pytest.approx(1.0)
    ratios = [b / a for a, b in itertools.pairwise(found)]
    assert ratios == pytest.approx([ratios[0]] * len(ratios))


def test_without_a_number_the_grid_is_as_it_is() -> None:
    assert subsample_grid(GRID, None) is GRID and subsample_grid(GRID, 5) is GRID


def test_counted_trials_write_nothing(tmp_path: Path) -> None:
    purse = TrialBudget(Budget(trials=2), 1, tmp_path)
    purse.record_spent(0, time.perf_counter(), 100.0)
    assert [purse.can_start(done) for done in range(4)] == [True, True, False, False]
    assert not list(tmp_path.iterdir())


def test_time_counts_from_before_a_kill_too_and_each_trial_once(tmp_path: Path) -> None:
    purse = TrialBudget(Budget(minutes=60), 1, tmp_path)
    purse.record_spent(0, time.perf_counter() - 2.0, 40.0)
    purse.record_spent(0, time.perf_counter(), 500.0)  # the same trial, told again
    purse.record_spent(2, time.perf_counter(), 500.0)  # not the next one
    kept = json.loads((tmp_path / "purse.json").read_text())
    assert kept["seconds"] == [pytest.approx(42.0, abs=0.5)] and kept["closed"] is False


def test_a_purse_that_was_shut_stays_shut(tmp_path: Path) -> None:
    purse = TrialBudget(Budget(minutes=1), 1, tmp_path)
    purse.record_spent(0, time.perf_counter(), 50.0)
    assert purse.can_start(0) and not purse.can_start(1)
    again = TrialBudget(Budget(minutes=600), 1, tmp_path)
    assert again.can_start(0) and not again.can_start(1), "what was written down is replayed"


def test_room_is_left_for_the_final_training_which_takes_a_quarter_longer(tmp_path: Path) -> None:
    """Of 60 s: trials of 18.4 s leave 41.6 for another and 1.25 of one (41.4); trials of 18.5 s do not (41.625)."""
    for number, (seconds, goes_on) in enumerate([(18.4, True), (18.5, False)]):
        purse = TrialBudget(Budget(minutes=1), 1, tmp_path / str(number))
        purse._seconds.append(seconds)
        assert purse.can_start(1) is goes_on


def test_no_cells_are_one(tmp_path: Path) -> None:
    purse = TrialBudget(Budget(minutes=1), 0, tmp_path)
    purse._seconds.append(5.0)
    assert purse.can_start(1)
