"""Three warehouses with gateways, a desk and a clock that goes on: where random steps happen."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

from sqlalchemy import select

from central.contract.reference import parse_reference
from central.inbox.gateways import enrol_gateway
from central.inbox.inbox import Inbox
from central.ledger.desk import Desk
from central.ledger.reference_book import load_reference
from central.orders.following import FOLLOWERS
from central.storage import bulk, catalogue_tables, tables
from central.storage.database import Database
from tests.central.scenery import NOW_MS, FixedClock, Gateway

WAREHOUSES = ("SH1", "BJ1", "GZ1")
GATEWAYS_PER_WAREHOUSE = 2
LOOKED_AT_MAX = 40  # The newest of whatever a rule chooses from.
BINS = ("BIN-1", "BIN-2", "BIN-3", "DOCK-1")
PIECES = ("BOLT", "NUT", "WINE")
KILOGRAMS = ("RICE",)
ITEMS = PIECES + KILOGRAMS
WEIGHED = "CHEESE"  # Counted in pieces, and weighed.
PACK, PIECES_PER_PACK = "CT", 24  # Of BOLT.
PART, PARTS_PER_PIECE = "PART", 3  # Of NUT: three of them are one.
REFERENCE = "revision = 1\n" + "".join(
    f"""
[[warehouses]]
code = "{code}"
name = "{code}"
name_zh = "{code}"
locations = [
  {{ code = "BIN-1", kind = "bin" }},
  {{ code = "BIN-2", kind = "bin" }},
  {{ code = "BIN-3", kind = "bin" }},
  {{ code = "DOCK-1", kind = "dock_door" }},
]
[[documents]]
code = "PO-{code}"
warehouse = "{code}"
partner = "Acme"
lines = [
  {{ line = 1, item = "BOLT", quantity = "40", tolerance_percent = "5" }},
  {{ line = 2, item = "RICE", quantity = "20" }},
]
"""
    for code in WAREHOUSES
)
REFERENCE += "".join(
    f"""
[[items]]
code = "{code}"
name = "{code}"
name_zh = "{code}"
unit = "{"KGM" if code in KILOGRAMS else "C62"}"
lot_tracked = {"true" if code == "WINE" else "false"}
"""
    for code in (*ITEMS, WEIGHED)
)


@dataclass
class Sender:
    """A gateway of the walk. epochs: oldest first; acked: how many facts of each are committed."""

    code: str
    warehouse: str
    epochs: list[Gateway]
    acked: list[int] = field(default_factory=lambda: [0])

    @property
    def journal(self) -> Gateway:
        """The present epoch."""
        return self.epochs[-1]

    def restart(self) -> None:
        """Begin another epoch; what was not sent of the one before still waits."""
        self.epochs.append(self.journal.next_epoch())
        self.acked.append(0)


class World:
    """What rules work on. Everything follows from the seed and the steps that were done."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = FixedClock(NOW_MS)
        self.inbox = Inbox(database, clock=self.clock, followers=FOLLOWERS)
        self.desk = Desk(database, clock=self.clock, followers=FOLLOWERS)
        with database.write() as connection:
            load_reference(connection, parse_reference(REFERENCE.encode()))
        self.senders = [
            Sender(code, warehouse, [Gateway(code, warehouse=warehouse)])
            for warehouse in WAREHOUSES
            for number in range(1, GATEWAYS_PER_WAREHOUSE + 1)
            for code in [f"{warehouse.lower()}-dock-{number}"]
        ]
        for sender in self.senders:
            enrol_gateway(
                database,
                gateway=sender.code,
                site="demo",
                warehouse=sender.warehouse,
                public_key=sender.journal.public_key,
                clock=self.clock,
            )
        self._add_partners()
        # What rules of one area remember for later steps, by a name of theirs.
        self.notes: dict[str, Any] = {}

    def _add_partners(self) -> None:
        """A supplier and a customer; rice is inspected, wine goes first-expired first."""
        partners = [
            ("ACME", 1, "supplier", "Acme", "", "", "", "", "", "", "", 0, True),
            ("SHOP", 1, "customer", "Shop", "", "", "", "", "", "", "", 0, True),
        ]
        percent = 1_000_000
        policies = [
            (
                *(item, 1, inspected, "", expires, False, 0, 0, 0, 0, 0),
                *(5 * percent, 2 * percent, "fefo", "A", "", "", 3 * percent),
            )
            for item, inspected, expires in (("RICE", True, False), ("WINE", False, True))
        ]
        weighed = (WEIGHED, 1, False, "KGM", *policies[0][4:])
        packs = [("BOLT", PACK, PIECES_PER_PACK, 1, ""), ("NUT", PART, 1, PARTS_PER_PIECE, "")]
        with self.desk.change(actor="li.na") as change:
            bulk.insert_rows(change.connection, catalogue_tables.partners, partners)
            table = catalogue_tables.item_policies
            bulk.insert_rows(change.connection, table, [*policies, weighed])
            bulk.insert_rows(change.connection, catalogue_tables.item_units, packs)
            change.touch(("all", "", ""))

    def pick(self, chooser: Random, query: Any) -> Any:
        """One of the rows of a query, None if there are none; the query says their order."""
        rows = self.rows(query.limit(LOOKED_AT_MAX))
        return chooser.choice(rows) if rows else None

    def rows(self, query: Any) -> list[Any]:
        """All rows of a query."""
        with self.database.read() as connection:
            return list(connection.execute(query))

    def stock(self, warehouse: str) -> list[Any]:
        """Balances of places of a warehouse that are above zero, by key."""
        table = tables.balances
        return self.rows(
            select(table)
            .where(
                table.c.warehouse == warehouse,
                table.c.on_hand_micro > 0,
                table.c.location.in_(BINS),
            )
            .order_by(*table.primary_key.columns)
        )
