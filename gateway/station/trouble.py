"""Faults of devices as sentences that name what to do. Pure."""

from drivers.readings import FaultCode
from gateway.station.effects import Message
from gateway.station.messages import N_, say

FAULT_TEXTS: dict[FaultCode, str] = {
    "overload": N_("{device} is overloaded: take load off."),
    "underload": N_("{device} is below zero: put its pan back, take nothing off, then zero it."),
    "not_ready": N_("{device} is not ready: wait until the load stands, then scan again."),
    "zero_error": N_("{device} has lost its zero: clear it and zero it at the scale."),
    "unreadable": N_(
        "{device} sent something unreadable: scan again; if it stays, check its cable."
    ),
    "scan_again": N_("A part of the scan was lost: scan the code again."),
}


def fault_message(device: str, code: FaultCode) -> Message:
    """Return what is wrong with a device and what to do."""
    return say(FAULT_TEXTS[code], device=device)
