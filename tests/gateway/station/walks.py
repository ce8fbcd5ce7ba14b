"""Tags that walk through a door of two antennas, as reads with noise. Pure (seeded)."""

import math
from dataclasses import dataclass

from drivers.readings import TagRead

SECOND_NS = 1_000_000_000
EPC = "3074257BF7194E4000001A85"
STRENGTH_AT_1_M_CDBM = -4_000
NOISE_CDBM = 400  # Standard deviation: 4 dB, as reflections make it.
HEARD_CDBM = -6_800
ANTENNAS = {1: 1.0, 2: -1.0}  # Inside and outside: metres from the door, inside positive.


@dataclass(frozen=True)
class TimedRead:
    """A read and when it came."""

    read: TagRead
    at_ns: int


def walk(
    position_m,
    random,
    *,
    seconds,
    reads_per_s=15,
    epc=EPC,
    antennas=ANTENNAS,
    start_ns=0,
    reader_time=None,
):
    """Return the reads of a tag that is `position_m(seconds)` from the door, in order.

    reader_time: microseconds of the reader's clock at the begin; None if it states no times.
    """
    reads = []
    for number in range(round(seconds * reads_per_s)):
        at_s = number / reads_per_s
        for antenna, place_m in antennas.items():
            distance_m = max(math.hypot(position_m(at_s) - place_m, 1.5), 0.1)
            strength = STRENGTH_AT_1_M_CDBM - 4_000 * math.log10(distance_m)
            strength = round(random.gauss(strength, NOISE_CDBM))
            if strength < HEARD_CDBM or random.random() < 0.3:
                continue
            seen_us = None if reader_time is None else reader_time + round(at_s * 1_000_000)
            read = TagRead(
                epc=epc, antenna=antenna, rssi_cdbm=strength, last_seen_us=seen_us, raw=b"tag"
            )
            reads.append(TimedRead(read, start_ns + round(at_s * SECOND_NS)))
    return reads


def inwards(at_s):
    """Walk in at 1 m/s from 5 m outside."""
    return at_s - 5.0


def outwards(at_s):
    """Walk out at 1 m/s from 5 m inside."""
    return 5.0 - at_s


def standing(place_m):
    """Stand."""
    return lambda at_s: place_m


def turning(at_s):
    """Walk in from 5 m outside to 0.5 m inside, and back out."""
    return at_s - 5.0 if at_s < 5.5 else 6.0 - at_s
