"""`headtohead serve`: options become the limits of the server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., Any]


def test_options_become_limits(ask: Any, run: Run) -> None:
    asked = ask("headtohead.api.serving", "serve")
    run("serve", "a", "b")
    run(
        "serve", "a", "--host", "0.0.0.0", "--port", 0, "--token-file", "t", "--allow-host", "x", "--allow-host", "y",
        "--max-mb", 2, "--max-queue", 3, "--max-batch", 4, "--runtime", "auto",
    )  # fmt: skip
    assert asked.calls == [
        ((Path("a"), Path("b")), {
            "host": "127.0.0.1", "port": 8000, "token_file": None, "allow_hosts": (), "max_bytes": 64 * 2**20,
            "max_queue": 256, "max_batch": 16, "runtime": None,
        }),
        ((Path("a"),), {
            "host": "0.0.0.0", "port": 0, "token_file": Path("t"), "allow_hosts": ("x", "y"), "max_bytes": 2 * 2**20,
            "max_queue": 3, "max_batch": 4, "runtime": "auto",
        }),
    ]  # fmt: skip


def test_numbers_out_of_their_range_are_refused(ask: Any, run: Run) -> None:
    asked = ask("headtohead.api.serving", "serve")
    for words in (
        ["--port", 70000],
        ["--port", -1],
        ["--max-mb", 0],
        ["--max-queue", 0],
        ["--max-batch", 257],
    ):
        assert run("serve", "a", *words).status == 2
    assert run("serve").status == 2 and asked.calls == []
