"""Builds what each station of a gateway has of its own: queue, board, loop and feedback. Root.

device --station_of_device--> queue of its station --> loop (a thread) --> the one journal
                                                        |
                                                      board --> page, lights of this station
"""

import queue
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from drivers.api import SignalKind
from gateway.clock import Clock
from gateway.config_sections import GatewayConfig
from gateway.devices.feedback import Feedback
from gateway.devices.supervisor import Supervisor
from gateway.following import Following
from gateway.health import Health
from gateway.journal.journal import Journal
from gateway.screen.stations import ScreenStation
from gateway.station.board import Board
from gateway.station.claiming import Claims
from gateway.station.enrolment import Enrolment
from gateway.station.observations import Observation
from gateway.station_loop import StationLoop

OBSERVATIONS_MAX = 256


@dataclass(frozen=True, slots=True)
class StationParts:
    """One station before its loop exists. serves: tells whether a device is this station's."""

    code: str
    observations: queue.Queue[Observation]
    board: Board
    serves: Callable[[str], bool]

    @property
    def screen(self) -> ScreenStation:
        """Return what the page sees of it."""
        return ScreenStation(
            code=self.code,
            board=self.board,
            observations=self.observations,
            serves=self.serves,
        )


def station_parts(config: GatewayConfig) -> tuple[StationParts, ...]:
    """Return the stations in the order of the configuration."""
    return tuple(
        StationParts(
            code=place.code,
            observations=queue.Queue(maxsize=OBSERVATIONS_MAX),
            board=StationLoop.new_board(),
            serves=partial(_serves, config, place.code),
        )
        for place in config.work_places
    )


def queue_of_device(
    config: GatewayConfig, stations: Sequence[StationParts]
) -> Callable[[str], queue.Queue[Observation]]:
    """Return what tells the queue that a device's readings go to."""
    queues = {station.code: station.observations for station in stations}
    return lambda name: queues[config.station_of_device(name)]


def start_loops(
    parts: ExitStack,
    stations: Sequence[StationParts],
    *,
    journal: Journal,
    following: Following,
    health: Health,
    clock: Clock,
    claims: Claims,
    enrolment: Enrolment | None,
) -> tuple[StationLoop, ...]:
    """Start a loop for each station; `parts` stops them."""
    loops = []
    for station in stations:
        loop = StationLoop(
            journal=journal,
            catalogue=following.catalogue,
            observations=station.observations,
            board=station.board,
            health=health,
            setup=following.setup_of(station.code),
            clock=clock,
            claims=claims,
            enrolment=enrolment,
        )
        following.lead(loop, station.code)
        loop.start()
        parts.callback(loop.stop)
        loops.append(loop)
    return tuple(loops)


def start_feedback(
    parts: ExitStack, stations: Sequence[StationParts], supervisor: Supervisor
) -> None:
    """Let the lights of each station show what its own scans became; `parts` stops them."""
    for station in stations:
        feedback = Feedback(station.board, _StationDevices(supervisor, station.serves))
        feedback.thread.start()
        parts.callback(feedback.thread.stop)


class _StationDevices:
    """The devices of one station, as far as they show and sound."""

    def __init__(self, supervisor: Supervisor, serves: Callable[[str], bool]) -> None:
        self._supervisor = supervisor
        self._serves = serves

    def signal_lights(self, kind: SignalKind) -> None:
        """Show and sound `kind` on all lights and buzzers of the station."""
        self._supervisor.signal_lights(kind, serves=self._serves)

    def signal_device(self, name: str, kind: SignalKind) -> None:
        """Show and sound `kind` on one device, if it can."""
        self._supervisor.signal_device(name, kind)


def _serves(config: GatewayConfig, code: str, device: str) -> bool:
    return config.station_of_device(device) == code
