"""The book of partners: suppliers and customers with their certificates. Edge of the database."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass

from sqlalchemy import Connection, delete

from central.errors import Conflict, NotThere
from central.ledger.desk import Change, ObjectNote, require_version
from central.orders.catalogue.card_conflicts import case_twins, twin_fault
from central.orders.catalogue.cards import Fault, changed_fields, refuse_faults
from central.orders.catalogue.items import CODES_AT_ONCE_MAX, PutCounts
from central.orders.catalogue.partner_cards import Certificate, PartnerCard, partner_faults
from central.orders.catalogue.uses import partner_uses, refuse_while_used
from central.storage import bulk
from central.storage.catalogue_tables import partner_certificates, partners

KIND = "partner"  # Of its events.


@dataclass(frozen=True, slots=True)
class StoredPartner:
    """A partner as it stands."""

    card: PartnerCard
    version: int


def read_partners(connection: Connection, codes: Iterable[str]) -> dict[str, StoredPartner]:
    """Return those of the partners that are there, by code."""
    keys = [(code,) for code in sorted(set(codes))]
    certificates: dict[str, list[Certificate]] = {}
    for row in bulk.select_by_key(connection, partner_certificates, keys, columns_count=1):
        certificates.setdefault(row[0], []).append(Certificate(*row[1:]))
    return {
        row[0]: StoredPartner(_card(row, certificates.get(row[0], ())), row[1])
        for row in bulk.select_by_key(connection, partners, keys, columns_count=1)
    }


def require_partner(connection: Connection, code: str) -> StoredPartner:
    """Return a partner. Raises NotThere."""
    found = read_partners(connection, [code]).get(code)
    if found is None:
        raise NotThere(
            f"no partner is called {code!r}", hint="Check the code in the list of partners."
        )
    return found


def create_partner(change: Change, card: PartnerCard) -> StoredPartner:
    """Add a partner and return it.

    Raises Unusable for an impossible card, Conflict if it or one that looks like it is there.
    """
    refuse_faults(f"partner {card.code}", partner_faults(card))
    if card.code in read_partners(change.connection, [card.code]):
        raise Conflict(
            f"partner {card.code} is there already",
            hint="Change that partner, or choose another code.",
            fields={"partner": card.code},
        )
    return _put_one(change, card, {})


def replace_partner(change: Change, card: PartnerCard, *, version: int | None) -> StoredPartner:
    """Make a card the one of a partner that is there; nothing happens if it is already.

    Raises NotThere, Outdated, Unusable for an impossible card.
    """
    stored = require_partner(change.connection, card.code)
    require_version(stored.version, version, what=f"partner {card.code}")
    return _put_one(change, card, {card.code: stored})


def retire_partner(change: Change, code: str, *, version: int | None) -> None:
    """Take out a partner that no order ever named; others are made inactive instead.

    Raises NotThere, Outdated, Conflict.
    """
    stored = require_partner(change.connection, code)
    require_version(stored.version, version, what=f"partner {code}")
    refuse_while_used(
        f"partner {code}",
        partner_uses(change.connection, code),
        fields={"partner": code},
        hint="Make it inactive instead: its orders go on naming it.",
    )
    for table in (partner_certificates, partners):
        change.connection.execute(delete(table).where(table.c.partner == code))
    change.note(KIND, code, "retired")


def partner_conflicts(
    connection: Connection, cards: Sequence[PartnerCard], stored: Mapping[str, StoredPartner]
) -> Iterator[tuple[str, Fault]]:
    """Yield (partner, fault) of new codes that differ from others in upper and lower case alone."""
    new = [card.code for card in cards if card.code not in stored]
    for code, other in case_twins(connection, partners.c.partner, new).items():
        yield code, twin_fault(code, other)


def put_partners(
    change: Change, cards: Sequence[PartnerCard], stored: Mapping[str, StoredPartner]
) -> PutCounts:
    """Write cards that were judged already; what is as it was is left alone.

    stored: those of the partners that are there, as read in this change.
    """
    new = [card for card in cards if card.code not in stored]
    changed = [card for card in cards if card.code in stored and stored[card.code].card != card]
    written = [*new, *changed]
    versions = {code: one.version for code, one in stored.items()}
    bulk.upsert_rows(
        change.connection,
        partners,
        [_row(card, versions.get(card.code, 0) + 1) for card in written],
    )
    codes = [card.code for card in written]
    for start in range(0, len(codes), CODES_AT_ONCE_MAX):
        some = partner_certificates.c.partner.in_(codes[start : start + CODES_AT_ONCE_MAX])
        change.connection.execute(delete(partner_certificates).where(some))
    bulk.insert_rows(
        change.connection,
        partner_certificates,
        [(card.code, *astuple(one)) for card in written for one in card.certificates],
    )
    change.note_all(KIND, "created", [ObjectNote(card.code, "", {}) for card in new])
    change.note_all(
        KIND,
        "changed",
        [
            ObjectNote(card.code, "", {"changes": changed_fields(stored[card.code].card, card)})
            for card in changed
        ],
    )
    return PutCounts(len(new), len(changed), len(cards) - len(written))


def _put_one(
    change: Change, card: PartnerCard, stored: Mapping[str, StoredPartner]
) -> StoredPartner:
    what = f"partner {card.code}"
    refuse_faults(what, partner_faults(card))
    for _, fault in partner_conflicts(change.connection, [card], stored):
        raise Conflict(
            f"{what}: {fault.field}: {fault.message}",
            hint=fault.hint,
            fields={"field": fault.field},
        )
    put_partners(change, [card], stored)
    return require_partner(change.connection, card.code)


def _card(row: bulk.Row, certificates: Iterable[Certificate]) -> PartnerCard:
    code, _, kind, name, *texts, lead_time_days, active = row
    name_zh, contact, phone, email, address, region, gln = texts
    return PartnerCard(
        code=code,
        name=name,
        kind=kind,
        name_zh=name_zh,
        contact=contact,
        phone=phone,
        email=email,
        address=address,
        region=region,
        gln=gln,
        lead_time_days=lead_time_days,
        active=bool(active),
        certificates=tuple(sorted(certificates)),
    )


def _row(card: PartnerCard, version: int) -> bulk.Row:
    return (
        card.code,
        version,
        card.kind,
        card.name,
        card.name_zh,
        card.contact,
        card.phone,
        card.email,
        card.address,
        card.region,
        card.gln,
        card.lead_time_days,
        card.active,
    )
