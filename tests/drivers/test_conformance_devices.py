"""Every driver on a line of bytes through the driver kit, over pseudo terminals and TCP. Loop."""

import pytest

from drivers.kit.captures import parse_capture
from drivers.kit.conformance import NotConforming
from drivers.kit.device_checks import SerialEnd, TcpEnd, check_device, first_message
from drivers.registry import driver_names, load_driver
from tests.drivers.test_conformance import FILES, capture_of, other_lines

ENDS = {"serial": SerialEnd, "tcp": TcpEnd}
# They begin with a conversation of their own, which a capture cannot hold; their tests unplug them.
WITH_A_HANDSHAKE = {"llrp-tcp"}


def captures_with_a_message(name):
    for path in FILES:
        if capture_of(path).driver not in other_lines(name):
            continue
        try:
            first_message(capture_of(path))
        except NotConforming:
            continue
        yield path


def line_drivers():
    """Return (driver, capture) for every driver of bytes over a serial line or a TCP client."""
    found = []
    for name in driver_names():
        line = name.rpartition("-")[2]
        if name in WITH_A_HANDSHAKE:
            continue
        if line in ENDS and load_driver(name).new_protocol is not None:
            path = next(captures_with_a_message(name), None)
            found.append(pytest.param(name, path, id=name))
    return found


@pytest.mark.parametrize(("name", "path"), line_drivers())
def test_a_driver_on_a_line_conforms(name, path, tmp_path):
    assert path is not None, f"no capture of {name} gives a reading"
    end = ENDS[name.rpartition("-")[2]]
    check_device(load_driver(name), capture_of(path), end, folder=tmp_path)


def test_the_first_message_is_the_first_without_a_fault():
    head = "# dockledger capture 1\n# driver: x\n# source: hand\n"
    capture = parse_capture(
        head + "> 57\n< 3f\n= fault overload\n> 57\n< 31\n= weight 1 KGM gross stable\n"
    )
    message = first_message(capture)
    assert (message.data, message.polled) == (b"1", True)
    with pytest.raises(NotConforming):
        first_message(parse_capture(head + "> 57\n< 3f\n= fault overload\n"))
