"""Says which worker takes facts, on the broker and to the ledger. Edge of the broker.

Gateways see from it that somebody listens, and that the ledger was restored (another generation).
It is said after each connection and at each change, `noted` every LOOK_S. The broker says the
opposite in our name when it loses us: `offline_will`.
"""

from collections.abc import Callable
from importlib.metadata import version
from typing import Protocol

from msgspec.structs import replace

from central.clock import Clock
from central.contract.states import CentralState, encode_central_state
from central.contract.topics import SHARD_COUNT, central_topic
from central.errors import LedgerUnavailable

# A cluster can lose what it retains with a node (NATS 2.15 did): said again word for word, so that
# gateways tell it from a worker that has just come up.
SAY_AGAIN_S = 60.0
LOOK_S = 2.0  # So old may be what is said of the generation.


class OwnTopic(Protocol):
    """What is needed of `central.mqtt_link.CentralLink`, which documents it."""

    @property
    def connected(self) -> bool: ...
    @property
    def connections_count(self) -> int: ...
    def publish_own(self, payload: bytes) -> bool: ...


def worker_state(
    *, worker: str, shards: tuple[int, ...] | None, generation: str, public_key: str
) -> CentralState:
    """Return what a worker says of itself. shards: None for all."""
    return CentralState(
        worker=worker,
        online=True,
        generation=generation,
        public_key=public_key,
        software=version("dockledger"),
        shards=tuple(range(SHARD_COUNT)) if shards is None else shards,
    )


def offline_will(state: CentralState, *, site: str) -> tuple[str, bytes]:
    """Return topic and payload for the broker to publish when it loses the worker."""
    return central_topic(site=site, worker=state.worker), encode_central_state(
        replace(state, online=False)
    )


class Announcing:
    """Keeps a worker's word current. One thread calls `turn`, then somebody `end`.

    read_generation: returns the ledger's present one. noted: stores the state for people to see;
    what it raises as LedgerUnavailable is left for the next time.
    """

    def __init__(
        self,
        state: CentralState,
        *,
        link: OwnTopic,
        clock: Clock,
        read_generation: Callable[[], str],
        noted: Callable[[CentralState], object] | None = None,
    ) -> None:
        self._state = state
        self._link = link
        self._clock = clock
        self._read_generation = read_generation
        self._noted = noted
        self._look_at_s = 0.0
        self._told: tuple[int, str] = (0, "")  # On which connection, which generation.
        self._word = b""
        self._again_at_s = 0.0

    def turn(self) -> None:
        """Say what is new; call it often."""
        now_s = self._clock.monotonic_s()
        connection = self._link.connections_count
        if connection == self._told[0] and now_s < self._look_at_s:
            return
        if now_s >= self._look_at_s:
            self._look_at_s = now_s + LOOK_S
            self._look()
        telling = (connection, self._state.generation)
        if telling != self._told:
            self._word = encode_central_state(self._now())
        elif now_s < self._again_at_s:
            return
        if self._link.connected and self._link.publish_own(self._word):
            self._told = telling
            self._again_at_s = now_s + SAY_AGAIN_S

    def end(self) -> None:
        """Say that this worker takes nothing any more."""
        state = replace(self._now(), online=False)
        self._link.publish_own(encode_central_state(state))
        self._note(state)

    def _now(self) -> CentralState:
        return replace(self._state, time_ms=self._clock.now_ms())

    def _look(self) -> None:
        try:
            generation = self._read_generation()
        except LedgerUnavailable:
            return
        self._state = replace(self._state, generation=generation)
        self._note(self._now())

    def _note(self, state: CentralState) -> None:
        if self._noted is None:
            return
        try:
            self._noted(state)
        except LedgerUnavailable:
            return  # The intake says so in the log; this is only for people to see.
