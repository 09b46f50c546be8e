"""Settings of the process that must stand before torch is loaded."""

from __future__ import annotations

import os
import sys

from headtohead.core.parallel import hold_to_quota

__all__ = ["wait_briefly"]

POLICY = "OMP_WAIT_POLICY"
SPINS = "GOMP_SPINCOUNT"
# About 0.1 ms, longer than from one layer to the next and far shorter than from one image to the next: with it a lone
# image took 24 ms on two cores, with 3,000 32 ms, with none 42 ms, and with endless spinning 25 ms (`lone image` in
# docs/how-to/serve-a-model.md).
BETWEEN_LAYERS = "10000"


def wait_briefly() -> bool:
    """Let idle threads of OpenMP sleep, after a moment of spinning; return whether that still takes effect.

    By default they spin for milliseconds after each layer, which takes the cores from the threads that read requests
    and write answers, and from the clients on the same machine: on two busy cores one image took seconds in place of
    0.2. If they slept at once, waking them for each layer would cost more than the second core brings. In a container
    with a quota there are no more of them than it gives cores. What the user chose stays.
    """
    hold_to_quota()
    if os.environ.setdefault(POLICY, "PASSIVE").upper() == "PASSIVE":
        os.environ.setdefault(SPINS, BETWEEN_LAYERS)
    return "torch" not in sys.modules
