"""Scans without end at a whole gateway; prints the number of each scan that became green. Root.

usage: python3 -m tests.hardware.in_guest.green_scans FOLDER FIRST

A virtual scanner on a TCP port sends one code after the other, each with a serial number of its
own, and prints `GREEN number` when the gateway tells it, as it tells a scanner that can light, that
the scan was recorded: what an operator takes for done.
"""

import socket
import sys
from pathlib import Path

from tests.hardware.in_guest.running_gateway import RunningGateway

GTIN = "04006381333931"
GREEN = b"GREEN\n"
SCANNER = """
[[device]]
name = "dock-1-scanner"
driver = "scanner-tcp"
[device.settings]
host = "127.0.0.1"
port = {port}
good_read_text = "GREEN\\n"
bad_read_text = "RED\\n"
"""
ANSWER_S_MAX = 60


def code_of(number):
    """Return the bar code of a scan: GS1-128 with GTIN and serial number."""
    return f"]C101{GTIN}21N{number:07d}\r\n".encode()


def main():
    folder, number = Path(sys.argv[1]), int(sys.argv[2])
    with socket.create_server(("127.0.0.1", 0)) as server:
        device = SCANNER.format(port=server.getsockname()[1])
        with RunningGateway(folder, more=device):
            connection, _ = server.accept()
            connection.settimeout(ANSWER_S_MAX)
            _scan(connection, b"]C0CMD-RECEIVE\r\n")
            while True:
                _scan(connection, code_of(number))
                print(f"GREEN {number}", flush=True)
                number += 1


def _scan(connection, code):
    """Scan a code and return when its light has become green."""
    connection.sendall(code)
    heard = b""
    while GREEN not in heard:
        data = connection.recv(4096)
        assert data, "the gateway has hung up"
        heard += data
        assert b"RED" not in heard, f"{code} was refused"


if __name__ == "__main__":
    main()
