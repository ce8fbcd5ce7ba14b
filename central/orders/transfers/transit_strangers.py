"""Proves what is under way under codes that are no transfers, thing by thing. Edge of the database.

facts     the place of each thing has exactly what the facts under its code say
told      of goods in transit under a document that is about another border (a receipt, a shipment,
          a return) a discrepancy tells, item by item
named     any other code is known by a document, by progress or by a discrepancy

Not provable: documents of reference data may have known a transfer and forgotten it, or an item of
it; of an unknown document only the first item is noted; counting is noted by nobody.
"""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import CTE, Connection, func, or_, select

from central.ledger.fact_check import Fault
from central.ledger.line_movements import ROWS_AT_ONCE, read_movements
from central.ledger.locations import IN_TRANSIT, IN_TRANSIT_PREFIX
from central.ledger.progress import BORDERS, COUNTING_STEP
from central.storage import tables, transfer_tables

CHECK = "transit"
OTHER_KINDS = sorted(kind for kind, border in BORDERS.items() if border != IN_TRANSIT)


class Standing(NamedTuple):
    """A thing at such a place. told: a discrepancy tells of it. named: anything knows the code.

    elsewhere: stations work on a document of this code that is about another border.
    """

    code: str
    warehouse: str
    item: str
    lot: str
    serial: str
    unit: str
    moved_micro: int
    told: bool
    elsewhere: bool
    named: bool


def strange_faults(connection: Connection) -> Iterator[Fault]:
    """Yield what is off at in-transit places that belong to no transfer; nothing is written."""
    places = at_places()
    codes = transfer_tables.transfers.c.transfer
    discrepancies, documents = tables.discrepancies.c, tables.documents.c
    here = (discrepancies.warehouse == places.c.warehouse, discrepancies.document == places.c.code)
    told = (
        select(discrepancies.id)
        .where(
            *here,
            or_(
                discrepancies.kind == "unknown_document",
                (discrepancies.kind == "unexpected") & (discrepancies.item == places.c.item),
            ),
        )
        .exists()
    )
    elsewhere = (
        select(documents.document)
        .where(
            documents.warehouse == places.c.warehouse,
            documents.document == places.c.code,
            documents.kind.in_(OTHER_KINDS),
        )
        .exists()
    )
    names = (documents.document, discrepancies.document, tables.document_progress.c.document)
    named = or_(*(select(name).where(name == places.c.code).exists() for name in names))
    query = select(
        *places.c, told.label("told"), elsewhere.label("elsewhere"), named.label("named")
    ).where(~select(codes).where(codes == places.c.code).exists())
    for row in connection.execute(query, execution_options={"yield_per": ROWS_AT_ONCE}):
        standing = Standing._make(row)
        detail = _fault_of(connection, standing)
        if detail:
            yield Fault(CHECK, "/".join(row[:6]), detail)


def at_places() -> CTE:
    """Return the sums of balances at in-transit places, by code, warehouse and thing; no zeros."""
    table = tables.balances.c
    code = func.substr(table.location, len(IN_TRANSIT_PREFIX) + 1).label("code")
    columns = (table.warehouse, table.item, table.lot, table.serial, table.unit)
    moved = func.sum(table.on_hand_micro)
    return (
        select(code, *columns, moved.label("moved_micro"))
        .where(func.substr(table.location, 1, len(IN_TRANSIT_PREFIX)) == IN_TRANSIT_PREFIX)
        .group_by(code, *columns)
        .having(moved != 0)
        .cte("at_places")
    )


def _fault_of(connection: Connection, standing: Standing) -> str:
    """Return what is off about a thing at such a place, "" if nothing is."""
    thing = (standing.code, standing.lot, standing.serial)
    moved_micro = noted_micro = 0
    for movement, quantity_micro in read_movements(
        connection,
        warehouse=standing.warehouse,
        item=standing.item,
        unit=standing.unit,
        location=IN_TRANSIT_PREFIX + standing.code,
    ):
        if (movement.document, movement.lot, movement.serial) == thing:
            moved_micro += quantity_micro
            if movement.business_step != COUNTING_STEP:
                noted_micro += quantity_micro
    standing_micro = int(standing.moved_micro)
    if moved_micro != standing_micro:
        return f"{standing_micro} (micro) under way, {moved_micro} by the facts"
    if standing.elsewhere and noted_micro and not standing.told:
        return f"{noted_micro} (micro) under way under a document of another kind, untold"
    if not standing.named:
        return f"{standing_micro} (micro) under way under a code that nothing explains"
    return ""
