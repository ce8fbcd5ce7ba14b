"""What is known of a supplier or customer, and what is wrong with it. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from central.orders.catalogue.cards import (
    DAYS_MAX,
    NAME_CHARACTERS_MAX,
    WORD_CHARACTERS_MAX,
    Fault,
    choice_faults,
    code_faults,
    gln_faults,
    range_faults,
    text_faults,
)

PARTNER_KINDS = ("supplier", "customer", "both")
CERTIFICATES_MAX = 100


@dataclass(frozen=True, slots=True, order=True)
class Certificate:
    """What a partner can show. valid_until: last day, YYYY-MM-DD; "" for one without an end."""

    kind: str
    number: str
    valid_until: str = ""


@dataclass(frozen=True, slots=True)
class PartnerCard:
    """Everything that people say of a partner; fields as of the table `partners`."""

    code: str
    name: str
    kind: str = "supplier"
    name_zh: str = ""
    contact: str = ""
    phone: str = ""
    email: str = ""
    address: str = ""
    region: str = ""
    gln: str = ""
    lead_time_days: int = 0
    active: bool = True
    certificates: tuple[Certificate, ...] = ()


def partner_faults(card: PartnerCard) -> Iterator[Fault]:
    """Yield everything that is wrong with a partner by itself."""
    yield from code_faults("code", card.code, what="partner")
    yield from choice_faults("kind", card.kind, PARTNER_KINDS)
    yield from text_faults("name", card.name, characters_max=NAME_CHARACTERS_MAX, required=True)
    for name in ("name_zh", "contact", "phone", "email", "address", "region"):
        yield from text_faults(
            name, getattr(card, name), characters_max=NAME_CHARACTERS_MAX, required=False
        )
    if card.email and not 0 < card.email.find("@") < len(card.email) - 1:
        yield Fault("email", f"{card.email[:60]!r} is no address", "Write name@domain.")
    yield from gln_faults("gln", card.gln)
    yield from range_faults("lead_time_days", card.lead_time_days, least=0, most=DAYS_MAX)
    yield from _certificate_faults(card)


def _certificate_faults(card: PartnerCard) -> Iterator[Fault]:
    if len(card.certificates) > CERTIFICATES_MAX:
        yield Fault(
            "certificates",
            f"{len(card.certificates)} are more than {CERTIFICATES_MAX}",
            "Leave out those that have ended.",
        )
    seen: set[tuple[str, str]] = set()
    for one in card.certificates:
        where = f"certificates.{one.kind}"
        for name in ("kind", "number"):
            yield from text_faults(
                f"{where}.{name}",
                getattr(one, name),
                characters_max=WORD_CHARACTERS_MAX,
                required=True,
            )
        if (one.kind, one.number) in seen:
            yield Fault(where, f"{one.number!r} is there twice", "Name each certificate once.")
        seen.add((one.kind, one.number))
        if one.valid_until and not _is_date(one.valid_until):
            yield Fault(
                f"{where}.valid_until",
                f"{one.valid_until[:20]!r} is no date",
                "Write it as YYYY-MM-DD.",
            )


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
