"""Limits on DICOM connections: how many, how long silent, how large one object.

pynetdicom counts threads, waits without a time limit inside a half-sent PDU and allocates whatever length a
PDU states (up to 4 GiB). Here sockets are counted, reading has a time limit, and the stated length is checked.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pynetdicom.association import Association

__all__ = ["ConnectionLimits", "ConnectionTable", "limited_server"]

# A P-DATA PDU is at most what was negotiated (16 KiB by default); an association request with a hundred
# presentation contexts is some 20 KiB. One mebibyte is far above both and far below what would hurt.
MOST_PDU_BYTES = 2**20
# Connections that have not asked for an association: health checks that only open the port, and clients that are
# about to ask. Each costs two threads until `request_s` has passed.
MOST_SILENT = 64


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits on connections.

    Attributes:
        associations: open at a time; at the limit the one without progress for `idle_s` gives way.
        idle_s: seconds without a byte after which a connection is closed.
        request_s: seconds from opening the port to the association request.
        object_bytes: size of one object.
    """

    associations: int = 10
    idle_s: float = 30.0
    request_s: float = 5.0
    object_bytes: int = 256 * 2**20


@dataclass(slots=True)
class _Connection:
    association: Association
    raw: socket.socket
    progress: float  # when it was opened, or stored its last object
    received: int = 0
    is_association: bool = False


class ConnectionTable:
    """The open connections, their progress and the bytes of the object that each is sending."""

    def __init__(self, limits: ConnectionLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self.limits = limits
        self._clock = clock
        self._lock = threading.Lock()
        self._open: dict[int, _Connection] = {}

    def __len__(self) -> int:
        with self._lock:
            self._prune()
            return len(self._open)

    def add(self, association: Association, raw: socket.socket) -> None:
        """Note a connection that has asked for nothing yet; of too many such the oldest is closed."""
        with self._lock:
            self._prune()
            silent = [key for key, one in self._open.items() if not one.is_association]
            if len(silent) >= MOST_SILENT:
                self._close(silent[0])  # a dict keeps the order in which they were opened
            self._open[id(association)] = _Connection(association, raw, self._clock())

    def admit(self, association: Association) -> bool:
        """Count a connection as an association, if there is room.

        At the limit the association without progress for longest gives way, if that is longer than `idle_s`.
        """
        with self._lock:
            self._prune()
            counted = {key: one for key, one in self._open.items() if one.is_association}
            if len(counted) >= self.limits.associations:
                oldest = min(counted, key=lambda key: counted[key].progress)
                if self._clock() - counted[oldest].progress <= self.limits.idle_s:
                    return False
                self._close(oldest)
            if id(association) in self._open:
                self._open[id(association)].is_association = True
            return True

    def count_bytes(self, association: Association, n: int) -> bool:
        """Add to the bytes of the object under way; return whether it is still within its limit."""
        with self._lock:
            one = self._open.get(id(association))
            if one is None:
                return True  # it gave way meanwhile: its socket is shut, which ends the read
            one.received += n
            return one.received <= self.limits.object_bytes

    def stored(self, association: Association) -> None:
        """Note that an object has arrived whole."""
        with self._lock:
            one = self._open.get(id(association))
            if one is not None:
                one.received, one.progress = 0, self._clock()

    def remove(self, association: Association) -> None:
        """Forget a connection."""
        with self._lock:
            self._open.pop(id(association), None)

    def close_all(self) -> None:
        """Close every connection."""
        with self._lock:
            for one in self._open.values():
                _shut(one.raw)
            self._open.clear()

    def _prune(self) -> None:
        """Forget connections whose socket is closed; called with the lock held."""
        # a closed socket has the number -1
        gone = [key for key, one in self._open.items() if one.raw.fileno() == -1]
        for key in gone:
            del self._open[key]

    def _close(self, key: int) -> None:
        """Shut a connection and forget it; called with the lock held."""
        _shut(self._open.pop(key).raw)


def _shut(raw: socket.socket) -> None:
    """Shut a socket in both directions, which also wakes a thread that reads from it."""
    with suppress(OSError):
        raw.shutdown(socket.SHUT_RDWR)


def limited_server(table: ConnectionTable) -> type[Any]:
    """Return the request handler for `AE.make_server` that puts every connection under the table's limits."""
    from pynetdicom.transport import RequestHandler

    class LimitedHandler(RequestHandler):
        """Count the connection, give its socket a time limit and its reads a size limit."""

        def _create_association(self) -> Association:
            raw: socket.socket = self.request
            raw.settimeout(table.limits.idle_s)
            association = super()._create_association()
            reader: Any = association.dul.socket
            plain: Callable[[int], bytearray] = reader.recv

            def recv(n: int) -> bytearray:
                # For a PDU's body n is what its header states. An OSError closes the connection.
                if n > MOST_PDU_BYTES or not table.count_bytes(association, n):
                    raise OSError("the peer sends more than this receiver takes")
                return plain(n)

            reader.recv = recv
            return association

        def handle(self) -> None:
            """Serve the connection."""
            association = self._create_association()
            # Before the thread starts, so that its first bytes are counted too.
            table.add(association, self.request)
            association.start()

    return LimitedHandler
