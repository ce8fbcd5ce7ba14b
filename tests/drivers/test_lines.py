"""Real serial lines and TCP connections against their virtual far ends. Edge of the system."""

import os
import socket
import termios
import threading
import time

import pytest

from drivers.errors import DeviceLost, SettingsInvalid
from drivers.simulators.lines import VirtualSerialLine, VirtualTcpPort
from drivers.transports.serial_line import open_serial
from drivers.transports.tcp_client import open_tcp
from tests.drivers.waiting import DEADLINE_S
from tests.waiting import within


def open_port(path, **settings):
    line = {"baud_rate": 9600, "data_bits": 8, "parity": "none", "stop_bits": 1}
    return open_serial(str(path), **(line | settings))


class SerialPair:
    """A virtual serial line and how to open, cut and mend it."""

    def __init__(self, folder):
        self.far = VirtualSerialLine(folder / "scale")
        self.cut = self.far.unplug
        self.mend = self.far.plug_in

    def open(self):
        return open_port(self.far.path)


class TcpPair:
    """A virtual TCP port and how to open, cut and mend it."""

    def __init__(self, folder):
        self.far = VirtualTcpPort()
        self.cut = self.far.refuse
        self.mend = self.far.listen

    def open(self):
        line = open_tcp("127.0.0.1", self.far.port, connect_timeout_s=DEADLINE_S)
        assert self.far.wait_for_client(DEADLINE_S)
        return line


@pytest.fixture(params=[SerialPair, TcpPair])
def pair(request, tmp_path):
    made = request.param(tmp_path)
    yield made
    made.far.close()
    made.far.close()


def read_all(read, count):
    data = b""
    deadline_s = time.monotonic() + DEADLINE_S
    while len(data) < count and time.monotonic() < deadline_s:
        data += read(0.1)
    return data


def write_until_lost(line):
    deadline_s = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline_s:  # TCP may take bytes before it learns of the loss.
        line.write(b"SI\r\n")


def test_bytes_pass_unchanged_in_both_directions(pair):
    line = pair.open()
    every_byte = bytes(range(256))
    assert pair.far.write(every_byte)
    assert read_all(line.read, 256) == every_byte
    line.write(every_byte)
    assert read_all(pair.far.read, 256) == every_byte
    line.close()


SHOWN = termios.INPCK | termios.PARMRK


@pytest.mark.parametrize(
    ("data_bits", "parity", "wanted"),
    [
        (7, "none", 0),
        (7, "even", SHOWN),
        (7, "odd", SHOWN),
        (7, "space", 0),
        (8, "even", termios.INPCK),  # With PARMRK a right FFh would come twice.
    ],
)
def test_a_port_with_parity_checks_what_it_receives(tmp_path, data_bits, parity, wanted):
    far = VirtualSerialLine(tmp_path / "scale")
    line = open_port(far.path, data_bits=data_bits, parity=parity)
    seen = os.open(far.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    flags = termios.tcgetattr(seen)[0]
    os.close(seen)
    assert flags & (termios.IGNPAR | SHOWN) == wanted  # IGNPAR would drop the byte unseen.
    every_byte = bytes(range(1 << data_bits))
    far.write(every_byte)
    assert read_all(line.read, len(every_byte)) == every_byte
    line.close()
    far.unplug()


def test_a_silent_line_returns_nothing_after_the_timeout(pair):
    line = pair.open()
    started_s = time.monotonic()
    with within(2, what="the timeout"):
        assert line.read(0.0) == b""
        assert line.read(0.05) == b""
    assert time.monotonic() - started_s > 0.04
    assert pair.far.read(0.01) == b""
    line.close()


def test_a_cut_line_is_lost_with_a_hint_and_can_be_opened_again(pair):
    line = pair.open()
    pair.cut()
    with pytest.raises(DeviceLost) as lost:
        read_all(line.read, 1)
    assert lost.value.retriable and lost.value.hint.startswith("Check ")
    with pytest.raises(DeviceLost):
        write_until_lost(line)
    line.close()
    with pytest.raises(DeviceLost) as lost:
        pair.open()
    assert lost.value.hint
    assert pair.far.write(b"lost") is False
    pair.mend()
    line = pair.open()
    assert pair.far.write(b"back")
    assert read_all(line.read, 4) == b"back"
    line.close()


def test_a_reader_that_waits_notices_the_cut_at_once(pair):
    line = pair.open()
    timer = threading.Timer(0.05, pair.cut)
    timer.start()
    started_s = time.monotonic()
    with pytest.raises(DeviceLost):
        line.read(DEADLINE_S)
    assert time.monotonic() - started_s < DEADLINE_S / 2
    timer.join()
    line.close()


def test_a_closed_line_is_lost_and_closes_twice(pair):
    line = pair.open()
    line.close()
    line.close()
    with pytest.raises(DeviceLost):
        line.read(0.01)
    with pytest.raises(DeviceLost):
        line.write(b"x")


def test_a_virtual_device_that_waits_lets_go_of_a_line_that_is_unplugged(tmp_path):
    with VirtualSerialLine(tmp_path / "port") as far:
        timer = threading.Timer(0.05, far.unplug)
        timer.start()
        started_s = time.monotonic()
        assert far.read(DEADLINE_S) == b""
        assert time.monotonic() - started_s < DEADLINE_S / 2
        timer.join()
        assert not far.path.is_symlink()
        assert far.read(0.0) == b""


def test_a_serial_port_is_opened_by_one_program_only(tmp_path):
    with VirtualSerialLine(tmp_path / "port") as far:
        line = open_port(far.path)
        with pytest.raises(DeviceLost) as lost:
            open_port(far.path)
        assert "other program" in lost.value.hint
        line.close()
        open_port(far.path).close()


def test_what_waited_in_a_serial_port_before_it_was_opened_is_dropped(tmp_path):
    with VirtualSerialLine(tmp_path / "port") as far:
        assert far.write(b"half a sc")
        line = open_port(far.path)
        assert line.read(0.05) == b""
        line.close()


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        pytest.param("/dev/serial/by-id/none", "Plug the device in", id="missing"),
        pytest.param(os.devnull, "names a serial port", id="not a serial port"),
    ],
)
def test_a_port_that_cannot_be_opened_says_what_to_do(path, hint):
    with pytest.raises(DeviceLost) as lost:
        open_port(path)
    assert hint in lost.value.hint


def test_impossible_line_settings_are_a_matter_of_configuration(tmp_path):
    with (
        VirtualSerialLine(tmp_path / "port") as far,
        pytest.raises(SettingsInvalid) as invalid,
    ):
        open_port(far.path, baud_rate=-1)
    assert "baud_rate" in invalid.value.hint


@pytest.mark.parametrize(
    ("host", "hint"),
    [
        pytest.param("127.0.0.1", "port number", id="refused"),
        pytest.param("no-such-host.invalid", "host name", id="unknown host"),
    ],
)
def test_a_host_that_cannot_be_reached_says_what_to_do(host, hint):
    with VirtualTcpPort() as far:
        far.refuse()
        with pytest.raises(DeviceLost) as lost:
            open_tcp(host, far.port, connect_timeout_s=1)
    assert hint in lost.value.hint


def test_a_virtual_port_serves_several_clients_and_a_bounded_number():
    with VirtualTcpPort(clients_max=2) as far:
        lines = [open_tcp("127.0.0.1", far.port, connect_timeout_s=1) for _ in range(2)]
        for line in lines:
            line.write(b"x")
        assert read_all(far.read, 2) == b"xx"
        with socket.create_connection(("127.0.0.1", far.port), 1) as third:
            assert far.write(b"hello")
            assert [read_all(line.read, 5) for line in lines] == [b"hello"] * 2
            third.settimeout(0.1)
            with pytest.raises(TimeoutError):
                third.recv(1)
        far.drop_clients()
        for line in lines:
            with pytest.raises(DeviceLost):
                read_all(line.read, 1)
            line.close()
