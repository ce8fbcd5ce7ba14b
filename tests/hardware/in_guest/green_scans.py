"""Scans without end at a whole gateway; prints the number of each scan that became green. Root.

usage: python3 -m tests.hardware.in_guest.green_scans FOLDER FIRST

A virtual scanner on a TCP port sends one code after the other, each with a number of its own, and
prints `GREEN number` when the gateway tells it, as it tells a scanner that can light, that the scan
was recorded: what an operator takes for done. Every fifth code asks for the label of a place. What
comes out of the printer is written to the console, `PAPER number`, before the gateway can know it.
"""

import os
import re
import socket
import sys
import termios
from pathlib import Path

from drivers.simulators.lines import VirtualTcpPort
from drivers.simulators.printer_zpl import VirtualZplPrinter
from tests.hardware.in_guest import programs
from tests.hardware.in_guest.running_gateway import REFERENCE, RunningGateway

GTIN = "04006381333931"
GREEN, RED = b"GREEN\n", b"RED\n"
LABEL_EVERY = 5
BINS_COUNT = 400  # With more numbers than that no more labels are asked for.
BIN_1 = '{ code = "BIN-1", kind = "bin" }'
DEVICES = """
[[device]]
name = "dock-1-scanner"
driver = "scanner-tcp"
[device.settings]
host = "127.0.0.1"
port = {scanner}
good_read_text = "GREEN\\n"
bad_read_text = "RED\\n"

[[device]]
name = "dock-1-printer"
driver = "zpl-tcp"
[device.settings]
host = "127.0.0.1"
port = {printer}
"""
ANSWER_S_MAX = 60
FORMAT = re.compile(rb"\^XA.*?\^XZ", re.DOTALL)
BIN = re.compile(r"P(\d{7})")


class Paper:
    """The printer's line, with an eye on what comes out of the printer.

    The console is a serial port that the host keeps: what is written and drained is outside.
    """

    def __init__(self, port):
        self._port = port
        self._held = b""
        device = Path("/sys/class/tty/console/active").read_text().split()[-1]
        self._console = os.open(f"/dev/{device}", os.O_WRONLY | os.O_NOCTTY)

    def read(self, timeout_s):
        data = self._port.read(timeout_s)
        self._held += data
        while found := FORMAT.search(self._held):
            self._held = self._held[found.end() :]
            number = number_of_bin(found[0].decode("utf-8", "replace"))
            os.write(self._console, f"\nPAPER {number}\n".encode())
            termios.tcdrain(self._console)
        return data

    def write(self, data):
        return self._port.write(data)

    def close(self):
        self._port.close()
        os.close(self._console)


def code_of(number):
    """Return the bar code of a scan: GS1-128 with GTIN and serial number, or a place."""
    if is_label(number):
        return f"]C0LOC-P{number:07d}\r\n".encode()
    return f"]C101{GTIN}21N{number:07d}\r\n".encode()


def number_of_bin(text):
    """Return the number of the place that a label names."""
    return int(BIN.search(text)[1])


def is_label(number):
    """Return whether the scan of this number asks for a label."""
    return number % LABEL_EVERY == 0 and number <= LABEL_EVERY * BINS_COUNT


def main():
    folder, number = Path(sys.argv[1]), int(sys.argv[2])
    paper = VirtualTcpPort(clients_max=1)
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        VirtualZplPrinter(Paper(paper)),
    ):
        devices = DEVICES.format(scanner=server.getsockname()[1], printer=paper.port)
        with RunningGateway(folder, more=devices, reference=_reference()) as gateway:
            connection, _ = server.accept()
            connection.settimeout(ANSWER_S_MAX)
            try:
                _scan(connection, b"]C0CMD-CANCEL\r\n", lights=(GREEN, RED))  # What was left open.
                _scan(connection, b"]C0CMD-RECEIVE\r\n")
                while not programs.rehearsed(number):
                    _scan_number(connection, number)
                    number += 1
            except TimeoutError:
                print(f"no light: {gateway.ask('GET', '/api/v1/state')}", flush=True)
                raise


def _reference():
    numbers = range(LABEL_EVERY, LABEL_EVERY * BINS_COUNT + 1, LABEL_EVERY)
    bins = [f'{{ code = "P{number:07d}", kind = "bin" }}' for number in numbers]
    return REFERENCE.replace(BIN_1, ", ".join([BIN_1, *bins]))


def _scan_number(connection, number):
    if is_label(number):
        _scan(connection, b"]C0CMD-PRINT-BIN\r\n")
    _scan(connection, code_of(number))
    print(f"GREEN {number}", flush=True)
    if is_label(number):
        _scan(connection, b"]C0CMD-RECEIVE\r\n")


def _scan(connection, code, *, lights=(GREEN,)):
    """Scan a code and return when its light has become green."""
    connection.sendall(code)
    heard = b""
    while not any(light in heard for light in lights):
        data = connection.recv(4096)
        assert data, "the gateway has hung up"
        heard += data
        assert RED not in heard or RED in lights, f"{code} was refused"


if __name__ == "__main__":
    main()
