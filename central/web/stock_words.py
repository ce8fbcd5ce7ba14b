"""Words and addresses of the pages about stock. Pure."""

from urllib.parse import quote, urlencode

from central.stock.rows import UNDER_WAY_PREFIX
from central.web.texts import Texts
from central.web.words import PLACES, marked

EXPIRY_WORDS: dict[str, str] = {
    "expired": marked("Expired"),
    "0-7": marked("0–7 days"),
    "8-30": marked("8–30 days"),
    "31-90": marked("31–90 days"),
    "91-180": marked("91–180 days"),
    "181+": marked("181 and more"),
    "none": marked("No date"),
}
REST_WORDS: dict[str, str] = {
    "0-7": marked("0–7 days"),
    "8-30": marked("8–30 days"),
    "31-90": marked("31–90 days"),
    "91-180": marked("91–180 days"),
    "181+": marked("181 and more"),
}
STATUSES: dict[str, str] = {
    "available": marked("available"),
    "inspection": marked("to be inspected"),
    "held": marked("held"),
    "rejected": marked("rejected"),
}

DOCUMENT_PATHS: dict[str, str] = {
    "transfer": "/transfers/{code}",
    "purchase_order": "/purchase-orders/{code}",
    "shipping_notice": "/shipping-notices/{code}",
    "inspection": "/inspections/{code}",
    "supplier_return": "/supplier-returns/{code}",
    "sales_order": "/sales-orders/{code}",
    "customer_return": "/customer-returns/{code}",
    "count": "/counts/{code}",
}


def place_word(location: str, texts: Texts) -> str:
    """Return what people call a place; a bin by its code, a transfer under way by its own."""
    if location.startswith(UNDER_WAY_PREFIX):
        code = location.removeprefix(UNDER_WAY_PREFIX)
        return f"{texts.say(PLACES['in_transit'])} · {code}"
    return texts.word(PLACES, location)


def under_way_url(location: str) -> str:
    """Return the address of the transfer whose goods a place holds, "" for any other place."""
    if not location.startswith(UNDER_WAY_PREFIX):
        return ""
    return document_url("transfer", location.removeprefix(UNDER_WAY_PREFIX))


def document_url(kind: str, code: str) -> str:
    """Return the address of a document's page; of its movements if it has no page."""
    path = DOCUMENT_PATHS.get(kind, "/movements?document={code}")
    return path.format(code=quote(code, safe=""))


def found_url(code: str) -> str:
    """Return the address that leads to whatever has a code, whichever kind of thing it is."""
    return "/search?" + urlencode({"q": code})


def item_url(item: str, **values: str) -> str:
    """Return the address of an item's page."""
    query = urlencode({name: value for name, value in values.items() if value})
    return f"/items/{quote(item, safe='')}" + (f"?{query}" if query else "")
