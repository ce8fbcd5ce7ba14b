"""Pages that are more than a table: the board of transfers, pick lists. Edge of HTTP."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from central.orders.document_lists import HeadsWanted, count_by_state, page_of_codes
from central.web.asking import Asked, Asking
from central.web.documents.all_tables import DOCUMENT_LISTINGS
from central.web.documents.board import CARDS_SHOWN_MAX, COLUMNS, ColumnView, board_view
from central.web.documents.kinds import DocumentKind
from central.web.documents.transfer_kinds import TRANSFER, read_heads
from central.web.screens.catalogue_tables import CATALOGUE_LISTINGS
from central.web.screens.document_screens import table_page
from central.web.shell import listing_of, page

router = APIRouter(include_in_schema=False)
TABLES = {table.name: table for table in (*DOCUMENT_LISTINGS, *CATALOGUE_LISTINGS)}
# The oldest on its way is what somebody has to see first; where nothing is, the newest.
ON_THE_WAY = frozenset({"shipping", "in_transit", "receiving", "reopened", "returning"})


@router.get("/transfers")
def transfers(asking: Asked) -> HTMLResponse:
    """Draw the board of transfers and the list of all of them."""
    table = TABLES[TRANSFER.name]
    return page(
        asking,
        "documents/transfers.html",
        title=asking.texts.say(table.title),
        kinds=table.kinds,
        content={
            "board": _board(asking),
            "listing": listing_of(asking, table),
            "new": _new(asking, TRANSFER),
            "forms": [],
        },
    )


@router.get("/pick-lists/now")
def picks_now(asking: Asked) -> HTMLResponse:
    """Draw what is to be taken for released orders of a warehouse, in walking order."""
    return table_page(asking, TABLES["picks"])


@router.get("/availability")
def availability(asking: Asked) -> HTMLResponse:
    """Draw what is available of items, by warehouse."""
    return table_page(asking, TABLES["availability"])


@router.get("/reservations")
def reservations(asking: Asked) -> HTMLResponse:
    """Draw what is set aside for whom."""
    return table_page(asking, TABLES["reservations"])


@router.get("/in-transit")
def in_transit(asking: Asked) -> HTMLResponse:
    """Draw what is on its way, document by document, now or as of a moment."""
    return table_page(asking, TABLES["in-transit"])


@router.get("/replenishments")
def replenishments(asking: Asked) -> HTMLResponse:
    """Draw which pick faces are low, and from where to fill them."""
    return table_page(asking, TABLES["replenishments"])


def _new(asking: Asking, kind: DocumentKind) -> tuple[str, str]:
    return f"{kind.path}/new", asking.texts.say(kind.new_title)


def _board(asking: Asking) -> tuple[ColumnView, ...]:
    warehouse = asking.parameters.get("warehouse", "")[:64]
    ends = (("source_warehouse", "destination_warehouse"), warehouse)
    heads = {}
    with asking.read() as connection:
        counts = count_by_state(connection, TRANSFER.name, HeadsWanted(either=ends))
        for state in COLUMNS:
            if not counts.get(state):
                continue
            wanted = HeadsWanted(
                equal={"state": state},
                either=ends,
                sort="under_way_since_ms" if state in ON_THE_WAY else "code",
                descending=state not in ON_THE_WAY,
                limit=CARDS_SHOWN_MAX,
            )
            codes, _ = page_of_codes(connection, TRANSFER.name, wanted)
            found = {one["code"]: one for one in read_heads(connection, codes, asking.now_ms)}
            heads[state] = [found[code] for code in codes]
    return board_view(counts, heads, asking.texts)
