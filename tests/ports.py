"""Ports that stay free while who listens there is away. Edge of sockets.

Linux gives ports from 32768 on to outgoing connections (ip_local_port_range): what listens there
may find its port taken when it is started again. These lie below.
"""

import itertools
import os
import socket
from collections.abc import Iterator
from functools import cache

FIRST, LAST = 20_000, 32_000


def steady_port() -> int:
    """Return a TCP port of 127.0.0.1 that was free just now."""
    offsets = _offsets(os.getpid())
    for _ in range(LAST - FIRST):
        port = FIRST + next(offsets) % (LAST - FIRST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")


@cache
def _offsets(process: int) -> Iterator[int]:
    """So that test processes side by side seldom meet."""
    return itertools.count(process * 997)
