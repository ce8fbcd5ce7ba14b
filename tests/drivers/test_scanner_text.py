"""Scanned lines of text against readings. Pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.api import DeviceCommand
from drivers.protocols.aim import split_identifier
from drivers.protocols.scanner_commands import ScannerCommands
from drivers.protocols.scanner_text import ScannerText, ScannerTextProtocol
from drivers.readings import BarcodeScanned, DeviceFault
from tests.drivers.check_stream import check_stream, feed

GS1_LOT = "010950110153000310ABC123\x1d17271231"


def new_protocol(**text):
    return lambda: ScannerTextProtocol(ScannerText(**text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("]C1" + GS1_LOT, ("]C1", GS1_LOT), id="GS1-128"),
        pytest.param("]C1\x1d" + GS1_LOT, ("]C1", GS1_LOT), id="GS1-128 with its first FNC1"),
        pytest.param("]d2\x1d" + GS1_LOT, ("]d2", GS1_LOT), id="GS1 DataMatrix with first FNC1"),
        pytest.param("]e001095011015300", ("]e0", "01095011015300"), id="GS1 DataBar"),
        pytest.param("]Q3" + GS1_LOT, ("]Q3", GS1_LOT), id="GS1 QR"),
        pytest.param("]E09501101530003", ("]E0", "9501101530003"), id="EAN-13"),
        pytest.param("]d1\x1dA", ("]d1", "\x1dA"), id="a plain symbol may begin with GS"),
        pytest.param("]C1\x1d\x1dA", ("]C1", "\x1dA"), id="only the first FNC1 goes"),
        pytest.param("9501101530003", ("", "9501101530003"), id="no identifier"),
        pytest.param("\x1d10ABC", ("", "\x1d10ABC"), id="GS without identifier stays"),
        pytest.param("]1C10ABC", ("", "]1C10ABC"), id="not an identifier: digit first"),
        pytest.param("]C", ("", "]C"), id="not an identifier: too short"),
        pytest.param("A]C1", ("", "A]C1"), id="not an identifier: inside"),
    ],
)
def test_the_aim_identifier_is_split_off(text, expected):
    assert split_identifier(text) == expected


@pytest.mark.parametrize(
    ("settings", "line", "symbology", "data"),
    [
        pytest.param({}, b"]C1\x1d10A\x1d21B", "]C1", "10A\x1d21B", id="GS1-128"),
        pytest.param({}, b"]d2\x1d10A\x1d21B", "]d2", "10A\x1d21B", id="GS1 DataMatrix"),
        pytest.param({}, b"4006381333931", "", "4006381333931", id="no identifier sent"),
        pytest.param(
            {"gs_substitute": "{GS}"}, b"]C1{GS}10A{GS}21B", "]C1", "10A\x1d21B", id="substitute"
        ),
        pytest.param({"gs_substitute": "|"}, b"10A|21B", "", "10A\x1d21B", id="one character"),
        pytest.param({"identifier": "none"}, b"]C1A", "", "]C1A", id="identifier is data"),
        pytest.param({}, "]Q1螺丝".encode(), "]Q1", "螺丝", id="UTF-8"),
        pytest.param({}, b"Stra\xdfe", "", "Straße", id="Latin-1 where UTF-8 is impossible"),
        pytest.param({"encoding": "gb18030"}, "螺丝".encode("gb18030"), "", "螺丝", id="GB 18030"),
        pytest.param({}, b"[)>\x1e06\x1dP1\x1e\x04", "", "[)>\x1e06\x1dP1\x1e\x04", id="15434"),
    ],
)
def test_a_line_is_a_scan(settings, line, symbology, data):
    expected = [BarcodeScanned(symbology=symbology, data=data, raw=line)]
    check_stream(new_protocol(**settings), line + b"\r\n", expected, tail=line[:-1])


@pytest.mark.parametrize(
    ("settings", "line", "code", "detail"),
    [
        pytest.param({}, b"95\x00011", "unreadable", "0x00", id="NUL of a break"),
        pytest.param({}, b"\xfe\x81\x9c", "unreadable", "0x81", id="wrong speed"),
        pytest.param({}, b"95\x7f", "unreadable", "0x7f", id="DEL"),
        pytest.param({}, b"95\x02", "unreadable", "0x02", id="STX"),
        pytest.param({"encoding": "utf-8"}, b"a\xff", "unreadable", "utf-8", id="not UTF-8"),
        pytest.param({}, b"]C1", "scan_again", "no data", id="identifier alone"),
        pytest.param({}, b"]C1\x1d", "scan_again", "no data", id="identifier and FNC1"),
        pytest.param(
            {"identifier": "required"}, b"1530003", "scan_again", "AIM", id="its begin is lost"
        ),
        pytest.param(
            {"no_read_texts": ("NOREAD",)}, b"NOREAD", "scan_again", "no code", id="no read"
        ),
        pytest.param(
            {"frame_bytes_max": 16}, b"1" * 17, "unreadable", "more than 16", id="too long"
        ),
    ],
)
def test_a_bad_line_is_a_fault_and_the_next_scan_is_unharmed(settings, line, code, detail):
    readings = feed(new_protocol(**settings)(), [line + b"\r\n]E09501101530003\r\n"])
    fault, scan = readings
    assert isinstance(fault, DeviceFault) and fault.code == code
    assert detail in fault.detail
    assert line.startswith(fault.raw) and fault.raw
    assert scan == BarcodeScanned("]E0", "9501101530003", b"]E09501101530003")
    check_stream(new_protocol(**settings), line + b"\r\n]E09501101530003\r\n", readings)


def test_a_half_scan_is_a_fault_and_is_never_joined_with_the_next():
    protocol = new_protocol()()
    assert feed(protocol, [b"]C10109501"]) == []
    (fault,) = protocol.idle()
    assert fault.code == "scan_again" and fault.raw == b"]C10109501"
    assert feed(protocol, [b"]E04006381333931\r"]) == [
        BarcodeScanned("]E0", "4006381333931", b"]E04006381333931")
    ]
    assert list(protocol.idle()) == []


@pytest.mark.parametrize(
    ("settings", "line", "expected"),
    [
        pytest.param({"ignored_texts": ("ALIVE",)}, b"ALIVE", [], id="heartbeat"),
        pytest.param({"code_separator": ";"}, b"]C11;]E02;3", ["1", "2", "3"], id="several codes"),
        pytest.param({"code_separator": ";"}, b"1;", ["1"], id="separator at the end"),
        pytest.param({"code_separator": ";"}, b"1", ["1"], id="one code of possibly several"),
        pytest.param(
            {"code_separator": ";", "no_read_texts": ("NR",)},
            b"1;NR;3",
            ["1", "scan_again", "3"],
            id="one place was not read",
        ),
        pytest.param({"code_separator": ";"}, b"1;" * 257, ["unreadable"], id="too many codes"),
        pytest.param({"prefix": "<", "suffix": ">"}, b"<12>", ["12"], id="prefix and suffix"),
        pytest.param({"prefix": "<"}, b"12>", ["scan_again"], id="its beginning is lost"),
        pytest.param({"suffix": ">"}, b"<12", ["scan_again"], id="its end is lost"),
        pytest.param({"prefix": "<", "suffix": "<"}, b"<", ["scan_again"], id="one for both"),
        pytest.param({"prefix": "\x02"}, b"\x0212", ["12"], id="a control character as prefix"),
    ],
)
def test_a_line_is_taken_apart_as_the_reader_is_set_up(settings, line, expected):
    readings = feed(new_protocol(**settings)(), [line + b"\r"])
    assert [getattr(one, "data", "") or one.code for one in readings] == expected
    check_stream(new_protocol(**settings), line + b"\r", readings)


KEYENCE = ScannerCommands(
    trigger_on="LON01\r",
    trigger_off="\x02LOFF\x03",
    good_read="OK!\r",
    answer_ok="OK,",
    answer_error="ER,",
)


@pytest.mark.parametrize(
    ("name", "signal", "sent", "answer", "outcome"),
    [
        ("trigger_on", "off", b"LON01\r", b"OK,LON\r", "done"),
        ("trigger_on", "off", b"LON01\r", b"OK,LON01\r", "done"),
        ("trigger_on", "off", b"LON01\r", b"ER,LON,10\r", "refused"),
        ("trigger_on", "off", b"LON01\r", b"OK,LOFF\r", None),
        ("trigger_on", "off", b"LON01\r", b"OK,LO\r", None),
        ("trigger_off", "off", b"\x02LOFF\x03", b"OK,LOFF\r", "done"),
        ("signal", "success", b"OK!\r", b"", "done"),
        ("signal", "error", b"", b"", "refused"),
        ("zero", "off", b"", b"", "refused"),
    ],
)
def test_a_command_is_answered_by_what_repeats_it(name, signal, sent, answer, outcome):
    protocol = ScannerTextProtocol(ScannerText(), KEYENCE)
    assert protocol.begin(DeviceCommand(name, signal)) == sent
    codes = feed(protocol, [answer])
    result = protocol.result()
    assert (result.outcome if result else None) == outcome
    assert [one.data for one in codes] == (["OK,LO"] if answer == b"OK,LO\r" else [])


def test_an_answer_that_comes_late_is_no_code():
    protocol = ScannerTextProtocol(ScannerText(), KEYENCE)
    codes = feed(protocol, [b"OK,LON\rER,LOFF,12\rOK,LONDON\r"])
    assert [one.data for one in codes] == ["OK,LONDON"]
    without = ScannerTextProtocol(ScannerText(), ScannerCommands(trigger_on="LON\r"))
    assert without.begin(DeviceCommand("trigger_on")) == b"LON\r"
    assert without.result().outcome == "done"
    assert [one.data for one in feed(without, [b"OK,LON\r"])] == ["OK,LON"]


@given(chunks=st.lists(st.binary(max_size=60)), encoding=st.sampled_from(["auto", "gb18030"]))
def test_any_bytes_give_only_readings_and_the_memory_is_bounded(chunks, encoding):
    protocol = new_protocol(frame_bytes_max=32, encoding=encoding)()
    for reading in feed(protocol, chunks):
        assert isinstance(reading, BarcodeScanned | DeviceFault)
        assert len(reading.raw) <= 32
    for fault in protocol.idle():
        assert len(fault.raw) <= 34
