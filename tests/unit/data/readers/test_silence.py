"""Library output is muted while a file is read, and restored."""

from __future__ import annotations

import logging
import threading
import warnings
from typing import Any

import pytest

from headtohead.data.readers.silence import suppress_library_output


def test_silence_hides_warnings_and_logs_and_restores_both(caplog: Any) -> None:
    logger = logging.getLogger("pydicom.pixels")
    before = list(warnings.filters)
    with caplog.at_level(logging.DEBUG), suppress_library_output(), suppress_library_output():
        warnings.warn("hidden", UserWarning, stacklevel=1)
        logger.error("hidden")
        logging.getLogger("headtohead").error("kept")
    assert caplog.messages == ["kept"]
    assert warnings.filters == before
    logger.error("shown")
    assert "shown" in caplog.messages
    with pytest.warns(UserWarning, match="shown"):
        warnings.warn("shown", UserWarning, stacklevel=1)


def test_silence_is_restored_when_threads_overlap() -> None:
    before = list(warnings.filters)
    first_in, second_out = threading.Event(), threading.Event()

    def early() -> None:
        with suppress_library_output():
            first_in.set()
            second_out.wait(5)

    thread = threading.Thread(target=early)
    with suppress_library_output():
        thread.start()
        assert first_in.wait(5)
    second_out.set()
    thread.join()
    assert warnings.filters == before
