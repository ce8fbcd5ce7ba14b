"""What is read ahead to make a transfer and to release it. Edge of the database."""

from collections.abc import Collection, Sequence

from central.ledger.desk import Change
from central.ledger.document_findings import REJUDGED
from central.ledger.locations import IN_TRANSIT, place_of
from central.orders.order_goods import goods_looks
from central.orders.transfers.transfer_store import book_looks, code_looks, transfers
from central.orders.transfers.transfers import CODE_PREFIX
from central.storage import bulk, tables
from central.storage.transfer_tables import transfer_lines

# What a transfer and its lines lead to.
_HOUSES = (bulk.Part(column="source_warehouse"), bulk.Part(column="destination_warehouse"))
_WAREHOUSES = bulk.Lead(
    tables.warehouses, transfers, ("warehouse",), tuple((house,) for house in _HOUSES)
)
_ITEMS = bulk.Lead(tables.items, transfer_lines, ("item",), ((bulk.Part(column="item"),),))


def look_ahead(
    change: Change,
    items: Collection[str],
    *,
    source: str,
    destination: str,
    release: bool = False,
) -> None:
    """Read what a new transfer is checked against. release: and what it is released by."""
    looks = [
        bulk.Look(tables.warehouses, sorted({(source,), (destination,)}), 1),
        bulk.Look(tables.object_numbers, [(CODE_PREFIX,)], 1),
        *goods_looks(items),
    ]
    code = change.likely_code(CODE_PREFIX)
    if code:
        looks += free_code_looks(code, (source, destination))
        if release:
            leading: list[bulk.Row] = [(code, source, destination)]
            looks += code_looks([code])[1:]
            looks += [one.lead.look(leading) for one in book_looks(code, judged=REJUDGED)]
    bulk.look_ahead(change.connection, looks)


def release_looks(code: str) -> list[bulk.Look | bulk.Led]:
    """Return what is looked up to release a transfer."""
    transfer, lines = code_looks([code])
    return [
        *(transfer, lines),
        bulk.Led(_WAREHOUSES, transfer),
        bulk.Led(_ITEMS, lines),
        *book_looks(code, judged=REJUDGED),
    ]


def free_code_looks(code: str, warehouses: Sequence[str]) -> list[bulk.Look]:
    """Return what tells whether a code is free for a transfer of these warehouses."""
    place = place_of(IN_TRANSIT, document=code)
    return [
        bulk.Look(transfers, [(code,)], 1),
        bulk.Look(tables.documents, [(warehouse, code) for warehouse in warehouses], 2),
        bulk.Look(tables.balances, [(warehouse, place) for warehouse in warehouses], 2),
    ]
