"""Which release the update agent gave up here, for people and for central. Edge of its report."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

from gateway.health import Health, InstallationTrouble

REPORT_FILE = Path("/var/lib/dockledger-update/report.json")
REPORT_BYTES_MAX = 16 * 1024
Version = Annotated[str, msgspec.Meta(pattern=r"^[0-9.]{0,32}$")]


class _Report(msgspec.Struct, frozen=True):
    """What of the agent's report is wanted here; `provisioning/updating/state.py` writes it."""

    failed_version: Version = ""
    failed_reason: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    failed_at_s: int = 0


_decoder = msgspec.json.Decoder(_Report)


@dataclass(frozen=True, slots=True)
class FailedRelease:
    """A release that was given up. version: "" for none. since_ms: 0 if nobody knows."""

    version: str = ""
    reason: str = ""
    since_ms: int = 0


def tell_failed_release(health: Health, *, report: Path = REPORT_FILE) -> FailedRelease:
    """Return the release that was given up last; the station's page tells it as well."""
    try:
        with report.open("rb") as file:
            read = _decoder.decode(file.read(REPORT_BYTES_MAX))
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        read = _Report()  # No agent here, or one of another kind: nothing is known, nothing told.
    for known in health.troubles():
        if known.problem == "update_failed" and known.subject != read.failed_version:
            health.clear_trouble("update_failed", known.subject)
    if not read.failed_version:
        return FailedRelease()
    since_ms = max(read.failed_at_s, 0) * 1000
    found = FailedRelease(read.failed_version, read.failed_reason, since_ms)
    trouble = InstallationTrouble("update_failed", found.version, found.reason, found.since_ms)
    health.set_trouble(trouble)
    return found
