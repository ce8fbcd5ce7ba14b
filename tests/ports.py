"""Ports that stay free while who listens there is away. Edge of sockets.

Linux gives ports from 32768 on to outgoing connections (ip_local_port_range): what listens there
may find its port taken when it is started again. These lie below.
"""

import itertools
import os
import socket

FIRST, LAST = 20_000, 32_000
_offsets = itertools.count(os.getpid() * 97)  # So that test processes side by side seldom meet.


def steady_port() -> int:
    """Return a TCP port of 127.0.0.1 that was free just now."""
    for _ in range(LAST - FIRST):
        port = FIRST + next(_offsets) % (LAST - FIRST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no port is free")
