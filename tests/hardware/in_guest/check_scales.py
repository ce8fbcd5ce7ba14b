"""Scales through the guest's kernel and the drivers under test: HID, and serial behind FTDI."""

from contextlib import contextmanager
from decimal import Decimal

import pytest

from drivers.protocols.scale_modbus_maps import LaumasTlb, register_map
from drivers.readings import DeviceFault, WeightMeasured
from drivers.simulators.scale_mt_sics import VirtualMtSicsScale
from drivers.simulators.scale_virtual import VirtualScale
from tests.drivers.test_scale_drivers import FAMILIES
from tests.hardware.in_guest.conftest import meanwhile
from tests.hardware.in_guest.hid_gadgets import HidScale
from tests.hardware.in_guest.line_gadgets import FtdiLine
from tests.hardware.in_guest.modbus_end import modbus_scale

DIVISOR_9600 = 0x4138  # AN_120: 3 MHz / 9600 = 312.5; the half is bit 14.
OVERLOADED = ("overload", "unreadable")  # Some fill the line with signs instead of a word.
UNHURRIED = {"poll_interval_s": 0.05, "polls_unanswered_max": 1000}
MODBUS_MAP = {"name": "laumas-tlb", "decimals_count": 3, "unit": "KGM"}
MODBUS_SETTINGS = {"map": MODBUS_MAP, "timeout_s": 10.0, "poll_interval_s": 0.05}


def weights(opened):
    return [
        (one.value, one.unit, one.stable)
        for one in opened.readings
        if isinstance(one, WeightMeasured)
    ]


@pytest.mark.drivers("scale-hidraw")
def test_a_hid_scale_tells_moving_from_stable_and_is_missed(opened):
    with HidScale() as scale:
        device = opened("scale-hidraw", path=scale.node("hidraw"))
        with meanwhile(scale.show, Decimal("12.345")):
            device.until(lambda _: weights(device))
        with meanwhile(lambda: scale.show(Decimal("12.400"), stable=False)):
            device.until(lambda _: len(weights(device)) == 2)
        assert weights(device) == [
            (Decimal("12.345"), "KGM", True),
            (Decimal("12.400"), "KGM", False),
        ]
        scale.unplug()
        assert device.lost().hint


def test_a_scale_behind_an_ftdi_adapter_is_asked_at_its_own_speed(opened):
    with FtdiLine("FT0001") as line:

        def answer():
            line.wait_for(b"Q\r\n")
            line.say(b"ST,+00012.34 kg\r\n")

        device = opened("and-serial", port=line.node("ttyUSB"), data_bits=7, parity="even")
        with meanwhile(answer):
            device.until(lambda _: weights(device))
        assert weights(device)[0][:2] == (Decimal("12.34"), "KGM")
        speeds = [value for request, value, _ in line.requests if request == line.SET_BAUD_RATE]
        assert DIVISOR_9600 in speeds


class SerialScale:
    """A driver, and the simulator of its scale at the other end of the adapter.

    half: of what the scale says next; sent alone, it must not become a weight.
    """

    def __init__(self, simulator, settings, line, *, half=b""):
        self._simulator = simulator
        self._line = line
        self._half = half
        self.settings = settings
        self.put, self.overload = simulator.put, simulator.overload

    def break_off(self, device):
        """Have the scale say half of a weight to a device, and no more."""
        if not self._half:
            self._simulator.break_off(5)
            device.until(lambda _: self._simulator.is_mute)  # Some speak only when they are asked.
            return
        self._simulator.mute()
        self._line.write(self._half)


@contextmanager
def mt_sics(line, _folder):
    with VirtualMtSicsScale(line) as scale:
        yield SerialScale(scale, UNHURRIED, line, half=b"S S     7")


@contextmanager
def modbus(line, folder):
    registers = register_map(LaumasTlb(decimals_count=3, unit="KGM"))
    with modbus_scale(line, registers, folder) as scale:
        yield SerialScale(scale, MODBUS_SETTINGS, line, half=b"\x01\x03\x0a")


def in_language(family):
    """Return what has the simulator that the scales of a family have in `tests/drivers`."""
    language, settings = FAMILIES[family]

    @contextmanager
    def made(line, _folder):
        with VirtualScale(line, language) as scale:
            yield SerialScale(scale, UNHURRIED | settings, line)

    return made


SERIAL_SCALES = {
    "mt-sics-serial": mt_sics,
    "modbus-scale-rtu": modbus,
    **{f"{family}-serial": in_language(family) for family in FAMILIES},
}


@pytest.fixture(scope="module")
def line():
    with FtdiLine("FT0002") as made:
        yield made


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.drivers(name)) for name in SERIAL_SCALES]
)
def test_a_serial_scale_is_weighed_overloaded_and_pulled_out_within_a_weight(
    name, opened, line, tmp_path
):
    if not line.controller:
        line.plug()
    with SERIAL_SCALES[name](line, tmp_path) as scale:
        device = opened(name, port=line.node("ttyUSB"), **scale.settings)
        scale.put(Decimal("1.25"))
        device.until(lambda _: (Decimal("1.250"), "KGM", True) in weights(device))
        scale.put(Decimal("3.2"), stable=False)
        device.until(lambda _: moves(device.readings[-1:]))
        assert (Decimal("3.200"), "KGM", True) not in weights(device)
        scale.overload()
        device.until(lambda _: faults(device.readings, OVERLOADED))
        assert isinstance(device.readings[-1], DeviceFault)
        scale.put(Decimal("7.5"))
        device.until(lambda _: (Decimal("7.500"), "KGM", True) in weights(device))
        device.readings.clear()
        scale.break_off(device)
        line.unplug()
        assert device.lost().hint
        assert {one[0] for one in weights(device)} <= {Decimal("7.500")}  # Whole ones of before.
        device.device.close()
        line.gone()


def moves(readings):
    """Return whether the scale moves: it says so with the weight, or has none yet."""
    return any(
        not one.stable if isinstance(one, WeightMeasured) else one.code == "not_ready"
        for one in readings
    )


def faults(readings, codes):
    return [one for one in readings if isinstance(one, DeviceFault) and one.code in codes]
