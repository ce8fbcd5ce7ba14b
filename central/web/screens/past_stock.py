"""Rows of the stock as of a moment, as tables ask for it. Edge of the database."""

from collections.abc import Mapping, Sequence

from central.ledger.lot_dates import dates_as_of
from central.stock.as_of import list_stock_as_of
from central.stock.item_reading import expiry_dates
from central.stock.moments import Moment, TimeKind, moment_at
from central.stock.rows import StockFilter, StockRow
from central.storage.within import within_of
from central.web.documents.kinds import Connection
from central.web.listing import Filter, Wanted
from central.web.past import AS_OF, KNOWN, as_of, said_of, time_ms_of
from central.web.texts import Texts
from central.web.words import marked

# In addresses alone, as the interface for programs has it: only what was recorded by then counts.
RECORDED_BY = Filter("recorded_by", marked("As the ledger knew it then"), "fixed")
PAST = (AS_OF, KNOWN, RECORDED_BY)


def is_past(values: Mapping[str, str]) -> bool:
    """Return whether the fields of a table ask for another moment than now, readable or not."""
    return bool(values.get(AS_OF.name) or values.get(RECORDED_BY.name))


def why_unread(values: Mapping[str, str], texts: Texts) -> str:
    """Return why the moment that is asked for is not read, as it is shown, "" if it is."""
    for name in (AS_OF.name, RECORDED_BY.name):
        text = values.get(name, "")
        if text and time_ms_of(text) is None:
            said = texts.say("%(text)s is no moment: write it like 2026-05-28T20:30.")
            return said % {"text": text}
    if not values.get(AS_OF.name):
        return texts.say("What the ledger knew by a time is shown as of a moment: say that, too.")
    if not (values.get("warehouse") or values.get("item")):
        return texts.say(
            "The stock of an earlier moment is read of one warehouse, or of one item: choose a "
            "warehouse, or open the item."
        )
    return ""


def past_words(values: Mapping[str, str], texts: Texts) -> str:
    """Return what stands above rows of the past, "" for those of now."""
    known = values.get(RECORDED_BY.name, "")
    if not known:
        return said_of(values, texts)
    said = texts.say(
        "Stock as it was at %(time)s UTC, as far as the ledger knew it at %(known)s UTC. It is not "
        "live."
    )
    return said % {"time": _shown(values[AS_OF.name]), "known": _shown(known)}


def read_past(connection: Connection, wanted: Wanted) -> list[tuple[StockRow, str]]:
    """Return a page of rows and one more if there is one, each with its lot's expiry date.

    That is what the ledger knew by then, if that is asked for, else what it knows today. Only for
    what `why_unread` finds nothing against. Cost: rows before the page are read, too.
    """
    values = wanted.values
    moment = as_of(values)
    assert moment is not None
    query = StockFilter(
        item=values.get("item", ""),
        warehouse=values.get("warehouse", ""),
        location=values.get("location", ""),
        within=values.get("within", ""),
        lot=values.get("lot", ""),
        serial=values.get("serial", ""),
        sscc=values.get("sscc", ""),
        status=values.get("status", ""),
        search=values.get("q", ""),
        # On a narrowed connection half of the books of what is in transit is known, as of now.
        include_in_transit=not within_of(connection),
    )
    at = moment_at(
        connection,
        moment[0],
        kind=moment[1],
        warehouse=query.warehouse,
        recorded_ms=time_ms_of(values.get(RECORDED_BY.name, "")),
    )
    reach = wanted.offset + wanted.limit + 1
    rows = list_stock_as_of(connection, query, at, after=None, limit=reach)[wanted.offset :]
    dates = _dates(connection, rows, at, known_ms=_known_ms(values, moment))
    return [(row, dates.get((row.key.warehouse, row.key.item, row.key.lot), "")) for row in rows]


def _known_ms(values: Mapping[str, str], moment: tuple[int, TimeKind]) -> int | None:
    """Return by when the ledger knew what is asked for, None for by now."""
    recorded = time_ms_of(values.get(RECORDED_BY.name, ""))
    known = [recorded, moment[0] if moment[1] == "record" else None]
    return min((one for one in known if one is not None), default=None)


def _dates(
    connection: Connection, rows: Sequence[StockRow], at: Moment, *, known_ms: int | None
) -> Mapping[tuple[str, str, str], str]:
    if known_ms is None:
        return expiry_dates(connection, [row.key for row in rows])
    lots = {(row.key.warehouse, row.key.item, row.key.lot) for row in rows if row.key.lot}
    known_no = at.sure_no if at.known_no is None else at.known_no
    return dates_as_of(connection, lots, record_no=known_no, at_ms=known_ms)


def _shown(text: str) -> str:
    return text.replace("T", " ").removesuffix("Z")
