"""Readers that call the gateway, on real sockets. Loop."""

import socket
import time

import pytest

from drivers.api import DeviceCommand
from drivers.errors import DeviceLost, DeviceSilent, SettingsInvalid
from drivers.registry import load_driver
from drivers.simulators.scanner import TcpCaller, VirtualScanner
from drivers.transports.tcp_server import open_tcp_server
from tests.drivers.waiting import DEADLINE_S, read_until, read_until_raises
from tests.waiting import within

DRIVER = load_driver("scanner-tcp-server")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


def open_reader(**settings):
    port = free_port()
    known = {"host": "127.0.0.1", "port": port, "allowed_addresses": ["127.0.0.0/30"]}
    return DRIVER.open_device(DRIVER.parse_settings(known | settings)), port


@pytest.fixture
def reader():
    device, port = open_reader(idle_s=DEADLINE_S)
    yield device, port
    device.close()
    device.close()


def read_some(device, *, times=5):
    return [one for _ in range(times) for one in device.read(0.05)]


def test_a_reader_that_calls_is_read_and_may_hang_up_and_call_again(reader):
    device, port = reader
    for number in ("1", "2"):
        with TcpCaller(port) as caller:
            assert VirtualScanner(caller).scan(number)
        assert [one.data for one in read_until(device, 1)] == [number]


def test_the_beginning_of_a_scan_is_not_joined_with_the_next_call(reader):
    device, port = reader
    with TcpCaller(port) as caller:
        caller.write(b"]C1whole\r]C10109501")
    with TcpCaller(port) as caller:
        caller.write(b"10153\r")
        readings = read_until(device, 3)
    assert [getattr(one, "data", "") or one.code for one in readings] == [
        "whole",
        "scan_again",
        "10153",
    ]


def test_the_newest_call_of_the_same_reader_wins_and_loses_nothing(reader):
    device, port = reader
    with TcpCaller(port) as old:
        old.write(b"first\r")
        assert [one.data for one in read_until(device, 1)] == ["first"]
        old.write(b"second\rhalf")
        with TcpCaller(port) as new:
            new.write(b"third\r")
            readings = read_until(device, 3)
            assert [getattr(one, "data", "") or one.code for one in readings] == [
                "second",
                "scan_again",
                "third",
            ]
            assert old.hung_up(DEADLINE_S)


def test_another_reader_is_hung_up_on_while_one_is_connected(reader):
    device, port = reader
    with TcpCaller(port) as mine, TcpCaller(port, source_address="127.0.0.2") as other:
        mine.write(b"mine\r")
        assert [one.data for one in read_until(device, 1)] == ["mine"]
        other.write(b"other\r")
        assert read_some(device) == []
        assert other.hung_up(DEADLINE_S)
        mine.write(b"still mine\r")
        assert [one.data for one in read_until(device, 1)] == ["still mine"]


def test_a_caller_that_is_not_on_the_list_is_hung_up_on():
    device, port = open_reader(allowed_addresses=["127.0.0.2", "192.0.2.0/28"])
    with TcpCaller(port) as stranger, TcpCaller(port, source_address="127.0.0.2") as friend:
        stranger.write(b"stranger\r")
        friend.write(b"friend\r")
        assert [one.data for one in read_until(device, 1)] == ["friend"]
        assert stranger.hung_up(DEADLINE_S)
    device.close()


def test_a_reader_that_does_not_call_is_silent_and_is_awaited_again():
    device, port = open_reader(absent_after_s=0.05)
    silent = read_until_raises(device, DeviceSilent)
    assert silent.retriable and str(port) in str(silent)
    device.close()
    again = DRIVER.open_device(
        DRIVER.parse_settings(
            {"host": "127.0.0.1", "port": port, "allowed_addresses": ["127.0.0.1"]}
        )
    )
    with TcpCaller(port) as caller:
        caller.write(b"there\r")
        assert [one.data for one in read_until(again, 1)] == ["there"]
    again.close()


def test_nobody_calling_is_no_reading_after_the_timeout(reader):
    device, _ = reader
    started_s = time.monotonic()
    with within(1, what="the timeout"):
        assert device.read(0.05) == ()
    assert time.monotonic() - started_s > 0.04


def test_a_command_goes_to_the_connected_reader_alone():
    device, port = open_reader(
        trigger_on_text="LON\r", answer_ok_text="OK,", answer_error_text="ER,"
    )
    order = DeviceCommand("trigger_on")
    assert device.execute(order).outcome == "refused"
    with TcpCaller(port) as caller:
        caller.write(b"hello\rOK,LON\r")
        assert [one.data for one in read_until(device, 1)] == ["hello"]
        caller.write(b"OK,LON\rcode\r")
        assert device.execute(order).outcome == "done"
        assert caller.read(DEADLINE_S) == b"LON\r"
        assert [one.data for one in read_until(device, 1)] == ["code"]
    device.close()


def test_a_port_is_listened_on_by_one_only():
    device, port = open_reader()
    with pytest.raises(DeviceLost) as lost:
        open_tcp_server("127.0.0.1", port, allowed=("127.0.0.1",))
    assert "another `port`" in lost.value.hint
    device.close()
    with pytest.raises(DeviceLost):
        device.read(0.01)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        pytest.param({"allowed_addresses": []}, "allowed_addresses", id="nobody"),
        pytest.param({"allowed_addresses": ["dock-2"]}, "allowed_addresses", id="a name"),
        pytest.param({"answer_ok_text": "OK,"}, "answer_error_text", id="half of the answers"),
    ],
)
def test_wrong_settings_are_refused_by_name(settings, named):
    known = {"host": "127.0.0.1", "port": 9004, "allowed_addresses": ["127.0.0.1"]}
    with pytest.raises(SettingsInvalid, match=named):
        DRIVER.parse_settings(known | settings)
