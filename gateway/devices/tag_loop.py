"""Turns the reads of RFID readers into passages, in the readers' own threads. Loop.

    reader's thread: 1,500 reads a second --> DoorFilter --> a passage now and then --> queue

So reads never stand in the queue before a scan. Doors are shared by all readers that serve them.
"""

from collections.abc import Callable, Mapping, Sequence
from threading import Lock

from drivers.readings import Reading, TagRead
from gateway.clock import Clock
from gateway.config_doors import DoorSection
from gateway.config_sections import GatewayConfig
from gateway.devices.check import ConfiguredDevice
from gateway.health import Health
from gateway.station.doors import AntennaRef, DoorSetup, DoorWatch, Moment
from gateway.station.passages import TagPassage
from gateway.station.tag_smoothing import SECOND_NS, SmoothingLimits


class TagDoors:
    """All doors of a gateway. Any thread may call anything."""

    def __init__(self, setups: Sequence[DoorSetup], *, clock: Clock, health: Health) -> None:
        self._clock = clock
        self._health = health
        self._lock = Lock()
        self._setups = tuple(setups)
        self._doors = {setup.read_point: DoorWatch(setup) for setup in setups}
        self._counts: dict[str, int] = {}

    def filter_of(self, device: ConfiguredDevice) -> "DoorFilter | None":
        """Return what the readings of a device go through, None if it is no RFID reader."""
        if device.driver.device_class != "rfid_reader":
            return None
        return DoorFilter(self, device.section.name)

    def take(
        self, device: str, readings: Sequence[Reading], monotonic_ns: int
    ) -> list[Reading | TagPassage]:
        """Return what is not a tag read, in order, and then the passages that are certain now."""
        now = Moment(now_ms=self._clock.now_ms(), monotonic_ns=monotonic_ns)
        passed: list[Reading | TagPassage] = []
        with self._lock:
            doors = self._doors_of(device)
            passages = [passage for door in doors for passage in door.advance(now)]
            for reading in readings:
                if isinstance(reading, TagRead):
                    door = _door_of(doors, device, reading.antenna)
                    passages += door.observe(device, reading, now)
                else:
                    passed.append(reading)
            self._count(sum(isinstance(reading, TagRead) for reading in readings))
        return passed + passages

    def _doors_of(self, device: str) -> list[DoorWatch]:
        doors = [
            self._doors[setup.read_point] for setup in self._setups if device in setup.devices()
        ]
        if not doors:
            # A reader of no door is a read point of its own; it knows no direction.
            doors = [self._doors.setdefault(device, DoorWatch(DoorSetup(read_point=device)))]
        return doors

    def _count(self, reads_count: int) -> None:
        doors = self._doors.values()
        now: Mapping[str, int] = {
            "tag_reads_total": self._counts.get("tag_reads_total", 0) + reads_count,
            "tags_arrived_total": sum(door.arrived_count for door in doors),
            "tags_moved_total": sum(door.moved_count for door in doors),
            "tags_shed_total": sum(door.shed_count for door in doors),
            "passages_total": sum(door.passages_count for door in doors),
        }
        for name, count in now.items():
            if count != self._counts.get(name, 0):
                self._health.count(name, count - self._counts.get(name, 0))
                self._counts[name] = count


class DoorFilter:
    """A reading filter of one reader, see `gateway/devices/repeats.py`."""

    def __init__(self, doors: TagDoors, device: str) -> None:
        self._doors = doors
        self._device = device

    def pass_on(
        self, readings: Sequence[Reading], monotonic_ns: int
    ) -> Sequence[Reading | TagPassage]:
        """Return passages in place of tag reads. Called at every turn, also without readings."""
        return self._doors.take(self._device, readings, monotonic_ns)


def door_filter(
    config: GatewayConfig, clock: Clock, health: Health
) -> Callable[[ConfiguredDevice], DoorFilter | None]:
    """Return what gives each RFID reader of a gateway its filter."""
    setups = [door_setup(section) for section in config.dock_doors]
    return TagDoors(setups, clock=clock, health=health).filter_of


def door_setup(section: DoorSection) -> DoorSetup:
    """Return what a section of the configuration says."""
    return DoorSetup(
        read_point=section.read_point,
        inside=tuple(_antenna(text) for text in section.inside),
        outside=tuple(_antenna(text) for text in section.outside),
        limits=SmoothingLimits(
            reads_min=section.reads_min,
            window_ns=round(section.window_s * SECOND_NS),
            departed_after_ns=round(section.departed_after_s * SECOND_NS),
            rest_ns=round(section.rest_s * SECOND_NS),
        ),
    )


def _antenna(text: str) -> AntennaRef:
    """Return the antenna that "reader:2" names, or all of "reader"."""
    device, _, antenna = text.partition(":")
    return AntennaRef(device, int(antenna)) if antenna else AntennaRef(device)


def _door_of(doors: list[DoorWatch], device: str, antenna: int) -> DoorWatch:
    """Return the door that names this antenna, else the first of its reader."""
    return next((door for door in doors if door.group_of(device, antenna)), doors[0])
