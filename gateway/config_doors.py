"""The part of the configuration that tells of dock doors with RFID. Pure."""

from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec

DOORS_MAX = 32

# A reader, or one antenna of it: "dock-1-rfid" or "dock-1-rfid:2".
Antenna = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,64}(:[1-9][0-9]{0,4})?$")]
Antennas = Annotated[tuple[Antenna, ...], msgspec.Meta(max_length=64)]

# What to write, by key; the examples of the error messages.
DOOR_EXAMPLES = {
    "dock_door": "[[dock_door]]",
    "dock_door.read_point": 'read_point = "dock-1"',
    "dock_door.inside": 'inside = ["dock-1-rfid:1"]',
    "dock_door.outside": 'outside = ["dock-1-rfid:2"]',
    "dock_door.reads_min": "reads_min = 2",
    "dock_door.window_s": "window_s = 1.0",
    "dock_door.departed_after_s": "departed_after_s = 3.0",
    "dock_door.rest_s": "rest_s = 30",
}


class DoorSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A dock door with RFID. inside, outside: antennas, each "reader:2" or all of "reader"."""

    read_point: str
    inside: Antennas = ()
    outside: Antennas = ()
    reads_min: Annotated[int, msgspec.Meta(ge=1, le=5)] = 2
    window_s: Annotated[float, msgspec.Meta(ge=0.1, le=60)] = 1.0
    departed_after_s: Annotated[float, msgspec.Meta(ge=0.5, le=600)] = 3.0
    rest_s: Annotated[float, msgspec.Meta(ge=5, le=3600)] = 30.0

    def __post_init__(self) -> None:
        both = {*self.inside} & {*self.outside}
        if both or not (self.inside or self.outside):
            raise ValueError("expected antennas in `inside` or `outside`, and none in both")


def door_mistakes(doors: Sequence[DoorSection]) -> Iterator[tuple[str, str, str]]:
    """Yield key, reason and hint of each door that takes what an earlier one has.

    Reads of an antenna go to one door; a second that names it would see nothing, and say nothing.
    """
    read_points: set[str] = set()
    taken: dict[str, set[str]] = {}  # Reader -> its antennas, "" for all of them.
    for index, door in enumerate(doors):
        if door.read_point in read_points:
            yield (
                f"dock_door[{index}].read_point",
                f"a second door is called {door.read_point!r}",
                "give each door a read_point of its own",
            )
        read_points.add(door.read_point)
        for side, antennas in (("inside", door.inside), ("outside", door.outside)):
            for text in antennas:
                reader, _, antenna = text.partition(":")
                others = taken.get(reader, set())
                if antenna in others or "" in others or (others and not antenna):
                    yield (
                        f"dock_door[{index}].{side}",
                        f"{text!r} is of another door already",
                        'name each antenna at one door, such as "dock-1-rfid:2"',
                    )
        for text in (*door.inside, *door.outside):
            reader, _, antenna = text.partition(":")
            taken.setdefault(reader, set()).add(antenna)
