"""What people do at a stock system's desk, in Tryton on PostgreSQL; runs in its environment. Root.

Tryton (https://www.tryton.org) is GPL-3: it is a separate peer, never imported by Dockledger.

usage: tryton_desk_peer.py CONFIG DATABASE setup
       tryton_desk_peer.py CONFIG DATABASE work

"work" takes lines "WHAT COUNT" until there are no more, and answers each with one of JSON. WHAT:
"post" takes pieces from the supplier into storage, one move a transaction; "batch" 100 of them;
"reserve" makes a move to the customer, assigns it (which locks and looks what is there) and does
it; "order" is a shipment to a customer, drafted before, which is not counted: it waits and is
assigned in one transaction, is picked, packed, shipped and done in another; "transfer" is an
internal shipment between two warehouses through a transit location, from its making to its arrival,
two moves, all in one transaction; "steps" is the same with one for each button; "reserve-10",
"order-10" and "transfer-10" are of ten products at once. CPU time is that of this process and of
its backends.
"""

import json
import random
import sys
import time
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path

from trytond import config

config.update_etc(sys.argv[1])
from trytond.pool import Pool  # noqa: E402  Tryton reads its configuration at import.
from trytond.transaction import Transaction, TransactionError  # noqa: E402

DATABASE = sys.argv[2]
CONTEXT = {"_skip_warnings": True}
PRODUCTS = 100
BATCH = 100
LINES = 10
ORDERS = {"order": 1, "order-10": LINES}  # Of how many lines.
WARM_UP = 5
STOCK = 100_000.0
CUSTOMER = "Customer"


def main():
    Pool.start()
    pool = Pool(DATABASE)
    pool.init()
    with Transaction().start(DATABASE, 0, readonly=True):
        (admin,) = pool.get("res.user").search([("login", "=", "admin")])
    if sys.argv[3] == "setup":
        setup(pool, admin.id)
        return
    desk = Desk(pool, admin.id)
    works = {
        "post": desk.post,
        "batch": lambda: desk.post(BATCH),
        "reserve": desk.reserve,
        "reserve-10": lambda: desk.reserve(LINES),
        "transfer": desk.transfer,
        "transfer-10": lambda: desk.transfer(LINES),
        "steps": desk.transfer_by_steps,
    }
    warm = set()
    for line in sys.stdin:
        what, count = line.split()
        warm_up = 0 if what in warm else WARM_UP
        if what in ORDERS:
            run = desk.shipping(warm_up + int(count), ORDERS[what])
        else:
            work = works[what]
            run = work if what == "steps" else lambda work=work: desk.run(work)
        for _ in range(warm_up):
            run()
        warm.add(what)
        wall, cpu = time.perf_counter(), cpu_s()
        moves = sum(run() for _ in range(int(count)))
        figures = {"count": int(count), "moves": moves, "retries": desk.retries}
        figures |= {"wall_s": time.perf_counter() - wall, "cpu_s": cpu_s() - cpu}
        print(json.dumps(figures), flush=True)


class Desk:
    def __init__(self, pool, user):
        self.pool, self.user, self.retries = pool, user, 0
        self.chooser = random.Random(1)
        with Transaction().start(DATABASE, user, context=dict(CONTEXT), readonly=True):
            (company,) = pool.get("company.company").search([])
            self.company, self.currency = company.id, company.currency.id
        with self.transaction(readonly=True):
            location = pool.get("stock.location")
            self.supplier = location.search([("type", "=", "supplier")], limit=1)[0].id
            self.customer = location.search([("type", "=", "customer")], limit=1)[0].id
            houses = location.search([("type", "=", "warehouse")], order=[("id", "ASC")])
            self.storage, self.other = (house.storage_location.id for house in houses)
            products = pool.get("product.product").search([], order=[("code", "ASC")])
            self.products = [product.id for product in products]
            self.unit = products[0].default_uom.id
            self.house, self.output = houses[0].id, houses[0].output_location.id
            (party,) = pool.get("party.party").search([("name", "=", CUSTOMER)])
            self.party, self.address = party.id, party.addresses[0].id

    def transaction(self, **options):
        context = CONTEXT | {"company": self.company}
        return Transaction().start(DATABASE, self.user, context=context, **options)

    def run(self, work):
        """Do a piece of work as Tryton's own dispatcher does: again if it asks for that."""
        options = {}
        while True:
            try:
                with self.transaction(**options) as transaction:
                    moves = work()
                    transaction.commit()
                    return moves
            except TransactionError as error:
                error.fix(options)
                self.retries += 1

    def move(self, source, target, quantity, *, priced=True):
        values = {
            "product": self.chooser.choice(self.products),
            "unit": self.unit,
            "quantity": float(quantity),
            "from_location": source,
            "to_location": target,
            "company": self.company,
        }
        if priced:
            values |= {"unit_price": Decimal("10.0000"), "currency": self.currency}
        return values

    def post(self, count=1):
        move = self.pool.get("stock.move")
        values = [
            self.move(self.supplier, self.storage, self.chooser.randint(1, 9)) for _ in range(count)
        ]
        move.do(move.create(values))
        return count

    def reserve(self, count=1):
        move = self.pool.get("stock.move")
        made = move.create([self.move(self.storage, self.customer, 1) for _ in range(count)])
        if not move.assign_try(made):
            sys.exit("nothing was assigned")
        move.do(made)
        return count

    def shipping(self, count, lines_count):
        """Draft so many shipments to the customer; return what ships the next of them."""
        made = [self.run(partial(self.to_customer, lines_count))[0].id for _ in range(count)]
        return lambda: self.ship(made.pop())

    def to_customer(self, lines_count):
        shipment = self.pool.get("stock.shipment.out")
        values = {
            "customer": self.party,
            "delivery_address": self.address,
            "warehouse": self.house,
            "warehouse_storage": self.storage,
            "warehouse_output": self.output,
            "company": self.company,
            "planned_date": date.today(),  # noqa: DTZ011 - Tryton's dates have no zone.
            "moves": [
                ("create", [self.move(self.output, self.customer, 1) for _ in range(lines_count)])
            ],
        }
        return shipment.create([values])

    def ship(self, number):
        shipment = self.pool.get("stock.shipment.out")
        self.run(lambda: self.assign(shipment.browse([number])))
        return self.run(lambda: self.leave(shipment.browse([number])))

    def assign(self, made):
        shipment = self.pool.get("stock.shipment.out")
        shipment.wait(made)
        shipment.assign_try(made)

    def leave(self, made):
        shipment = self.pool.get("stock.shipment.out")
        if made[0].state != "assigned":
            sys.exit("nothing was assigned")
        shipment.pick(made)
        shipment.pack(made)
        shipment.ship(made)
        shipment.do(made)
        moves = shipment.browse(made)[0].outgoing_moves
        return sum(move.state == "done" for move in moves)

    def transfer(self, count=1):
        shipment = self.pool.get("stock.shipment.internal")
        made = self.drafted(count)
        shipment.wait(made)
        shipment.assign_try(made)
        made = shipment.browse(made)
        if made[0].state != "assigned":
            sys.exit("nothing was assigned")
        shipment.pack(made)
        shipment.ship(made)
        shipment.do(made)
        return self.done_count(made)

    def transfer_by_steps(self):
        shipment = self.pool.get("stock.shipment.internal")
        ids = [one.id for one in self.run(self.drafted)]
        for button in ("wait", "assign_try", "pack", "ship", "do"):
            self.run(lambda button=button: getattr(shipment, button)(shipment.browse(ids)))
        return self.run(lambda: self.done_count(shipment.browse(ids)))

    def done_count(self, made):
        shipment = self.pool.get("stock.shipment.internal")
        return sum(move.state == "done" for move in shipment.browse(made)[0].moves)

    def drafted(self, count=1):
        shipment = self.pool.get("stock.shipment.internal")
        moves = [self.move(self.storage, self.other, 1, priced=False) for _ in range(count)]
        today = date.today()  # noqa: DTZ011 - Tryton's dates have no zone.
        values = {
            "from_location": self.storage,
            "to_location": self.other,
            "company": self.company,
            "planned_date": today,
            "planned_start_date": today,
            "moves": [("create", moves)],
        }
        return shipment.create([values])


def setup(pool, user):
    with Transaction().start(DATABASE, user, context=dict(CONTEXT)) as transaction:
        values = {"name": "Yuan", "code": "CNY", "symbol": "Y", "digits": 2}
        (currency,) = pool.get("currency.currency").create([values])
        (party,) = pool.get("party.party").create([{"name": "Bench"}])
        address = ("create", [{"street": "Dock Road 1"}])
        pool.get("party.party").create([{"name": CUSTOMER, "addresses": [address]}])
        company = {"party": party.id, "currency": currency.id}
        (company,) = pool.get("company.company").create([company])
        (admin,) = pool.get("res.user").search([("login", "=", "admin")])
        admin.companies = [company.id]
        admin.company = company.id
        admin.save()
        transaction.commit()
    context = CONTEXT | {"company": company.id}
    with Transaction().start(DATABASE, user, context=context) as transaction:
        location = pool.get("stock.location")
        storages = [{"name": name, "type": "storage"} for name in ("S2", "I2", "O2")]
        storage, entrance, exit_ = location.create(storages)
        second = {"name": "WH2", "type": "warehouse", "storage_location": storage.id}
        second |= {"input_location": entrance.id, "output_location": exit_.id}
        location.create([second])
        (unit,) = pool.get("product.uom").search([("name", "=", "Unit")])
        for number in range(PRODUCTS):
            product = ("create", [{"code": f"P{number:04d}"}])
            values = {"name": f"P{number:04d}", "type": "goods", "default_uom": unit.id}
            values |= {"cost_price_method": "fixed", "products": [product]}
            (made,) = pool.get("product.template").create([values])
            for one in made.products:
                one.set_multivalue("cost_price", Decimal(10), company=company.id)
        transaction.commit()
    desk = Desk(pool, user)
    for product in desk.products:
        values = desk.move(desk.supplier, desk.storage, STOCK) | {"product": product}
        move = pool.get("stock.move")
        desk.run(lambda values=values, move=move: move.do(move.create([values])))


def cpu_s():
    """CPU time of this process and of the backends that serve it."""
    ns = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f" {DATABASE} 127.0.0.1(".encode() in (folder / "cmdline").read_bytes():
                ns += int((folder / "schedstat").read_text().split()[0])
        except OSError:
            continue  # It has ended.
    return time.process_time() + ns / 1e9


if __name__ == "__main__":
    main()
