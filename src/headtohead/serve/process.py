"""Settings of the process that must stand before torch is loaded."""

from __future__ import annotations

import os
import sys

__all__ = ["wait_passively"]

POLICY = "OMP_WAIT_POLICY"


def wait_passively() -> bool:
    """Let idle threads of OpenMP sleep, unless the user chose otherwise; return whether that still takes effect.

    By default they spin for a while after each layer, which takes the cores from the threads that read requests and
    write answers, and from the clients on the same machine: on two busy cores one image took seconds in place of 0.2.
    """
    os.environ.setdefault(POLICY, "PASSIVE")
    return "torch" not in sys.modules
