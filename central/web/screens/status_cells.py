"""The status of goods in a table, which leads to where it is changed. Edge of HTTP."""

from dataclasses import replace
from urllib.parse import urlencode

from central.ledger.statuses import AVAILABLE, HELD, INSPECTION, REJECTED
from central.stock.rows import StockKey
from central.storage.places import is_physical
from central.web.asking import Asking
from central.web.cells import state_cell
from central.web.listing import Cell, Tone
from central.web.stock_words import STATUSES

STATUS_TONES: dict[str, Tone] = {
    AVAILABLE: "good",
    INSPECTION: "busy",
    HELD: "warn",
    REJECTED: "bad",
}


def status_cell(asking: Asking, status: str) -> Cell:
    """Return the status of goods as word, colour and icon."""
    return state_cell(asking.texts.word(STATUSES, status), STATUS_TONES.get(status, "quiet"))


def status_link(asking: Asking, key: StockKey) -> Cell:
    """Return the status of a row of the stock; it leads to where these goods are held or freed."""
    cell = status_cell(asking, key.status)
    if key.status == REJECTED or not is_physical(key.location):
        return cell
    return replace(cell, href=hold_url(key))


def hold_url(key: StockKey) -> str:
    """Return the address at which the goods of one row are held, or given free."""
    names = ("item", "lot", "warehouse", "location", "serial", "sscc", "status")
    return "/holds?" + urlencode({name: getattr(key, name) for name in names} | {"row": "1"})
