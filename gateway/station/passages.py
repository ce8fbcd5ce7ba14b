"""From a tag's track to a passage through a dock door, with the direction it took. Pure.

          outside antennas        | door |        inside antennas
    power    .-.                                      .-.
            /   \\______________________________ ____/   \\___      came in: outside was seen
                 ^ mean time of its power             ^            earlier, inside later

A direction is said only where three things agree:

1. both groups saw the tag at least GROUP_READS_MIN times: one dead antenna decides nothing;
2. their mean times, each read as heavy as its power, lie at least GAP_MIN_NS and GAP_SHARE of the
   whole stay apart: a tag that stands beside the door is seen by both all the time;
3. the first reads were strongest on the one side and the last ones on the other: what came to the
   door and turned round did not pass.

Else it is "unknown", which a person or a later step settles; it is never guessed.
"""

from dataclasses import dataclass

from central.contract.facts import PassageDirection
from gateway.station.tag_smoothing import GroupTrack, TagTrack

INSIDE = "inside"
OUTSIDE = "outside"
NEITHER = ""
GROUP_READS_MIN = 2
GAP_MIN_NS = 150_000_000
GAP_SHARE = 0.15


@dataclass(frozen=True, slots=True)
class TagPassage:
    """A tag passed a read point, or was there long enough to be told of.

    device: the reader that saw it most. first_seen_ms, last_seen_ms: wall time; monotonic_ns: of
    the last of them. held: the reader had kept the reads while nobody was connected; the times are
    its own then, corrected by `is_corrected` only if it has said how its clock goes since.
    """

    device: str
    track: TagTrack
    read_point: str
    direction: PassageDirection
    first_seen_ms: int
    last_seen_ms: int
    monotonic_ns: int
    held: bool = False
    is_corrected: bool = True


def decide_direction(track: TagTrack) -> PassageDirection:
    """Return which way a tag went, "unknown" where the reads do not decide it."""
    inside, outside = _group(track, INSIDE), _group(track, OUTSIDE)
    if inside is None or outside is None:
        return "unknown"
    if min(inside.reads_count, outside.reads_count) < GROUP_READS_MIN:
        return "unknown"
    gap_ns = inside.mean_ns - outside.mean_ns
    if abs(gap_ns) < max(GAP_MIN_NS, round(GAP_SHARE * (track.last_ns - track.first_ns))):
        return "unknown"
    sides = (OUTSIDE, INSIDE) if gap_ns > 0 else (INSIDE, OUTSIDE)
    if (track.head_group, track.tail_group) != sides:
        return "unknown"
    return "in" if gap_ns > 0 else "out"


def is_told(track: TagTrack, direction: PassageDirection) -> bool:
    """Return False for a tag that goes on resting at the door: it was told of once."""
    return not track.resumed or direction != "unknown"


def _group(track: TagTrack, name: str) -> GroupTrack | None:
    return next((group for group in track.groups if group.group == name), None)
