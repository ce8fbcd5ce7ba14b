"""A warehouse with stock, customers and a desk, for tests of sales and reservations."""

import threading

from central.errors import CentralError, Conflict, LedgerUnavailable
from central.inbox.inbox import Inbox
from central.ledger.desk import Desk
from central.ledger.verify import verify_ledger
from central.orders.following import FOLLOWERS
from central.orders.reserving.reservation_proof import faults
from central.orders.sales.sales_book import approve_order, draft_order, release_order, submit_order
from central.orders.sales.sales_lines import LineAsked, OrderAsked
from central.orders.sales.sales_store import read_figures, read_order
from central.storage import bulk, catalogue_tables, sales_tables, tables
from tests.central.scenery import FixedClock, Gateway, enrol, load, rows

ONE = 1_000_000
CLIENTS, SCARCE = 32, 40
# warehouse, location, version, area, name, parent, walk_order, pick_face, capacity, zone, storage
# class, blocked
PLACES = [
    ("SH1", "BIN-1", 1, False, "", "", 30, True, 0, "", "", False),
    ("SH1", "BIN-2", 1, False, "", "", 20, False, 0, "", "", False),
    ("SH1", "BIN-3", 1, False, "", "", 10, False, 0, "", "", False),
]
PARTNERS = [
    ("SHOP", 1, "customer", "The shop", "商店", "", "", "", "", "", "", 0, True),
    ("MILL", 1, "supplier", "The mill", "工厂", "", "", "", "", "", "", 0, True),
    ("GONE", 1, "customer", "Gone", "", "", "", "", "", "", "", 0, False),
]


class Scene:
    """A ledger with its desk, one gateway of SH1, and short ways to move and to order."""

    def __init__(self, database, *, stock=()):
        self.database = database
        self.clock = FixedClock()
        self.desk = Desk(database, clock=self.clock, followers=FOLLOWERS)
        load(database)
        self.gateway = Gateway()
        enrol(database, self.gateway)
        self.inbox = Inbox(database, clock=self.clock, followers=FOLLOWERS)
        self._sent = 0
        with database.write() as connection:
            bulk.insert_rows(connection, catalogue_tables.location_details, PLACES)
            bulk.insert_rows(connection, catalogue_tables.partners, PARTNERS)
        for target, quantity, *rest in stock:
            self.receive(target, quantity, **(rest[0] if rest else {}))

    def receive(self, target, quantity, *, item="BOLT", **fields):
        """Goods come in; `fields` are of the movement."""
        self.gateway.move(item, str(quantity), target=target, **fields)
        self.send()

    def move(self, source, target, quantity, *, item="BOLT", step="storing", **fields):
        self.gateway.move(
            item, str(quantity), source=source, target=target, business_step=step, **fields
        )
        self.send()

    def ship(self, code, source, quantity, *, line=0, item="BOLT", **fields):
        """Goods leave to the customer under an order."""
        fields = {"document": code, "document_line": line} | fields
        self.move(source, "customer", quantity, item=item, step="shipping", **fields)

    def send(self):
        """Have everything posted that the gateway has said and not sent yet."""
        (outcome,) = self.inbox.accept([self.gateway.offer(self._sent + 1)])
        assert outcome.accepted_count
        self._sent = len(self.gateway.bodies)

    def change(self, work, *args, **fields):
        """Do one thing at the desk."""
        with self.desk.change(actor="li.na") as change:
            return work(change, *args, **fields)

    def order(self, *lines, upto="approved", **fields):
        """The code of an order: lines are pieces of BOLT, or (item, quantity), or LineAsked."""
        asked = OrderAsked(
            **{"warehouse": "SH1", "customer": "SHOP"} | fields, lines=tuple(_lines(lines))
        )
        code = self.change(draft_order, asked).code
        steps = {"submitted": submit_order, "approved": approve_order, "released": release_order}
        for state, step in steps.items():
            if upto == "draft":
                break
            self.change(step, code)
            if state == upto:
                break
        return code

    def figures(self, code):
        with self.database.read() as connection:
            return read_figures(connection, [read_order(connection, code)])[0]

    def stage(self, code):
        return self.figures(code).stage

    def held(self, code):
        """(line, location, lot, pieces) of all that is set aside for an order."""
        return sorted(
            (row.holder.line, row.stock.location, row.stock.lot, row.quantity_micro / ONE)
            for row in self.figures(code).reservations
            if row.quantity_micro
        )

    def reasons(self, code):
        """(location, lot, pieces freed, why) of all that was given up."""
        return sorted(
            (row.stock.location, row.stock.lot, row.freed_micro / ONE, row.reason)
            for row in self.figures(code).reservations
            if row.freed_micro
        )

    def document(self, code):
        """(line, location, lot, quantity) of what stations are told."""
        names = ("document", "line", "location", "lot", "expected_micro")
        return [
            (line, location, lot, expected_micro / ONE)
            for document, line, location, lot, expected_micro in rows(
                self.database, tables.document_lines, *names
            )
            if document == code
        ]

    def check(self):
        """Nothing is off: neither with reservations nor with the ledger."""
        with self.database.read() as connection:
            assert list(faults(connection)) == []
        assert verify_ledger(self.database).faults == ()


def _lines(lines):
    for number, line in enumerate(lines, 1):
        if isinstance(line, LineAsked):
            yield line
        else:
            item, pieces = line if isinstance(line, tuple) else ("BOLT", line)
            yield LineAsked(number, item, pieces * ONE)


def policy(
    database,
    item="BOLT",
    *,
    rotation="fefo",
    min_days_left=0,
    over_percent=0,
    under_percent=0,
    expiry_tracked=False,
    serial_tracked=False,
):
    """Say how an item is rotated, what it asks for, and how far off a shipment may be."""
    row = (
        *(item, 1, False, "", expiry_tracked, serial_tracked, 0, min_days_left, 0, 0, 0),
        *(over_percent * ONE, under_percent * ONE, rotation, "", "", "", 0),
    )
    with database.write() as connection:
        bulk.upsert_rows(connection, catalogue_tables.item_policies, [row])


def promise_scarce_goods(database, ask):
    """32 clients ask at once, twice each, for goods of which there are 40; 24 times in vain.

    ask: with the change, the number of the client, and both items that one of each is wanted of.
    """
    scene = Scene(database, stock=[("BIN-1", SCARCE), ("BIN-2", SCARCE, {"item": "NUT"})])
    raised, together = [], threading.Barrier(CLIENTS)

    def client(number):
        # Half of them ask in the other order, which locks would answer by a deadlock.
        items = ("BOLT", "NUT") if number % 4 < 2 else ("NUT", "BOLT")
        together.wait()
        wanted = 2
        while wanted:
            try:
                with scene.desk.change(actor=f"c-{number}") as change:
                    ask(change, number, items)
            except LedgerUnavailable as error:
                # On a crowded machine a lock is waited for in vain, and one asks again.
                if "lock timeout" in str(error):
                    continue
                raised.append(error)
            except CentralError as error:
                raised.append(error)
            wanted -= 1

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {type(error) for error in raised} == {Conflict}
    assert len(raised) == 2 * CLIENTS - SCARCE
    assert [row[-1] for row in rows(database, sales_tables.allocated)] == [SCARCE * ONE] * 2
    scene.check()
