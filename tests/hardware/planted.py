"""Faults that are planted into a copy of the wheel, or into a disk, and must be found. Pure."""

from dataclasses import dataclass

from tests.hardware.guest_work import Fault


@dataclass(frozen=True, slots=True)
class Control:
    """A planted fault, which cuts must find. planted: name of changes in a copy of the wheel.

    words: for the program under load. Without either the disk lies about flushing.
    """

    subject: str
    name: str
    planted: str = ""
    words: str = ""


PLANTED: dict[str, tuple[Fault, ...]] = {
    "gateway": (
        ("gateway/journal/files.py", "synchronous = FULL", "synchronous = NORMAL"),
        # Or the station's memory switches it back on.
        ("gateway/journal/station_memory.py", "synchronous = FULL", "synchronous = NORMAL"),
    ),
    "central": (("central/storage/database.py", "synchronous = FULL", "synchronous = NORMAL"),),
    # A socket of udev's that is left open at each replug.
    "leak": (
        ("gateway/devices/kernel_devices.py", "SUBSYSTEMS = (", "KEPT = []\nSUBSYSTEMS = ("),
        (
            "gateway/devices/kernel_devices.py",
            "        with self._again_lock:\n",
            "        with self._again_lock:\n"
            "            KEPT.append(pyudev.Monitor.from_netlink(self._again))\n",
        ),
    ),
}
CONTROLS = (
    Control("gateway", "a disk that lies about flushing"),
    Control("gateway", "synchronous=NORMAL", planted="gateway"),
    Control("central-sqlite", "synchronous=NORMAL", planted="central"),
    Control("central-postgresql", "synchronous_commit=off", words="synchronous_commit=off"),
)
