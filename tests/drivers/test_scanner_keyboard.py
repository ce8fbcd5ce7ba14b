"""Keys that a scanner types against readings. Pure."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.protocols import scanner_keyboard
from drivers.protocols.keyboard_layouts import LAYOUTS
from drivers.protocols.scanner_keyboard import (
    EV_KEY,
    EV_SYN,
    EVENT,
    KEYS_MAX,
    SYN_DROPPED,
    SYN_PAUSE,
    KeyboardDecoder,
)
from drivers.protocols.scanner_text import ScannerText
from drivers.readings import BarcodeScanned, DeviceFault
from tests.drivers.check_stream import check_stream, feed
from tests.drivers.keystrokes import (
    ALT_GR,
    ENTER,
    LEFT_ALT,
    LEFT_CTRL,
    LEFT_SHIFT,
    SYNC,
    press,
    type_alt_code,
    type_text,
)

GS1_LOT = "010950110153000310ABc-123\x1d17271231"
DROPPED = EVENT.pack(EV_SYN, SYN_DROPPED, 0)
NEXT = type_text("]E04006381333931")


def new_decoder(layout="us", **text):
    return lambda: KeyboardDecoder(layout=layout, text=ScannerText(**text))


def scans(readings):
    return [(reading.symbology, reading.data) for reading in readings]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "text", ["]C1" + GS1_LOT, "]d2" + GS1_LOT, "]E09501101530003", string.printable[:95]]
)
def test_what_is_typed_is_what_is_read_on_every_layout(layout, text):
    (scan,) = feed(new_decoder(layout, identifier="none")(), [type_text(text, layout=layout)])
    assert scan.data == text


def test_the_wrong_layout_is_seen_as_other_data_or_a_fault_but_never_raises():
    typed = type_text("]C1" + GS1_LOT, layout="fr")
    assert feed(new_decoder("us")(), [typed])[0] != feed(new_decoder("fr")(), [typed])[0]


def test_a_scan_is_read_however_the_events_are_cut():
    stream = type_text("]C110AB\x1d2177") + NEXT
    readings = feed(new_decoder()(), [stream])
    assert scans(readings) == [("]C1", "10AB\x1d2177"), ("]E0", "4006381333931")]
    check_stream(new_decoder(), stream, readings, tail=type_text("12", end=None))


@pytest.mark.parametrize(
    ("settings", "typed", "expected"),
    [
        pytest.param({}, type_text("9501", end=96), ("", "9501"), id="keypad Enter ends"),
        pytest.param({}, type_text("9501", end=15), ("", "9501"), id="Tab ends"),
        pytest.param(
            {}, press(ENTER) + type_text("9501") + press(15), ("", "9501"), id="lone ends vanish"
        ),
        pytest.param(
            {},
            type_text("9501", end=None) + press(50, held=(LEFT_CTRL,)) + press(36, held=(97,)),
            ("", "9501"),
            id="Ctrl+M Ctrl+J end",
        ),
        pytest.param(
            {},
            type_text("]C110A", end=None) + press(66) + type_text("21B"),
            ("]C1", "10A\x1d21B"),
            id="F8 is GS",
        ),
        pytest.param(
            {"layout": "de"},
            type_text("10A", end=None)
            + press(10, held=(LEFT_CTRL, ALT_GR))
            + type_text("21B", layout="de"),
            ("", "10A]21B"),
            id="AltGr beats Ctrl",
        ),
        pytest.param(
            {"layout": "de"},
            press(10, held=(LEFT_CTRL, LEFT_ALT)) + type_text("C1A", layout="de"),
            ("]C1", "A"),
            id="Ctrl+Alt is AltGr",
        ),
        pytest.param(
            {"gs_substitute": "{GS}"},
            type_text("]C1{GS}10A{GS}21B"),
            ("]C1", "10A\x1d21B"),
            id="substitute",
        ),
        pytest.param(
            {},
            b"".join(map(type_alt_code, ["93", "067", "0049", "029", "65", "0228"])) + press(ENTER),
            ("]C1", "Aä"),
            id="Alt codes",
        ),
        pytest.param(
            {}, type_alt_code("132") + type_alt_code("13"), ("", "ä"), id="Alt codes, OEM and CR"
        ),
        pytest.param(
            {"layout": "fr"}, press(79) + press(82) + press(ENTER), ("", "10"), id="keypad digits"
        ),
    ],
)
def test_scanners_type_special_keys_in_many_ways(settings, typed, expected):
    assert scans(feed(new_decoder(**settings)(), [typed])) == [expected]


def test_a_repeated_key_counts_once():
    held = EVENT.pack(EV_KEY, 2, 1) + SYNC + EVENT.pack(EV_KEY, 2, 2) * 3 + SYNC
    assert scans(feed(new_decoder()(), [held + press(ENTER)])) == [("", "1")]


def test_shift_holds_for_all_keys_until_it_is_let_go():
    stream = (
        EVENT.pack(EV_KEY, LEFT_SHIFT, 1)
        + press(30)
        + press(48)
        + EVENT.pack(EV_KEY, LEFT_SHIFT, 0)
        + type_text("c")
    )
    assert scans(feed(new_decoder()(), [stream])) == [("", "ABc")]


def test_the_evidence_is_each_key_with_its_modifiers():
    (scan,) = feed(new_decoder()(), [type_text("a]B\x1d")])
    assert scan.raw == bytes([0, 30, 0, 0, 27, 0, 1, 48, 0, 2, 27, 0])


@pytest.mark.parametrize(
    ("settings", "typed", "detail"),
    [
        pytest.param({}, press(59) + type_text("9501"), "key 59", id="F1"),
        pytest.param({}, type_text("95", end=None) + press(58) + press(ENTER), "58", id="Caps"),
        pytest.param({}, press(0x160) + press(ENTER), "key 352", id="no keyboard's key"),
        pytest.param({"layout": "fr"}, press(41, held=(LEFT_SHIFT,)) + press(ENTER), "41", id="fr"),
        pytest.param({}, press(16, held=(ALT_GR,)) + press(ENTER), "key 16", id="us has no AltGr"),
        pytest.param({}, press(30, held=(LEFT_ALT,)) + press(ENTER), "Alt", id="Alt and a letter"),
        pytest.param({}, type_alt_code("0129") + press(ENTER), "Alt code", id="undefined code"),
        pytest.param({}, type_alt_code("256") + press(ENTER), "Alt code", id="Alt code too big"),
        pytest.param({}, type_alt_code("00065") + press(ENTER), "with Alt", id="Alt code too long"),
        pytest.param({}, press(30, held=(LEFT_CTRL,)) + press(ENTER), "0x01", id="Ctrl+A"),
        pytest.param({"layout": "de"}, press(41) + press(30) + press(ENTER), "dead", id="dead key"),
        pytest.param({"layout": "de"}, press(41) + press(ENTER), "within", id="dead key at end"),
    ],
)
def test_a_key_without_a_character_makes_the_whole_scan_unreadable(settings, typed, detail):
    fault, scan = feed(
        new_decoder(**settings)(), [typed + type_text("77", layout=settings.get("layout", "us"))]
    )
    assert isinstance(fault, DeviceFault) and fault.code == "unreadable"
    assert detail in fault.detail
    assert fault.raw
    assert scan.data == "77"


@pytest.mark.parametrize(
    "stream",
    [
        pytest.param(
            type_text("]C101095", end=None) + DROPPED + SYNC + type_text("30003"), id="mid"
        ),
        pytest.param(
            type_text("01", end=None) + DROPPED + type_text("22", end=None) + type_text("3"),
            id="events before the report are stale",
        ),
        pytest.param(DROPPED + DROPPED + SYNC + type_text("30003"), id="twice"),
        pytest.param(
            EVENT.pack(EV_KEY, LEFT_SHIFT, 1) + DROPPED + SYNC + type_text("30003"),
            id="a held Shift is forgotten",
        ),
    ],
)
def test_lost_events_ask_to_scan_again_and_the_tail_is_no_scan(stream):
    readings = feed(new_decoder()(), [stream + NEXT])
    assert [type(reading) for reading in readings] == [DeviceFault, BarcodeScanned]
    assert readings[0].code == "scan_again"
    assert scans(readings[1:]) == [("]E0", "4006381333931")]
    check_stream(new_decoder(), stream + NEXT, readings)


def test_after_lost_events_a_pause_ends_the_broken_scan():
    decoder = new_decoder()()
    feed(decoder, [type_text("01", end=None) + DROPPED + SYNC + type_text("30", end=None)])
    assert list(decoder.idle()) == []
    assert scans(feed(decoder, [NEXT])) == [("]E0", "4006381333931")]


def test_a_half_scan_is_a_fault_and_is_never_joined_with_the_next():
    decoder = new_decoder()()
    half = type_text("]C10109", end=None) + EVENT.pack(EV_KEY, LEFT_SHIFT, 1)
    assert feed(decoder, [half]) == []
    (fault,) = decoder.idle()
    assert fault.code == "scan_again" and fault.raw
    assert scans(feed(decoder, [NEXT])) == [("]E0", "4006381333931")]
    assert list(decoder.idle()) == []


def test_an_endless_scan_costs_one_fault_and_bounded_memory():
    decoder = new_decoder()()
    readings = feed(decoder, [press(30)] * (KEYS_MAX + 100))
    assert [reading.code for reading in readings] == ["unreadable"]
    assert len(readings[0].raw) == (KEYS_MAX + 1) * scanner_keyboard.RAW_KEY_BYTES
    assert feed(decoder, [press(ENTER)]) == []
    assert scans(feed(decoder, [NEXT])) == [("]E0", "4006381333931")]


EVENTS = st.builds(
    EVENT.pack,
    st.sampled_from([0, 0, 1, 1, 1, 1, 4]),
    st.sampled_from([0, 3, 28, 29, 42, 56, 100, 27, 41, 13, 79, 82, 66]) | st.integers(0, 0xFFFF),
    st.integers(0, 2) | st.integers(-(2**31), 2**31 - 1),
)


@pytest.mark.parametrize("layout", LAYOUTS)
@given(chunks=st.lists(EVENTS | st.binary(max_size=30)))
def test_any_bytes_give_only_readings(layout, chunks):
    decoder = new_decoder(layout)()
    readings = feed(decoder, chunks)
    assert all(isinstance(reading, BarcodeScanned | DeviceFault) for reading in readings)
    assert readings == feed(new_decoder(layout)(), [b"".join(chunks)])
    assert all(isinstance(reading, DeviceFault) for reading in decoder.idle())


PAUSE = EVENT.pack(EV_SYN, SYN_PAUSE, 120)


def test_a_pause_that_the_transport_saw_breaks_a_scan_off():
    stream = type_text("12", end=None) + PAUSE + type_text("34")
    readings = feed(new_decoder()(), [stream])
    assert [getattr(one, "data", "") or one.code for one in readings] == ["scan_again", "34"]
    check_stream(new_decoder(), stream, readings)


def gap_decoder(**text):
    return lambda: KeyboardDecoder(layout="us", text=ScannerText(**text), end_by_gap=True)


def test_a_pause_ends_the_scan_of_a_scanner_without_enter():
    stream = type_text("12", end=None) + PAUSE + type_text("34", end=None) + PAUSE + PAUSE
    expected = [("", "12"), ("", "34")]
    assert scans(feed(gap_decoder()(), [stream])) == expected
    decoder = gap_decoder()()
    assert feed(decoder, [type_text("56", end=None)]) == []
    assert scans(decoder.idle()) == [("", "56")]
    assert list(decoder.idle()) == []
    assert scans(feed(decoder, [type_text("78")])) == [("", "78")]


def test_a_pause_within_a_scan_is_seen_by_its_prefix_and_suffix():
    decoder = gap_decoder(prefix="*", suffix="#")()
    stream = type_text("*12", end=None) + PAUSE + type_text("34#", end=None) + PAUSE
    assert [one.code for one in feed(decoder, [stream])] == ["scan_again"] * 2
    assert scans(feed(decoder, [type_text("*56#", end=None) + PAUSE])) == [("", "56")]


def test_two_scanners_do_not_share_their_modifiers_or_their_scans():
    one, other = new_decoder()(), new_decoder()()
    feed(one, [EVENT.pack(EV_KEY, LEFT_SHIFT, 1)])
    assert scans(feed(other, [type_text("ab")])) == [("", "ab")]
    feed(one, [type_text("A", end=None)])
    assert scans(feed(other, [type_text("c")])) == [("", "c")]


# Samples. All keys were compared with xkeyboard-config 2.35.1 (symbols us, gb, de, fr) by hand; the
# Windows layouts, which scanners imitate, differ from it in Shift and the key left of 1 (fr: none),
# AltGr and that key (uk: broken bar), and AltGr and the key right of P's neighbour (fr: currency).
@pytest.mark.parametrize(
    ("layout", "key", "plain", "shift", "alt_gr"),
    [
        ("de", 21, "z", "Z", None),
        ("de", 44, "y", "Y", None),
        ("de", 8, "7", "/", "{"),
        ("de", 53, "-", "_", None),
        ("de", 52, ".", ":", None),
        ("de", 27, "+", "*", "~"),
        ("de", 43, "#", "'", None),
        ("fr", 16, "a", "A", None),
        ("fr", 2, "&", "1", None),
        ("fr", 7, "-", "6", "|"),
        ("fr", 12, ")", "°", "]"),
        ("fr", 13, "=", "+", "}"),
        ("fr", 50, ",", "?", None),
        ("fr", 52, ":", "/", None),
        ("fr", 53, "!", "§", None),
        ("uk", 3, "2", '"', None),
        ("uk", 40, "'", "@", None),
        ("uk", 43, "#", "~", None),
    ],
)
def test_the_keys_of_a_country_are_where_its_standard_puts_them(layout, key, plain, shift, alt_gr):
    known = LAYOUTS[layout]
    levels = ("plain", "shift", "alt_gr")
    assert [known.character(level, key) for level in levels] == [plain, shift, alt_gr]
