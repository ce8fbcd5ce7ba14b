"""What an RFID reader saw last is told while it is lost. Edge of threads."""

import queue
from collections.abc import Callable, Iterator

import pytest

from drivers.errors import DeviceLost, DriverError, SettingsInvalid
from drivers.readings import TagRead
from gateway.config_doors import DoorSection
from gateway.devices.device_loop import DeviceLoop
from gateway.devices.presence import Presence
from gateway.devices.tag_loop import DoorFilter, TagDoors, door_setup
from gateway.health import Health
from gateway.station.observations import Observation
from gateway.station.passages import TagPassage
from tests.gateway.devices.scripted import NoSettings, ScriptedReader
from tests.gateway.journal.samples import StillClock
from tests.waiting import until

DOOR = DoorSection(read_point="DOCK-1", inside=("wide:1",), outside=("wide:2",))
LOST = DeviceLost("cable is out", hint="Plug the reader in.")
REFUSED = SettingsInvalid("wrong password", hint="Correct it.")


class Bench:
    """One reader at one door."""

    def __init__(self) -> None:
        self.device = ScriptedReader("rfid_reader")
        self.observations: queue.Queue[Observation] = queue.Queue()
        self.clock = StillClock()
        self.health = Health()
        self.doors = TagDoors([door_setup(DOOR)], clock=self.clock, health=self.health)
        self.loop = DeviceLoop(
            driver=self.device.driver,
            settings=NoSettings(),
            presence=Presence(
                "wide",
                self.device.driver,
                clock=self.clock,
                health=self.health,
                jitter=lambda: 0.0,
            ),
            observations=self.observations,
            clock=self.clock,
            health=self.health,
            reading_filter=DoorFilter(self.doors, "wide"),
        )


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.loop.thread.stop()
    assert made.loop.thread.join(60)


@pytest.mark.parametrize(
    ("errors", "state"),
    [([LOST] * 99, "offline"), ([REFUSED], "fault")],
    ids=["unplugged", "refused after it came back"],
)
def test_a_tag_that_was_seen_before_its_reader_was_lost_passes_while_it_is_away(
    bench: Bench, errors: list[DriverError], state: str
) -> None:
    bench.loop.thread.start()
    bench.device.say(TagRead(epc="AA", antenna=2), TagRead(epc="AA", antenna=2))
    until(lambda: bench.health.counters().get("tags_arrived_total"), "arrived")
    bench.device.open_errors = [*errors]
    bench.device.fail(LOST)
    until(lambda: bench.health.devices()[0].state == state, "lost")
    bench.clock.elapsed_ns = 4_000_000_000
    found = _woken_until(bench, lambda: not bench.observations.empty())
    assert isinstance(found.reading, TagPassage)
    assert (found.device, found.reading.track.epc) == ("wide", "AA")
    # The moment it was seen, not the moment it was told.
    assert found.reading.last_seen_ms == 1_795_000_000_000
    assert bench.health.devices()[0].state == state


def _woken_until(bench: Bench, condition: Callable[[], object]) -> Observation:
    def woken() -> object:
        bench.loop.wake()
        return condition()

    until(woken, "passage")
    return bench.observations.get_nowait()
