"""Gateways that make true batches, and reference data, for tests of the ledger."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import select, update

from central.contract.envelope import encode_batch
from central.contract.facts import (
    NO_HEAD,
    Count,
    Movement,
    Packing,
    Passage,
    Print,
    Reversal,
    Weighing,
    chain_next,
    chain_start,
    encode_fact,
)
from central.contract.gs1 import check_digit
from central.contract.identifiers import Epoch
from central.contract.reference import parse_reference
from central.inbox.gateways import enrol_gateway
from central.inbox.inbox import Inbox
from central.ledger.reference_book import load_reference
from central.storage import bulk, tables
from central.storage.catalogue_tables import item_policies, item_units

NOW_MS = 1_780_000_000_000
REFERENCE = b"""
revision = 1
[[warehouses]]
code = "SH1"
name = "Shanghai 1"
name_zh = "\xe4\xb8\x8a\xe6\xb5\xb7\xe4\xb8\x80\xe4\xbb\x93"
locations = [
  { code = "DOCK-1", kind = "dock_door" },
  { code = "STAGE-1", kind = "staging" },
  { code = "BIN-1", kind = "bin" },
  { code = "BIN-2", kind = "bin" },
  { code = "BIN-3", kind = "bin" },
]
[[warehouses]]
code = "BJ1"
name = "Beijing 1"
name_zh = "\xe5\x8c\x97\xe4\xba\xac\xe4\xb8\x80\xe4\xbb\x93"
locations = [ { code = "BIN-1", kind = "bin" } ]
[[items]]
code = "BOLT"
name = "Bolt"
name_zh = "\xe8\x9e\xba\xe6\xa0\x93"
unit = "C62"
[[items]]
code = "NUT"
name = "Nut"
name_zh = "\xe8\x9e\xba\xe6\xaf\x8d"
unit = "C62"
[[items]]
code = "RICE"
name = "Rice"
name_zh = "\xe5\xa4\xa7\xe7\xb1\xb3"
unit = "KGM"
kind = "bulk"
[[documents]]
code = "PO-1"
warehouse = "SH1"
partner = "Acme"
lines = [
  { line = 1, item = "BOLT", quantity = "100", tolerance_percent = "5" },
  { line = 2, item = "RICE", quantity = "50" },
]
"""


class FixedClock:
    """A clock that stands still, or goes where a test puts it."""

    def __init__(self, now_ms=NOW_MS):
        self.time_ms = now_ms

    def now_ms(self):
        return self.time_ms

    def monotonic_s(self):
        return self.time_ms / 1000


class Gateway:
    """A gateway's journal of one epoch: facts in order, batches of any run of them."""

    def __init__(
        self, code="sh1-dock-1", *, warehouse="SH1", start_count=1, previous_head=NO_HEAD, key=None
    ):
        self.code = code
        self.warehouse = warehouse
        self.key = key or Ed25519PrivateKey.from_private_bytes(code.ljust(32, "x").encode())
        self.epoch = Epoch(start_count=start_count, nonce=start_count * 7919)
        self.previous_head = previous_head
        start = chain_start(gateway=code, epoch=self.epoch, previous_epoch_head=previous_head)
        self.digests = [start]
        self.bodies = []

    @property
    def public_key(self):
        return self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def head(self):
        return self.digests[-1]

    def next_epoch(self, **changes):
        """The same gateway after its next start."""
        return Gateway(
            self.code,
            warehouse=self.warehouse,
            start_count=self.epoch.start_count + 1,
            **({"previous_head": self.head, "key": self.key} | changes),
        )

    def move(self, item="BOLT", quantity="1", *, source="supplier", target="BIN-1", **fields):
        values = {
            "business_step": "receiving",
            "from_location": source,
            "to_location": target,
            "item": item,
            "quantity": quantity,
            "unit": "C62",
        }
        return self._append(Movement(**self._origin(fields), **(values | fields)))

    def weigh(self, **fields):
        values = {
            "scale": "scale-1",
            "item": "RICE",
            "gross": "12.5",
            "tare": "0.5",
            "net": "12.0",
            "unit": "KGM",
            "alibi_number": 1,
        }
        return self._append(Weighing(**self._origin(fields), **(values | fields)))

    def print_label(self, **fields):
        values = {
            "job": 1,
            "printer": "printer-1",
            "template": "bin",
            "content": "BIN-1",
            "copies_count": 1,
            "outcome": "printed",
        }
        return self._append(Print(**self._origin(fields), **(values | fields)))

    def pass_by(self, direction="in", **fields):
        values = {
            "epc": "3074257BF7194E4000001A85",
            "read_point": "DOCK-1",
            "direction": direction,
            "reads_count": 12,
            "first_seen_ms": 1_790_000_000_000,
            "last_seen_ms": 1_790_000_002_000,
            "gtin": "80614141123458",
            "serial": "6789",
            "rssi_cdbm": -4850,
        }
        return self._append(Passage(**self._origin(fields), **(values | fields)))

    def count(self, quantity="1", *, item="BOLT", location="BIN-1", unit="C62", **fields):
        values = {"item": item, "location": location, "quantity": quantity, "unit": unit}
        return self._append(Count(**self._origin(fields), **(values | fields)))

    def pack(self, parent, *children, action="pack", **fields):
        values = {"parent": parent, "children": children, "action": action}
        return self._append(Packing(**self._origin(fields), **values))

    def reverse(self, seq, *, epoch=None, **fields):
        values = {"reverses_epoch": str(epoch or self.epoch), "reverses_seq": seq}
        return self._append(Reversal(**self._origin(fields), **(values | fields)))

    def say(self, body):
        """Append bytes that need not be a fact."""
        self.bodies.append(body)
        self.digests.append(chain_next(self.digests[-1], body))
        return len(self.bodies)

    def batch(self, first=1, last=None, *, key=None, previous_head=None):
        """Payload of facts first to last."""
        return encode_batch(
            gateway=self.code,
            epoch=self.epoch,
            first_seq=first,
            previous_epoch_head=self.previous_head if first == 1 else NO_HEAD,
            previous_digest=self.digests[first - 1],
            facts=self.bodies[first - 1 : last],
            sign=(key or self.key).sign,
        )

    def offer(self, first=1, last=None):
        return (self.code, self.batch(first, last))

    def _origin(self, fields):
        return {
            "seq": fields.pop("seq", len(self.bodies) + 1),
            "event_time_ms": fields.pop("event_time_ms", NOW_MS - 5_000),
            "clock_synced": fields.pop("clock_synced", True),
            "boot_id": fields.pop("boot_id", "boot-1"),
            "monotonic_ns": fields.pop("monotonic_ns", 1),
            "warehouse": fields.pop("warehouse", self.warehouse),
            "station": "dock-1",
        }

    def _append(self, fact):
        return self.say(encode_fact(fact))


def enrol(database, *gateways):
    """Enrol gateways with their keys and warehouses."""
    for gateway in gateways:
        enrol_gateway(
            database,
            gateway=gateway.code,
            site="demo",
            warehouse=gateway.warehouse,
            public_key=gateway.public_key,
            clock=FixedClock(),
        )


def load(database, document=REFERENCE):
    with database.write() as connection:
        return load_reference(connection, parse_reference(document))


def furnished(database, *gateways):
    """Reference data loaded, gateways enrolled; return an inbox."""
    load(database)
    enrol(database, *gateways)
    return Inbox(database, clock=FixedClock())


def set_policy(database, item, *, lot_tracked=False, **policy):
    """Say how an item is kept; before the ledger has looked it up."""
    row = {"item": item, "version": 1} | policy
    for column in item_policies.columns:
        row.setdefault(column.name, {str: "", int: 0, bool: False}[column.type.python_type])
    values = tuple(row[column.name] for column in item_policies.columns)
    assert len(values) == len(row)
    with database.write() as connection:
        bulk.upsert_rows(connection, item_policies, [values])
        if lot_tracked:
            of_item = tables.items.c.item == item
            connection.execute(update(tables.items).where(of_item).values(lot_tracked=True))


def set_packs(database, item, **sizes):
    """Say what packs hold, as numerator and denominator; before the ledger has looked it up."""
    packs = [(item, unit, *size, "") for unit, size in sorted(sizes.items())]
    with database.write() as connection:
        bulk.upsert_rows(connection, item_units, packs)


def sscc(number):
    """The SSCC with this serial reference."""
    digits = f"0061414{number:010d}"
    return digits + check_digit(digits)


def lines_of(database, record_no):
    """(line_no, location, status, millionths, weight) of a fact's lines, in order."""
    table = tables.lines
    query = select(
        table.c.line_no,
        table.c.location,
        table.c.status,
        table.c.quantity_micro,
        table.c.weight_micro,
    ).where(table.c.record_no == record_no)
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(query.order_by(table.c.line_no))]


def rows(database, table, *columns):
    """All rows of a table, sorted; only some columns if named."""
    chosen = [table.c[name] for name in columns] or [table]
    with database.read() as connection:
        return sorted(tuple(row) for row in connection.execute(select(*chosen)))


def on_hand(database, item="BOLT"):
    """{(warehouse, location, lot): quantity in whole micro} of an item, zeros left out."""
    balances = tables.balances
    with database.read() as connection:
        found = connection.execute(select(balances).where(balances.c.item == item))
        return {
            (row.warehouse, row.location, row.lot): row.on_hand_micro
            for row in found
            if row.on_hand_micro
        }


def discrepancies(database):
    """(kind, subject, facts_count) of every discrepancy, sorted."""
    return rows(database, tables.discrepancies, "kind", "subject", "facts_count")
