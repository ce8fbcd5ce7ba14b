"""Gateways with their lights, devices, orders and refused bytes. Edge of HTTP."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Request
from fastapi.responses import HTMLResponse, Response

from central.api.problems import Problem
from central.inbox.quarantine import list_kept
from central.outbox.notices import read_progress
from central.outbox.orders import OF_ONE, SETTING_NAMES, read_settings, read_templates
from central.outbox.print_outcomes import PrintOrder, list_print_orders
from central.stock.discrepancy_pages import InboxFilter, page_of
from central.stock.rows import GatewayRow
from central.stock.states import find_gateway, list_gateways
from central.stock.times import utc_text
from central.stock.workers import list_workers
from central.web.alert_words import REFUSALS
from central.web.asking import Asked, Asking, Table
from central.web.cells import link_cell, moment_cell, number_cell, state_cell, text_cell
from central.web.gateway_views import (
    NOTICES,
    PRINT_STATES,
    bytes_text,
    device_view,
    epoch_rows,
    gateway_cell,
    lights,
)
from central.web.kpi_cells import warehouse_choices
from central.web.listing import Cell, Column, Filter, Found, Row, Wanted
from central.web.shell import listing_of, page, refusal_page
from central.web.state_views import gateway_notes, ranges_text
from central.web.words import marked

GATEWAYS_MAX = 5000
PRINTS_SHOWN = 10
DIFFERENCES_SHOWN = 50
REFUSED_MAX = 256
SETTING_LABELS: dict[str, str] = {
    "language": marked("Language"),
    "receive_location": marked("Where goods come in"),
    "place_template": marked("Label of places"),
    "pallet_template": marked("Label of pallets"),
}
LABEL_FIELDS: dict[str, str] = {
    "place": marked("Place"),
    "sscc": "SSCC",
    "item": marked("Item"),
    "gtin": "GTIN",
    "count": marked("Count on the pallet"),
    "lot": marked("Lot"),
}
router = APIRouter(include_in_schema=False)


def read_gateways(asking: Asking, wanted: Wanted) -> Found:
    """Return gateways by code."""
    with asking.read() as connection:
        rows = list_gateways(connection, warehouse=wanted.values["warehouse"], limit=GATEWAYS_MAX)
    search = wanted.values["q"].casefold()
    found = [row for row in rows if search in row.code.casefold()]
    if wanted.values["wrong"]:
        found = [row for row in found if gateway_cell(row, asking.texts).tone in {"warn", "bad"}]
    if wanted.sort == "lag":
        found.sort(key=lambda row: row.lag_movements, reverse=wanted.descending)
    elif wanted.descending:
        found.reverse()
    chosen = found[wanted.offset : wanted.offset + wanted.limit]
    return Found(
        rows=tuple(_gateway_row(asking, row) for row in chosen),
        total=len(found),
        choices={"warehouse": warehouse_choices(asking)},
    )


GATEWAYS = Table(
    name="gateways",
    title=marked("Gateways"),
    path="/gateways",
    columns=(
        Column("code", marked("Gateway"), sortable=True),
        Column("state", marked("State"), "state"),
        Column("warehouse", marked("Warehouse"), phone=False),
        Column("lag", marked("Behind by facts"), "number", sortable=True, phone=False),
        Column("seconds", marked("by seconds"), "number", phone=False),
        Column("devices", marked("Devices ready"), "number", phone=False),
        Column("seen", marked("Last sign of life"), "moment", phone=False),
        Column("software", marked("Software"), phone=False),
    ),
    filters=(
        Filter("q", marked("Search gateway")),
        Filter("warehouse", marked("Warehouse"), "choice"),
        Filter("wrong", marked("Only those that need somebody"), "check"),
    ),
    kinds=("gateway",),
    sort="code",
    empty=marked("No gateway is enrolled yet"),
    read=read_gateways,
)


def read_refused(asking: Asking, wanted: Wanted) -> Found:
    """Return payloads that were refused, newest first."""
    gateway = wanted.values["gateway"]
    with asking.read() as connection:
        kept, _ = list_kept(connection, before=None, limit=REFUSED_MAX, gateway=gateway or None)
    chosen = kept[wanted.offset : wanted.offset + wanted.limit]
    texts = asking.texts
    return Found(
        rows=tuple(
            Row(
                key=one.id,
                cells=(
                    moment_cell(one.received_ms),
                    text_cell(one.topic_gateway or texts.say("in nobody's name")),
                    Cell(texts.word(REFUSALS, one.reason), note=one.detail),
                    number_cell(one.offers_count, texts),
                    Cell(
                        bytes_text(one.bytes_count)
                        if one.bytes_count >= 1000
                        else texts.say("%(num)s bytes") % {"num": one.bytes_count},
                        value=str(one.bytes_count),
                        href=f"/api/v1/quarantine/{one.id}/payload",
                    ),
                ),
            )
            for one in chosen
        ),
        total=len(kept),
    )


REFUSED = Table(
    name="quarantine",
    title=marked("Quarantine"),
    path="/quarantine",
    columns=(
        Column("received", marked("Came last"), "moment"),
        Column("gateway", marked("In whose name"), phone=False),
        Column("reason", marked("Reason")),
        Column("offers", marked("How often"), "number", phone=False),
        Column("bytes", marked("The bytes"), "number"),
    ),
    filters=(Filter("gateway", marked("Gateway")),),
    kinds=("gateway", "movement"),
    empty=marked("Nothing was refused."),
    read=read_refused,
)


@router.get("/gateways")
def gateways_page(request: Request, asking: Asked) -> HTMLResponse:
    """Draw all gateways, and an alarm if nobody takes the facts of some."""
    with asking.read() as connection:
        unserved = list_workers(connection, now_ms=asking.now_ms).unserved
    content = {
        "listing": listing_of(asking, GATEWAYS),
        "unserved": ranges_text(unserved),
        "has_trust": request.app.state.trust is not None,
    }
    return page(
        asking,
        "oversight/gateways.html",
        title=asking.texts.say("Gateways"),
        kinds=GATEWAYS.kinds,
        content=content,
    )


@router.get("/quarantine")
def quarantine_page(asking: Asked) -> HTMLResponse:
    """Draw payloads that were refused."""
    content = {"listing": listing_of(asking, REFUSED)}
    title = asking.texts.say("Quarantine")
    return page(asking, "listing.html", title=title, kinds=REFUSED.kinds, content=content)


@router.get("/gateways/{code}")
def gateway_page(asking: Asked, code: Annotated[str, Path(max_length=64)]) -> Response:
    """Draw one gateway with everything that is known of it and what it can be told."""
    say = asking.texts.say
    with asking.read() as connection:
        row = find_gateway(connection, code)
        if row is None:
            problem = Problem(
                status=404,
                title=say("No such gateway"),
                detail=say("No gateway of this code is enrolled."),
                hint=say("Choose one of the list."),
            )
            return refusal_page(asking, problem)
        progress = read_progress(connection, code)
        settings = {one.name: one.value for one in read_settings(connection, code)}
        templates = [one.name for one in read_templates(connection, code)]
        prints = list_print_orders(connection, code, limit=PRINTS_SHOWN)
        wanted = InboxFilter(kinds=("stock_differs",), gateway=code)
        differing, differing_count = page_of(connection, wanted, offset=0, limit=DIFFERENCES_SHOWN)
    texts = asking.texts
    content = {
        "row": row,
        "lights": lights(row, texts, now_ms=asking.now_ms),
        "notes": list(gateway_notes(row, texts)),
        "devices": [device_view(one, texts) for one in row.devices],
        "printers": [one.name for one in row.devices if one.device_class == "label_printer"],
        "epochs": epoch_rows(row),
        "progress": progress,
        "acked_time": utc_text(progress.row.acked_ms)
        if progress and progress.row.acked_ms
        else None,
        "waiting": [(texts.word(NOTICES, kind), count) for kind, count in progress.waiting]
        if progress
        else [],
        "settings": [
            *((name, say(SETTING_LABELS[name]), settings.get(name, "")) for name in SETTING_NAMES),
            # Of one station; kept as it is, for the form says all settings anew.
            *((name, name, value) for name, value in settings.items() if OF_ONE in name),
        ],
        "templates": sorted({"bin", "pallet", *templates}),
        "pairs_of_templates": [(name, name) for name in sorted({"bin", "pallet", *templates})],
        "pairs_of_printers": [
            (one.name, one.name) for one in row.devices if one.device_class == "label_printer"
        ],
        "label_fields": [(name, say(label)) for name, label in LABEL_FIELDS.items()],
        "prints": [_print_cells(one, asking) for one in prints],
        "differing": [
            (one.id, one.location, one.detail, utc_text(one.opened_time_ms)) for one in differing
        ],
        "differing_count": differing_count,
        "refused": listing_of(asking, REFUSED, gateway=code),
        "path": quote(code, safe=""),
    }
    return page(
        asking,
        "oversight/gateway.html",
        title=code,
        kinds=("gateway", "movement", "discrepancy"),
        content=content,
    )


def _gateway_row(asking: Asking, row: GatewayRow) -> Row:
    texts = asking.texts
    href = f"/gateways/{quote(row.code, safe='')}"
    ready = sum(one.state == "ready" for one in row.devices)
    said = f"{ready} / {len(row.devices)}" if row.devices else ""
    lag_s = row.lag_s(now_ms=asking.now_ms)
    state = gateway_cell(row, texts)
    note = next((one for one in gateway_notes(row, texts) if not one.startswith("#")), "")
    return Row(
        key=row.code,
        href=href,
        cells=(
            link_cell(row.code, href),
            Cell(state.text, tone=state.tone, icon=state.icon, note=note),
            text_cell(row.warehouse),
            number_cell(row.lag_movements, texts),
            number_cell(lag_s, texts, tone="warn" if lag_s > 60 else ""),
            Cell(said or "–", tone="warn" if ready < len(row.devices) else ""),
            moment_cell(row.seen_time_ms),
            text_cell(row.software),
        ),
    )


def _print_cells(one: PrintOrder, asking: Asking) -> tuple[str, Cell, Cell, str]:
    """Return job, when it was ordered, what became of it, and why."""
    word, tone = PRINT_STATES.get(one.state, (one.state, "quiet"))
    state = state_cell(asking.texts.say(word), tone)
    return one.job, moment_cell(one.ordered_ms), state, one.detail
