"""A desk with something of everything: each kind of document, open and finished."""

from concurrent.futures import ThreadPoolExecutor

from central.api.writing import WriteSide
from central.inbox.inbox import Inbox
from central.ledger import desk as ledger_desk
from central.orders.following import FOLLOWERS
from central.web.app import create_app
from tests.central.api.example_walk import Walk, catalogue, counts, purchasing, sales, transfers
from tests.central.scenery import FixedClock, Gateway, enrol, load, sscc

NOW_MS = 1_780_400_000_000  # 2 June 2026, as the examples have it.


class Desk(Walk):
    """A walk that may be asked while another event loop runs in its thread, e.g. a browser's."""

    def _ask(self, *asked, **options):
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(super()._ask, *asked, **options).result()


def desk_over(database, kind=Desk):
    """An application over a ledger, and gateways that say what moved. kind: of the walk."""
    load(database)
    here, there = Gateway(), Gateway("bj1-dock-1", warehouse="BJ1")
    enrol(database, here, there)
    clock = FixedClock(NOW_MS)
    inbox = Inbox(database, clock=clock, followers=FOLLOWERS)
    return kind(application(database), inbox, here, there)


def application(database):
    """An application of its own, e.g. after a restart of the server."""
    clock = FixedClock(NOW_MS)
    writing = WriteSide(ledger_desk.Desk(database, clock=clock, followers=FOLLOWERS))
    return create_app(database=database, clock=clock, site="demo", writing=writing, poll_s=60)


def furnished_desk(database, kind=Desk):
    """A desk with finished documents (`example_walk`) and open ones; `codes` names the latter."""
    walk = desk_over(database, kind)
    for way in (catalogue, purchasing, transfers, sales, counts):
        way(walk)
    walk.codes = open_documents(walk)
    return walk


def open_documents(walk):
    """One document of each kind that is under way, by the name of its kind."""
    return {name: make(walk) for name, make in OPEN.items()}


def _transfer(walk):
    lines = [{"item": "BOLT", "quantity": "40"}, {"item": "NUT", "quantity": "7"}]
    # Nuts have not come yet: they may wait for stock.
    ends = {"source_warehouse": "SH1", "destination_warehouse": "BJ1", "backorders": True}
    code = walk.post("/transfers", {**ends, "note": "for the shop", "lines": lines})["code"]
    walk.steps(f"/transfers/{code}", "request", "approve", "release")
    under = {"document": code, "document_line": 1, "lot": "L7"}
    walk.move("BOLT", "40", "DOCK-1", "in_transit", business_step="shipping", **under)
    walk.move("BOLT", "38", "in_transit", "BIN-1", warehouse="BJ1", **under)
    return code


def _purchase_order(walk):
    code = walk.post("/purchase-orders")["code"]
    walk.steps(f"/purchase-orders/{code}", "submit", "approve", "send")
    walk.move("BOLT", "96", "supplier", "DOCK-1", document=code, document_line=1)
    return code


def _notice(walk):
    code = walk.post("/shipping-notices")["code"]
    walk.steps(f"/shipping-notices/{code}", "expect")
    return code


def _inspection(walk):
    walk.move(
        "RICE", "20", "supplier", "DOCK-1", unit="KGM", lot="R1", document="PO-1", document_line=2
    )
    return walk.get("/inspections", open=True)["inspections"][-1]["code"]


def _supplier_return(walk):
    code = walk.post("/supplier-returns")["code"]
    walk.steps(f"/supplier-returns/{code}", "approve", "release")
    walk.post(f"/supplier-returns/{code}/claims")
    return code


def _sales_order(walk):
    walk.move("BOLT", "500", "supplier", "BIN-3", lot="L9")
    code = walk.post("/sales-orders")["code"]
    walk.steps(f"/sales-orders/{code}", "submit", "approve", "release")
    return code


def _wave(walk):
    code = walk.post("/sales-orders")["code"]
    walk.steps(f"/sales-orders/{code}", "submit", "approve")
    return walk.post("/pick-waves", {"warehouse": "SH1", "orders": [code]})["code"]


def _customer_return(walk):
    code = walk.post("/customer-returns")["code"]
    walk.steps(f"/customer-returns/{code}", "approve", "release")
    walk.move("BOLT", "2", "customer", "DOCK-1", document=code, document_line=1)
    return code


def _count(walk):
    walk.move("NUT", "5", "supplier", "BIN-2")
    walk.move("NUT", "1", "supplier", "BIN-1", warehouse="BJ1", sscc=sscc(1))
    lines = [{"location": "BIN-1", "item": "BOLT"}, {"location": "BIN-2"}]
    asked = {"warehouse": "SH1", "lines": lines, "recount": {"percent": "1000"}}
    code = walk.post("/counts", asked)["code"]
    entries = [
        {"location": "BIN-1", "item": "BOLT", "quantity": "3"},
        {"location": "BIN-2", "item": "NUT", "quantity": "2"},
    ]
    walk.post(f"/counts/{code}/entries", {"counted_by": "an", "entries": entries})
    walk.steps(f"/counts/{code}", "finish")
    return code


OPEN = {
    "transfers": _transfer,
    "purchase-orders": _purchase_order,
    "shipping-notices": _notice,
    "inspections": _inspection,
    "supplier-returns": _supplier_return,
    "sales-orders": _sales_order,
    "pick-lists": _wave,
    "customer-returns": _customer_return,
    "counts": _count,
}
