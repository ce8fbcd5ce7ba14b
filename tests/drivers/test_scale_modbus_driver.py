"""The Modbus scale drivers against a virtual scale, over real TCP and a real serial line."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from drivers.api import DeviceCommand, ReadingDevice
from drivers.errors import DeviceLost, DeviceSilent, SettingsInvalid
from drivers.protocols.scale_modbus import RegisterMap, RegisterWrite
from drivers.protocols.scale_modbus_maps import register_map
from drivers.readings import DeviceFault, Reading, WeightMeasured
from drivers.registry import load_driver
from drivers.simulators.scale_modbus import VirtualModbusScale

# Like the DAT family: little word order, a bit for motion instead of stability, a serial number.
MAP: dict[str, object] = {
    "name": "custom",
    "function": "input",
    "block_address": 200,
    "block_count": 6,
    "weight_address": 203,
    "weight_type": "int32",
    "word_order": "little",
    "weight_kind": "net",
    "decimals_count": 3,
    "unit": "KGM",
    "status_address": 202,
    "stable": {"bit": 1, "is_true_when": "clear"},
    "overload": [{"bit": 5}],
    "underload": [{"bit": 4}],
    "fault": [{"bit": 6}],
    "not_ready": [{"bit": 15, "is_true_when": "clear"}],
    "constant": {"address": 200, "words": [0xCAFE, 17]},
}
LAUMAS: dict[str, object] = {"name": "laumas-tlb", "decimals_count": 2, "unit": "TNE"}
DRIVERS = {"modbus-scale-tcp": False, "modbus-scale-rtu": True}


@dataclass
class Bench:
    virtual: VirtualModbusScale
    driver_name: str
    settings: dict[str, object]
    opened: list[ReadingDevice] = field(default_factory=list)

    def open(self, **changed: object) -> ReadingDevice:
        driver = load_driver(self.driver_name)
        device = driver.open_device(driver.parse_settings({**self.settings, **changed}))
        self.opened.append(device)
        return device


@pytest.fixture(params=DRIVERS)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    path = tmp_path / "ttyScale" if DRIVERS[request.param] else None
    settings: dict[str, object] = {
        "map": MAP,
        "device_id": 7,
        "timeout_s": 3.0,
        "poll_interval_s": 0.01,
    }
    with VirtualModbusScale(msgspec.convert(MAP, RegisterMap), device_id=7, path=path) as virtual:
        if path is None:
            settings |= {"host": "127.0.0.1", "port": virtual.port}
        else:
            settings |= {"port": str(path), "baud_rate": 115200, "parity": "none"}
        bench = Bench(virtual, request.param, settings)
        yield bench
        for device in bench.opened:
            device.close()


def one(device: ReadingDevice) -> Reading:
    (reading,) = device.read(5.0)
    return reading


def weight(device: ReadingDevice) -> tuple[str, bool]:
    reading = one(device)
    assert isinstance(reading, WeightMeasured)
    return str(reading.value), reading.stable


def test_weights_are_read_as_the_scale_shows_them(bench: Bench) -> None:
    device = bench.open()
    assert weight(device) == ("0.000", True)
    for value, stable in (("12.345", True), ("-0.050", True), ("1500.100", False)):
        bench.virtual.put(Decimal(value), stable=stable)
        assert weight(device) == (value, stable)
    reading = one(device)
    assert isinstance(reading, WeightMeasured)
    assert (reading.unit, reading.kind) == ("KGM", "net")
    assert len(reading.raw) == 12


def test_a_failed_scale_yields_no_weight(bench: Bench) -> None:
    device = bench.open()
    codes = []
    for fail in (
        bench.virtual.overload,
        bench.virtual.underload,
        bench.virtual.fault,
        bench.virtual.not_ready,
        lambda: bench.virtual.refuse(6),
    ):
        fail()
        reading = one(device)
        assert isinstance(reading, DeviceFault)
        codes.append(reading.code)
    assert codes == ["overload", "underload", "zero_error", "not_ready", "not_ready"]
    bench.virtual.unmute()
    bench.virtual.put(Decimal(1))
    assert weight(device) == ("1.000", True)


def test_a_short_answer_is_no_weight(bench: Bench) -> None:
    device = bench.open()
    bench.virtual.answer_short(5)
    reading = one(device)
    assert isinstance(reading, DeviceFault) and reading.code == "unreadable"


def test_the_registers_of_another_scale_are_no_weight(bench: Bench) -> None:
    device = bench.open()
    bench.virtual.set_word(201, 18)
    reading = one(device)
    assert isinstance(reading, DeviceFault) and reading.code == "unreadable"


def test_a_silent_scale_is_silent_and_comes_back(bench: Bench) -> None:
    device = bench.open(timeout_s=0.2)
    bench.virtual.mute()
    with pytest.raises(DeviceSilent) as silent:
        device.read(1.0)
    assert "7" in str(silent.value) and silent.value.hint
    with pytest.raises(DeviceLost):  # It was closed, and is not opened again behind our back.
        device.read(1.0)
    bench.virtual.unmute()
    bench.virtual.put(Decimal(3))
    assert weight(bench.open()) == ("3.000", True)


def test_noise_costs_an_answer_but_gives_no_weight(bench: Bench) -> None:
    device = bench.open(timeout_s=0.2)
    bench.virtual.answer_with_noise(b"\xff\x00")
    with pytest.raises(DeviceSilent):
        device.read(1.0)
    bench.virtual.unmute()
    assert weight(bench.open()) == ("0.000", True)


def test_a_late_answer_is_not_taken_for_the_next(bench: Bench) -> None:
    bench.virtual.put(Decimal(1))
    bench.virtual.answer_late(0.4)
    with pytest.raises(DeviceSilent):
        bench.open(timeout_s=0.3).read(1.0)
    bench.virtual.put(Decimal(2))
    with pytest.raises(DeviceSilent):  # Not 1.000, which is on its way while we ask again.
        bench.open(timeout_s=0.3).read(1.0)


def test_a_closed_port_or_unplugged_line_is_lost_and_comes_back(bench: Bench) -> None:
    device = bench.open()
    assert weight(device) == ("0.000", True)
    bench.virtual.close_port()
    with pytest.raises(DeviceLost) as lost:
        device.read(1.0)
    assert lost.value.hint
    device.close()
    device.close()
    with pytest.raises(DeviceLost):
        bench.open()
    bench.virtual.open_port()
    bench.virtual.put(Decimal(4))
    device = bench.open()
    assert weight(device) == ("4.000", True)


def test_it_asks_at_its_own_pace(bench: Bench) -> None:
    device = bench.open(poll_interval_s=30)
    assert device.read(1.0)
    assert device.read(0.0) == []
    assert bench.virtual.answers_count == 1


PUBLISHED = {
    "laumas-tlb": {},
    "dini-argeo-dgt": {"zero": [(0, (0,)), (0, (1,))], "tare": [(0, (0,)), (0, (2,))]},
    "pt113": {"zero": [(8, (1,))], "tare": [(8, (2,))], "clear_tare": [(8, (3,))]},
    "flintec-ft-112": {
        "zero": [(24, (0, 1))],
        "tare": [(24, (0, 2))],
        "clear_tare": [(24, (0, 3))],
    },
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_map_works_from_its_name(name: str) -> None:
    driver = load_driver("modbus-scale-tcp")
    named = {"name": name, "decimals_count": 2, "unit": "TNE"}
    settings = {"map": named, "host": "127.0.0.1", "poll_interval_s": 0.01}
    with_port = driver.parse_settings({**settings, "port": 1})
    with VirtualModbusScale(register_map(with_port.map)) as virtual:
        device = driver.open_device(driver.parse_settings({**settings, "port": virtual.port}))
        virtual.put(Decimal("-1.25"), stable=False)
        reading = one(device)
        assert isinstance(reading, WeightMeasured)
        assert (str(reading.value), reading.unit, reading.stable) == ("-1.25", "TNE", False)
        for command in ("zero", "tare", "clear_tare"):
            before = len(virtual.writes())
            result = device.execute(DeviceCommand(command))
            wanted = PUBLISHED[name].get(command)
            assert result.outcome == ("done" if wanted else "refused")
            written = virtual.writes()[before:]
            assert written == tuple(RegisterWrite(*write) for write in wanted or ())
        device.close()


def test_a_command_that_the_scale_refuses_is_refused(bench: Bench) -> None:
    zero = {"zero": [{"address": 210, "words": [1]}]}
    device = bench.open(map=MAP | zero)
    bench.virtual.refuse(4)
    assert device.execute(DeviceCommand("zero")).outcome == "refused"
    bench.virtual.mute()
    with pytest.raises(DeviceSilent):
        device.execute(DeviceCommand("zero"))


@pytest.mark.parametrize(
    ("driver_name", "settings", "named"),
    [
        ("modbus-scale-tcp", {"map": MAP}, "host"),
        ("modbus-scale-tcp", {"host": "scale"}, "map"),
        ("modbus-scale-tcp", {"host": "scale", "map": MAP, "device_id": 300}, "device_id"),
        ("modbus-scale-tcp", {"host": "scale", "map": {"name": "acme"}}, "acme"),
        ("modbus-scale-rtu", {"port": "/dev/x", "map": MAP, "parity": "E"}, "parity"),
        ("modbus-scale-rtu", {"port": "/dev/x", "map": MAP, "baud": 9600}, "baud"),
        ("modbus-scale-rtu", {"port": "/dev/x", "map": {**MAP, "block_count": 3}}, "within"),
        ("modbus-scale-rtu", {"port": "/dev/x", "map": MAP, "timeout_s": 0}, "timeout_s"),
        ("modbus-scale-rtu", {"port": "/dev/x", "map": MAP, "baud_rate": 0}, "baud_rate"),
        ("modbus-scale-tcp", {"host": "scale", "map": MAP, "port": 70000}, "port"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_wrong_settings_are_named(
    driver_name: str, settings: dict[str, object], named: str
) -> None:
    with pytest.raises(SettingsInvalid, match=named):
        load_driver(driver_name).parse_settings(settings)


def test_a_host_that_cannot_be_a_name_is_a_lost_line_and_no_mistake_of_the_driver() -> None:
    driver = load_driver("modbus-scale-tcp")
    with pytest.raises(DeviceLost):
        driver.open_device(driver.parse_settings({"host": "192.0.2..7", "map": MAP}))
