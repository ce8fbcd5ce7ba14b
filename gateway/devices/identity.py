"""By what a device is known again, whatever node the kernel gives it next time. Pure.

    kind:usb:VID:PID:serial[:interface]    a serial number of its own
    kind:port:PORT[:VID:PID]               else the physical port that it hangs on
    network:reader:ID:TCP_PORT             else what a network device calls itself (MAC address)
    network:address:HOST:TCP_PORT          else where it is: its address, to be kept by the network

`kind` is Candidate.kind: the keyboard and the hidraw node of one scanner are two lines. A port's
identity carries the USB ids, so that a scale's claim never opens the scanner that was plugged into
the scale's port. Nodes (ttyUSB0, event3) and counted ids are never part of an identity.

A number that a maker writes into all of his devices is no serial number: see `counts_as_serial`.
"""

import re
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from drivers.candidates import Candidate

SERIAL_CHARACTERS_MIN = 5  # CP2102 leaves the factory as "0001"; nobody counts that far.
# Numbers written by makers who did not want to count; a run of one character is caught by itself.
DUMMY_SERIALS = frozenset(
    {
        "0123456789",
        "0123456789ABCDEF",
        "0123456789ABCDEFGHIJ",
        "123456789",
        "1234567890",
        "123456789ABC",
        "123456789ABCDEF",
        "000000000001",
        "00000000001A",
        "0000000001",
        "00000001",
        "12345678",
        "NONE",
        "UNKNOWN",
        "SERIAL",
        "SERIALNUMBER",
    }
)
ADDRESS_PREFIX = "network:address:"
USB_PORT = re.compile(
    r"/(?P<controller>[^/]+)/usb\d+/(?:[^/]+/)*?"
    r"\d+-(?P<ports>\d+(?:\.\d+)*):(?P<place>\d+\.\d+)(?:/|$)"
)
PCI_ADDRESS = re.compile(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")


def counts_as_serial(text: str) -> bool:
    """Return True if `text` can tell this device from its twin.

    False for "", what is shorter than SERIAL_CHARACTERS_MIN, one character repeated, and the known
    dummies. Decided for all, not only where two are seen at once: the second adapter is often
    bought a year later, and then the claim must not move over to it.
    """
    bare = re.sub(r"[^0-9A-Za-z]", "", text).upper()
    return len(bare) >= SERIAL_CHARACTERS_MIN and len(set(bare)) > 1 and bare not in DUMMY_SERIALS


def port_of(sys_path: str, *, node_name: str) -> str:
    """Return the physical port of a device below /sys/devices, "" if it hangs on none.

    The bus number is left out: it changes with the order in which controllers are found.

        /sys/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2.4/1-2.4:1.0/ttyUSB0/tty/ttyUSB0
                                ============                  =======
        pci-0000:00:14.0-usb-0:2.4:1.0
    """
    if "/virtual/" in sys_path:
        return ""
    usb = USB_PORT.search(sys_path)
    if usb:
        controller = usb["controller"]
        bus = "pci" if PCI_ADDRESS.fullmatch(controller) else "platform"
        return f"{bus}-{controller}-usb-0:{usb['ports']}:{usb['place']}"
    parts = sys_path.removeprefix("/sys/devices/").split("/")
    while parts and parts[-1] in {node_name, "tty", "gpio", "input", "usbmisc", "hidraw"}:
        parts.pop()
    return "/".join(parts)


def identities(candidate: Candidate) -> tuple[str, ...]:
    """Return every identity that the candidate answers to, the best first; empty if none."""
    found: list[str] = []
    if candidate.kind == "network":
        place = f"{candidate.node}:{candidate.tcp_port}"
        if candidate.reader_id:
            found.append(f"network:reader:{candidate.reader_id}:{candidate.tcp_port}")
        return (*found, f"{ADDRESS_PREFIX}{place}")
    ids = ""
    if candidate.vendor_id is not None and candidate.product_id is not None:
        ids = f":{candidate.vendor_id:04x}:{candidate.product_id:04x}"
        if counts_as_serial(candidate.serial_number):
            interface = f":{candidate.interface}" if candidate.interface else ""
            found.append(f"{candidate.kind}:usb{ids}:{candidate.serial_number}{interface}")
    if candidate.port_path:
        found.append(f"{candidate.kind}:port:{candidate.port_path}{ids}")
    return tuple(found)


def shared_identities(candidates: Iterable[Candidate]) -> frozenset[str]:
    """Return the identities that more than one of `candidates` answers to."""
    seen: set[str] = set()
    shared: set[str] = set()
    for candidate in candidates:
        for identity in identities(candidate):
            (shared if identity in seen else seen).add(identity)
    return frozenset(shared)


def identity_of(candidate: Candidate, *, shared: AbstractSet[str]) -> str:
    """Return the best identity that nobody shares, "" if it cannot be told from its twin.

    shared: see `shared_identities`; what was ever shared should stay in it.
    """
    return next((one for one in identities(candidate) if one not in shared), "")


def is_by_port(identity: str) -> bool:
    """Return True if the identity belongs to the port, so that the device must stay in it."""
    return identity.split(":", 2)[1:2] == ["port"]


def matching(candidates: Sequence[Candidate], identity: str) -> tuple[Candidate, ...]:
    """Return the candidates that answer to `identity`."""
    return tuple(one for one in candidates if identity in identities(one))


def address_of(identity: str) -> Candidate | None:
    """Return the network device whose identity is its address; it needs no finding. Else None."""
    host, _, tcp_port = identity.removeprefix(ADDRESS_PREFIX).rpartition(":")
    if not identity.startswith(ADDRESS_PREFIX) or not host or not tcp_port.isdecimal():
        return None
    return Candidate(kind="network", node=host, tcp_port=int(tcp_port))
