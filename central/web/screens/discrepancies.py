"""Discrepancies as an inbox: by cause, the oldest first, each with one button. Edge of HTTP."""

from dataclasses import replace
from typing import Annotated, cast
from urllib.parse import quote

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse

from central.errors import NotThere
from central.ledger.entries import DiscrepancyKind
from central.orders.settling.discrepancy_views import DAY_MS, WEEK_MS, read_detail
from central.orders.settling.kind_rules import CAUSES as CAUSE_NAMES
from central.orders.settling.kind_rules import KIND_RULES, cause_of, kinds_of
from central.stock.discrepancy_pages import InboxFilter, by_column, by_groups, owners, page_of
from central.stock.history import list_events
from central.stock.rows import DiscrepancyRow
from central.web.asking import Asked, Asking, Table
from central.web.cells import (
    link_cell,
    moment_cell,
    number_cell,
    quantity_cell,
    state_cell,
    text_cell,
)
from central.web.discrepancy_views import decided, detail_view, responsible
from central.web.kpi_cells import warehouse_choices
from central.web.listing import Cell, Column, Filter, Found, Row, Tone, Wanted
from central.web.past import AS_OF, KNOWN, as_of, said_of
from central.web.settlement_words import CAUSES, DONE, sentence
from central.web.shell import listing_of, page
from central.web.stock_words import place_word
from central.web.words import DISCREPANCIES, marked

EVENTS_SHOWN_MAX = 50
KIND = "discrepancy"
STATES = {"open": marked("Open"), "settled": marked("Settled")}
AGES = {"1": marked("for a day"), "7": marked("for a week"), "30": marked("for a month")}
NOBODY = "-"
Identity = Annotated[str, Path(max_length=80)]
router = APIRouter(include_in_schema=False)


def read_inbox(asking: Asking, wanted: Wanted) -> Found:
    """Return discrepancies, the oldest first within their groups."""
    values = wanted.values
    kinds: tuple[str, ...] = (values["kind"],) if values["kind"] else ()
    if not kinds and values["cause"]:
        kinds = kinds_of(values["cause"])  # type: ignore[arg-type]
    moment = as_of(values)
    now_ms = moment[0] if moment is not None else asking.now_ms
    asked = InboxFilter(
        state=values["state"],
        kinds=kinds,
        warehouse=values["warehouse"],
        owner=values["owner"],
        search=values["q"],
        overdue_ms=now_ms if values["overdue"] else 0,
        opened_before_ms=now_ms - int(values["age"]) * DAY_MS if values["age"] else 0,
        as_of=moment,
    )
    order = {
        "cause": [by_groups([kinds_of(cause) for cause in CAUSE_NAMES]), by_column("kind")],
        "kind": [by_column("kind")],
        "warehouse": [by_column("warehouse")],
        "owner": [by_column("owner")],
    }.get(wanted.group, [])
    with asking.read() as connection:
        rows, total = page_of(
            connection,
            asked,
            order=order,
            descending=wanted.descending,
            offset=wanted.offset,
            limit=wanted.limit,
        )
        people = owners(connection)
    nobody = (NOBODY, asking.texts.say("of nobody"))
    return Found(
        rows=tuple(_row(asking, row, wanted.group) for row in rows),
        total=total,
        choices={
            "warehouse": warehouse_choices(asking),
            "owner": (nobody, *((name, name) for name in people)),
        },
        note=said_of(values, asking.texts),
        # That everything adds up now is no news of then.
        empty="" if moment is None else asking.texts.say("Nothing here."),
    )


INBOX = Table(
    name="discrepancies",
    title=marked("Discrepancies"),
    path="/discrepancies",
    columns=(
        Column("kind", marked("What")),
        Column("about", marked("About")),
        Column("cause", marked("Cause"), phone=False),
        Column("warehouse", marked("Warehouse"), phone=False),
        Column("expected", marked("Should be"), "number", phone=False),
        Column("actual", marked("Is"), "number", phone=False),
        Column("opened", marked("Since"), "moment", sortable=True),
        Column("facts", marked("Facts"), "number", phone=False),
        Column("owner", marked("Who sees to it"), phone=False),
    ),
    filters=(
        Filter("q", marked("Search item, place, order")),
        Filter("state", marked("State"), "choice", choices=tuple(STATES.items())),
        Filter("cause", marked("Cause"), "choice", choices=tuple(CAUSES.items())),
        Filter(
            "kind",
            marked("What"),
            "choice",
            choices=tuple((kind, DISCREPANCIES[kind]) for kind in KIND_RULES),
        ),
        Filter("warehouse", marked("Warehouse"), "choice"),
        Filter("owner", marked("Who sees to it"), "choice"),
        Filter("age", marked("Open"), "choice", choices=tuple(AGES.items())),
        Filter("overdue", marked("Past its day"), "check"),
        AS_OF,
        KNOWN,
    ),
    kinds=(KIND, "movement"),
    groups=("cause", "kind", "warehouse", "owner"),
    sort="opened",
    empty=marked("Everything adds up."),
    read=read_inbox,
)


@router.get("/discrepancies")
def inbox(asking: Asked) -> HTMLResponse:
    """Draw the inbox; what is open by cause unless the address says otherwise."""
    usual = {"group": "cause", "state": "open"}
    asking = replace(asking, parameters=usual | dict(asking.parameters))
    say = asking.texts.say
    content = {
        "listing": listing_of(asking, INBOX),
        "inbox_words": {
            "proposed": say("Settle as proposed"),
            "none": say("Nothing is proposed for it: open it."),
            "settled": say("settled"),
            "assigned": say("assigned"),
            "failed": say("not done"),
            "choose": say("Choose this row"),
            "count": say("chosen: %(num)s"),
            "asking": say("Settle the chosen ones as proposed?"),
        },
    }
    return page(
        asking,
        "oversight/discrepancies.html",
        title=say("Discrepancies"),
        kinds=INBOX.kinds,
        content=content,
    )


@router.get("/discrepancies/{identity}")
def one(asking: Asked, identity: Identity) -> HTMLResponse:
    """Draw a discrepancy with its evidence, what settles it and what was done."""
    with asking.read() as connection:
        detail = read_detail(connection, identity, now_ms=asking.now_ms)
        events = list_events(
            connection, kind=KIND, code=identity, before=None, limit=EVENTS_SHOWN_MAX
        )
    view = detail_view(detail, events, asking.texts, now_ms=asking.now_ms)
    title = asking.texts.word(DISCREPANCIES, detail.row.kind)
    return page(
        asking,
        "oversight/discrepancy.html",
        title=title,
        kinds=(KIND, "movement"),
        content={
            "view": view,
            "action_choices": [(action, label) for action, label, _ in view.actions],
            "action_names": [action for action, _, _ in view.actions],
        },
    )


@router.get("/fragments/discrepancy/{identity}")
def fragment(asking: Asked, identity: Identity) -> HTMLResponse:
    """Draw what a row of the inbox opens: meaning, proposal, first evidence."""
    try:
        with asking.read() as connection:
            detail = read_detail(connection, identity, now_ms=asking.now_ms)
    except NotThere:
        return HTMLResponse("", status_code=404)
    view = detail_view(detail, [], asking.texts, now_ms=asking.now_ms)
    return HTMLResponse(asking.drawing.part("oversight/discrepancy_parts.html", "opened", view))


def _row(asking: Asking, row: DiscrepancyRow, group: str) -> Row:
    texts = asking.texts
    kind = cast(DiscrepancyKind, row.kind)
    cause = texts.say(CAUSES[cause_of(kind)])
    href = f"/discrepancies/{quote(row.id, safe='')}"
    headings = {
        "cause": cause,
        "kind": texts.word(DISCREPANCIES, row.kind),
        "warehouse": row.warehouse,
        "owner": row.owner or texts.say("of nobody"),
    }
    return Row(
        key=row.id,
        href=href,
        group=headings.get(group, ""),
        fragment=f"/fragments/discrepancy/{quote(row.id, safe='')}",
        cells=(
            link_cell(texts.word(DISCREPANCIES, row.kind), href),
            text_cell(_about(asking, row)),
            text_cell(cause),
            text_cell(row.warehouse),
            _quantity(asking, row, actual=False),
            _quantity(asking, row, actual=True),
            _age_cell(asking, row),
            number_cell(row.facts_count, texts),
            _owner_cell(asking, row),
        ),
    )


def _about(asking: Asking, row: DiscrepancyRow) -> str:
    place = place_word(row.location, asking.texts) if row.location else ""
    line = f"{row.document} / {row.document_line}" if row.document_line else row.document
    parts = [row.item, place, row.lot, line]
    return " · ".join(part for part in parts if part) or row.subject[:64]


def _quantity(asking: Asking, row: DiscrepancyRow, *, actual: bool) -> Cell:
    value = row.actual if actual else row.expected
    if value is None:
        return text_cell("")
    return quantity_cell(value, row.unit, asking.texts)


def _age_cell(asking: Asking, row: DiscrepancyRow) -> Cell:
    if row.state == "settled":
        return moment_cell(row.opened_time_ms)
    age_ms = asking.now_ms - row.opened_time_ms
    tone: Tone = "bad" if age_ms > WEEK_MS else "warn" if age_ms > DAY_MS else ""
    return moment_cell(row.opened_time_ms, tone=tone)


def _owner_cell(asking: Asking, row: DiscrepancyRow) -> Cell:
    if row.state == "settled":
        action = decided(row.settlement)
        if action:
            return state_cell(asking.texts.say(DONE[action]), "good")
        return state_cell(
            asking.texts.say("settled"), "good", note=sentence(row.settlement, asking.texts)
        )
    overdue = 0 < row.due_time_ms < asking.now_ms
    if overdue:
        return state_cell(responsible(row, asking.texts), "bad")
    return text_cell(responsible(row, asking.texts))
