"""The commands: thin, each over the public API; the only room that prints."""

from __future__ import annotations

import os
import sys

__all__ = ["main"]


def main() -> None:
    """Run the `headtohead` command and leave with its exit status.

    Threads that wait give their core away (OpenMP would let them spin, unless the user says otherwise). On an
    idle machine that costs nothing; beside one other busy process on two cores, fine-tuning is about twice as
    fast. No digit depends on it. OpenMP reads it when it is loaded, so it is set before anything else, as is the
    number of threads where a container may use fewer cores than it sees.
    """
    from headtohead.core.parallel import hold_to_quota

    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    hold_to_quota()
    from headtohead.cli.app import main as run

    sys.exit(run())
