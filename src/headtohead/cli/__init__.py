"""The commands: thin, each over the public API; the only room that prints."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> None:
    """Run the `headtohead` command and leave with its exit status."""
    from headtohead.cli.app import main as run

    sys.exit(run())
