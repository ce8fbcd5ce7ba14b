"""HID report descriptors, records and the hidraw line. Edge of local sockets."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import DeviceLost
from drivers.protocols.hid_records import RECORD_BYTES_MAX, RecordReader, pack_record
from drivers.protocols.hid_reports import (
    DescriptorInvalid,
    parse_descriptor,
    read_bits,
    to_signed,
)
from drivers.simulators.hid import SCALE_DESCRIPTOR, SCANNER_DESCRIPTOR, VirtualHidDevice
from drivers.transports import hidraw
from drivers.transports.hidraw import open_hidraw
from tests.drivers.check_stream import check_stream
from tests.drivers.waiting import DEADLINE_S

# The boot keyboard of the HID definition 1.11, appendix B.1: modifiers as 8 bits, LEDs out, 6 keys.
KEYBOARD = bytes.fromhex(
    "05010906a101050719e029e71500250175019508810295017508810195057501050819012905910295017503"
    "91019506750815002565050719002965810 0c0".replace(" ", "")
)
HEADER = Path("/usr/include/linux/hidraw.h")


def fields(descriptor, kind):
    return [one for one in parse_descriptor(descriptor).fields if one.kind == kind]


def test_a_keyboard_is_read_as_its_definition_says():
    keyboard = parse_descriptor(KEYBOARD)
    assert keyboard.usages == ((1, 6),)
    assert not keyboard.numbered
    modifiers, keys = fields(KEYBOARD, "input")
    assert (modifiers.bit_offset, modifiers.bit_size, modifiers.count) == (0, 1, 8)
    assert modifiers.place_of((7, 0xE2)) == 2
    assert (keys.bit_offset, keys.count, keys.is_array) == (16, 6, True)
    assert keys.place_of((7, 4)) is None
    (leds,) = fields(KEYBOARD, "output")
    assert [usage for _, usage in leds.usages] == [1, 2, 3, 4, 5]
    assert (keyboard.report_bytes("input", 0), keyboard.report_bytes("output", 0)) == (8, 1)


def test_reports_are_counted_each_by_its_own_id_and_padding_counts():
    scanner = parse_descriptor(SCANNER_DESCRIPTOR)
    assert scanner.numbered
    assert scanner.report_bytes("input", 2) == 64
    assert scanner.report_bytes("output", 4) == 2
    assert scanner.report_bytes("feature", 4) == 0
    assert scanner.find("input", (0x8C, 0xFE)).bit_offset == 32
    assert scanner.find("output", (0x8C, 0xFE)) is None


@pytest.mark.parametrize(
    ("items", "usage"),
    [
        pytest.param("058c0902", (0x8C, 2), id="page before"),
        pytest.param("0b02008c00", (0x8C, 2), id="page in the usage itself"),
        pytest.param("fe03aa010203058c0902", (0x8C, 2), id="a long item is skipped"),
        pytest.param("058ca40501b40902", (0x8C, 2), id="pop brings the page back"),
    ],
)
def test_a_usage_has_its_page(items, usage):
    assert parse_descriptor(bytes.fromhex(items + "a101c0")).usages == (usage,)


@pytest.mark.parametrize(
    ("items", "named"),
    [
        pytest.param("", "empty", id="empty"),
        pytest.param("05", "within an item", id="cut"),
        pytest.param("fe05aa01", "within a long item", id="cut long item"),
        pytest.param("a101", "not ended", id="open collection"),
        pytest.param("c0", "do not match", id="closed twice"),
        pytest.param("b4", "without a push", id="pop"),
        pytest.param("8500", "report id 0", id="report id 0"),
        pytest.param("a4" * 33, "too many pushes", id="pushes"),
        pytest.param("a101" * 33, "do not match", id="deep"),
        pytest.param("751097ffffff7f0901 8102".replace(" ", ""), "more than", id="huge report"),
        pytest.param("19002affff8102", "usages 0 to 65535", id="huge range"),
        pytest.param("0901" * 1025, "more than 1024 usages", id="many usages"),
        pytest.param("00" * 4097, "more than 4096 bytes", id="too long"),
        pytest.param("750195010901" + "09018102" * 513, "more than 512 fields", id="fields"),
    ],
)
def test_what_is_no_descriptor_is_refused_with_the_reason(items, named):
    with pytest.raises(DescriptorInvalid, match=named):
        parse_descriptor(bytes.fromhex(items))


@given(st.binary(max_size=200), st.sampled_from([b"", SCALE_DESCRIPTOR, KEYBOARD]), st.integers(0))
def test_any_bytes_are_a_descriptor_or_are_refused(noise, known, place):
    cut = place % (len(known) + 1)
    try:
        descriptor = parse_descriptor(known[:cut] + noise + known[cut:])
    except DescriptorInvalid:
        return
    assert all(one.bit_size * one.count <= 8 * 4096 for one in descriptor.fields)


@pytest.mark.parametrize(
    ("report", "offset", "size", "number"),
    [
        pytest.param("34 12", 0, 16, 0x1234, id="little endian"),
        pytest.param("f0 0f", 4, 8, 0xFF, id="across bytes"),
        pytest.param("04", 2, 1, 1, id="one bit"),
        pytest.param("34", 0, 16, None, id="too short"),
    ],
)
def test_bits_are_read_where_they_lie(report, offset, size, number):
    assert read_bits(bytes.fromhex(report), offset=offset, size=size) == number


@pytest.mark.parametrize(("number", "signed"), [(0, 0), (127, 127), (128, -128), (255, -1)])
def test_numbers_have_a_sign(number, signed):
    assert to_signed(number, bits=8) == signed


class Records:
    """RecordReader under the name that check_stream calls."""

    def __init__(self):
        self.receive_data = RecordReader().receive_data


def test_records_pass_however_they_are_cut():
    stream = pack_record("D", b"\x05\x8c") + pack_record("I", b"") + pack_record("I", b"\x02abc")
    expected = [("D", b"\x05\x8c"), ("I", b""), ("I", b"\x02abc")]
    check_stream(Records, stream, expected, tail=pack_record("I", b"xy")[:-1])


@pytest.mark.parametrize(
    "noise", [b"X\x00\x00", b"I" + (RECORD_BYTES_MAX + 1).to_bytes(2, "little")], ids=repr
)
def test_what_is_no_record_stops_the_reader_until_it_is_restarted(noise):
    reader = RecordReader()
    assert reader.receive_data(pack_record("I", b"a") + noise) == [("I", b"a")]
    assert reader.broken
    assert reader.receive_data(pack_record("I", b"b")) == []
    assert reader.restart() is False
    assert reader.receive_data(pack_record("I", b"c") + b"I") == [("I", b"c")]
    assert reader.restart() is True


def test_reports_keep_their_ends_and_what_came_before_the_plug_was_pulled_is_read(tmp_path):
    with VirtualHidDevice(tmp_path / "hid", SCALE_DESCRIPTOR) as device:
        line = open_hidraw(str(device.path))
        assert line.read(0.0) == pack_record("D", SCALE_DESCRIPTOR)
        assert device.wait_for_driver(DEADLINE_S)
        assert line.read(0.01) == b""
        assert device.send(b"\x03abc")
        assert device.send(b"\x03de")
        assert line.read(DEADLINE_S) == pack_record("I", b"\x03abc") + pack_record("I", b"\x03de")
        line.write(pack_record("O", b"\x02\x01") + pack_record("F", b"\x04\x00"))
        assert [device.written(DEADLINE_S) for _ in range(2)] == [b"\x02\x01", b"\x04\x00"]
        assert device.send(b"\x03last")
        device.unplug()
        assert line.read(DEADLINE_S) == pack_record("I", b"\x03last")
        with pytest.raises(DeviceLost) as lost:
            line.read(DEADLINE_S)
        assert lost.value.hint.startswith("Plug the device in")
        with pytest.raises(DeviceLost):
            line.write(pack_record("O", b"\x02\x01"))
        line.close()
        line.close()
        with pytest.raises(DeviceLost):
            line.read(0.0)
        with pytest.raises(DeviceLost):
            open_hidraw(str(device.path))
        device.plug_in()
        open_hidraw(str(device.path)).close()


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        pytest.param("/dev/hidraw-none", "Plug the device in", id="missing"),
        pytest.param(os.devnull, "must name a HID device", id="another device"),
        pytest.param(__file__, "must name a HID device", id="a file"),
    ],
)
def test_a_path_that_is_no_hid_device_says_what_to_do(path, hint):
    with pytest.raises(DeviceLost) as lost:
        open_hidraw(path)
    assert hint in lost.value.hint


@pytest.mark.skipif(
    shutil.which("gcc") is None or not HEADER.exists(), reason="needs gcc and linux/hidraw.h"
)
def test_the_numbers_of_the_ioctls_are_those_of_the_kernel_header(tmp_path):
    source = tmp_path / "numbers.c"
    source.write_text(
        "#include <stdio.h>\n#include <sys/ioctl.h>\n#include <linux/types.h>\n"
        "#include <linux/hidraw.h>\nint main(void) {\n"
        '  printf("%lx %lx %lx %zu\\n", (unsigned long)HIDIOCGRDESCSIZE,\n'
        "    (unsigned long)HIDIOCGRDESC, (unsigned long)HIDIOCSFEATURE(2),\n"
        "    sizeof(struct hidraw_report_descriptor));\n  return 0;\n}\n"
    )
    subprocess.run(["gcc", "-o", tmp_path / "numbers", source], check=True)
    shown = subprocess.run([tmp_path / "numbers"], check=True, capture_output=True, text=True)
    size, descriptor, feature, length = shown.stdout.split()
    assert int(size, 16) == hidraw.HIDIOCGRDESCSIZE
    assert int(descriptor, 16) == hidraw.HIDIOCGRDESC
    assert int(feature, 16) == hidraw.HIDIOCSFEATURE | 2 << 16
    assert int(length) == 4 + RECORD_BYTES_MAX
