"""Codes that somebody may mean while typing, with what they are called. Edge of the database."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Column, ColumnElement, Connection, and_, func, or_, select, true

from central.orders.catalogue.items import read_items
from central.orders.document_lists import HeadsWanted, page_of_codes
from central.storage import catalogue_tables, tables

PROPOSED_MAX = 20
WORDS_MAX = 6  # Of what was typed; further ones narrow nothing.


@dataclass(frozen=True, slots=True)
class Proposal:
    """A code and what it is called, in English and Chinese; "" for nothing said."""

    code: str
    name: str = ""
    name_zh: str = ""


def propose_items(connection: Connection, text: str) -> list[Proposal]:
    """Return items whose code begins with a text, then those that have all its words anywhere."""
    table = tables.items.c
    return _proposed(connection, table.item, (table.name, table.name_zh), text, [])


def propose_partners(connection: Connection, text: str, *, kind: str) -> list[Proposal]:
    """Return active partners of a kind ("supplier", "customer"), as with items."""
    table = catalogue_tables.partners.c
    where = [table.kind.in_((kind, "both")), table.active]
    return _proposed(connection, table.partner, (table.name, table.name_zh), text, where)


def propose_places(connection: Connection, text: str, *, warehouse: str) -> list[Proposal]:
    """Return places of a warehouse, "" of any."""
    table = tables.locations.c
    where = [table.warehouse == warehouse] if warehouse else []
    return _proposed(connection, table.location, (table.kind,), text, where, distinct=True)


def propose_units(connection: Connection, *, item: str) -> list[Proposal]:
    """Return the unit of an item and its packs; nothing for an unknown item."""
    stored = read_items(connection, [item]).get(item)
    if stored is None:
        return []
    return [Proposal(stored.card.unit), *(Proposal(pack.unit) for pack in stored.card.packs)]


def propose_documents(
    connection: Connection, kind: str, text: str, *, warehouse: str
) -> list[Proposal]:
    """Return documents of a kind in which a text is, newest first."""
    wanted = HeadsWanted(
        search=text,
        either=(("warehouse",), warehouse),
        sort="code",
        descending=True,
        limit=PROPOSED_MAX,
    )
    codes, _ = page_of_codes(connection, kind, wanted)
    return [Proposal(code) for code in codes]


def _proposed(
    connection: Connection,
    code: Column[str],
    names: Sequence[Column[str]],
    text: str,
    where: list[ColumnElement[bool]],
    *,
    distinct: bool = False,
) -> list[Proposal]:
    lowered = text.lower()
    begins = func.lower(code).startswith(lowered, autoescape=True)
    has = and_(
        true(),
        *(
            or_(*(func.lower(one).contains(word, autoescape=True) for one in (code, *names)))
            for word in lowered.split()[:WORDS_MAX]
        ),
    )
    found: dict[str, Proposal] = {}
    for condition in (begins, has):
        if len(found) >= PROPOSED_MAX or (condition is has and not lowered.strip()):
            break
        query = select(code, *names).where(condition, *where).order_by(code).limit(PROPOSED_MAX)
        for row in connection.execute(query.distinct() if distinct else query):
            proposal = Proposal(row[0]) if distinct else Proposal(row[0], row[1], row[2])
            found.setdefault(row[0], proposal)
    return list(found.values())[:PROPOSED_MAX]
