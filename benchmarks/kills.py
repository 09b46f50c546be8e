"""Kill a running comparison for good again and again, and go on with it: the digits must be those of a run left alone.

    python benchmarks/kills.py --kills 20 [--images 60] [--seed 0] [--keep FOLDER]

One run is left alone and timed stage by stage. Then runs of the same command, each with an empty cache of its own, get
SIGKILL (with all their children) at a random moment of a random stage; after three kills a run may end, and its
predictions, scores and verdict must be the same bytes, with no file left behind. A run that ended before its kill is
not counted. Exit status 1 at the first difference.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

CONTENDERS = "efficientnet-lite0,scratch:test_efficientnet@finetune"  # frozen features and a training
KILLS_OF_ONE = 3  # one after another on the same folder, so that what a kill left is met by a kill
SAME = ("predictions.parquet", "scores.json", "verdict.json")


@dataclass
class Job:
    """One call of the command, in a session of its own so that its children die with it."""

    images: Path
    folder: Path
    contenders: str
    stages: list[float] = field(default_factory=list)

    def start(self) -> None:
        """Start, and note when each line of stderr comes."""
        command = [
            sys.executable, "-m", "headtohead", "compare", str(self.images), "-c", self.contenders,
            "--out", str(self.folder / "run"), "--folds", "3", "--repeats", "1", "--epochs", "1",
        ]  # fmt: skip
        home = {**os.environ, "HEADTOHEAD_HOME": str(self.folder / "cache")}
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            command,
            env=home,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.said: list[str] = []
        self.listener = threading.Thread(target=self._listen)
        self.listener.start()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.stages.append(time.monotonic() - self.began)
            self.said.append(line)

    def wait(self) -> int:
        """Return the exit status, negative for a signal."""
        status = self.process.wait()
        self.listener.join()
        return status

    def kill_in(self, stage: int, seconds: float) -> bool:
        """Kill once `stage` lines were said and these seconds have gone by; False where it ended before."""
        while len(self.stages) < stage and self.process.poll() is None:
            time.sleep(0.01)
        time.sleep(seconds)
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        return self.wait() == -signal.SIGKILL


def files(folder: Path) -> set[str]:
    """Return the names of all files of a run and its cache."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--contenders", default=CONTENDERS)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rng = random.Random(given.seed)
    from headtohead.data.demo import make_demo

    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        make_demo(place / "images", n=given.images, seed=given.seed)
        whole = Job(place / "images", place / "whole", given.contenders)
        whole.start()
        if whole.wait() != 0:
            print("".join(whole.said), file=sys.stderr)
            return 1
        seconds = time.monotonic() - whole.began
        ends = [*whole.stages[1:], seconds]
        print(f"left alone: {seconds:.0f} s, {len(whole.stages)} stages", flush=True)
        done, runs = 0, 0
        while done < given.kills:
            folder = place / f"killed{runs}"
            where = []
            for _ in range(KILLS_OF_ONE):
                job = Job(place / "images", folder, given.contenders)
                stage = rng.randrange(len(ends))
                job.start()
                if not job.kill_in(stage + 1, rng.random() * (ends[stage] - whole.stages[stage])):
                    break
                where.append(f"{stage}: {job.said[-1].strip()[:60] if job.said else 'before a word'}")
            job = Job(place / "images", folder, given.contenders)
            job.start()
            if job.wait() != 0:
                print("".join(job.said), file=sys.stderr)
                return 1
            differ = [
                n
                for n in SAME
                if (whole.folder / "run" / n).read_bytes() != (folder / "run" / n).read_bytes()
            ]
            left = files(folder) ^ files(whole.folder)
            print(f"run {runs}, killed {len(where)} times ({'; '.join(where)}): ", end="")
            print(
                f"DIFFERS in {differ}, files {sorted(left)}" if differ or left else "the same bytes",
                flush=True,
            )
            if differ or left:
                return 1
            done, runs = done + len(where), runs + 1
    print(f"{done} kills in {runs} runs, all with the same bytes and no file left behind")
    return 0


if __name__ == "__main__":
    sys.exit(main())
