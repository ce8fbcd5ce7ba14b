"""A dock door: the reads of its antennas become passages with direction and times. Pure.

Live reads are placed by the gateway's clock, as all observations. Reads that the reader held while
nobody was connected all arrive at once: they are placed by the reader's own times, apart from the
live ones. While nothing is known of the reader's clock their passages wait until no more of them
come, lest the first be told by a clock that the first live read corrects. Held reads without any
time tell that a tag was there, never when or which way.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from drivers.readings import TagRead
from gateway.station.passages import (
    INSIDE,
    NEITHER,
    OUTSIDE,
    TagPassage,
    decide_direction,
    is_told,
)
from gateway.station.tag_smoothing import (
    SmoothingLimits,
    TagArrived,
    TagDeparted,
    TagEvent,
    TagMoved,
    TagSmoother,
    TagTrack,
)

HELD_QUIET_NS = 2_000_000_000  # After so long without one, all held reads have come.
FAR_FUTURE_NS = 2**80  # Beyond what 64 bits of a reader's microseconds can say.
TIME_MS_MAX = 253_402_300_799_000  # The year 9999: no calendar has more.
MILLISECOND_NS = 1_000_000
ANY_ANTENNA = 0


@dataclass(frozen=True, slots=True)
class AntennaRef:
    """One antenna of a reader, or with ANY_ANTENNA all of them."""

    device: str
    antenna: int = ANY_ANTENNA


@dataclass(frozen=True, slots=True)
class DoorSetup:
    """A read point and its antennas; without groups every direction is unknown."""

    read_point: str
    inside: tuple[AntennaRef, ...] = ()
    outside: tuple[AntennaRef, ...] = ()
    limits: SmoothingLimits = field(default_factory=SmoothingLimits)

    def devices(self) -> frozenset[str]:
        """Return the readers that serve this door."""
        return frozenset(antenna.device for antenna in (*self.inside, *self.outside))

    def groups(self) -> dict[AntennaRef, str]:
        """Return the group of each antenna."""
        return dict.fromkeys(self.inside, INSIDE) | dict.fromkeys(self.outside, OUTSIDE)


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, on both clocks of this gateway."""

    now_ms: int
    monotonic_ns: int


@dataclass(frozen=True, slots=True)
class _HeldBy:
    """Who held reads, and whether they have times."""

    device: str
    is_timed: bool


class DoorWatch:
    """One door. Not for two threads at once.

    arrived_count, moved_count, passages_count, shed_count: so many since the start.
    """

    def __init__(self, setup: DoorSetup) -> None:
        self._setup = setup
        self._groups: Mapping[AntennaRef, str] = setup.groups()
        self._live = TagSmoother(setup.limits)
        self._held: dict[_HeldBy, TagSmoother] = {}
        self._held_at_ns = 0
        self._held_ended: deque[tuple[_HeldBy, TagDeparted]] = deque()
        # How far a reader's clock is behind ours, by its last live read.
        self._behind_ms: dict[str, int] = {}
        self._shed_before_count = 0
        self.arrived_count = 0
        self.moved_count = 0
        self.passages_count = 0

    @property
    def shed_count(self) -> int:
        """Return how many tracks ended early because of too many tags."""
        held = sum(smoother.shed_count for smoother in self._held.values())
        return self._shed_before_count + self._live.shed_count + held

    def group_of(self, device: str, antenna: int) -> str:
        """Return the group of an antenna, NEITHER if this door does not name it."""
        found = self._groups.get(AntennaRef(device, antenna))
        return found or self._groups.get(AntennaRef(device), NEITHER)

    def observe(self, device: str, read: TagRead, now: Moment) -> list[TagPassage]:
        """Take in one read; return the passages that are certain now."""
        passages = self.advance(now)
        group = self.group_of(device, read.antenna)
        seen_us = read.last_seen_us if read.last_seen_us is not None else read.first_seen_us
        if read.held:
            self._held_at_ns = now.monotonic_ns
            held_by = _HeldBy(device, is_timed=seen_us is not None)
            smoother = self._held.setdefault(held_by, TagSmoother(self._setup.limits))
            if seen_us is None:
                at_ns, group = now.now_ms * MILLISECOND_NS, NEITHER
            else:
                at_ns = seen_us * 1000
            events = smoother.observe(read, at_ns, group=group, source=device)
            return passages + list(self._told_held(events, now, held_by))
        if seen_us is not None:
            self._behind_ms[device] = now.now_ms - seen_us // 1000
        events = self._live.observe(read, now.monotonic_ns, group=group, source=device)
        return passages + list(self._told(events, now))

    def advance(self, now: Moment) -> list[TagPassage]:
        """Return the passages of tags that have been gone long enough."""
        passages = list(self._told(self._live.advance(now.monotonic_ns), now))
        if self._held and now.monotonic_ns - self._held_at_ns >= HELD_QUIET_NS:
            while self._held_ended:
                held_by, ended = self._held_ended.popleft()
                passages += self._told([ended], now, held_by)
            for held_by, smoother in self._held.items():
                passages += self._told(smoother.advance(FAR_FUTURE_NS), now, held_by)
                self._shed_before_count += smoother.shed_count
            self._held.clear()
        return passages

    def _told_held(
        self, events: list[TagEvent], now: Moment, held_by: _HeldBy
    ) -> Iterator[TagPassage]:
        if not held_by.is_timed or held_by.device in self._behind_ms:
            yield from self._told(events, now, held_by)
            return
        for event in events:
            if not isinstance(event, TagDeparted):
                yield from self._told([event], now, held_by)
                continue
            if len(self._held_ended) >= self._setup.limits.tags_max:
                waited_for, ended = self._held_ended.popleft()
                yield from self._told([ended], now, waited_for)
            self._held_ended.append((held_by, event))

    def _told(
        self, events: list[TagEvent], now: Moment, held_by: _HeldBy | None = None
    ) -> Iterator[TagPassage]:
        for event in events:
            if isinstance(event, TagArrived):
                self.arrived_count += 1
            elif isinstance(event, TagMoved):
                self.moved_count += 1
            elif isinstance(event, TagDeparted):
                direction = decide_direction(event.track)
                if is_told(event.track, direction):
                    self.passages_count += 1
                    yield self._passage(event.track, now, held_by)

    def _passage(self, track: TagTrack, now: Moment, held_by: _HeldBy | None) -> TagPassage:
        behind_ms: int | None = None
        if held_by is not None:
            if held_by.is_timed:
                behind_ms = self._behind_ms.get(held_by.device)
            first_ms, last_ms = (
                at_ns // MILLISECOND_NS + (behind_ms or 0)
                for at_ns in (track.first_ns, track.last_ns)
            )
        else:
            first_ms, last_ms = (
                now.now_ms - (now.monotonic_ns - at_ns) // MILLISECOND_NS
                for at_ns in (track.first_ns, track.last_ns)
            )
        return TagPassage(
            device=max(track.groups, key=lambda group: group.reads_count).source,
            track=track,
            read_point=self._setup.read_point,
            direction=decide_direction(track),
            first_seen_ms=max(min(first_ms, TIME_MS_MAX), 0),
            last_seen_ms=max(min(last_ms, TIME_MS_MAX), 0),
            monotonic_ns=now.monotonic_ns if held_by is not None else track.last_ns,
            held=held_by is not None,
            is_corrected=held_by is None or behind_ms is not None,
        )
