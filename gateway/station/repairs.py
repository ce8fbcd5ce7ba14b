"""What people can mend now: every fault of a device or of the installation, as a task. Pure.

A repair is nothing that is kept: it follows from what is wrong now, and is gone when that is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from central.contract.states import DeviceProblem
from gateway.health import DeviceHealth, Health, InstallationProblem, InstallationTrouble
from gateway.station.effects import Message
from gateway.station.templates.model import TemplateFault
from gateway.station.trouble import device_message, installation_message

Severity = Literal["error", "warning", "info"]
SEVERITY_ORDER: tuple[Severity, ...] = ("error", "warning", "info")
# error: the device does not work. warning: it works, with losses or not for long. info: as wanted.
DEVICE_SEVERITIES: dict[DeviceProblem, Severity] = {
    "lost": "error",
    "silent": "error",
    "settings": "error",
    "crashed": "error",
    "locked": "info",
    "in_use": "error",
    "no_permission": "error",
    "wrong_driver": "error",
    "unsteady": "warning",
    "unreadable": "warning",
    "scan_again": "warning",
    "overload": "warning",
    "underload": "warning",
    "not_ready": "warning",
    "zero_error": "error",
    "reader_error": "warning",
    "reads_lost": "warning",
    "paper_low": "warning",
    "ribbon_low": "warning",
    "paper_out": "error",
    "ribbon_out": "error",
    "head_open": "error",
    "paused": "error",
    "busy": "info",
    "over_temperature": "error",
    "error": "error",
}
INSTALLATION_SEVERITIES: dict[InstallationProblem, Severity] = {
    "unclaimed": "info",
    "no_driver": "info",
    "two_alike": "error",
    "claims_damaged": "error",
    "template_broken": "warning",
    "setting_refused": "warning",
    "port_refused": "info",
    "disk_low": "warning",
    "disk_shedding": "warning",
    "disk_full": "error",
    "journal_repaired": "warning",
    "journal_damaged": "error",
    "copy_missing": "warning",
    "copy_same_medium": "warning",
    "copy_foreign": "warning",
    "copy_failing": "warning",
    "backup_missing": "warning",
    "update_failed": "warning",
    "update_refused": "warning",
    "not_enrolled": "warning",
    "claim_refused": "error",
    "certificate_ends": "error",
}


@dataclass(frozen=True, slots=True)
class Repair:
    """One task for a person.

    id: the same as long as the same is wrong with the same thing, e.g. "dock-1-scale/silent".
    subject: the device, or what else it is about. message: what is wrong and what to do.
    since_ms: wall time, 0 if not known. detail: English, in a driver's own words.
    """

    id: str
    severity: Severity
    subject: str
    message: Message
    since_ms: int
    detail: str


def repairs(
    devices: Sequence[DeviceHealth], troubles: Sequence[InstallationTrouble]
) -> tuple[Repair, ...]:
    """Return what people can mend, gravest first, then what has been wrong longest."""
    found = [repair for device in devices if (repair := _of_device(device)) is not None]
    found += [_of_installation(trouble) for trouble in troubles]
    return tuple(
        sorted(found, key=lambda one: (SEVERITY_ORDER.index(one.severity), one.since_ms, one.id))
    )


def tell_broken_templates(faults: Sequence[TemplateFault], health: Health, *, now_ms: int) -> None:
    """State which label templates cannot be used; those that are not named are mended."""
    broken = {fault.file for fault in faults}
    for known in health.troubles():
        if known.problem == "template_broken" and known.subject not in broken:
            health.clear_trouble("template_broken", known.subject)
    for fault in faults:
        health.set_trouble(InstallationTrouble("template_broken", fault.file, fault.reason, now_ms))


def _of_device(device: DeviceHealth) -> Repair | None:
    message = device_message(device.name, device.problem)
    if message is None:
        return None
    return Repair(
        id=f"{device.name}/{device.problem}",
        severity=DEVICE_SEVERITIES[device.problem],
        subject=device.name,
        message=message,
        since_ms=device.since_ms,
        detail=device.detail,
    )


def _of_installation(trouble: InstallationTrouble) -> Repair:
    return Repair(
        id=f"{trouble.subject}/{trouble.problem}",
        severity=INSTALLATION_SEVERITIES[trouble.problem],
        subject=trouble.subject,
        message=installation_message(trouble),
        since_ms=trouble.since_ms,
        detail=trouble.detail,
    )
