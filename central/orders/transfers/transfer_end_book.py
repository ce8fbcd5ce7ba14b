"""Closes transfers with what became of everything under way. Edge of the database."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace
from sqlalchemy import select

from central.contract.quantities import MICRO_PER_UNIT, canonical_text, from_micro
from central.errors import Conflict, Unusable
from central.ledger.desk import Change
from central.ledger.discrepancies import settle_discrepancies
from central.ledger.entries import DiscrepancyKind, FactKey
from central.orders.catalogue.packs import parts_piece, refuse_part
from central.orders.order_goods import goods_looks, kept_units
from central.orders.transfers.transfer_book import (
    check_places,
    load_seen,
    withdraw_both,
    write_done,
)
from central.orders.transfers.transfer_closing import (
    CLOSINGS_COUNT_MAX,
    AtPlace,
    Closing,
    ClosingMove,
    closing_moves,
    remainders_of,
)
from central.orders.transfers.transfer_goods import free_goods
from central.orders.transfers.transfer_store import (
    Standing,
    aside_look,
    book_looks,
    code_looks,
    load_transfer,
    read_standing,
    warehouses_of,
)
from central.orders.transfers.transfers import Transfer, state_after
from central.storage import bulk, catalogue_tables, tables, transfer_tables

# What the end of a transfer settles: its reasons explain these, wherever they came up.
EXPLAINED: tuple[DiscrepancyKind, ...] = (
    *("unexpected", "over_received", "unknown_document"),
    *("received_before_shipped", "filled_twice", "moved_after_end", "reservation_short"),
)


def close_transfer(
    change: Change,
    code: str,
    closings: Sequence[Closing],
    *,
    version: int | None,
    reason: str = "",
) -> Transfer:
    """Close a transfer with what became of everything that is under way, and return it.

    What is lost, damaged, found or sent back is posted; then nothing is under way. reason: for
    people, may be empty unless a third warehouse has some of the goods. Raises NotThere, Outdated,
    Conflict that names what differs, Unusable.
    """
    if len(closings) > CLOSINGS_COUNT_MAX:
        raise Unusable(
            f"{len(closings)} closings at once are more than {CLOSINGS_COUNT_MAX}",
            hint="Say what became of each thing once, with its whole quantity.",
        )
    looks: list[bulk.Look | bulk.Led] = [*code_looks([code]), *book_looks(code, judged=EXPLAINED)]
    looks += goods_looks(_parted(closings))
    bulk.look_ahead(change.connection, [*looks, aside_look(code)])
    transfer = load_seen(change, code, version)
    state = state_after(transfer, "close", actor=change.actor)
    standing = read_standing(change.connection, transfer)
    _refuse_untold(transfer, standing, reason)
    check_places(change, transfer.source, {one.location for one in closings if one.location})
    _refuse_parts(change, standing.places, closings)
    moves = closing_moves(
        standing.places, closings, source=transfer.source, destination=transfer.destination
    )
    keys = _post(change, transfer, moves)
    _keep(change, transfer, moves, keys)
    if transfer.state == "released":
        free_goods(change, transfer, reason="transfer closed")
        withdraw_both(change, transfer)
    followed = load_transfer(change.connection, code) if moves else transfer
    ended_reason = reason.strip() or transfer.ended_reason
    after = replace(followed, state=state, ended_ms=change.now_ms, ended_reason=ended_reason)
    _explain(change, after, closings)
    reasons = sorted({closing.reason for closing in closings})
    return write_done(
        change, after, "close", closings_count=len(closings), reasons=reasons, reason=reason
    )


def _refuse_untold(transfer: Transfer, standing: Standing, reason: str) -> None:
    """Raise Conflict where a third warehouse has some of the goods and nobody says why."""
    if reason.strip():
        return
    for line in standing.lines:
        elsewhere_micro = standing.figures.lines[line.line].elsewhere_micro
        if elsewhere_micro:
            raise Conflict(
                f"{_text(elsewhere_micro)} of {line.item} came to another warehouse than"
                f" {transfer.destination}",
                hint="Give the reason why they stay there.",
                fields={"line": line.line, "elsewhere": _text(elsewhere_micro)},
            )


def _parted(closings: Iterable[Closing]) -> set[str]:
    """Return items of which not a whole number is closed: the others part no piece."""
    return {one.thing.item for one in closings if one.quantity_micro % MICRO_PER_UNIT}


def _refuse_parts(change: Change, places: Iterable[AtPlace], closings: Sequence[Closing]) -> None:
    """Raise Unusable for a part of a piece, where no part of one is under way."""
    parted = _parted(closings)
    if not parted:
        return
    known, remainders = kept_units(change.connection, parted), remainders_of(places)
    for thing, quantity in ((one.thing, one.quantity_micro) for one in closings):
        stated = known.get(thing.item)
        if stated is not None and not parts_piece(
            remainders.get(thing, 0), stated, unit=thing.unit
        ):
            refuse_part(quantity, stated, unit=thing.unit)


def _post(change: Change, transfer: Transfer, moves: Sequence[ClosingMove]) -> list[FactKey]:
    """Post movements in their order, and return their facts."""
    units = _weight_units(change, {move.closing.thing.item for move in moves if move.weight_micro})
    keys: list[FactKey] = []
    for warehouse in (transfer.source, transfer.destination):
        drafts = []
        for move in (one for one in moves if one.warehouse == warehouse):
            thing = move.closing.thing
            weight_unit = units.get(thing.item, "")
            weighed = weight_unit and move.weight_micro
            drafts.append(
                change.movement(
                    warehouse=warehouse,
                    business_step="transferring",
                    from_location=move.from_location,
                    to_location=move.to_location,
                    item=thing.item,
                    quantity_micro=move.quantity_micro,
                    unit=thing.unit,
                    lot=thing.lot,
                    serial=thing.serial,
                    sscc=move.sscc,
                    document=transfer.code,
                    from_status=move.status,
                    to_status=move.status,
                    net_weight=_text(move.weight_micro) if weighed else "",
                    weight_unit=weight_unit if weighed else "",
                )
            )
        keys += change.post(drafts)
    return keys


def _weight_units(change: Change, items: set[str]) -> Mapping[str, str]:
    if not items:
        return {}
    policies = catalogue_tables.item_policies.c
    query = select(policies.item, policies.weight_unit).where(policies.item.in_(items))
    return {row.item: row.weight_unit for row in change.connection.execute(query)}


def _keep(
    change: Change, transfer: Transfer, moves: Sequence[ClosingMove], keys: Sequence[FactKey]
) -> None:
    if not moves:
        return
    table = transfer_tables.transfer_closings
    held = bulk.select_by_key(change.connection, table, [(transfer.code,)], columns_count=1)
    first = 1 + max((row[1] for row in held), default=0)
    rows = []
    for number, (move, key) in enumerate(zip(moves, keys, strict=True), first):
        closing = move.closing
        about = (*closing.thing, move.quantity_micro, closing.reason, closing.location)
        who = (closing.note, change.actor, change.now_ms)
        rows.append((transfer.code, number, *about, *who, *key))
    bulk.insert_rows(change.connection, table, rows)


def _explain(change: Change, transfer: Transfer, closings: Sequence[Closing]) -> None:
    """Settle what the end of the transfer explains."""
    warehouses = warehouses_of(change.connection, transfer)
    keys = [
        (warehouse, "open", kind, transfer.code) for warehouse in warehouses for kind in EXPLAINED
    ]
    found = bulk.select_by_columns(
        change.connection,
        tables.discrepancies,
        keys,
        columns=("warehouse", "state", "kind", "document"),
        index="discrepancies_open",
        where="",
    )
    reasons = sorted({closing.reason for closing in closings})
    told = f" ({', '.join(reasons)})" if reasons else ""
    settle_discrepancies(
        change.connection,
        [row[0] for row in found],
        settlement=f"{transfer.code} was closed by {change.actor}{told}: nothing is under way",
        now_ms=change.now_ms,
    )


def _text(micro: int) -> str:
    return canonical_text(from_micro(micro))
