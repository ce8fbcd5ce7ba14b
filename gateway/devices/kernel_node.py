"""What the kernel says of a device node, for diagnostics. Edge (sysfs, read only).

/dev/serial/by-id/usb-Honeywell... -> /dev/ttyACM0 -> 166:0
/sys/dev/char/166:0 -> .../usb1/1-2/1-2:1.0/tty/ttyACM0        and the folders above it
"""

import grp
import os
import pwd
import stat
from pathlib import Path

import msgspec

PARENTS_MAX = 12
TEXT_BYTES_MAX = 512
# Of a USB device and its interface: Documentation/ABI/testing/sysfs-bus-usb of Linux.
ATTRIBUTES = (
    "idVendor", "idProduct", "manufacturer", "product", "serial", "bcdDevice", "speed",
    "bInterfaceNumber", "bInterfaceClass", "bInterfaceProtocol", "modalias", "name", "label",
)  # fmt: skip


class NodeLevel(msgspec.Struct, frozen=True):
    """One folder of sysfs above a node. attributes: name and text of those that it has."""

    path: str
    driver: str
    attributes: dict[str, str]


class NodeFindings(msgspec.Struct, frozen=True):
    """What was found. problem: why there is nothing more, "" if there is."""

    node: str
    problem: str = ""
    resolved: str = ""
    mode: str = ""
    owner: str = ""
    number: str = ""
    levels: tuple[NodeLevel, ...] = ()


def describe_node(node: str) -> NodeFindings:
    """Return what the kernel says of `node`: a path below /dev; of a host it says nothing."""
    path = Path(node)
    if not path.is_absolute():
        return NodeFindings(node, "not a device node of this machine")
    try:
        resolved = path.resolve()
        found = resolved.stat()
    except OSError as error:
        return NodeFindings(node, f"{error.strerror}")
    mode = stat.filemode(found.st_mode)
    owner = f"{_user(found.st_uid)}:{_group(found.st_gid)}"
    if not stat.S_ISCHR(found.st_mode):
        return NodeFindings(node, "not a character device", str(resolved), mode, owner)
    number = f"{os.major(found.st_rdev)}:{os.minor(found.st_rdev)}"
    levels = _levels(Path("/sys/dev/char") / number)
    return NodeFindings(node, "", str(resolved), mode, owner, number, levels)


def _levels(entry: Path) -> tuple[NodeLevel, ...]:
    try:
        folder = entry.resolve(strict=True)
    except OSError:
        return ()
    levels = []
    for parent in (folder, *folder.parents)[:PARENTS_MAX]:
        if parent.name in {"devices", "sys", ""}:
            break
        attributes = {name: text for name in ATTRIBUTES if (text := _text(parent / name))}
        driver = parent / "driver"
        driver_name = driver.resolve().name if driver.is_symlink() else ""
        if attributes or driver_name or parent == folder:
            levels.append(NodeLevel(str(parent), driver_name, attributes))
    return tuple(levels)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(TEXT_BYTES_MAX).decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
