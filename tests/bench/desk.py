"""What people do at the desk, against Tryton on the same PostgreSQL server. Root.

    post      a receipt of some pieces, decided at the desk and posted, one change
    batch     a hundred of them in one change
    order     an order of one line: approved, which sets its goods aside; shipped by a gateway
    reserve   the same, beside something smaller of the peer's
    sell      an order of one line over the counter: drafted, approved, its goods set aside and
              shipped by the desk itself, one change
    transfer  made and released at once; shipped and received by gateways; closed: four changes
    steps     the same, requested, approved and released one by one: seven changes
    order-10, reserve-10, transfer-10     of ten lines, as most have several

Tryton does the same through its own models (`tryton_desk_peer`). Operations per CPU-second of the
process and of its backends, both in turn; SQL statements a movement, one of several parts counted
as one. The peer does a transfer in one transaction, and beside "steps" in one for each of its six
buttons. Beside "sell", one change of ours, the peer makes a move to the customer, assigns it (which
looks what is there) and does it, all in one transaction. An order is a change and a batch of ours.
Beside "order" the peer has a shipment to a customer assigned in one transaction, picked, packed,
shipped and done in another. Beside "reserve" it has the bare move of "sell" in one transaction: no
document, one transaction less, nothing signed; so no bound is on that. Not counted: what gateways
do themselves (encoding and signing facts), and how an order was drafted and released, the peer's
shipment drafted. The peer needs a minute for its first database.
"""

import random
import time
from collections.abc import Callable
from functools import partial

from central.contract.reference import parse_reference
from central.inbox.inbox import Inbox
from central.ledger.collector import collect_rarely
from central.ledger.desk import Change, Desk
from central.ledger.reference_book import load_reference
from central.orders.following import FOLLOWERS
from central.orders.sales.counter_sale import sell_at_once
from central.orders.sales.sales_lines import LineAsked, OrderAsked
from central.orders.transfers.transfer_book import (
    LineWanted,
    create_transfer,
    decide,
    release_at_once,
)
from central.orders.transfers.transfer_end_book import close_transfer
from central.storage import bulk, catalogue_tables
from central.storage.database import Database, open_database
from central.storage.schema import migrate
from tests.bench import tryton
from tests.bench.figures import Ratio
from tests.bench.posting import backends, cpu_s_of
from tests.bench.reservation import DATABASE as RESERVATION_DATABASE
from tests.bench.reservation import Counter, World
from tests.central.scenery import FixedClock, Gateway, enrol
from tests.postgresql import new_database, postgresql_server

DATABASE = "bench_desk"
ITEMS = 100
BATCH = 100
TURNS = 20
# What is done in one of them.
THEIRS = {"post": 8, "batch": 1, "reserve": 5, "transfer": 2, "steps": 2}
THEIRS |= {"order": 2, "order-10": 1, "reserve-10": 1, "transfer-10": 1}
OURS = {"post": 40, "batch": 3, "sell": 25, "reserve": 25, "transfer": 12, "steps": 8}
OURS |= {"order": 25, "order-10": 8, "reserve-10": 8, "transfer-10": 6}
BESIDE = {"sell": "reserve"}  # What the peer does, where it is called otherwise.
COUNTED = 3
WARM_UP = 20  # The server settles on plans for its statements meanwhile.
# What the project wants to hold.
BOUND = ("post", "batch", "sell", "order", "order-10", "transfer", "transfer-10")
AT_LEAST = dict.fromkeys(BOUND, 50.0)
STATEMENTS_MAX = dict.fromkeys(BOUND, 8.0)
LINES = 10
ORDERS = {"order": 1, "order-10": LINES, "reserve": 1, "reserve-10": LINES}  # Of how many lines.


def measure() -> list[Ratio]:
    """Return how many times Tryton's rate ours is, and the statements a movement."""
    with postgresql_server() as server, new_database(server, DATABASE) as url:
        peer = tryton.DeskPeer(server)
        collect_rarely()  # As the services do.
        office = Office(url)
        ratios = []
        for what, work, moves in office.work():
            statements = office.begun(work) / moves
            ratios += _ratios(peer, what, partial(office.cpu_s, work), statements)
        office.close()
        with new_database(server, RESERVATION_DATABASE) as reservation_url:
            world = World(reservation_url)
            for what, lines_count in ORDERS.items():
                world.orders(lines_count, WARM_UP)
                statements = sum(world.statements(lines_count))
                ratios += _ratios(peer, what, partial(_reserved, world, lines_count), statements)
            world.close()
        peer.close()
    return ratios


def _reserved(world: World, lines_count: int, count: int) -> float:
    """Return the CPU seconds of reserving and shipping so many orders."""
    return sum(world.orders(lines_count, count))


def _ratios(
    peer: tryton.DeskPeer, what: str, ours: Callable[[int], float], statements: float
) -> list[Ratio]:
    """Return the ratios of one kind of work; both do a part of it, and again, in turn.

    So a machine whose clock goes slower for a while is slower for both.
    ours: does so many, returns the CPU seconds. statements: of a movement.
    """
    theirs = BESIDE.get(what, what)
    our_s = their_s = 0.0
    for _ in range(TURNS):
        their_s += peer.cpu_s(theirs, THEIRS[theirs])
        our_s += ours(OURS[what])
    their_rate, our_rate = TURNS * THEIRS[theirs] / their_s, TURNS * OURS[what] / our_s
    detail = f"{our_rate:.0f} against {their_rate:.1f} operations per CPU-second"
    return [
        Ratio(f"desk-{what}-vs-tryton", our_rate / their_rate, detail, at_least=AT_LEAST.get(what)),
        Ratio(
            f"desk-{what}-statements-per-movement",
            statements,
            "handed to the driver",
            at_most=STATEMENTS_MAX.get(what),
        ),
    ]


class Office:
    """A desk and two gateways on one ledger."""

    def __init__(self, url: str) -> None:
        self._database: Database = open_database(url)
        migrate(self._database, generation="bench")
        with self._database.write() as connection:
            load_reference(connection, parse_reference(_reference()))
            row = ("SHOP", 1, "customer", "The shop", "", "", "", "", "", "", "", 0, True)
            bulk.insert_rows(connection, catalogue_tables.partners, [row])
        self._clock = FixedClock()
        self._desk = Desk(self._database, clock=self._clock, followers=FOLLOWERS)
        self._inbox = Inbox(self._database, clock=self._clock, followers=FOLLOWERS)
        self._source = Gateway("w1-dock", warehouse="W1")
        self._destination = Gateway("w2-dock", warehouse="W2")
        enrol(self._database, self._source, self._destination)
        self._chooser = random.Random(1)
        self._elsewhere_s = 0.0  # CPU time of what gateways do themselves.
        self._post(ITEMS, micro=10**12)

    def work(self) -> tuple[tuple[str, Callable[[], None], int], ...]:
        """Return the kinds of work, what does one of each, and how many movements that is."""
        return (
            ("post", lambda: self._post(1), 1),
            ("batch", lambda: self._post(BATCH), BATCH),
            ("sell", self._sell, 1),
            ("transfer", self._transfer, 2),
            ("steps", lambda: self._transfer(by_steps=True), 2),
            ("transfer-10", lambda: self._transfer(lines_count=LINES), 2 * LINES),
        )

    def begun(self, work: Callable[[], None]) -> float:
        """Do some work until the server has settled on its plans; return the statements of one."""
        for _ in range(WARM_UP):
            work()
        statements = Counter(self._database)
        for _ in range(COUNTED):
            work()
        taken = statements.taken()
        statements.stop()
        return taken / COUNTED

    def cpu_s(self, work: Callable[[], None], count: int) -> float:
        """Return the CPU seconds of doing it so often."""
        places = backends(DATABASE)
        begin_s, self._elsewhere_s = cpu_s_of(places), 0.0
        for _ in range(count):
            work()
        return cpu_s_of(places) - begin_s - self._elsewhere_s

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def _post(self, count: int, *, micro: int = 0) -> None:
        with self._desk.change(actor="bench") as change:
            change.post(
                [
                    self._receipt(
                        change, number if micro else self._chooser.randrange(ITEMS), micro
                    )
                    for number in range(count)
                ]
            )

    def _receipt(self, change: Change, number: int, micro: int):
        return change.movement(
            warehouse="W1",
            business_step="receiving",
            from_location="supplier",
            to_location="BIN-1",
            item=f"P{number:04d}",
            quantity_micro=micro or self._chooser.randint(1, 9) * 10**6,
            unit="C62",
        )

    def _sell(self) -> None:
        line = LineAsked(1, f"P{self._chooser.randrange(ITEMS):04d}", 10**6)
        with self._desk.change(actor="bench") as change:
            sell_at_once(change, OrderAsked("W1", "SHOP", (line,)))

    def _transfer(self, *, by_steps: bool = False, lines_count: int = 1) -> None:
        first = self._chooser.randrange(ITEMS)
        items = [f"P{(first + line) % ITEMS:04d}" for line in range(lines_count)]
        make = create_transfer if by_steps else release_at_once
        with self._desk.change(actor="bench") as change:
            wanted = [LineWanted(item, 10**6) for item in items]
            made = make(change, wanted, source="W1", destination="W2")
        for action in ("request", "approve", "release") if by_steps else ():
            with self._desk.change(actor="bench") as change:
                decide(change, made.code, action, version=None)
        for gateway, fields in (
            (self._source, {"source": "BIN-1", "target": "in_transit"}),
            (self._destination, {"source": "in_transit", "target": "BIN-1"}),
        ):
            begin_s = time.process_time()
            for line, item in enumerate(items, 1):
                gateway.move(item, "1", document=made.code, document_line=line, **fields)
            offer = gateway.offer(len(gateway.bodies) - lines_count + 1)
            self._elsewhere_s += time.process_time() - begin_s
            (outcome,) = self._inbox.accept([offer])
            assert outcome.kind == "accepted"
        with self._desk.change(actor="bench") as change:
            close_transfer(change, made.code, [], version=None)


def _reference() -> bytes:
    items = "".join(
        f'[[items]]\ncode = "P{number:04d}"\nname = "P"\nname_zh = "P"\nunit = "C62"\n'
        for number in range(ITEMS)
    )
    houses = "".join(
        f'[[warehouses]]\ncode = "{code}"\nname = "W"\nname_zh = "W"\n'
        'locations = [{ code = "BIN-1", kind = "bin" }]\n'
        for code in ("W1", "W2")
    )
    return f"revision = 1\n{houses}{items}".encode()
