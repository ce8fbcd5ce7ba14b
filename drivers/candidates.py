"""What might be a device, as kernel or network describe it, and what drivers match. Pure."""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

CandidateKind = Literal["serial", "keyboard", "hidraw", "usb_printer", "network", "gpio"]

SCORE_MAX = 100


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that was found and may be a device.

    node: where it is now: a device node such as "/dev/ttyACM0", or a host name or address. It may
        change with the next plug: never stored.
    vendor_id, product_id: of USB; None if it is not on USB.
    serial_number, manufacturer, product: as the device states them, "" if it does not.
    interface: number of the USB interface, "" if there is none; a device may have several.
    port_path: the physical port, e.g. "pci-0000:00:14.0-usb-0:2:1.0"; "" if not known.
    usages: HID usage (page, usage) of the top level collections.
    tcp_port: of a network candidate, 0 otherwise.
    reader_id: what a network device calls itself (MAC address, reader id), "" if not known.
    """

    kind: CandidateKind
    node: str
    vendor_id: int | None = None
    product_id: int | None = None
    serial_number: str = ""
    manufacturer: str = ""
    product: str = ""
    interface: str = ""
    port_path: str = ""
    usages: tuple[tuple[int, int], ...] = ()
    tcp_port: int = 0
    reader_id: str = ""


@dataclass(frozen=True, slots=True)
class Matcher:
    """What a driver recognises; all that is given must be true of the candidate.

    score: 1 (could be) to SCORE_MAX (certainly); the highest score is offered first.
    product_glob: of the product's text in lower case, e.g. "*scanner*".
    """

    kind: CandidateKind
    score: int
    vendor_id: int | None = None
    product_id: int | None = None
    product_glob: str = ""
    usage: tuple[int, int] | None = None
    tcp_port: int = 0

    def matches(self, candidate: Candidate) -> bool:
        """Return True if all that is given is true of `candidate`."""
        return (
            candidate.kind == self.kind
            and self.vendor_id in {None, candidate.vendor_id}
            and self.product_id in {None, candidate.product_id}
            and (not self.product_glob or fnmatchcase(candidate.product.lower(), self.product_glob))
            and (self.usage is None or self.usage in candidate.usages)
            and self.tcp_port in {0, candidate.tcp_port}
        )


def match_score(matchers: tuple[Matcher, ...], candidate: Candidate) -> int:
    """Return the highest score of the matchers that match, 0 if none does."""
    return max((one.score for one in matchers if one.matches(candidate)), default=0)
