"""Each scale driver by name against a virtual scale on a real line. Loop."""

import time
from decimal import Decimal

import pytest

from drivers.api import DeviceCommand
from drivers.errors import DeviceLost, DeviceSilent
from drivers.readings import DeviceFault, WeightMeasured
from drivers.registry import load_driver
from drivers.simulators.lines import VirtualSerialLine, VirtualTcpPort
from drivers.simulators.scale_languages import (
    LineLanguage,
    NciLanguage,
    SmaLanguage,
    Toledo8217Language,
    ToledoContinuousLanguage,
    and_line,
    cas_line,
    ohaus_line,
)
from drivers.simulators.scale_mt_sics import VirtualMtSicsScale
from drivers.simulators.scale_virtual import VirtualScale
from tests.drivers.waiting import DEADLINE_S, read_until_raises, read_until_true

# Driver family: language of the virtual scale, settings, what it says of a load below zero.
FAMILIES = {
    "toledo-8217": (Toledo8217Language(), {}),
    "toledo-continuous": (ToledoContinuousLanguage(has_checksum=True), {"checksum": True}),
    "and": (LineLanguage(and_line, poll=b"Q"), {}),
    "cas": (
        LineLanguage(cas_line, poll=b"01RW", zero=b"01MZ", tare=b"01MT", refusal=b"!"),
        {"poll": True, "device_id": 1},
    ),
    "nci": (NciLanguage(), {}),
    "sma": (SmaLanguage(), {}),
    "ascii-scale": (LineLanguage(ohaus_line, poll=b"IP"), {"profile": "ohaus"}),
}
STREAMING = {
    "and": (LineLanguage(and_line), {"poll": False}),
    "cas": (LineLanguage(cas_line), {}),
}


class Place:
    """A virtual scale on a line, with a driver's name and settings at its near end."""

    def __init__(self, family, kind, folder, languages=FAMILIES):
        language, self.settings = languages[family]
        self.far = VirtualSerialLine(folder / "scale") if kind == "serial" else VirtualTcpPort()
        self.cut = self.far.unplug if kind == "serial" else self.far.refuse
        self.mend = self.far.plug_in if kind == "serial" else self.far.listen
        self.driver = load_driver(f"{family}-{kind}")
        self.settings = self.settings | {"poll_interval_s": 0.05, "polls_unanswered_max": 8}
        self.settings |= (
            {"port": str(self.far.path)}
            if kind == "serial"
            else {"host": "127.0.0.1", "port": self.far.port}
        )
        self.scale = VirtualScale(self.far, language)
        self.opened = []

    def open(self, **settings):
        device = self.driver.open_device(self.driver.parse_settings(self.settings | settings))
        self.opened.append(device)
        return device

    def close(self):
        for device in self.opened:
            device.close()
        self.scale.close()
        self.far.close()


@pytest.fixture(params=sorted(FAMILIES))
def family(request):
    return request.param


@pytest.fixture(params=["serial", "tcp"])
def place(request, family, tmp_path):
    made = Place(family, request.param, tmp_path)
    yield made
    made.close()


@pytest.fixture
def tcp_place(family, tmp_path):
    made = Place(family, "tcp", tmp_path)
    yield made
    made.close()


def weight(value, **wanted):
    return lambda reading: (
        isinstance(reading, WeightMeasured)
        and str(reading.value) == value
        and all(getattr(reading, name) == wish for name, wish in wanted.items())
    )


def fault(*codes):
    return lambda reading: isinstance(reading, DeviceFault) and reading.code in codes


def test_a_load_is_weighed_and_an_overloaded_or_empty_panned_scale_yields_a_fault(place):
    device = place.open()
    read_until_true(device, weight("0.000", unit="KGM", kind="gross", stable=True))
    place.scale.put(Decimal("1.25"))
    read_until_true(device, weight("1.250", unit="KGM", kind="gross", stable=True))
    place.scale.overload()
    assert not isinstance(read_until_true(device, of_now(device)), WeightMeasured)
    place.scale.underload()
    read_until_true(device, fault("underload", "unreadable"))
    place.scale.put(Decimal("2.5"))
    read_until_true(device, weight("2.500"))


def of_now(device):
    # Frames of before may still be on the line; the first fault is the scale's new state.
    return fault("overload", "unreadable")


def test_a_moving_load_is_never_a_stable_weight(tcp_place):
    device = tcp_place.open()
    read_until_true(device, weight("0.000"))
    tcp_place.scale.put(Decimal("3.2"), stable=False)
    seen = read_until_true(
        device,
        lambda one: fault("not_ready")(one) or weight("3.200")(one),
    )
    assert isinstance(seen, DeviceFault) or not seen.stable


def test_an_unplugged_scale_is_lost_also_within_a_frame_and_weighs_again_after(place):
    device = place.open()
    place.scale.put(Decimal("1.25"))
    read_until_true(device, weight("1.250"))
    place.scale.break_off(5)
    read_while(device, lambda: not place.scale.is_mute)
    place.cut()
    read_until_raises(device, DeviceLost)
    device.close()
    place.mend()
    place.scale.mute(muted=False)
    again = place.open()
    place.scale.put(Decimal("7.5"))
    values = set()
    read_until_true(
        again,
        lambda one: values.add(getattr(one, "value", None)) or weight("7.500")(one),
    )
    assert values <= {Decimal("1.250"), Decimal("7.500"), None}


def read_while(device, is_so):
    deadline_s = time.monotonic() + DEADLINE_S
    while is_so():
        assert time.monotonic() < deadline_s
        device.read(0.01)


@pytest.mark.parametrize("family", ["and", "nci", "toledo-continuous"])  # Each kind of framing.
def test_half_a_frame_of_a_scale_that_falls_mute_is_a_fault_and_then_silence(family, tcp_place):
    del family
    device = tcp_place.open(polls_unanswered_max=14)
    tcp_place.scale.put(Decimal("1.25"))
    read_until_true(device, weight("1.250"))
    tcp_place.scale.break_off(6)
    read_until_true(device, fault("unreadable"))
    assert read_until_raises(device, DeviceSilent).hint


def test_two_scales_of_one_kind_do_not_disturb_each_other(family, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, second = Place(family, "serial", tmp_path / "a"), Place(family, "tcp", tmp_path / "b")
    try:
        devices = [first.open(), second.open()]
        first.scale.put(Decimal(1))
        second.scale.put(Decimal(2))
        read_until_true(devices[0], weight("1.000"))
        read_until_true(devices[1], weight("2.000"))
    finally:
        first.close()
        second.close()


def test_a_scale_zeroes_tares_and_clears_as_its_driver_declares(tcp_place):
    device, scale, commands = tcp_place.open(), tcp_place.scale, tcp_place.driver.commands
    scale.put(Decimal("0.2"))
    read_until_true(device, weight("0.200"))
    if tcp_place.driver.name == "and-tcp":  # Its balances do not state the tare.
        assert device.execute(DeviceCommand("tare")).outcome == "refused"
        assert scale.load.tare == 0
    elif "tare" in commands:
        assert device.execute(DeviceCommand("tare")).outcome == "done"
        assert scale.load.tare == Decimal("0.2")
        scale.put(Decimal("1.2"))
        read_until_true(device, weight("1.000", kind="net"))
    if "clear_tare" in commands:
        assert device.execute(DeviceCommand("clear_tare")).outcome == "done"
        assert scale.load.tare == 0
    if "zero" in commands:
        scale.put(Decimal("0.01"))
        read_until_true(device, lambda _: True)
        assert device.execute(DeviceCommand("zero")).outcome == "done"
        assert scale.load.gross == 0
        read_until_true(device, weight("0.000", stable=True))


def test_a_command_that_the_scale_cannot_do_changes_nothing(tcp_place):
    if "zero" not in tcp_place.driver.commands:
        return
    device = tcp_place.open(command_timeout_s=0.3)
    tcp_place.scale.put(Decimal("1.25"), stable=False)
    read_until_true(device, lambda one: not weight("0.000")(one))
    outcome = device.execute(DeviceCommand("zero")).outcome
    assert outcome == ("unknown" if "continuous" in tcp_place.driver.name else "refused")
    assert tcp_place.scale.load.gross == Decimal("1.25")


@pytest.mark.parametrize("streaming", sorted(STREAMING))
def test_a_scale_that_speaks_by_itself_is_read_and_its_silence_is_noticed(streaming, tmp_path):
    place = Place(streaming, "serial", tmp_path, STREAMING)
    try:
        device = place.open()
        place.scale.put(Decimal("4.2"))
        read_until_true(device, weight("4.200"))
        place.scale.mute()
        silent = read_until_raises(device, DeviceSilent)
        assert "not a word" in str(silent)
    finally:
        place.close()


def test_a_driver_finds_its_scale_and_only_its_scale(family, tmp_path):
    place = Place(family, "tcp", tmp_path)
    try:
        settings = place.driver.parse_settings(place.settings)
        assert place.driver.probe(settings) == "a weight of 0.000 KGM"
        place.scale.mute()
        assert place.driver.probe(settings) == ""
    finally:
        place.close()


@pytest.mark.parametrize("kind", ["serial", "tcp"])
def test_an_mt_sics_scale_states_its_tare_when_it_is_asked(kind, tmp_path):
    far = VirtualSerialLine(tmp_path / "scale") if kind == "serial" else VirtualTcpPort()
    where = {"port": str(far.path)} if kind == "serial" else {"host": "127.0.0.1", "port": far.port}
    driver = load_driver(f"mt-sics-{kind}")
    settings = driver.parse_settings({**where, "tare": "asked", "poll_interval_s": 0.05})
    with far, VirtualMtSicsScale(far) as scale:
        device = driver.open_device(settings)
        scale.put(Decimal("0.2"))
        assert device.execute(DeviceCommand("tare")).outcome == "done"
        scale.put(Decimal("1.2"))
        read_until_true(device, weight("1.000", kind="net", tare=Decimal("0.200")))
        device.close()
        device = driver.open_device(settings)  # A driver that starts later knows of it too.
        read_until_true(device, weight("1.000", kind="net"))
        assert device.execute(DeviceCommand("clear_tare")).outcome == "done"
        read_until_true(device, weight("1.200", kind="gross"))
        assert device.execute(DeviceCommand("zero")).outcome == "done"
        read_until_true(device, weight("0.000", kind="gross"))
        scale.put(Decimal("0.5"), stable=False)
        assert device.execute(DeviceCommand("zero")).outcome == "refused"
        device.close()
