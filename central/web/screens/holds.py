"""Holding goods and giving them free: a lot, a place, or one row of the stock. Edge of HTTP."""

from dataclasses import dataclass, replace

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from central.ledger.statuses import AVAILABLE, HELD, INSPECTION, REJECTED
from central.orders.holding.hold_book import KIND
from central.orders.holding.holds import Scope
from central.stock.history import ObjectEvent, list_newest
from central.stock.times import utc_text
from central.web.asking import Asked, Asking
from central.web.documents.tables import warehouse_choices
from central.web.listing import shown
from central.web.people.audit_words import done_word
from central.web.screens.past_stock import PAST
from central.web.screens.stock_tables import STOCK
from central.web.shell import listing_of, page
from central.web.stock_words import STATUSES
from central.web.words import marked

HOLDS = replace(
    STOCK,
    name="holds",
    title=marked("Holding goods and giving them free"),
    path="/holds",
    filters=tuple(one for one in STOCK.filters if one.name != "q" and one not in PAST),
)
NAMES = tuple(Scope.__dataclass_fields__)
LABELS: dict[str, str] = {
    "item": marked("Item code"),
    "lot": marked("Lot"),
    "warehouse": marked("Warehouse"),
    "location": marked("Place"),
    "serial": marked("Serial number"),
    "sscc": "SSCC",
}
GOODS = ("location", "item", "lot", "serial", "sscc")
LATEST_SHOWN_MAX = 20
ROW = "row"  # The address is that of one row: what is not named there, its goods do not have.

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class ScopeField:
    """What a form says of which goods. value: "" for any, in a row for none."""

    name: str
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class HoldLine:
    """What was done lately. goods: which, by their codes; time: ISO 8601."""

    code: str
    time: str
    actor: str
    done: str
    goods: str
    reason: str


@router.get("/holds")
def holds_page(asking: Asked) -> HTMLResponse:
    """Draw what stands where, and the forms that hold it and give it free."""
    texts, parameters = asking.texts, asking.parameters
    status = parameters.get("status", "")
    is_row = parameters.get(ROW) == "1" and status in {AVAILABLE, INSPECTION, HELD}
    with asking.read() as connection:
        warehouses = warehouse_choices(connection, texts)
        latest = list_newest(connection, kind=KIND, warehouse=asking.within, limit=LATEST_SHOWN_MAX)
    return page(
        asking,
        "stock/holds.html",
        title=texts.say(HOLDS.title),
        kinds=(*HOLDS.kinds, KIND),
        content={
            "fields": _fields(asking),
            "is_row": is_row,
            "status": status,
            "status_word": texts.word(STATUSES, status),
            "warehouses": warehouses,
            "outcomes": [(one, texts.word(STATUSES, one)) for one in (AVAILABLE, REJECTED)],
            "sources": [(one, texts.word(STATUSES, one)) for one in (AVAILABLE, INSPECTION)],
            "latest": [_done(one, asking) for one in latest],
            "listing": listing_of(asking, HOLDS),
        },
    )


def _done(one: ObjectEvent, asking: Asking) -> HoldLine:
    fields = one.fields
    goods = " · ".join(str(fields[name]) for name in GOODS if fields.get(name))
    return HoldLine(
        code=one.code,
        time=utc_text(one.at_ms) or "",
        actor=one.actor,
        done=done_word(one.kind, one.action, asking.texts),
        goods=" · ".join(filter(None, (one.warehouse, goods))),
        reason=str(fields.get("reason", "")),
    )


def _fields(asking: Asking) -> list[ScopeField]:
    values = dict(asking.parameters)
    if asking.within:
        values["warehouse"] = asking.within
    texts = asking.texts
    return [
        ScopeField(name, texts.say(LABELS[name]), shown(values.get(name, ""))) for name in NAMES
    ]
