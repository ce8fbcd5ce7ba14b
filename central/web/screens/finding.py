"""Search by anything scanned or typed, and the page of one fact. Edge of HTTP."""

from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Path
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from central.api.problems import ProblemRaised
from central.contract.identifiers import parse_fact_id
from central.stock.feed import find_fact
from central.stock.finding import CHARACTERS_MAX, Hit, find
from central.web.alert_words import unit_url
from central.web.asking import Asked, Asking
from central.web.feed_views import EvidenceView, FeedView
from central.web.screens.movement_tables import MOVEMENTS
from central.web.shell import listing_page, page
from central.web.stock_words import DOCUMENT_PATHS, document_url, item_url
from central.web.words import marked

FACT_PATH = "/facts/{path}"
KINDS: dict[str, str] = {
    "item": marked("Items"),
    "lot": marked("Lots"),
    "serial": marked("Serial numbers"),
    "sscc": marked("Pallets and cartons (SSCC)"),
    "place": marked("Places"),
    "transfer": marked("Transfers"),
    "purchase_order": marked("Purchase orders"),
    "shipping_notice": marked("Notices of shipment"),
    "inspection": marked("Inspections"),
    "supplier_return": marked("Returns to suppliers"),
    "sales_order": marked("Sales orders"),
    "customer_return": marked("Returns of customers"),
    "count": marked("Counts"),
    "document": marked("Documents of gateways"),
    "partner": marked("Partners"),
    "warehouse": marked("Warehouses"),
    "gateway": marked("Gateways"),
    "operator": marked("Operators"),
    "fact": marked("Movements"),
}

router = APIRouter(include_in_schema=False)


@router.get("/search")
def search(asking: Asked) -> Response:
    """Draw what is found, or lead to the one thing that is exactly meant."""
    typed = asking.parameters.get("q", "")[:CHARACTERS_MAX]
    with asking.read() as connection:
        hits = find(connection, typed)
    exact = {hit_url(hit) for hit in hits if hit.exact}
    if len(exact) == 1 and not asking.language_asked:
        return RedirectResponse(exact.pop(), status_code=303)
    texts = asking.texts
    groups = [
        (
            texts.say(words),
            [_shown(asking, hit) for hit in hits if hit.kind == kind],
        )
        for kind, words in KINDS.items()
        if any(hit.kind == kind for hit in hits)
    ]
    shown = "".join(sign for sign in typed if sign.isprintable())
    title = texts.say("Search")
    return page(asking, "stock/search.html", title=title, content={"q": shown, "groups": groups})


@router.get("/movements")
def movements(asking: Asked) -> HTMLResponse:
    """Draw the feed of all movements."""
    return listing_page(asking, MOVEMENTS, template="stock/movements.html")


@router.get("/facts/{gateway}/{epoch}/{seq}")
def fact(
    asking: Asked,
    gateway: Annotated[str, Path(max_length=64)],
    epoch: Annotated[str, Path(max_length=64)],
    seq: Annotated[int, Path(ge=1, le=2**63 - 1)],
) -> HTMLResponse:
    """Draw one fact with its evidence."""
    texts = asking.texts
    with asking.read() as connection:
        row = find_fact(connection, parse_fact_id(f"{gateway}/{epoch}/{seq}"))
    if row is None:
        raise ProblemRaised(
            status=404,
            title="No such fact",
            detail="The ledger has no readable fact of this identity.",
            hint="Load the page anew.",
        )
    content = {"movement": FeedView.of(row, texts), "evidence": EvidenceView.of(row, texts)}
    title = f"{gateway} #{seq}"
    return page(asking, "stock/fact.html", title=title, content=content)


def hit_url(hit: Hit) -> str:
    """Return the address of what was found."""
    kind, code = hit.kind, hit.code
    if kind in DOCUMENT_PATHS or kind == "document":
        return document_url(kind, code)
    if kind in {"lot", "serial"}:
        return item_url(hit.item, **{kind: code})
    if kind == "sscc":
        return unit_url(hit.warehouse, code)
    queries = {
        "place": ("/stock", {"warehouse": hit.warehouse, "location": code}),
        "operator": ("/movements", {"operator": code}),
    }
    if kind in queries:
        path, values = queries[kind]
        return f"{path}?{urlencode(values)}"
    paths = {
        "partner": "/catalogue/partners/{}",
        "warehouse": "/warehouses/{}",
        "gateway": "/gateways/{}",
    }
    if kind == "fact":
        return FACT_PATH.format(path="/".join(quote(part, safe="") for part in code.split("/")))
    return paths[kind].format(quote(code, safe="")) if kind in paths else item_url(code)


def _shown(asking: Asking, hit: Hit) -> tuple[str, str, str]:
    name = asking.texts.name(english=hit.name, chinese=hit.name_zh)
    beside = (name, hit.warehouse, hit.item if hit.item != hit.code else "")
    return hit.code, hit_url(hit), " · ".join(filter(None, beside))
