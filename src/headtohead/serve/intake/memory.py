"""A bound on the uploads that are held at one time: their number and their bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from headtohead.serve.problems import TooBusyError

__all__ = ["Account", "MemoryBudget"]


class MemoryBudget:
    """Uploads held by all requests together.

    Attributes:
        limit: the most bytes that may be held.
        max_requests: the most requests that may hold any.
        used: bytes held now.
        open: requests that have an account now.
    """

    def __init__(self, limit: int, max_requests: int) -> None:
        self.limit = limit
        self.max_requests = max_requests
        self.used = 0
        self.open = 0

    @contextmanager
    def account(self) -> Iterator[Account]:
        """Open one request's account; what it holds is given back when the block ends.

        Raises:
            TooBusyError: as many requests as may be are in progress.
        """
        if self.open >= self.max_requests:
            raise TooBusyError(
                f"{self.open} requests with images are in progress, the most that the server takes at one time; "
                "send this again later."
            )
        account = Account(self)
        self.open += 1
        try:
            yield account
        finally:
            self.open -= 1
            self.used -= account.held


class Account:
    """What one request holds."""

    def __init__(self, budget: MemoryBudget) -> None:
        self._budget = budget
        self.held = 0

    def take(self, n: int) -> None:
        """Count `n` bytes that have arrived.

        Raises:
            TooBusyError: all requests together would hold more than the limit.
        """
        # Nothing is awaited between the look and the count, so no other request comes between.
        if self._budget.used + n > self._budget.limit:
            raise TooBusyError(
                f"The uploads in progress fill the {self._budget.limit:,} bytes that the server may hold; "
                "send this again later.",
                retry_after=2,
            )
        self._budget.used += n
        self.held += n
