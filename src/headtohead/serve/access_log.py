"""The log of the server: one JSON object a line, without names, addresses or headers of clients."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

from headtohead.core.progress import QuietReporter

__all__ = ["JsonLines", "LogReporter", "log", "use_json_lines"]

LOGGER = logging.getLogger("headtohead.serve")


def log(event: str, level: int = logging.INFO, **fields: object) -> None:
    """Write one event.

    Args:
        event: what happened ("request", "ready").
        level: as in `logging`.
        **fields: numbers and words of the server's own; nothing that a client sent.
    """
    LOGGER.log(level, event, extra={"fields": fields})


class LogReporter(QuietReporter):
    """Writes what a function reports to the log; progress is left out."""

    def info(self, message: str) -> None:
        """Log one sentence."""
        log(message)

    def warning(self, message: str) -> None:
        """Log one sentence as a warning."""
        log(message, logging.WARNING)


class JsonLines(logging.Formatter):
    """Formats a record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line: time, level, event and the fields of `log`; of an exception only its type."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, dict):
            line |= fields
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = record.exc_info[0].__name__
        return json.dumps(line, default=str)


def use_json_lines(stream: TextIO | None = None) -> None:
    """Send the log, and the warnings of uvicorn, to a stream (stderr) as JSON lines."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    for name, level in (("headtohead.serve", logging.INFO), ("uvicorn.error", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers = [handler]  # not added: a second server of this process must not log twice
        logger.setLevel(level)
        logger.propagate = False  # the root's handlers would write it again, not as JSON
