"""Many reads of a tag become one track: arrived, moved, gone. Pure.

                     reads_min reads within window_ns
    (first read) seen ------------------------------> here <--. moved: another group of antennas
                  |                                    |  `---'   became the strongest
                  | unseen for departed_after_ns       |
                  v                                    | unseen for departed_after_ns: "unseen"
               forgotten (a stray reflection)          | rest_ns, and not just moved:  "resting"
                                                       v too many tags:                "shed"
                                                 track ended

A tag that rests in the field ends its track every `rest_ns` and begins the next, marked `resumed`:
else an hour beside the door would bury the seconds in which it passes. All times are nanoseconds
of one clock that never goes back, given with each read; a track depends on the reads alone, never
on how often `advance` is called.

Words and thought (arrived, moved, departed) as in EdgeX app-rfid-llrp-inventory.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass
from typing import Literal

import msgspec

from drivers.readings import TagRead

SECOND_NS = 1_000_000_000
TAGS_MAX = 2_000  # Some 5 MB a door; a full truck of tagged cartons before it at once.
EDGE_READS = 5  # So many first, and last, reads tell where a tag was then.
MOVED_RATIO = 2.0  # 3 dB: the least difference that is not noise.
NO_STRENGTH_CDBM = -6_000  # Stands for a reader that states none: all its reads count the same.
RAW_BYTES_MAX = 512

EndCause = Literal["unseen", "resting", "shed"]


@dataclass(frozen=True, slots=True)
class SmoothingLimits:
    """When a tag is there, and when it is gone."""

    reads_min: int = 2
    window_ns: int = SECOND_NS
    departed_after_ns: int = 3 * SECOND_NS
    rest_ns: int = 30 * SECOND_NS
    tags_max: int = TAGS_MAX


@dataclass(frozen=True, slots=True)
class GroupTrack:
    """What one group of antennas saw of a tag.

    mean_ns: mean time of its reads, each as heavy as its power.
    strongest: the strongest read; source: the device that reported it.
    """

    group: str
    reads_count: int
    first_ns: int
    last_ns: int
    mean_ns: int
    strongest: TagRead
    source: str


@dataclass(frozen=True, slots=True)
class TagTrack:
    """One stay of a tag in the field.

    groups: sorted by name. head_group, tail_group: strongest in the first and in the last reads.
    reader_first_us, reader_last_us: by the reader's own clock, None if it never said.
    resumed: the tag was there before; this is not its first track.
    """

    epc: str
    cause: EndCause
    resumed: bool
    reads_count: int
    first_ns: int
    last_ns: int
    groups: tuple[GroupTrack, ...]
    head_group: str
    tail_group: str
    reader_first_us: int | None
    reader_last_us: int | None


@dataclass(frozen=True, slots=True)
class TagArrived:
    """A tag is certainly there."""

    epc: str
    group: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class TagMoved:
    """Another group of antennas sees the tag strongest now."""

    epc: str
    from_group: str
    to_group: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class TagDeparted:
    """A track ended; with the cause "resting" or "shed" the tag may still be there."""

    track: TagTrack


TagEvent = TagArrived | TagMoved | TagDeparted


class TagSmoother:
    """One field of antennas. shed_count: tracks ended and reads left out for too many tags."""

    def __init__(self, limits: SmoothingLimits) -> None:
        self._limits = limits
        self._tags: OrderedDict[str, _Tag] = OrderedDict()  # Unseen longest first.
        self._now_ns = 0
        self.shed_count = 0

    @property
    def tags_count(self) -> int:
        """Return how many tags are being followed."""
        return len(self._tags)

    def observe(self, read: TagRead, at_ns: int, *, group: str, source: str) -> list[TagEvent]:
        """Return what a read leads to. A time before the last one is taken as the last one.

        source: the name of the device that reported it.
        """
        events = self.advance(at_ns)
        at_ns = self._now_ns
        tag = self._tags.get(read.epc)
        if tag is None:
            if len(self._tags) >= self._limits.tags_max and not self._made_room(events):
                return events
            tag = self._tags[read.epc] = _Tag(read.epc, at_ns, resumed=False)
        elif self._is_rested(tag, at_ns):
            events.append(TagDeparted(tag.track("resting")))
            tag = self._tags[read.epc] = tag.successor(at_ns)
        self._tags.move_to_end(read.epc)
        moved = tag.add(read, at_ns, group=group, source=source)
        if not tag.arrived and tag.is_here(self._limits):
            tag.arrived, tag.group = True, tag.strongest_now()
            events.append(TagArrived(read.epc, tag.group, at_ns))
        elif tag.arrived and moved is not None:
            events.append(moved)
        return events

    def advance(self, now_ns: int) -> list[TagEvent]:
        """Return the departures up to a moment, in the order in which they happened."""
        self._now_ns = max(self._now_ns, now_ns)
        events: list[TagEvent] = []
        while self._tags:
            epc, tag = next(iter(self._tags.items()))
            if tag.last_ns + self._limits.departed_after_ns > self._now_ns:
                break
            del self._tags[epc]
            if tag.arrived:
                events.append(TagDeparted(tag.track("unseen")))
        return events

    def _made_room(self, events: list[TagEvent]) -> bool:
        """End the track unseen longest, but none within its window: else no tag ever arrived."""
        self.shed_count += 1
        epc, tag = next(iter(self._tags.items()))
        if self._now_ns - tag.last_ns < self._limits.window_ns:
            return False
        del self._tags[epc]
        if tag.arrived:
            events.append(TagDeparted(tag.track("shed")))
        return True

    def _is_rested(self, tag: "_Tag", at_ns: int) -> bool:
        rested_ns = at_ns - tag.first_ns
        if not tag.arrived or rested_ns < self._limits.rest_ns:
            return False
        # A tag that has just begun to move is cut only when it never stops moving.
        is_moving = at_ns - tag.moved_ns < self._limits.departed_after_ns
        return not is_moving or rested_ns >= 2 * self._limits.rest_ns


class _Sums:
    """What is added up of one group."""

    __slots__ = (
        "first_ns",
        "last_ns",
        "power",
        "power_seconds",
        "reads_count",
        "source",
        "strongest",
    )

    def __init__(self, read: TagRead, source: str, at_ns: int) -> None:
        self.first_ns = self.last_ns = at_ns
        self.reads_count = 0
        self.power = 0.0
        self.power_seconds = 0.0
        self.strongest = read
        self.source = source


class _Tag:
    """A tag that is being followed; a track in the making."""

    __slots__ = (
        "arrived",
        "epc",
        "first_ns",
        "group",
        "head",
        "last_ns",
        "moved_ns",
        "reader_first_us",
        "reader_last_us",
        "reads_count",
        "recent",
        "resumed",
        "sums",
    )

    def __init__(self, epc: str, at_ns: int, *, resumed: bool) -> None:
        self.epc = epc
        self.resumed = resumed
        self.arrived = resumed
        self.group = ""
        self.first_ns = self.last_ns = self.moved_ns = at_ns
        self.reads_count = 0
        self.sums: dict[str, _Sums] = {}
        self.head: list[tuple[str, float]] = []
        self.recent: deque[tuple[str, float, int, int]] = deque(maxlen=EDGE_READS)
        self.reader_first_us: int | None = None
        self.reader_last_us: int | None = None

    def successor(self, at_ns: int) -> "_Tag":
        """Return the same tag at the begin of its next track."""
        tag = _Tag(self.epc, at_ns, resumed=True)
        tag.group = self.group
        tag.recent = self.recent
        return tag

    def add(self, read: TagRead, at_ns: int, *, group: str, source: str) -> TagMoved | None:
        """Take a read in; return the move that it completes."""
        strength = NO_STRENGTH_CDBM if read.rssi_cdbm is None else read.rssi_cdbm
        # A byte of a broken reader must not become a power beyond all numbers.
        power = 10.0 ** (max(min(strength, 10_000), -20_000) / 1000)
        count = max(read.reads_count, 1)
        sums = self.sums.get(group)
        if sums is None:
            sums = self.sums[group] = _Sums(_kept(read), source, at_ns)
        elif _is_stronger(read, sums.strongest):
            sums.strongest, sums.source = _kept(read), source
        sums.last_ns = self.last_ns = at_ns
        sums.reads_count += count
        sums.power += power * count
        sums.power_seconds += power * count * ((at_ns - self.first_ns) / SECOND_NS)
        self.reads_count += count
        self._note_reader_time(read)
        if len(self.head) < EDGE_READS:
            self.head.append((group, power))
        self.recent.append((group, power, at_ns, count))
        return self._moved(at_ns)

    def is_here(self, limits: SmoothingLimits) -> bool:
        """Return whether enough of the last reads lie within the window."""
        begin_ns = self.last_ns - limits.window_ns
        recent = sum(count for _, _, at_ns, count in self.recent if at_ns > begin_ns)
        return recent >= min(limits.reads_min, EDGE_READS)

    def strongest_now(self) -> str:
        """Return the group that was strongest in the last reads."""
        return _strongest([(group, power) for group, power, _, _ in self.recent])

    def track(self, cause: EndCause) -> TagTrack:
        """Return all that was seen."""
        return TagTrack(
            epc=self.epc,
            cause=cause,
            resumed=self.resumed,
            reads_count=self.reads_count,
            first_ns=self.first_ns,
            last_ns=self.last_ns,
            groups=tuple(
                GroupTrack(
                    group=group,
                    reads_count=sums.reads_count,
                    first_ns=sums.first_ns,
                    last_ns=sums.last_ns,
                    mean_ns=self.first_ns + round(sums.power_seconds / sums.power * SECOND_NS),
                    strongest=sums.strongest,
                    source=sums.source,
                )
                for group, sums in sorted(self.sums.items())
            ),
            head_group=_strongest(self.head),
            tail_group=self.strongest_now(),
            reader_first_us=self.reader_first_us,
            reader_last_us=self.reader_last_us,
        )

    def _moved(self, at_ns: int) -> TagMoved | None:
        if not self.arrived or len(self.recent) < EDGE_READS:
            return None
        powers: dict[str, float] = {}
        for group, power, _, _ in self.recent:
            powers[group] = powers.get(group, 0.0) + power
        strongest = max(powers, key=lambda group: (powers[group], group))
        if strongest == self.group:
            return None
        if powers[strongest] < MOVED_RATIO * powers.get(self.group, 0.0):
            return None
        moved = TagMoved(self.epc, self.group, strongest, at_ns)
        self.group, self.moved_ns = strongest, at_ns
        return moved

    def _note_reader_time(self, read: TagRead) -> None:
        first = read.last_seen_us if read.first_seen_us is None else read.first_seen_us
        last = read.first_seen_us if read.last_seen_us is None else read.last_seen_us
        if first is None or last is None:
            return
        known_first, known_last = self.reader_first_us, self.reader_last_us
        self.reader_first_us = first if known_first is None else min(known_first, first)
        self.reader_last_us = last if known_last is None else max(known_last, last)


def _strongest(reads: list[tuple[str, float]]) -> str:
    powers: dict[str, float] = {}
    for group, power in reads:
        powers[group] = powers.get(group, 0.0) + power
    return max(powers, key=lambda group: (powers[group], group))


def _is_stronger(read: TagRead, other: TagRead) -> bool:
    return read.rssi_cdbm is not None and (
        other.rssi_cdbm is None or read.rssi_cdbm > other.rssi_cdbm
    )


def _kept(read: TagRead) -> TagRead:
    if len(read.raw) <= RAW_BYTES_MAX:
        return read
    return msgspec.structs.replace(read, raw=read.raw[:RAW_BYTES_MAX])
