"""A claim that somebody scans or types at the station, so that the gateway becomes one. Pure."""

import re
from typing import Protocol

from gateway.station.effects import Signal
from gateway.station.observations import Observation, scanned_text

# As central prints it: `central/trust` says how it is made; central alone says whether it is good.
CLAIM_CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}")


class Enrolment(Protocol):
    """Who takes claims. Any thread may call."""

    def scanned(self, claim: str) -> Signal | None:
        """Take a claim; return at once what became of it, None where none is wanted."""
        ...


def claim_code(observation: Observation) -> str:
    """Return the claim that was scanned or typed, "" if it was anything else."""
    text = (scanned_text(observation.reading) or "").strip().upper()
    return text if CLAIM_CODE.fullmatch(text) else ""
