"""What is wrong with devices and the way to central, as sentences that name what to do. Pure.

Who adds a code adds its sentence here and its Chinese in the catalogue; tests compare them.
"""

from central.contract.states import DeviceProblem
from drivers.readings import FaultCode
from gateway.health import ConnectionProblem, InstallationProblem, InstallationTrouble
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
    "reader_error": N_("{device} reports an error: check its antennas and their cables."),
    "reads_lost": N_("{device} has lost tags: let the goods pass again, more slowly."),
}
DEVICE_TEXTS: dict[DeviceProblem, str] = {
    "lost": N_("{device} is not connected: plug it in and check its cable."),
    "silent": N_("{device} does not answer: switch it on and check its cable."),
    "settings": N_("{device} is set up wrongly: correct its settings and restart the gateway."),
    "crashed": N_("The driver of {device} failed: call support."),
    "locked": N_("{device} is locked: an administrator must unlock it."),
    "in_use": N_("Another program uses {device}: end that program."),
    "no_permission": N_("The gateway may not open {device}: give its user the right to."),
    "wrong_driver": N_("Nothing that {device} sends is readable: check its driver and its speed."),
    "unsteady": N_("{device} comes and goes: check its cable, plug and power supply."),
    "unreadable": N_("{device} sends much that is unreadable: check its cable and its settings."),
    "scan_again": N_("{device} often loses parts of a scan: check its cable and its settings."),
    "overload": FAULT_TEXTS["overload"],
    "underload": FAULT_TEXTS["underload"],
    "not_ready": N_("{device} gives no weight: let it stand still, then look at its display."),
    "zero_error": FAULT_TEXTS["zero_error"],
    "reader_error": FAULT_TEXTS["reader_error"],
    "reads_lost": FAULT_TEXTS["reads_lost"],
    "paper_low": N_("{device} will soon be out of labels: have new ones ready."),
    "ribbon_low": N_("{device} will soon be out of ribbon: have a new one ready."),
    "paper_out": N_("Load labels into {device}."),
    "ribbon_out": N_("Put a new ribbon into {device}."),
    "head_open": N_("Close the print head of {device}."),
    "paused": N_("Press the pause key of {device} to go on."),
    "busy": N_("Wait: {device} is working."),
    "over_temperature": N_("Wait until the print head of {device} has cooled down."),
    "error": N_("Look at the display of {device} and clear the error."),
}
INSTALLATION_TEXTS: dict[InstallationProblem, str] = {
    "unclaimed": N_("{subject} is plugged in and belongs to no one: claim it, or unplug it."),
    "no_driver": N_("{subject} is plugged in, and no driver knows it: name one, or unplug it."),
    "two_alike": N_("Two devices {subject} cannot be told apart: unplug one of them."),
    "claims_damaged": N_("The list of claimed devices is damaged: claim the devices again."),
    "template_broken": N_("The label template {subject} cannot be used: correct it."),
    "setting_refused": N_("Central's setting {subject} cannot be used: correct it at central."),
    "port_refused": N_("{subject} may not be asked who it is: allow its port, or name its driver."),
    "disk_low": N_(
        "The disk of {subject} is almost full: make space on it or replace it. Go on working."
    ),
    "disk_shedding": N_(
        "The disk of {subject} is full but for a reserve: tags that pass are not recorded."
        " Make space on it or replace it now."
    ),
    "disk_full": N_(
        "The disk of {subject} is full: nothing new is recorded. Make space on it or replace it."
    ),
    "journal_repaired": N_(
        "The journal was damaged and has been mended; {subject} is kept. Replace the card soon."
    ),
    "journal_damaged": N_(
        "Records in {subject} are damaged: stop scanning here, keep the card and call support."
    ),
    "copy_missing": N_(
        "The second medium is missing: plug it in, so that {subject} is there. Go on working."
    ),
    "copy_same_medium": N_(
        "{subject} is on the journal's own disk: mount the second medium there. Go on working."
    ),
    "copy_foreign": N_(
        "{subject} holds the copy of another gateway: plug in this gateway's own medium."
    ),
    "copy_failing": N_(
        "The journal's copy in {subject} cannot be written: replace the second medium."
        " Go on working."
    ),
    "backup_missing": N_(
        "There is no backup of the last day in {subject}: mount its medium, make room on it."
        " Go on working."
    ),
    "update_failed": N_(
        "Release {subject} did not work here; the one before runs. Tell whoever makes releases."
        " Go on working."
    ),
    "update_refused": N_(
        "Release {subject} is offered and was refused: it is not what was signed, or does not fit."
        " Tell whoever makes releases. Go on working."
    ),
    "not_enrolled": N_(
        "{subject} is not enrolled yet: make a claim for it on central's page of gateways, then"
        " scan or type its code here. Go on working."
    ),
    "claim_refused": N_(
        "Central does not take the claim of {subject}: make a new one on central's page of"
        " gateways, then scan or type its code here. Go on working."
    ),
    "certificate_ends": N_(
        "The certificate of {subject} ends soon and is not renewed: check the way to central, or"
        " make a new claim. Go on working."
    ),
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
    "foreign_ledger": N_("Another central speaks here: call support, go on working."),
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
    "not_enrolled": N_("This gateway is not enrolled yet: give it a claim. Go on working."),
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
    "central_silent": N_("Central is not running: go on working, call support if it lasts."),
}


def fault_message(device: str, code: FaultCode) -> Message:
    """Return what is wrong with a device and what to do."""
    return say(FAULT_TEXTS[code], device=device)


def device_message(device: str, problem: DeviceProblem) -> Message | None:
    """Return what to do so that a device gets ready, None if nothing is."""
    return say(DEVICE_TEXTS[problem], device=device) if problem else None


def installation_message(trouble: InstallationTrouble) -> Message:
    """Return what to do about a trouble of the installation."""
    return say(INSTALLATION_TEXTS[trouble.problem], subject=trouble.subject)


def link_message(problem: str, connection: ConnectionProblem) -> Message | None:
    """Return what to do so that facts reach central, None if nothing is.

    problem: a LinkProblem, or what a newer ledger says; it is graver than a lost connection.
    """
    if problem:
        return say(LINK_TEXTS.get(problem, LINK_TEXT_UNKNOWN), problem=problem)
    return say(CONNECTION_TEXTS[connection]) if connection else None
