"""The driver through Dockledger's driver kit: run `pytest` in this folder."""

from pathlib import Path

import acme_scale
import pytest

from drivers.kit.captures import parse_capture
from drivers.kit.conformance import (
    check_any_bytes,
    check_bounded_memory,
    check_capture,
    check_damage,
    check_declaration,
    protocol_of,
)
from drivers.kit.device_checks import check_device, check_device_silent
from drivers.kit.far_ends import SerialEnd, TcpEnd

CAPTURE = parse_capture((Path(__file__).parent / "acme.capture").read_text())
DRIVERS = {"serial": acme_scale.SERIAL, "tcp": acme_scale.TCP}


def test_the_capture_gives_its_readings_however_it_is_cut():
    assert check_capture(protocol_of(acme_scale.SERIAL, CAPTURE), CAPTURE) == 5


def test_noise_hurts_nobody():
    new_protocol = protocol_of(acme_scale.SERIAL, CAPTURE)
    check_any_bytes(new_protocol, [bytes(range(256)), b"W S \xff\r", b"W O -------- kg *00\r\n"])
    check_bounded_memory(new_protocol, CAPTURE)
    check_damage(new_protocol, CAPTURE)


@pytest.mark.parametrize("line", DRIVERS)
def test_the_driver_conforms(line, tmp_path):
    check_declaration(DRIVERS[line])
    new_end = {"serial": SerialEnd, "tcp": TcpEnd}[line]
    check_device(DRIVERS[line], CAPTURE, new_end, folder=tmp_path)
    check_device_silent(DRIVERS[line], CAPTURE, new_end, folder=tmp_path)
