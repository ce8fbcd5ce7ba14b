"""Carries TCP connections of a guest without a network to its host. Edge of a serial port.

usage in the guest, as root: wire.py TCP-PORT

It listens there on 127.0.0.1. Over the virtual serial port goes for each piece the number of its
connection (4 bytes), its length (2) and the bytes; a length of 0 ends the connection, either way.
"""

import itertools
import os
import socket
import struct
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

PORT = Path("/dev/virtio-ports/dockledger.wire")
HEAD = struct.Struct(">IH")
PIECE_BYTES_MAX = 32768
LOOK_S = 0.02


class Wire:
    """One end. take(count): so many bytes from the other end. give(data): all of it to there.

    answer(): the connection for a number that the other end begins; None where it begins none.
    """

    def __init__(self, take, give, *, answer=None):
        self._take, self._give, self._answer = take, give, answer
        self._lock = threading.Lock()
        self._connections = {}
        self._newest = 0

    def carry(self, number, connection):
        """Carry what comes out of a connection, in a thread of its own, until it ends."""
        self._connections[number] = connection
        threading.Thread(target=self._pump, args=(number, connection), daemon=True).start()

    def listen(self):
        """Carry what comes from the other end until that is gone."""
        try:
            while True:
                number, length = HEAD.unpack(self._take(HEAD.size))
                self._put(number, self._take(length))
        except (ConnectionError, OSError):
            for connection in list(self._connections.values()):
                _hang_up(connection)

    def _put(self, number, data):
        connection = self._connections.get(number)
        if not data:
            if connection is not None:
                _hang_up(connection)
            return
        try:
            if connection is None:
                if self._answer is None or number <= self._newest:
                    return  # It has ended here already.
                connection, self._newest = self._answer(), number
                self.carry(number, connection)
            connection.sendall(data)
        except OSError:
            self._send(number, b"")

    def _pump(self, number, connection):
        data = b"begin"
        while data:
            try:
                data = connection.recv(PIECE_BYTES_MAX)
            except OSError:
                data = b""
            with suppress(OSError):
                self._send(number, data)
        self._connections.pop(number, None)
        connection.close()

    def _send(self, number, data):
        with self._lock:
            self._give(HEAD.pack(number, len(data)) + data)


def _hang_up(connection):
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def main(tcp_port):
    """Run until it is killed."""
    while not PORT.exists():
        time.sleep(LOOK_S)
    port = os.open(PORT, os.O_RDWR)

    def take(count):
        data = b""
        while len(data) < count:
            piece = os.read(port, count - len(data))
            if not piece:
                time.sleep(LOOK_S)  # The host's end is not there yet.
            data += piece
        return data

    def give(data):
        while data:
            data = data[os.write(port, data) :]

    wire = Wire(take, give)
    threading.Thread(target=wire.listen, daemon=True).start()
    with socket.create_server(("127.0.0.1", int(tcp_port))) as listening:
        for number in itertools.count(1):
            wire.carry(number, listening.accept()[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
