"""Makes small messages quick on a TCP connection, and ends one hard. Edge of sockets."""

import socket


def make_quick(connection: object) -> None:
    """Send what is small at once, and acknowledge what comes at once."""
    assert isinstance(connection, socket.socket)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    acknowledge_quickly(connection)


def acknowledge_quickly(connection: object) -> None:
    """Ask Linux to acknowledge the next segment at once; it forgets this, see tcp(7).

    A broker that keeps Nagle's algorithm holds each small message back until the one before is
    acknowledged, which Linux delays by 40 ms. A connection that is none any more is left alone.
    """
    if isinstance(connection, socket.socket) and hasattr(socket, "TCP_QUICKACK"):
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        except OSError:
            return  # The connection has just ended; its owner sees that.


def break_off(connection: object) -> None:
    """End a connection at once, so that its owner sees it ended."""
    if isinstance(connection, socket.socket):
        try:
            # Not the method of a TLS socket, which would go on in plain text.
            socket.socket.shutdown(connection, socket.SHUT_RDWR)
        except OSError:
            return  # The connection has just ended.
