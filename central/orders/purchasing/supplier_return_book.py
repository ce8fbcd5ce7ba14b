"""Supplier returns as people work on them, one change each. Edge of the database."""

from dataclasses import astuple, dataclass, replace
from typing import Literal, cast

from sqlalchemy import Connection, delete, select

from central.errors import Conflict, Unusable
from central.ledger.desk import Change, require_version
from central.orders.catalogue.packs import to_base
from central.orders.document_changes import changed_document
from central.orders.order_documents import new_code, replace_document, require_free_document
from central.orders.order_goods import (
    Goods,
    checked_reason,
    read_goods,
    require_warehouse,
    supplier_names,
)
from central.orders.purchasing.inspection_reading import load_inspection
from central.orders.purchasing.purchase_reading import load_order
from central.orders.purchasing.return_stock import refuse_missing
from central.orders.purchasing.supplier_return_reading import (
    ReturnView,
    load_return,
    view_return,
    view_returns,
)
from central.orders.purchasing.supplier_returns import (
    CHANGEABLE,
    CLAIMABLE,
    CLAIMS_COUNT_MAX,
    LINES_COUNT_MAX,
    STATES,
    Claim,
    ClaimKind,
    ClaimState,
    Reason,
    ReturnLine,
    State,
    SupplierReturn,
    check_cancel,
    check_close,
    claim_of,
    return_document,
)
from central.orders.state_tables import next_state
from central.storage import bulk, catalogue_tables, purchasing_tables

KIND = "supplier_return"
PREFIX = "SR"
Action = Literal["approve", "reject", "release", "close", "cancel"]
DONE: dict[Action, str] = {
    "approve": "approved",
    "reject": "rejected",
    "release": "released",
    "close": "closed",
    "cancel": "cancelled",
}


@dataclass(frozen=True, slots=True)
class ReturnLineAsked:
    """A line as somebody asks for it. unit: "" for the item's own."""

    line: int
    item: str
    quantity_micro: int
    unit: str = ""
    lot: str = ""
    location: str = ""
    inspection: str = ""


@dataclass(frozen=True, slots=True)
class ReturnAsked:
    """A return as somebody asks for it. order_code: "" if nobody knows with which it came."""

    warehouse: str
    supplier: str
    reason: Reason
    lines: tuple[ReturnLineAsked, ...]
    order_code: str = ""
    code: str = ""
    note: str = ""


def create_return(change: Change, asked: ReturnAsked) -> ReturnView:
    """Request that goods go back. Raises Unusable, Conflict, NotThere."""
    connection = change.connection
    require_warehouse(connection, asked.warehouse)
    _require_partner(connection, asked)
    if not asked.lines:
        raise Unusable("a return needs lines", hint="Say what is to go back.")
    returned = SupplierReturn(
        code=new_code(change, PREFIX, warehouse=asked.warehouse, wished=asked.code),
        warehouse=asked.warehouse,
        supplier=asked.supplier,
        order_code=asked.order_code,
        state="requested",
        reason=asked.reason,
        note=asked.note,
        end_reason="",
        version=1,
        created_by=change.actor,
        created_ms=change.now_ms,
        changed_ms=change.now_ms,
        lines=_lines(change, asked),
        claims=(),
    )
    _write_head(change, returned)
    _write_lines(change, returned)
    change.note(
        KIND,
        returned.code,
        "requested",
        warehouse=returned.warehouse,
        reason=returned.reason,
        lines_count=len(returned.lines),
    )
    return view_returns(connection, [returned])[0]


def change_return(
    change: Change,
    code: str,
    *,
    note: str | None,
    lines: tuple[ReturnLineAsked, ...] | None,
    version: int | None,
) -> ReturnView:
    """Change what was requested; later only the note. None stays. Raises Conflict, Outdated."""
    returned = load_return(change.connection, code)
    require_version(returned.version, version, what=str(returned))
    if returned.state not in (CHANGEABLE if lines is not None else CLAIMABLE):
        raise Conflict(
            f"{returned} is {returned.state} and is not changed any more",
            hint="Request another return.",
            fields={"state": returned.state},
        )
    changed = replace(returned, note=returned.note if note is None else note)
    if lines is not None:
        asked = ReturnAsked(
            returned.warehouse, returned.supplier, returned.reason, lines, returned.order_code
        )
        changed = replace(changed, lines=_lines(change, asked))
        _write_lines(change, changed)
    _store(change, changed, "changed", changes=changed_document(returned, changed))
    return view_return(change.connection, code)


def act_on_return(
    change: Change, code: str, action: Action, *, version: int | None, reason: str = ""
) -> ReturnView:
    """Do one step of a return's life; return what it then is. Raises Conflict, Outdated."""
    view = view_return(change.connection, code)
    returned = view.returned
    require_version(returned.version, version, what=str(returned))
    state = next_state(STATES, action=action, state=returned.state, what=str(returned))
    changed = replace(returned, state=cast(State, state))
    reason = reason.strip()
    if action in {"reject", "cancel"}:
        reason = checked_reason(reason, what=f"to {action} {returned}")
    if action == "cancel":
        check_cancel(returned, view.progress)
    elif action == "close":
        check_close(returned, view.progress, reason=reason)
    elif action == "release":
        require_free_document(change.connection, warehouse=returned.warehouse, code=code)
        refuse_missing(change.connection, returned)
    if action in {"reject", "cancel", "close"}:
        changed = replace(changed, end_reason=reason)
    _store(change, changed, DONE[action], reason=reason)
    if "released" in {returned.state, state}:
        names = supplier_names(change.connection, [returned.supplier])
        document = return_document(changed, partner=names[returned.supplier])
        replace_document(change, document, warehouse=returned.warehouse, code=code)
    return view_return(change.connection, code)


def add_claim(
    change: Change,
    code: str,
    *,
    kind: ClaimKind,
    amount_fen: int | None,
    currency: str,
    note: str,
    version: int | None,
) -> ReturnView:
    """Note what the supplier is to give. Raises Conflict, Outdated, Unusable."""
    returned = load_return(change.connection, code)
    require_version(returned.version, version, what=str(returned))
    if returned.state not in CLAIMABLE or len(returned.claims) >= CLAIMS_COUNT_MAX:
        raise Conflict(
            f"{returned} is {returned.state} with {len(returned.claims)} claims: no more are added",
            hint="Note the claim with another return.",
            fields={"state": returned.state},
        )
    if amount_fen is not None and not currency:
        raise Unusable("a claim for money needs a currency", hint="Name the currency.")
    number = 1 + max((claim.claim_no for claim in returned.claims), default=0)
    claim = Claim(number, kind, "open", amount_fen, currency, note, change.actor, change.now_ms)
    _write_claim(change, code, claim)
    _store(change, returned, "claimed", claim=number, claim_kind=kind)
    return view_return(change.connection, code)


def decide_claim(
    change: Change, code: str, claim_no: int, *, state: ClaimState, version: int | None
) -> ReturnView:
    """Note what the supplier has granted or refused. Raises Conflict, Outdated."""
    returned = load_return(change.connection, code)
    require_version(returned.version, version, what=str(returned))
    claim = claim_of(returned, claim_no)
    _write_claim(change, code, replace(claim, state=state, actor=change.actor, at_ms=change.now_ms))
    _store(change, returned, f"claim_{state}", claim=claim_no)
    return view_return(change.connection, code)


def _require_partner(connection: Connection, asked: ReturnAsked) -> None:
    """Return if there is such a supplier: also of a retired one goods go back."""
    table = catalogue_tables.partners.c
    row = connection.execute(select(table.kind).where(table.partner == asked.supplier)).first()
    if row is None or row.kind == "customer":
        raise Unusable(
            f"no supplier is called {asked.supplier!r}",
            hint="Correct the code of the supplier.",
            fields={"supplier": asked.supplier},
        )
    if asked.order_code:
        order = load_order(connection, asked.order_code)
        if (order.warehouse, order.supplier) != (asked.warehouse, asked.supplier):
            raise Unusable(
                f"{order} is one of {order.supplier} for {order.warehouse}",
                hint="Name an order of the same supplier and warehouse, or none.",
                fields={"order": order.code},
            )


def _lines(change: Change, asked: ReturnAsked) -> tuple[ReturnLine, ...]:
    if len(asked.lines) > LINES_COUNT_MAX or len({line.line for line in asked.lines}) != len(
        asked.lines
    ):
        raise Unusable(
            "the lines of the return are too many, or one number is there twice",
            hint=f"Give each of at most {LINES_COUNT_MAX} lines a number of its own.",
        )
    goods = read_goods(change.connection, {line.item for line in asked.lines})
    return tuple(
        _line(change, asked, line, goods[line.item])
        for line in sorted(asked.lines, key=lambda one: one.line)
    )


def _line(change: Change, asked: ReturnAsked, line: ReturnLineAsked, goods: Goods) -> ReturnLine:
    if line.inspection:
        inspection = load_inspection(change.connection, line.inspection)
        if (inspection.warehouse, inspection.item, inspection.lot) != (
            asked.warehouse,
            line.item,
            line.lot,
        ):
            raise Unusable(
                f"{inspection} is about {inspection.item}, lot {inspection.lot or 'none'}",
                hint="Name the inspection of these goods, or none.",
                fields={"line": line.line, "inspection": line.inspection},
            )
    return ReturnLine(
        line=line.line,
        item=line.item,
        lot=line.lot,
        unit=goods.units.base,
        quantity_micro=to_base(
            line.quantity_micro, goods.units, unit=line.unit or goods.units.base
        ),
        location=line.location,
        inspection=line.inspection,
    )


def _store(change: Change, returned: SupplierReturn, action: str, **fields: object) -> None:
    """Write the head of a return as its next version, and note what was done."""
    stored = replace(returned, version=returned.version + 1, changed_ms=change.now_ms)
    _write_head(change, stored)
    said = {name: value for name, value in fields.items() if value}
    change.note(KIND, returned.code, action, warehouse=returned.warehouse, **said)


def _write_head(change: Change, returned: SupplierReturn) -> None:
    table = purchasing_tables.supplier_returns
    row = tuple(getattr(returned, column.name) for column in table.columns)
    bulk.upsert_rows(change.connection, table, [row])


def _write_lines(change: Change, returned: SupplierReturn) -> None:
    table = purchasing_tables.supplier_return_lines
    change.connection.execute(delete(table).where(table.c.code == returned.code))
    bulk.insert_rows(
        change.connection, table, [(returned.code, *astuple(line)) for line in returned.lines]
    )


def _write_claim(change: Change, code: str, claim: Claim) -> None:
    table = purchasing_tables.supplier_claims
    bulk.upsert_rows(change.connection, table, [(code, *astuple(claim))])
