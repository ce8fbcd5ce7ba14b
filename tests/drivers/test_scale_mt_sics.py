"""MT-SICS replies against readings. Pure."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.protocols.scale_mt_sics import FRAME_BYTES_MAX, MtSicsProtocol
from drivers.readings import DeviceFault, WeightMeasured
from tests.drivers.check_stream import check_stream, feed

NEXT = b"S S     100.00 g"
NEXT_WEIGHT = WeightMeasured(Decimal("100.00"), "GRM", "gross", stable=True, raw=NEXT)


@pytest.mark.parametrize(
    ("line", "value", "unit", "stable"),
    [
        pytest.param(b"S S     100.00 g", "100.00", "GRM", True, id="stable"),
        pytest.param(b"S D     100.00 g", "100.00", "GRM", False, id="dynamic"),
        pytest.param(b"S S     12.500 kg", "12.500", "KGM", True, id="kilogram keeps its zeros"),
        pytest.param(b"S S      -0.50 kg", "-0.50", "KGM", True, id="negative"),
        pytest.param(b"S S       1500 mg", "1500", "MGM", True, id="no decimals"),
        pytest.param(b"S S      0.002 t", "0.002", "TNE", True, id="tonne"),
        pytest.param(b"S S      12.34 lb", "12.34", "LBR", True, id="pound"),
        pytest.param(b"S S      12.34 oz", "12.34", "ONZ", True, id="ounce"),
        pytest.param(b"SI S       0.00 kg", "0.00", "KGM", True, id="head repeats SI"),
        pytest.param(b"SIR D       0.00 kg", "0.00", "KGM", False, id="head repeats SIR"),
        pytest.param(b"SI ?       18.5 kg ", "18.5", "KGM", False, id="RADWAG unstable"),
        pytest.param(b"S    -      8.5 g  ", "-8.5", "GRM", True, id="RADWAG stable, negative"),
    ],
)
def test_a_weight_keeps_its_digits_its_unit_and_its_stability(line, value, unit, stable):
    weight = WeightMeasured(Decimal(value), unit, "gross", stable=stable, raw=line)
    check_stream(MtSicsProtocol, line + b"\r\n", [weight], tail=line[:-1])
    assert str(weight.value) == value


@pytest.mark.parametrize(
    ("line", "code", "detail"),
    [
        pytest.param(b"S I", "not_ready", "busy", id="cannot execute"),
        pytest.param(b"S +", "overload", "exceeds", id="overload"),
        pytest.param(b"S -", "underload", "under", id="underload"),
        pytest.param(b"SI +", "overload", "exceeds", id="overload, head repeats SI"),
        pytest.param(b"S L", "not_ready", "parameter", id="parameter wrong"),
        pytest.param(b"S E", "not_ready", "time limit", id="RADWAG: stability time limit"),
        pytest.param(b"SI ^       31.0 kg ", "overload", "exceeds", id="RADWAG: above range"),
        pytest.param(b"SI v -      1.0 kg ", "underload", "under", id="RADWAG: under range"),
        pytest.param(b"ES", "not_ready", "MT-SICS", id="syntax error"),
        pytest.param(b"ET", "not_ready", "damaged", id="transmission error"),
        pytest.param(b"EL", "not_ready", "cannot", id="logical error"),
        pytest.param(b"S S          7 PCS", "unreadable", "'pcs'", id="pieces are no weight"),
        pytest.param(b"S S      12.50 %", "unreadable", "'%'", id="percent is no weight"),
        pytest.param(b"S S    100.00 g", "unreadable", "9 columns", id="a blank was lost"),
        pytest.param(b"S S     10.00 g", "unreadable", "9 columns", id="a digit was lost"),
        pytest.param(b"SI       18.5 kg ", "unreadable", "not a reply", id="RADWAG, byte lost"),
        pytest.param(b"SI ?       8.5 kg ", "unreadable", "not a reply", id="RADWAG, digit lost"),
        pytest.param(b" S     100.00 g", "unreadable", "not a reply", id="its begin is lost"),
        pytest.param(b"S S     100,00 g", "unreadable", "not a reply", id="comma"),
        pytest.param(b"S S     1 0.00 g", "unreadable", "not a reply", id="a digit became a blank"),
        pytest.param(b"S X     100.00 g", "unreadable", "not a reply", id="unknown stability"),
        pytest.param(b"S S     100.00", "unreadable", "not a reply", id="no unit"),
        pytest.param(b"T S     100.00 g", "unreadable", "not a reply", id="a tare is no weight"),
        pytest.param(b"TA A      2.486 g", "unreadable", "not a reply", id="a tare value either"),
        pytest.param(b"Z A", "unreadable", "not a reply", id="zeroed by another host"),
        pytest.param(b"\xd3\xa0\xd3", "unreadable", "not a reply", id="wrong parity"),
    ],
)
def test_a_failure_yields_no_value_and_the_next_weight_is_unharmed(line, code, detail):
    stream = line + b"\r\n" + NEXT + b"\r\n"
    fault, weight = feed(MtSicsProtocol(), [stream])
    assert isinstance(fault, DeviceFault)
    assert (fault.code, fault.raw) == (code, line)
    assert detail in fault.detail
    assert weight == NEXT_WEIGHT
    check_stream(MtSicsProtocol, stream, [fault, weight])


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"S A", id="RADWAG: accepted"),
        pytest.param(b"SI A", id="RADWAG: SI accepted"),
        pytest.param(b"SI", id="echo of our command"),
        pytest.param(b'I4 A "B123456789"', id="switched on"),
    ],
)
def test_a_line_that_says_nothing_of_the_load_is_skipped(line):
    stream = line + b"\r\n" + NEXT + b"\r\n"
    check_stream(MtSicsProtocol, stream, [NEXT_WEIGHT])


def test_an_endless_line_costs_one_fault():
    stream = b"8" * 1000 + b"\r\n" + NEXT + b"\r\n"
    fault = DeviceFault(
        "unreadable", "a reply of more than 80 bytes was dropped", b"8" * FRAME_BYTES_MAX
    )
    check_stream(MtSicsProtocol, stream, [fault, NEXT_WEIGHT])


def test_half_a_reply_is_never_joined_with_the_next():
    protocol = MtSicsProtocol()
    assert feed(protocol, [b"S S     1"]) == []
    assert list(protocol.idle()) == [DeviceFault("unreadable", "half a reply", b"S S     1")]
    assert feed(protocol, [NEXT + b"\r\n"]) == [NEXT_WEIGHT]


@pytest.mark.parametrize("line", [b"S S 100.00 g", b"S S      100.0000000 g"])
def test_a_scale_that_keeps_to_no_columns_can_be_allowed(line):
    readings = feed(MtSicsProtocol(weight_columns=0), [line + b"\r\n"])
    assert [type(reading) for reading in readings] == [WeightMeasured]
    assert [type(one) for one in feed(MtSicsProtocol(), [line + b"\r\n"])] == [DeviceFault]


def test_a_scale_with_one_unit_is_believed_in_no_other():
    protocol = MtSicsProtocol(unit="kg")
    weight, fault = feed(protocol, [b"S S     12.500 kg\r\nS S     12.500 g\r\n"])
    assert isinstance(weight, WeightMeasured) and weight.unit == "KGM"
    assert isinstance(fault, DeviceFault) and "not in kg" in fault.detail


@given(lost=st.integers(0, len(NEXT) - 1))
def test_no_lost_byte_turns_a_weight_into_another(lost):
    cut = NEXT[:lost] + NEXT[lost + 1 :]
    (reading,) = feed(MtSicsProtocol(), [cut + b"\r\n"])
    assert isinstance(reading, DeviceFault)


@given(chunks=st.lists(st.binary(max_size=99) | st.text("SID +-.019kg\r\n").map(str.encode)))
def test_any_bytes_give_only_readings_and_the_memory_is_bounded(chunks):
    protocol = MtSicsProtocol()
    for reading in feed(protocol, chunks):
        assert isinstance(reading, WeightMeasured | DeviceFault)
        assert len(reading.raw) <= FRAME_BYTES_MAX
    assert all(len(fault.raw) <= FRAME_BYTES_MAX + 2 for fault in protocol.idle())
