"""Transfers as people work on them: asked for, approved, released, closed. Edge of the database."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from central.errors import Unusable
from central.ledger.desk import Change, ObjectNote, require_version
from central.ledger.reference_desk import put_documents, withdraw_documents
from central.orders.catalogue.packs import text_of, to_base
from central.orders.document_changes import changed_document, changed_lines
from central.orders.order_documents import require_free_document
from central.orders.order_goods import checked_reason, read_goods, require_warehouse
from central.orders.reserving.reservation_rows import items_stock_soon, transfer_stock_soon
from central.orders.reserving.shortages import settle_shortages
from central.orders.transfers.transfer_goods import (
    StockOf,
    free_goods,
    number_picks,
    reserve_rest,
    set_aside_at_release,
    tell_source,
)
from central.orders.transfers.transfer_looks import free_code_looks, look_ahead, release_looks
from central.orders.transfers.transfer_store import (
    Standing,
    decided,
    find_transfers,
    load_transfer,
    observed,
    read_lines,
    read_standing,
    write_lines,
    write_transfer,
)
from central.orders.transfers.transfers import (
    CODE_PREFIX,
    DONE,
    LINES_COUNT_MAX,
    Transfer,
    TransferLine,
    documents_of,
    state_after,
)
from central.storage import bulk, tables

KIND = "transfer"
TOLERANCE_PERCENT_MICRO_MAX = 100_000_000


@dataclass(frozen=True, slots=True)
class LineWanted:
    """One line as somebody asks for it. unit: "" for that of the item."""

    item: str
    quantity_micro: int
    unit: str = ""
    lot: str = ""
    from_location: str = ""
    to_location: str = ""
    tolerance_percent_micro: int = 0


def create_transfer(
    change: Change,
    lines: Sequence[LineWanted],
    *,
    source: str,
    destination: str,
    note: str = "",
    second_person: bool = False,
    backorders: bool = False,
) -> Transfer:
    """Draft a transfer and return it.

    second_person: whether somebody else than who requests it has to approve it. backorders: whether
    it may be released although not all of it can be set aside. Raises Unusable.
    """
    look_ahead(change, _items(lines), source=source, destination=destination)
    for warehouse in (source, destination):
        require_warehouse(change.connection, warehouse)
    if source == destination:
        raise Unusable(
            f"a transfer from {source} to itself moves nothing",
            hint="Name another warehouse; inside one, stock is moved from bin to bin.",
            fields={"destination": destination},
        )
    transfer = Transfer(
        code=_new_code(change, (source, destination)),
        source=source,
        destination=destination,
        state="draft",
        phase="",
        version=1,
        note=note,
        second_person=second_person,
        created_by=change.actor,
        created_ms=change.now_ms,
        backorders=backorders,
    )
    checked = _checked_lines(change, transfer, lines)
    write_transfer(change.connection, transfer)
    write_lines(change.connection, transfer.code, checked, new=True)
    change.note(KIND, transfer.code, "drafted", lines_count=len(checked), version=1)
    return transfer


def release_at_once(
    change: Change,
    lines: Sequence[LineWanted],
    *,
    source: str,
    destination: str,
    note: str = "",
    backorders: bool = False,
) -> Transfer:
    """Draft, request, approve and release a transfer as one decision, and return it.

    Each step is noted as if it were taken by itself. backorders: as `create_transfer` takes it.
    Raises Unusable, and Conflict if stations work on another document of its code, or if not all of
    it can be set aside.
    """
    items = _items(lines)
    stock_of = items_stock_soon(change.connection, source, items)
    look_ahead(change, items, source=source, destination=destination, release=True)
    made = create_transfer(
        change, lines, source=source, destination=destination, note=note, backorders=backorders
    )
    for action in ("request", "approve"):
        made = decide(change, made.code, action, version=made.version)
    return _release(change, made.code, made.version, stock_of)


def edit_transfer(
    change: Change,
    code: str,
    *,
    version: int | None,
    lines: Sequence[LineWanted] | None = None,
    note: str | None = None,
    second_person: bool | None = None,
    backorders: bool | None = None,
) -> Transfer:
    """Change a draft and return it; None leaves what is there, lines replace all lines.

    Raises NotThere, Outdated, Conflict, Unusable.
    """
    transfer = load_seen(change, code, version)
    state_after(transfer, "edit", actor=change.actor)
    changes: dict[str, list[object]] = {}
    if lines is not None:
        checked = _checked_lines(change, transfer, lines)
        changes = changed_lines(read_lines(change.connection, code), checked)
        write_lines(change.connection, code, checked)
    wished = {"note": note, "second_person": second_person, "backorders": backorders}
    changed = {name: value for name, value in wished.items() if value is not None}
    after = replace(transfer, **changed)
    return write_done(change, after, "edit", changes=changed_document(transfer, after) | changes)


def decide(
    change: Change, code: str, action: str, *, version: int | None, reason: str = ""
) -> Transfer:
    """Request, revise, approve, reject, release, reserve or cancel a transfer and return it.

    reason: has to be given to reject or cancel. Raises NotThere, Outdated, Conflict (to release and
    to reserve with what is available of each line), Unusable.
    """
    if action == "release":
        stock_of = transfer_stock_soon(change.connection, code)
        bulk.look_ahead(change.connection, release_looks(code))
        return _release(change, code, version, stock_of)
    transfer = load_seen(change, code, version)
    after = replace(transfer, state=state_after(transfer, action, actor=change.actor))
    if action == "request":
        after = replace(after, requested_by=change.actor)
    elif action == "revise":
        after = replace(after, requested_by="", approved_by="")
    elif action == "approve":
        after = replace(after, approved_by=change.actor)
    elif action == "reserve":
        after = reserve_rest(change, after)
    else:
        why = checked_reason(reason, what=f"to {action} a transfer")
        after = replace(after, ended_ms=change.now_ms, ended_reason=why)
        if transfer.state == "released":
            free_goods(change, transfer, reason=f"transfer cancelled: {why}")
            keys = [transfer.key_of(one.line) for one in read_lines(change.connection, code)]
            settle_shortages(change.connection, keys, why=why, now_ms=change.now_ms)
            withdraw_both(change, transfer)
    return write_done(change, after, action, reason=reason)


def tell_anew(change: Change, code: str) -> bool:
    """Tell the source of a transfer that is still stale; return whether it was."""
    found = find_transfers(change.connection, [code]).get(code)
    if found is None or not found.stale or found.state != "released":
        return False
    write_done(change, tell_source(change, found), "tell")
    return True


def load_seen(change: Change, code: str, version: int | None) -> Transfer:
    """Return a transfer as the caller has seen it. Raises NotThere, Outdated."""
    transfer = load_transfer(change.connection, code)
    require_version(transfer.version, version, what=str(transfer))
    return transfer


def write_done(
    change: Change,
    transfer: Transfer,
    action: str,
    *,
    standing: Standing | None = None,
    **fields: object,
) -> Transfer:
    """Write a transfer as the next version of it, with what follows from how it stands.

    standing: how it stands now, read if it is not given and matters.
    """
    following = replace(transfer, version=transfer.version + 1)
    if following.state == "released":
        standing = standing or read_standing(change.connection, following)
        after = observed(following, standing, left_ms=change.now_ms)
    else:
        after = decided(following)
    write_transfer(change.connection, after)
    told = {name: value for name, value in fields.items() if value}
    told |= {"state": after.shown_state, "version": after.version}
    change.note_all(KIND, DONE[action], [ObjectNote(after.code, "", told)])
    return after


def check_places(change: Change, warehouse: str, places: set[str]) -> None:
    """Return if a warehouse has all these places. Raises Unusable."""
    keys = [(warehouse, place) for place in sorted(places)]
    found = bulk.select_by_key(change.connection, tables.locations, keys, columns_count=2)
    missing = sorted(places - {row[1] for row in found})
    if missing:
        raise Unusable(
            f"{warehouse} has no place {missing[0]!r}",
            hint="Use the code of a place that is there.",
            fields={"warehouse": warehouse, "places": missing},
        )


def withdraw_both(change: Change, transfer: Transfer) -> None:
    """Let no station work on a transfer any more."""
    warehouses = (transfer.source, transfer.destination)
    withdraw_documents(change, [(warehouse, transfer.code) for warehouse in warehouses])


def _items(lines: Sequence[LineWanted]) -> set[str]:
    return {line.item for line in lines[:LINES_COUNT_MAX]}


def _new_code(change: Change, warehouses: Sequence[str]) -> str:
    """Return a code that no document has, and of which the books have no in-transit place.

    A ledger that was restored from a backup begins to count where it stood then.
    """
    while True:
        code = change.next_code(CODE_PREFIX)
        looks = free_code_looks(code, warehouses)
        bulk.look_ahead(change.connection, looks)
        found = [
            any(
                True
                for _ in bulk.select_by_key(
                    change.connection, look.table, look.keys, columns_count=look.columns_count
                )
            )
            for look in looks
        ]
        if not any(found):
            return code


def _checked_lines(
    change: Change, transfer: Transfer, wanted: Sequence[LineWanted]
) -> list[TransferLine]:
    if not 1 <= len(wanted) <= LINES_COUNT_MAX:
        raise Unusable(
            f"a transfer of {len(wanted)} lines cannot be",
            hint=f"Ask for 1 to {LINES_COUNT_MAX} lines.",
            fields={"lines_count": len(wanted)},
        )
    goods = read_goods(change.connection, {line.item for line in wanted})
    lines = []
    for number, line in enumerate(wanted, 1):
        if line.quantity_micro <= 0:
            raise Unusable(
                f"line {number}: {text_of(line.quantity_micro)} cannot be transferred",
                hint="Ask for more than zero.",
                fields={"line": number},
            )
        if not 0 <= line.tolerance_percent_micro <= TOLERANCE_PERCENT_MICRO_MAX:
            raise Unusable(
                f"line {number}: that tolerance is out of range",
                hint="Give 0 to 100 percent.",
                fields={"line": number},
            )
        units = goods[line.item].units
        lines.append(
            TransferLine(
                number,
                line.item,
                units.base,
                to_base(line.quantity_micro, units, unit=line.unit or units.base),
                line.tolerance_percent_micro,
                line.lot,
                line.from_location,
                line.to_location,
            )
        )
    check_places(change, transfer.source, {one.from_location for one in lines} - {""})
    check_places(change, transfer.destination, {one.to_location for one in lines} - {""})
    return lines


def _release(change: Change, code: str, version: int | None, stock_of: StockOf | None) -> Transfer:
    """Release a transfer and return it. stock_of: what there is of its items, if it is read."""
    transfer = load_seen(change, code, version)
    after = replace(transfer, state=state_after(transfer, "release", actor=change.actor))
    standing = read_standing(change.connection, after)
    _set_aside_and_tell(change, after, standing, stock_of)
    after = replace(after, released_ms=change.now_ms)
    return write_done(change, after, "release", standing=standing)


def _set_aside_and_tell(
    change: Change, transfer: Transfer, standing: Standing, stock_of: StockOf | None
) -> None:
    book = set_aside_at_release(change, transfer, standing, stock_of=stock_of)
    picks = number_picks(change, book, transfer, standing)
    keys = [(transfer.source,), (transfer.destination,)]
    names = {
        row[0]: row[1] or row[0]
        for row in bulk.select_by_key(change.connection, tables.warehouses, keys, columns_count=1)
    }
    if len(names) < len(keys):
        for (code,) in keys:
            require_warehouse(change.connection, code)
    documents = documents_of(transfer, standing.lines, picks=picks, names=names)
    for document in documents:
        require_free_document(change.connection, warehouse=document.warehouse, code=document.code)
    put_documents(change, documents)
    book.write()
