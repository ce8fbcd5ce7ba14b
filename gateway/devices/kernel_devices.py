"""What the kernel says is plugged in: a sweep, and events while it runs. Edge of pyudev (libudev).

Names, ids and ports are read from /sys itself, not from udevd's database: they are the same where
no udevd runs. Nothing is opened here. What is listed:

    serial        tty with a device behind it; no console, no 8250 port without a chip
    keyboard      input event node that has the digits and Enter
    hidraw        HID device that is more than keyboard, mouse or media keys
    usb_printer   usblp
    gpio          GPIO chip
"""

import time
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Literal

import pyudev

from drivers.candidates import Candidate, CandidateKind
from gateway.devices.hid_descriptor import DESCRIPTOR_BYTES_MAX, top_level_usages
from gateway.devices.identity import port_of
from gateway.errors import DevicesUnseen

KERNEL_KINDS: frozenset[CandidateKind] = frozenset(
    {"serial", "keyboard", "hidraw", "usb_printer", "gpio"}
)
SUBSYSTEMS = ("tty", "input", "hidraw", "usbmisc", "gpio")
TEXT_CHARACTERS_MAX = 128
KEYS_CHARACTERS_MAX = 256  # 768 keys, 64 a word, 17 characters a word.
UDEVD_CONTROL = Path("/run/udev/control")
CONSOLES = Path("/sys/class/tty/console/active")
# HID Usage Tables: pages that are no reason to offer a hidraw node beside the keyboard's own.
GENERIC_DESKTOP_PAGE, CONSUMER_PAGE = 0x01, 0x0C
# <linux/input-event-codes.h>: KEY_1 (2) to KEY_0 (11) and KEY_ENTER (28).
SCANNER_KEYS = sum(1 << key for key in range(2, 12)) | 1 << 28


@dataclass(frozen=True, slots=True)
class KernelEvent:
    """One event. candidate: None for "remove", and for "lost": some events were lost, sweep now."""

    action: Literal["add", "remove", "lost"]
    node: str = ""
    candidate: Candidate | None = None


class KernelDevices:
    """The machine's devices; one thread uses it, but for `read_again`."""

    def __init__(self) -> None:
        """Raise DevicesUnseen if there is no libudev."""
        try:
            self._context = pyudev.Context()
            # For device threads, one after the other. A new one for each loads libudev anew: 60 kB.
            self._again = pyudev.Context()
        except (ImportError, OSError) as error:
            raise DevicesUnseen(
                f"libudev cannot be used: {error}", hint="Install the package libudev1."
            ) from error
        self._again_lock = Lock()
        self._monitor: pyudev.Monitor | None = None

    def watch(self) -> str:
        """Begin to receive events; return why there will be none, "" if they come.

        With a udevd its events are awaited: then the node has its name and its permissions.
        """
        source = "udev" if UDEVD_CONTROL.exists() else "kernel"
        try:
            monitor = pyudev.Monitor.from_netlink(self._context, source=source)
            for subsystem in SUBSYSTEMS:
                monitor.filter_by(subsystem)
            monitor.start()
        except (OSError, ValueError) as error:
            return str(error) or type(error).__name__
        self._monitor = monitor
        return ""

    def sweep(self) -> tuple[Candidate, ...]:
        """Return everything that is plugged in now."""
        found = []
        for subsystem in SUBSYSTEMS:
            for device in self._context.list_devices(subsystem=subsystem):
                candidate = _candidate(device)
                if candidate is not None:
                    found.append(candidate)
        return tuple(found)

    def next_event(self, timeout_s: float) -> KernelEvent | None:
        """Return the next event, None if none came in `timeout_s`."""
        if self._monitor is None:
            time.sleep(timeout_s)
            return None
        try:
            device = self._monitor.poll(timeout_s)
        except OSError:
            return KernelEvent("lost")  # ENOBUFS: the kernel's buffer ran over.
        if device is None:
            return None
        node = device.device_node or ""
        if device.action == "remove":
            return KernelEvent("remove", node) if node else None
        candidate = _candidate(device) if device.action in {"add", "bind", "change"} else None
        return KernelEvent("add", node, candidate) if candidate else None

    def read_again(self, candidate: Candidate) -> Candidate | None:
        """Return what is at the candidate's node right now, None if nothing is. Any thread."""
        with self._again_lock:
            try:
                device = pyudev.Devices.from_name(
                    self._again, _subsystem(candidate), Path(candidate.node).name
                )
            except (pyudev.DeviceNotFoundError, OSError):
                return None
            return _candidate(device)


def _subsystem(candidate: Candidate) -> str:
    subsystems: dict[CandidateKind, str] = {
        "serial": "tty",
        "keyboard": "input",
        "hidraw": "hidraw",
        "usb_printer": "usbmisc",
        "gpio": "gpio",
    }
    return subsystems[candidate.kind]


def _candidate(device: pyudev.Device) -> Candidate | None:
    try:
        kind = _kind(device)
        return _described(device, kind) if kind else None
    except (OSError, pyudev.DeviceNotFoundError):
        return None  # It was unplugged while it was being read.


def _kind(device: pyudev.Device) -> CandidateKind | None:
    """Return what kind of candidate it is, None if it is none."""
    name, node = device.sys_name, device.device_node
    if not node:
        return None
    if device.subsystem == "tty":
        return "serial" if _is_serial_port(device, name) else None
    if device.subsystem == "input":
        return "keyboard" if name.startswith("event") and _types_digits(device) else None
    if device.subsystem == "hidraw":
        pages = {page for page, _ in _usages(device)}
        return "hidraw" if pages - {GENERIC_DESKTOP_PAGE, CONSUMER_PAGE} else None
    if device.subsystem == "usbmisc":
        return "usb_printer" if name.startswith("lp") else None
    if device.subsystem == "gpio":
        return "gpio" if name.startswith("gpiochip") else None
    return None


def _is_serial_port(device: pyudev.Device, name: str) -> bool:
    if device.parent is None or "/virtual/" in device.sys_path or name in _consoles():
        return False
    # serial_core: type 0 is PORT_UNKNOWN, an 8250 port that was reserved but has no chip.
    return not (name.startswith("ttyS") and _attribute(device, "type") == "0")


def _consoles() -> frozenset[str]:
    # A kernel console is no device, whatever hangs on it: writing to it writes to a shell.
    try:
        return frozenset(CONSOLES.read_text(encoding="ascii").split())
    except (OSError, UnicodeDecodeError):
        return frozenset()


def _types_digits(device: pyudev.Device) -> bool:
    """Return True if it has the keys of a scanner: a bitmap in hexadecimal words, lowest last."""
    parent = device.find_parent("input")
    words = _attribute(parent, "capabilities/key", characters_max=KEYS_CHARACTERS_MAX).split()
    try:
        return bool(words) and int(words[-1], 16) & SCANNER_KEYS == SCANNER_KEYS
    except ValueError:
        return False


def _described(device: pyudev.Device, kind: CandidateKind) -> Candidate:
    usb = device.find_parent("usb", "usb_device")
    place = device.find_parent("usb", "usb_interface")
    named = device.find_parent("input") if kind == "keyboard" else None
    line = device.find_parent("usb-serial")
    number = _attribute(line, "port_number") if line is not None else ""
    suffix = f".{number}" if number not in {"", "0"} else ""
    vendor, product = _attribute(usb, "idVendor"), _attribute(usb, "idProduct")
    serial = _attribute(usb, "serial")
    if usb is None and named is not None:  # Bluetooth: the ids are those of the input device.
        vendor, product = _attribute(named, "id/vendor"), _attribute(named, "id/product")
        serial = _attribute(named, "uniq")
    port = port_of(device.sys_path, node_name=device.sys_name)
    return Candidate(
        kind=kind,
        node=device.device_node,
        vendor_id=_number(vendor),
        product_id=_number(product),
        serial_number=serial,
        manufacturer=_attribute(usb, "manufacturer"),
        product=_attribute(named, "name") or _attribute(usb, "product"),
        interface=_attribute(place, "bInterfaceNumber") + suffix,
        port_path=port + suffix if port else "",
        usages=_usages(device) if kind == "hidraw" else (),
    )


def _usages(device: pyudev.Device) -> tuple[tuple[int, int], ...]:
    parent = device.find_parent("hid")
    if parent is None:
        return ()
    # Not by libudev: it ends an attribute at its first NUL, and a descriptor is binary.
    with (Path(parent.sys_path) / "report_descriptor").open("rb") as file:
        return top_level_usages(file.read(DESCRIPTOR_BYTES_MAX))


def _attribute(
    device: pyudev.Device | None, name: str, *, characters_max: int = TEXT_CHARACTERS_MAX
) -> str:
    value = device.attributes.get(name) if device is not None else None
    if not value:
        return ""
    text = bytes(value).decode("utf-8", "replace").strip()
    printable = "".join(letter if letter.isprintable() else " " for letter in text)
    return printable[:characters_max].strip()


def _number(text: str) -> int | None:
    try:
        return int(text, 16)
    except ValueError:
        return None
