"""Two warehouses, a shop, their gateways and the desk, for tests of transfers."""

from contextlib import suppress
from dataclasses import dataclass, field

from central.errors import DeskRefused
from central.inbox.inbox import Inbox
from central.ledger.desk import Desk
from central.orders.following import FOLLOWERS
from central.orders.transfers.transfer_book import LineWanted, create_transfer, decide
from central.orders.transfers.transfer_closing import Closing, remainders_of
from central.orders.transfers.transfer_end_book import close_transfer
from central.orders.transfers.transfer_proof import faults
from central.orders.transfers.transfer_store import load_transfer, read_standing
from central.storage import tables
from tests.central.scenery import REFERENCE, FixedClock, Gateway, enrol, load, rows

SHOP = b"""
[[warehouses]]
code = "CQ1"
name = "Chongqing 1"
name_zh = "\xe9\x87\x8d\xe5\xba\x86\xe4\xb8\x80\xe4\xbb\x93"
locations = [ { code = "BIN-1", kind = "bin" } ]
[[items]]
"""
HELD = b'locations = [ { code = "BIN-1", kind = "bin" }, { code = "HOLD", kind = "quality_hold" } ]'
DOCUMENT = REFERENCE.replace(b"[[items]]\n", SHOP, 1).replace(
    b'locations = [ { code = "BIN-1", kind = "bin" } ]', HELD
)
MICRO = 1_000_000


@dataclass
class Scene:
    """A desk and three gateways. What a gateway says goes to its journal, `send` offers it."""

    database: object
    clock: FixedClock = field(default_factory=FixedClock)

    def __post_init__(self):
        load(self.database, DOCUMENT)
        self.gateways = {
            warehouse: Gateway(f"{warehouse.lower()}-dock-1", warehouse=warehouse)
            for warehouse in ("SH1", "BJ1", "CQ1")
        }
        enrol(self.database, *self.gateways.values())
        self.inbox = Inbox(self.database, clock=self.clock, followers=FOLLOWERS)
        self.desk = Desk(self.database, clock=self.clock, followers=FOLLOWERS)
        self.sent = dict.fromkeys(self.gateways, 0)

    def draft(self, *lines, actor="li.na", **fields):
        wanted = [LineWanted(item, int(quantity * MICRO)) for item, quantity in lines]
        # Goods that no facts have brought cannot be set aside: what is tested comes after.
        ends = {"source": "SH1", "destination": "BJ1", "backorders": True}
        with self.desk.change(actor=actor) as change:
            return create_transfer(change, wanted, **(ends | fields)).code

    def released(self, *lines, **fields):
        code = self.draft(*lines or [("BOLT", 10)], **fields)
        for action in ("request", "approve", "release"):
            self.act(code, action)
        return code

    def act(self, code, action, *, actor="li.na", version=None, reason="because"):
        with self.desk.change(actor=actor) as change:
            return decide(change, code, action, version=version, reason=reason)

    def close(self, code, *closings, version=None, reason=""):
        with self.desk.change(actor="li.na") as change:
            return close_transfer(change, code, closings, version=version, reason=reason)

    def close_everything(self, code, reason="lost"):
        """Close all that is under way: what is too much is found, the rest has the reason."""
        with self.database.read() as connection:
            places = read_standing(connection, load_transfer(connection, code)).places
        closings = [
            Closing(thing, abs(micro), "found" if micro < 0 else reason)
            for thing, micro in remainders_of(places).items()
        ]
        with suppress(DeskRefused):
            return self.close(code, *closings)

    def ship(self, code, quantity=1, item="BOLT", *, at="SH1", place="BIN-1", line=1, **fields):
        """A station loads goods; nobody has heard of it before `send`."""
        values = {"business_step": "transferring", "document": code, "document_line": line}
        gateway = self.gateways[at]
        gateway.move(item, str(quantity), source=place, target="in_transit", **(values | fields))

    def receive(self, code, quantity=1, item="BOLT", *, at="BJ1", place="BIN-1", line=1, **fields):
        """A station unloads goods."""
        values = {"business_step": "transferring", "document": code, "document_line": line}
        gateway = self.gateways[at]
        gateway.move(item, str(quantity), source="in_transit", target=place, **(values | fields))

    def send(self, *warehouses):
        """Offer what these gateways (all if none is named) have not offered yet."""
        for warehouse in warehouses or self.gateways:
            gateway, first = self.gateways[warehouse], self.sent[warehouse] + 1
            if len(gateway.bodies) >= first:
                (outcome,) = self.inbox.accept([gateway.offer(first)])
                assert outcome.kind == "accepted"
                self.sent[warehouse] = len(gateway.bodies)

    def state(self, code):
        with self.database.read() as connection:
            return load_transfer(connection, code).shown_state

    def figures(self, code):
        """{line: (shipped, received)} in whole units."""
        with self.database.read() as connection:
            standing = read_standing(connection, load_transfer(connection, code))
        return {
            line: (one.shipped_micro / MICRO, one.received_micro / MICRO)
            for line, one in standing.figures.lines.items()
        }

    def under_way(self, code):
        """{(item, lot): quantity} in whole units, over all warehouses."""
        with self.database.read() as connection:
            places = read_standing(connection, load_transfer(connection, code)).places
        return {
            (thing.item, thing.lot): micro / MICRO for thing, micro in remainders_of(places).items()
        }

    def faults(self):
        with self.database.read() as connection:
            return list(faults(connection))

    def told(self, *kinds):
        """(kind, state) of discrepancies, of these kinds alone if any are named."""
        found = rows(self.database, tables.discrepancies, "kind", "state")
        return [one for one in found if not kinds or one[0] in kinds]

    def settlements(self, kind):
        return [
            settlement
            for name, settlement in rows(self.database, tables.discrepancies, "kind", "settlement")
            if name == kind
        ]
