"""What is wrong with devices and the way to central, as sentences that name what to do. Pure.

Who adds a code adds its sentence here and its Chinese in the catalogue; tests compare them.
"""

from central.contract.envelope import DeviceProblem
from drivers.readings import FaultCode
from gateway.health import ConnectionProblem
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
DEVICE_TEXTS: dict[DeviceProblem, str] = {
    "lost": N_("{device} is not connected: plug it in and check its cable."),
    "silent": N_("{device} does not answer: switch it on and check its cable."),
    "settings": N_("{device} is set up wrongly: correct its settings and restart the gateway."),
    "crashed": N_("The driver of {device} failed: call support."),
    "paper_out": N_("Load labels into {device}."),
    "ribbon_out": N_("Put a new ribbon into {device}."),
    "head_open": N_("Close the print head of {device}."),
    "paused": N_("Press the pause key of {device} to go on."),
    "busy": N_("Wait: {device} is working."),
    "over_temperature": N_("Wait until the print head of {device} has cooled down."),
    "error": N_("Look at the display of {device} and clear the error."),
}
# By LinkProblem; a newer ledger may say more.
LINK_TEXTS: dict[str, str] = {
    "unknown_gateway": N_("Central does not know this gateway: enrol it there."),
    "bad_signature": N_("Central refuses this gateway's key: enrol it again."),
    "wrong_warehouse": N_(
        "Central has this gateway in another warehouse: enrol it for this one, go on working."
    ),
    "fork": N_("Central has other records of this gateway: call support, go on working."),
    "broken_chain": N_("Central found a break in the records: call support, go on working."),
    "unknown_epoch": N_(
        "Another machine may use this gateway's code: call support, go on working."
    ),
    "foreign_head": N_(
        "Another machine or card has this gateway's code: find it and stop it, or call support."
    ),
    "ack_ahead": N_("The records here may be an old copy: stop scanning here and call support."),
    "facts_gone": N_("Central wants records that are no longer here: call support, go on working."),
    "too_large": N_(
        "The broker takes no message of this size: raise its limit (message_size_limit)."
    ),
}
LINK_TEXT_UNKNOWN = N_(
    "Central does not take the records ({problem}): call support, go on working."
)
CONNECTION_TEXTS: dict[ConnectionProblem, str] = {
    "unreachable": N_("Central is out of reach: check the network cable. Go on working."),
    "login_refused": N_(
        "The broker refuses this gateway: correct user and password in [mqtt]. Go on working."
    ),
    "protocol_refused": N_("The broker is too old: use one that speaks MQTT 5. Go on working."),
    "code_taken": N_("Another machine uses this gateway's code: give each its own. Go on working."),
    "reading_refused": N_(
        "The broker lets this gateway read nothing: correct its access list. Go on working."
    ),
    "writing_refused": N_(
        "The broker lets this gateway write nothing: correct its access list. Go on working."
    ),
}


def fault_message(device: str, code: FaultCode) -> Message:
    """Return what is wrong with a device and what to do."""
    return say(FAULT_TEXTS[code], device=device)


def device_message(device: str, problem: DeviceProblem) -> Message | None:
    """Return what to do so that a device gets ready, None if nothing is."""
    return say(DEVICE_TEXTS[problem], device=device) if problem else None


def link_message(problem: str, connection: ConnectionProblem) -> Message | None:
    """Return what to do so that facts reach central, None if nothing is.

    problem: a LinkProblem, or what a newer ledger says; it is graver than a lost connection.
    """
    if problem:
        return say(LINK_TEXTS.get(problem, LINK_TEXT_UNKNOWN), problem=problem)
    return say(CONNECTION_TEXTS[connection]) if connection else None
