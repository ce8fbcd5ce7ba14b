"""The part of the configuration that tells of dock doors with RFID. Pure."""

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
