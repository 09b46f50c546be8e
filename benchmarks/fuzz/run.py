"""Throw damaged inputs at everything that data from others reaches; only explained errors may come out.

    python -m benchmarks.fuzz.run --inputs 200000 [--seed 0] [--start 0] [--only tables]

Input number i of a seed is always the same, so a run that was stopped goes on with `--start`, and a failure is shown
again with `--start i --inputs 1`. The work runs in child processes; an input may take 10 s of the processor (60 s of
the clock, so that a busy machine does not look like a hang), and a process 2 GB. Damaged images have a run of their
own: `benchmarks/fuzz_readers.py`.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.fuzz.targets import TARGETS

from headtohead.core.errors import HeadToHeadError

MAX_SECONDS = 10  # of the processor
MAX_WAIT = 60  # s of the clock
MAX_MEMORY = 2 << 30
AT_ONCE = 2000  # inputs of one child, so that what a library keeps does not add up over a run


class TooSlowError(BaseException):
    """An input took longer than it may."""


def one(number: int, seed: int, folder: Path, only: str = "") -> tuple[str, str]:
    """Run one input; return the target's name and "accepted", "refused", or what went wrong."""
    rng = np.random.default_rng((seed, number))
    names = [name for name in TARGETS if name.startswith(only)]
    weights = np.array([TARGETS[name][1] for name in names], float)
    name = names[int(rng.choice(len(names), p=weights / weights.sum()))]
    place = folder / name.replace(" ", "-")
    place.mkdir(exist_ok=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            TARGETS[name][0](rng, place)
    except HeadToHeadError:
        return name, "refused"
    except (Exception, TooSlowError) as error:  # noqa: BLE001 - what is looked for
        where = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in where if "headtohead" in frame.filename] or list(where)
        told = " ".join(str(error).split())[:160]
        return name, f"{type(error).__name__} in {Path(own[-1].filename).name}:{own[-1].lineno}: {told}"
    return name, "accepted"


def work(start: int, stop: int, seed: int, only: str, answer: Any) -> None:
    """Run inputs start .. stop - 1 and put the counts and the failures into the queue."""
    # Not in an input's time: a busy machine takes long over these, and a half import breaks every later input.
    import timm  # noqa: F401
    import transformers  # noqa: F401

    signal.signal(signal.SIGALRM, _too_slow)
    signal.signal(signal.SIGPROF, _too_slow)
    tally: Counter[tuple[str, str]] = Counter()
    failures: list[tuple[int, str, str]] = []
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    try:
        for number in range(start, stop):
            signal.alarm(MAX_WAIT)
            signal.setitimer(signal.ITIMER_PROF, MAX_SECONDS)
            name, outcome = one(number, seed, folder, only)
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.alarm(0)
            if outcome not in ("accepted", "refused"):
                failures.append((number, name, outcome))
                outcome = "failed"
            tally[name, outcome] += 1
            answer.put(("at", number))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if peak > MAX_MEMORY:
        failures.append((stop - 1, "memory", f"the process took {peak:,} bytes"))
    answer.put(("done", (tally, failures, peak)))


def _too_slow(*_: object) -> None:
    raise TooSlowError(f"longer than {MAX_SECONDS} s of the processor, or {MAX_WAIT} s of the clock")


def run(
    start: int, stop: int, seed: int, only: str
) -> tuple[Counter[tuple[str, str]], list[tuple[int, str, str]], int]:
    """Run inputs in one child after the other; a child that dies is a failure of the input that it was at."""
    tally: Counter[tuple[str, str]] = Counter()
    failures: list[tuple[int, str, str]] = []
    most, first = 0, start
    while first < stop:
        last, at = min(first + AT_ONCE, stop), first
        answer: Any = multiprocessing.Queue()
        child = multiprocessing.Process(target=work, args=(first, last, seed, only, answer))
        child.start()
        while True:
            try:
                kind, value = answer.get(timeout=3 * MAX_WAIT)
            except Exception:  # noqa: BLE001 - the queue is empty: the child hangs in C or has died
                child.kill()
                failures.append((at, "process", f"died or hung (exit code {child.exitcode})"))
                last = at + 2
                break
            if kind == "at":
                at = value
                continue
            counts, wrong, peak = value
            tally, failures, most = tally + counts, failures + wrong, max(most, peak)
            break
        child.join()
        first = last
    return tally, failures, most


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--inputs", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--only", default="", help="only targets whose names begin so")
    options = parser.parse_args()
    before = time.perf_counter()
    tally, failures, most = run(options.start, options.start + options.inputs, options.seed, options.only)
    print(
        f"{sum(tally.values()):,} inputs (seed {options.seed}, from {options.start:,}) in "
        f"{time.perf_counter() - before:.0f} s, peak {most / (1 << 20):,.0f} MiB, {len(failures)} failures"
    )
    for name in TARGETS:
        counts = {what: tally[name, what] for what in ("accepted", "refused", "failed")}
        print(f"{name:>14}: " + ", ".join(f"{count:,} {what}" for what, count in counts.items()))
    kinds: dict[str, list[int]] = {}
    for number, name, what in failures:
        kinds.setdefault(f"{name}: {what}", []).append(number)
    for kind, numbers in sorted(kinds.items(), key=lambda item: -len(item[1])):
        print(f"FAILED {len(numbers)} times, first at {numbers[0]}: {kind}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
