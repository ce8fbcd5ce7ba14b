"""Which driver is offered first, who may claim itself, what people are told. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.candidates import Candidate
from gateway.devices.claim_words import title_of
from gateway.devices.discovery import DriverSheet, Unclaimed
from gateway.health import InstallationProblem, InstallationTrouble
from gateway.station.claiming import BINDING_PREFIX

# Whose driver knows it by its USB ids or HID usage; a plain serial adapter may be a scale and a
# keyboard a person's: they score less and are never opened before they are claimed.
LISTEN_SCORE_MIN = 60
OUR_TROUBLES: frozenset[InstallationProblem] = frozenset({"two_alike", "unclaimed", "no_driver"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """An unclaimed scanner to listen to. key: its identity."""

    key: str
    candidate: Candidate
    driver: str


def claimable(found: Unclaimed) -> bool:
    """Return True if some driver matches that needs no settings."""
    return any(not offer.sheet.required for offer in found.offers)


def first_choice(found: Unclaimed) -> DriverSheet:
    """Return the driver that is offered first, of those that need no settings if there is one."""
    free = [offer.sheet for offer in found.offers if not offer.sheet.required]
    return free[0] if free else found.offers[0].sheet


def listening_candidates(found: Sequence[Unclaimed]) -> list[Wanted]:
    """Return the scanners among `found` that may be listened to, with the driver for it."""
    wanted = []
    for one in found:
        for offer in one.offers:
            if (
                one.identity
                and offer.sheet.device_class == "scanner"
                and offer.score >= LISTEN_SCORE_MIN
                and one.candidate.kind != "network"
                and not offer.sheet.required
            ):
                wanted.append(Wanted(one.identity, one.candidate, offer.sheet.name))
                break
    return wanted


def is_binding_code(text: str) -> bool:
    """Return True if a text that was scanned may be a binding code."""
    return text[:4].upper() == BINDING_PREFIX


def installation_troubles(
    found: Sequence[Unclaimed], ambiguous: Sequence[str], *, now_ms: int
) -> tuple[InstallationTrouble, ...]:
    """Return what a person must do; what is soldered in, or may be a person's keyboard, is none.

    ambiguous: names of claims that two devices answer to.
    """
    troubles = [InstallationTrouble("two_alike", name, "", now_ms) for name in ambiguous]
    for one in found:
        plugged = one.candidate.vendor_id is not None or one.candidate.kind == "network"
        if not plugged or (one.candidate.kind == "keyboard" and not listening_candidates([one])):
            continue
        problem: InstallationProblem = "unclaimed" if one.offers else "no_driver"
        if not one.identity:
            problem = "two_alike"
        troubles.append(
            InstallationTrouble(problem, title_of(one.candidate), one.candidate.node, now_ms)
        )
    return tuple(troubles)
