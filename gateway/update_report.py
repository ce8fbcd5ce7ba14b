"""Which release the update agent gave up or refused, for people and central. Edge of its report."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

from gateway.health import Health, InstallationProblem, InstallationTrouble

REPORT_FILE = Path("/var/lib/dockledger-update/report.json")
REPORT_BYTES_MAX = 16 * 1024
Version = Annotated[str, msgspec.Meta(pattern=r"^[0-9.]{0,32}$")]


class _Report(msgspec.Struct, frozen=True):
    """What of the agent's report is wanted here; `provisioning/updating/state.py` writes it."""

    failed_version: Version = ""
    failed_reason: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    failed_at_s: int = 0
    refused_version: Version = ""
    refused_reason: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    refused_at_s: int = 0


_decoder = msgspec.json.Decoder(_Report)


NOT_KNOWN = "?"  # What an unsigned manifest says of itself is worth nothing.


@dataclass(frozen=True, slots=True)
class FailedRelease:
    """A release that was given up or refused. version: "" for none. since_ms: 0 if nobody knows."""

    version: str = ""
    reason: str = ""
    since_ms: int = 0


def tell_failed_release(health: Health, *, report: Path = REPORT_FILE) -> FailedRelease:
    """Return what is offered and refused, else what was given up last; the station's page tells
    both as well."""
    try:
        with report.open("rb") as file:
            read = _decoder.decode(file.read(REPORT_BYTES_MAX))
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        read = _Report()  # No agent here, or one of another kind: nothing is known, nothing told.
    failed = refused = FailedRelease()
    if read.failed_version:
        failed = FailedRelease(read.failed_version, read.failed_reason, _ms(read.failed_at_s))
    if read.refused_reason:
        version = read.refused_version or NOT_KNOWN
        refused = FailedRelease(version, f"refused: {read.refused_reason}", _ms(read.refused_at_s))
    _show(health, "update_failed", failed)
    _show(health, "update_refused", refused)
    return refused if refused.version else failed


def _show(health: Health, problem: InstallationProblem, release: FailedRelease) -> None:
    for known in health.troubles():
        if known.problem == problem and known.subject != release.version:
            health.clear_trouble(problem, known.subject)
    if release.version:
        health.set_trouble(
            InstallationTrouble(problem, release.version, release.reason, release.since_ms)
        )


def _ms(at_s: int) -> int:
    return max(at_s, 0) * 1000
