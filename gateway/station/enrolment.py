"""How a machine becomes a gateway: a claim that it is given, or a code that it shows. Pure."""

import re
from dataclasses import dataclass
from typing import Literal, Protocol

from gateway.station.effects import Signal
from gateway.station.observations import Observation, scanned_text

# As central prints it: `central/trust` says how it is made; central alone says whether it is good.
CLAIM_CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}")


EnrolmentState = Literal[
    "none",  # Nobody says where central is.
    "asking",  # Central is asked for a code, or with a claim.
    "shown",  # A code is there, and waits for somebody who types it at central.
    "lost",  # Central does not answer.
    "denied",  # Staff said no.
    "expired",  # Nobody has typed the code in time.
    "refused",  # Central gives this machine no code, or no certificate.
    "enrolled",
]


@dataclass(frozen=True, slots=True)
class ShownEnrolment:
    """What stands on the screen. code, fingerprint, page: "" while there is none.

    page: of central, where the code is typed. qr_svg: a QR code of `page`. detail: in the words of
    whoever refused, English.
    """

    state: EnrolmentState
    code: str = ""
    fingerprint: str = ""
    page: str = ""
    qr_svg: str = ""
    expires_in_s: int = 0
    detail: str = ""


class Enrolment(Protocol):
    """Who takes claims and has a code to show. Any thread may call."""

    def shown(self) -> ShownEnrolment:
        """Return what stands on the screen."""
        ...

    def show_code(self) -> None:
        """Ask for another code, if the one before is over."""
        ...

    def scanned(self, claim: str) -> Signal | None:
        """Take a claim; return at once what became of it, None where none is wanted."""
        ...


def claim_code(observation: Observation) -> str:
    """Return the claim that was scanned or typed, "" if it was anything else."""
    text = (scanned_text(observation.reading) or "").strip().upper()
    return text if CLAIM_CODE.fullmatch(text) else ""
