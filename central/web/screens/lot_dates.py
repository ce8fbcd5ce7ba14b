"""When a lot expires by each book, and what it was before, in words. Edge of HTTP."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from central.ledger.lot_dates import Cause
from central.orders.settling.lot_corrections import LotDate, list_lot_dates
from central.stock.times import utc_text
from central.web.asking import Asking
from central.web.documents.kinds import Connection
from central.web.listing import shown
from central.web.texts import Texts
from central.web.words import marked

CAUSES: dict[Cause, str] = {
    "stated": marked("as a movement states"),
    "taken_back": marked("what stated another date was taken back"),
    "corrected": marked("corrected"),
    "reopened": marked("the correction was opened again"),
}


@dataclass(frozen=True, slots=True)
class DatedView:
    """What the date was, "" for unknown. time: ISO 8601, "" for from the beginning."""

    expiry_date: str
    cause: str
    time: str
    actor: str
    reason: str


@dataclass(frozen=True, slots=True)
class LotDateView:
    """When a lot expires in a warehouse. url: of the API; address: with the lot, too."""

    warehouse: str
    expiry_date: str
    history: tuple[DatedView, ...]
    version: int
    url: str
    address: str


def lot_dates(connection: Connection, asking: Asking, *, item: str) -> tuple[LotDateView, ...]:
    """Return when the lot expires that the address of an item's page names."""
    lot = shown(asking.parameters.get("lot", ""))
    found = list_lot_dates(connection, item=item, lot=lot)
    return tuple(_views(found, asking.texts))


def _views(dates: Iterable[LotDate], texts: Texts) -> Iterable[LotDateView]:
    for one in dates:
        warehouse, item, lot = one.lot
        url = f"/api/v1/warehouses/{quote(warehouse, safe='')}/lot-date"
        yield LotDateView(
            warehouse=warehouse,
            expiry_date=one.expiry_date,
            history=tuple(
                DatedView(
                    was.expiry_date,
                    texts.say(CAUSES[was.cause]) if was.expiry_date or was.record_no else "",
                    (utc_text(was.at_ms) or "") if was.at_ms else "",
                    was.actor,
                    was.reason,
                )
                for was in one.history
            ),
            version=one.version,
            url=url,
            address=f"{url}?{urlencode({'item': item, 'lot': lot})}",
        )
