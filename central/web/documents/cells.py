"""The cells of a document's fields, by the field's name. Pure."""

from decimal import Decimal
from urllib.parse import quote

from central.contract.errors import ContractError
from central.contract.quantities import parse_decimal
from central.web.cells import ICONS, date_cell, link_cell, state_cell, text_cell
from central.web.documents.forms import word_of
from central.web.documents.parts import Values
from central.web.documents.state_words import CHOICES, TONES
from central.web.listing import Cell, Tone
from central.web.stock_words import place_word, under_way_url
from central.web.texts import Texts
from central.web.words import UNITS

WORDS = frozenset(
    {"state", "fulfilment", "coverage", "decision", "result", "presence", "verdict", "outcome"}
)
PLAIN_WORDS = frozenset({"from_status", "source", "kind", "rotation", "order_kind", "by"})
QUANTITIES = frozenset(
    {
        "quantity",
        "requested",
        "shipped",
        "to_ship",
        "received",
        "damaged",
        "elsewhere",
        "remainder",
        "expected",
    }
    | {"remaining", "short", "arrived", "in_inspection", "held", "accepted", "rejected", "gone"}
    | {"scrapped", "reserved", "picked", "backorder", "given_up", "undecided", "counted", "book"}
    | {"variance", "adjusted", "corrected_book", "under_way", "closed", "on_hand", "allocated"}
    | {"available", "inspection", "in_transit", "freed", "min", "max", "safety", "late", "after"}
    | {"minimum", "maximum", "there", "missing", "entered_quantity", "weight"}
)
FIGURES = frozenset(
    {"line", "document_line", "lines_count", "round", "days", "under_way_days", "number", "pick"}
    | {"unit_price", "value", "amount", "uncounted_count", "observations_count", "order_line"}
    | {"outdated_count", "outdated_by"}
    | {
        "lead_time_days",
        "walk_order",
        "discrepancies",
        "numerator",
        "denominator",
        "record_no",
        "part",
    }
)
WITH_UNIT = frozenset(
    {"quantity", "requested", "arrived", "counted", "on_hand", "entered_quantity"}
)
DATES = frozenset({"expiry_date", "promised_date", "promised_on", "wanted_on", "expected_date"})
LINKS = {
    "item": "/items/",
    "warehouse": "/warehouses/",
    "source_warehouse": "/warehouses/",
    "destination_warehouse": "/warehouses/",
    "supplier": "/catalogue/partners/",
    "customer": "/catalogue/partners/",
    "exchange_order": "/sales-orders/",
    "inspection": "/inspections/",
    "plan": "/count-plans/",
    "gateway": "/gateways/",
}
NEVER_BELOW_ZERO = frozenset({"on_hand", "available", "under_way", "remainder", "book"})
# Figures that are told as a fault or a success where they are not zero.
LACKING = frozenset({"backorder", "remainder", "short", "undecided", "missing", "variance"})


def field_cell(name: str, values: Values, texts: Texts) -> Cell:
    """Return the cell of one field of an answer or of a row of it."""
    value = values.get(name)
    if isinstance(value, bool):
        return text_cell(texts.say("Yes") if value else texts.say("No"))
    if isinstance(value, list | tuple):
        return text_cell(", ".join(str(one) for one in value))
    text = "" if value is None else str(value)
    if not text:
        return text_cell("")
    if name.endswith("_time") or name in {"time", "since", "under_way_since"}:
        return Cell(text=f"{text[:10]} {text[11:16]} UTC", value=text, moment=text)
    if name in QUANTITIES and (quantity := _decimal(text)) is not None:
        return _quantity(name, quantity, values, texts)
    if name in WORDS or (name == "reason" and text in CHOICES):
        return state_cell(word_of(text, texts), TONES.get(text, ""))
    if name in DATES:
        return date_cell(text)
    return _plain(name, text, values, texts)


def is_number(name: str) -> bool:
    """Return whether a field is a figure, which stands to the right."""
    return name in QUANTITIES or name in FIGURES


def _quantity(name: str, value: Decimal, values: Values, texts: Texts) -> Cell:
    unit = str(values.get("unit") or "") if name in WITH_UNIT else ""
    if name == "expected" and "base_unit" in values:
        unit = str(values["base_unit"])
    if name == "entered_quantity":
        unit = str(values.get("entered_unit") or "")
    if name == "weight":
        unit = str(values.get("weight_unit") or "")
    tone: Tone = "bad" if value < 0 and name in NEVER_BELOW_ZERO else ""
    if value and name in LACKING:
        tone = "warn" if value > 0 and name != "variance" else "bad"
    return Cell(
        text=texts.quantity(value),
        value=str(value),
        note=texts.word(UNITS, unit) if unit else "",
        tone=tone,
        icon=ICONS[tone] if tone else "",
    )


def _plain(name: str, text: str, values: Values, texts: Texts) -> Cell:
    if name in {"unit", "base_unit", "weight_unit"}:
        return text_cell(texts.word(UNITS, text))
    if name in PLAIN_WORDS:
        return text_cell(word_of(text, texts))
    if name in {"location", "from_location", "to_location"}:
        href = under_way_url(text)
        word = place_word(text, texts)
        return link_cell(word, href) if href else text_cell(word)
    if name in {"order", "order_code"}:
        return link_cell(text, _order_path(values) + quote(text, safe=""))
    if name == "fact" and text.count("/") == 2:
        return link_cell(text, f"/api/v1/movements/{text}")
    if name in LINKS:
        note = ""
        if name in {"supplier", "customer"} or name == "item":
            note = _name_of(name, values, texts)
        return link_cell(text, LINKS[name] + quote(text, safe=""), note=note)
    if name in FIGURES and (figure := _decimal(text)) is not None:
        tone: Tone = "bad" if name == "discrepancies" and figure else ""
        return Cell(texts.quantity(figure), text, tone=tone, icon=ICONS[tone])
    return text_cell(text)


def _name_of(name: str, values: Values, texts: Texts) -> str:
    english, chinese = values.get(f"{name}_name") or "", values.get(f"{name}_name_zh") or ""
    return texts.name(english=str(english), chinese=str(chinese))


def _order_path(values: Values) -> str:
    """Return where the order is that a document names: bought from a supplier, or sold."""
    return "/purchase-orders/" if "supplier" in values else "/sales-orders/"


def _decimal(text: str) -> Decimal | None:
    try:
        return parse_decimal(text)
    except ContractError:
        return None
