"""What of a transfer's thing is under way, and what settles that. Edge of the database.

< 0   it came and nobody says that it left      found: from `adjustment`, at the destination
> 0   it left and never came, after the end     lost: to `adjustment`, at the source
"""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from central.contract.quantities import canonical_text, from_micro
from central.errors import Conflict
from central.orders.settling.cases import Case
from central.orders.settling.discrepancy_facts import Found, weight_units
from central.orders.settling.settlement_steps import Step
from central.orders.transfers.transfer_closing import (
    AtPlace,
    Closing,
    ClosingMove,
    Thing,
    closing_moves,
    remainders_of,
)
from central.orders.transfers.transfer_store import find_transfers, read_standing
from central.orders.transfers.transfers import Transfer
from central.orders.transfers.transit_crossings import subject_of
from central.storage import tables

TRANSFERRING = "transferring"


@dataclass(frozen=True, slots=True)
class UnderWay:
    """The thing of a transfer that a discrepancy is about, and where the books have it."""

    transfer: Transfer
    thing: Thing
    places: tuple[AtPlace, ...]

    @property
    def remainder_micro(self) -> int:
        """Return how much of it is under way, over all warehouses; below zero: never left."""
        return remainders_of(self.places).get(self.thing, 0)


def find_under_way(connection: Connection, row: Found) -> UnderWay | None:
    """Return what a discrepancy of KINDS_UNDER_WAY is about; None if nothing of it is under way."""
    transfer = find_transfers(connection, [row.document]).get(row.document)
    if transfer is None:
        return None
    places = read_standing(connection, transfer).places
    for thing in remainders_of(places):
        if subject_of(transfer.code, thing) == row.subject:
            its = tuple(place for place in places if place.thing == thing)
            return UnderWay(transfer, thing, its)
    return None


def case_under_way(connection: Connection, row: Found) -> Case:
    """Return what is known of a discrepancy of KINDS_UNDER_WAY."""
    moving = find_under_way(connection, row)
    return Case(
        kind=row.kind,
        under_way_micro=moving.remainder_micro if moving else 0,
        excess=_open_excess(connection, row),
    )


def require_nothing_under_way(connection: Connection, row: Found) -> None:
    """Return if it can be accepted. Raises Conflict that names what can be done instead."""
    found = find_under_way(connection, row)
    if found is None:
        return
    amount = canonical_text(from_micro(found.remainder_micro))
    raise Conflict(
        f"{amount} {found.thing.unit} of {found.thing.item} would stay under way unexplained",
        hint="Adjust it, which books them as found or as lost; or close the transfer with reasons.",
        fields={"possible": ["adjust"], "transfer": found.transfer.code, "under_way": amount},
    )


def steps_to_end(connection: Connection, row: Found) -> tuple[str, list[Step]]:
    """Return in which warehouse what is posted, so that nothing of a thing is under way.

    Raises Conflict if nothing is.
    """
    found = find_under_way(connection, row)
    if found is None:
        raise Conflict("nothing of it is under way any more", hint="Accept it.")
    transfer, remainder = found.transfer, found.remainder_micro
    closing = Closing(found.thing, abs(remainder), "found" if remainder < 0 else "lost")
    moves = closing_moves(
        found.places, [closing], source=transfer.source, destination=transfer.destination
    )
    unit = weight_units(connection, {found.thing.item}).get(found.thing.item, "")
    steps = [_step(transfer, move, weight_unit=unit) for move in moves]
    return moves[0].warehouse, steps


def _step(transfer: Transfer, move: ClosingMove, *, weight_unit: str) -> Step:
    thing = move.closing.thing
    weighed = bool(weight_unit and move.weight_micro)
    return Step(
        from_location=move.from_location,
        to_location=move.to_location,
        item=thing.item,
        quantity_micro=move.quantity_micro,
        unit=thing.unit,
        business_step=TRANSFERRING,
        lot=thing.lot,
        serial=thing.serial,
        sscc=move.sscc,
        net_weight=canonical_text(from_micro(move.weight_micro)) if weighed else "",
        weight_unit=weight_unit if weighed else "",
        document=transfer.code,
        from_status=move.status,
        to_status=move.status,
    )


def _open_excess(connection: Connection, row: Found) -> str:
    """Return the discrepancy that more came of it than its transfer expects, "" for none.

    Its goods may be another transfer's: to book these as found would leave that one's under way.
    """
    table = tables.discrepancies.c
    query = select(table.id).where(
        table.warehouse == row.warehouse,
        table.state == "open",
        table.kind == "over_received",
        table.document == row.document,
        table.item == row.item,
    )
    return connection.execute(query.order_by(table.id).limit(1)).scalar() or ""
