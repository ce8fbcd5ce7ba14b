"""The address below /api/v1 that tells what happened as EPCIS 2.0 events. Edge of HTTP."""

from typing import Annotated
from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Query, Response

from central.api.context import Reading
from central.api.epcis_models import EventParameters, query_of
from central.api.parameters import PREFIX, RecordCursor, read_cursor, write_cursor
from central.api.problems import PROBLEM
from central.orders.order_goods import require_known
from central.stock.epcis import CONTEXT, SCHEMA_VERSION, EpcisEvent
from central.stock.epcis_reading import read_events
from central.stock.times import utc_text
from central.stock.views import list_warehouses

MEDIA_TYPE = "application/ld+json"
BASE = "https://dockledger.invalid"  # Reserved (RFC 2606): such a URI names, it leads nowhere.

router = APIRouter(prefix=PREFIX, responses={422: PROBLEM, 503: PROBLEM}, tags=["ledger"])


class _Body(msgspec.Struct, frozen=True, rename="camel"):
    event_list: tuple[EpcisEvent, ...]


class _Document(msgspec.Struct, frozen=True, rename="camel"):
    context: list[str] = msgspec.field(name="@context")
    type: str
    schema_version: str
    creation_date: str
    epcis_body: _Body


@router.get(
    "/epcis/events",
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: {"schema": {"type": "object"}}}}},
)
def events(reading: Reading, asked: Annotated[EventParameters, Query()]) -> Response:
    """Tell what happened, oldest first, as an EPCISDocument (JSON-LD) of the events on one page.

    The header Link names the next page (rel="next"), the last page has none. The cursor in
    Dockledger-Next-Cursor is there also then: from it, whoever asks again later goes on.
    """
    after = read_cursor(asked.begins_after, RecordCursor)
    query = query_of(asked)
    with reading.database.read() as connection:
        found = read_events(
            connection,
            query,
            base=reading.epcis_base_uri or f"{BASE}/{reading.site}",
            after_record_no=after.record_no if after else 0,
            limit=asked.page_size,
        )
        known = {one.code for one in list_warehouses(connection)} & {asked.warehouse}
        require_known(connection, known, asked.warehouse)
    document = _Document(
        context=[CONTEXT],
        type="EPCISDocument",
        schema_version=SCHEMA_VERSION,
        creation_date=utc_text(reading.clock.now_ms()) or "",
        epcis_body=_Body(found.events),
    )
    cursor = write_cursor(RecordCursor(found.last_record_no))
    page = {"limit": str(asked.page_size), "cursor": cursor}
    headers = {
        "Dockledger-Next-Cursor": cursor,
        "Dockledger-More": "true" if found.more else "false",
        "GS1-EPCIS-Version": SCHEMA_VERSION,
    }
    if found.more:  # Whoever goes by the standard asks for pages until none is named (12.4.1).
        following = urlencode(page | asked.asked)
        headers["Link"] = f'<{PREFIX}/epcis/events?{following}>; rel="next"'
    return Response(msgspec.json.encode(document), media_type=MEDIA_TYPE, headers=headers)
