"""A warehouse with suppliers, packs and policies, its desk, its dock and its API, for tests."""

import httpx
from sqlalchemy import BigInteger, Boolean, insert, select

from central.api.writing import WriteSide
from central.inbox.inbox import Inbox
from central.ledger.desk import Desk
from central.ledger.verify import verify_ledger
from central.orders.following import FOLLOWERS
from central.orders.proofs import PROOFS
from central.outbox.present_reference import present_entries, present_reference
from central.storage import catalogue_tables, tables
from tests.central.clients import run
from tests.central.one_app import application
from tests.central.scenery import FixedClock, Gateway, enrol, load

TODAY = "2026-05-28"  # The day of scenery.NOW_MS.
LATER = "2026-06-05"


def row(table, **values):
    """A row of a table; what is not named is empty."""
    empty = {
        column.name: False
        if isinstance(column.type, Boolean)
        else 0
        if isinstance(column.type, BigInteger)
        else ""
        for column in table.columns
    }
    return empty | values


class Purchasing:
    """The warehouse SH1. Items: BOLT and NUT (cartons CT of 24), RICE (inspected, kilograms)."""

    def __init__(self, database):
        self.database = database
        self.clock = FixedClock()
        load(database)
        self.gateway = Gateway()
        enrol(database, self.gateway)
        self.desk = Desk(database, clock=self.clock, followers=FOLLOWERS)
        self.inbox = Inbox(database, clock=self.clock, followers=FOLLOWERS)
        self.app = application(database=database, clock=self.clock, writing=WriteSide(self.desk))
        self._sent = 0
        self.put(
            catalogue_tables.partners,
            {"partner": "ACME", "kind": "supplier", "name": "Acme Ltd", "active": True},
            {"partner": "GONE", "kind": "supplier", "name": "Gone Ltd", "active": False},
            {"partner": "SHOP", "kind": "customer", "name": "Shop", "active": True},
        )
        self.put(
            catalogue_tables.item_units,
            {"item": "BOLT", "unit": "CT", "numerator": 24, "denominator": 1},
            {"item": "NUT", "unit": "CT", "numerator": 24, "denominator": 1},
        )
        self.put(
            catalogue_tables.item_policies,
            {
                "item": "BOLT",
                "over_tolerance_percent_micro": 5_000_000,
                "under_tolerance_percent_micro": 2_000_000,
                "rotation": "fefo",
            },
            {"item": "RICE", "inspected": True, "rotation": "fefo"},
        )

    def put(self, table, *rows):
        """Add rows of which only some columns are named; let nobody remember what was."""
        with self.desk.change(actor="test") as change:
            change.connection.execute(insert(table), [row(table, **one) for one in rows])
            change.touch(("all", "", ""))

    def send(self):
        """The gateway sends what it has not sent yet."""
        first, self._sent = self._sent + 1, len(self.gateway.bodies)
        return self.inbox.accept([self.gateway.offer(first)])

    def receive(self, quantity, *, item="BOLT", document="", line=0, **fields):
        """Goods come from the supplier at the dock."""
        unit = {"RICE": "KGM"}.get(item, "C62")
        fields = {"unit": unit, "document": document, "document_line": line} | fields
        seq = self.gateway.move(item, quantity, **fields)
        self.send()
        return seq

    def ask(self, method, path, body=None, *, version=None, key=None, actor="li.na"):
        """One request below /api/v1; the answer as httpx gives it."""
        headers = {"Dockledger-Actor": actor}
        if version is not None:
            headers["If-Match"] = "*" if version == "*" else f'"{version}"'
        if key is not None:
            headers["Idempotency-Key"] = key

        async def request():
            transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://c") as client:
                return await client.request(method, f"/api/v1{path}", json=body, headers=headers)

        return run(request())

    def get(self, path, **parameters):
        """The body of a page."""
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        answer = self.ask("GET", f"{path}?{query}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path, body=None, *, status=200, **options):
        """The body of the answer to something that is done."""
        answer = self.ask("POST", path, {} if body is None else body, **options)
        assert answer.status_code == status, answer.text
        return answer.json()

    def order(self, *lines, sent=True, **fields):
        """A purchase order of ACME, by default one that is sent; its code."""
        asked = [{"line": number, **line} for number, line in enumerate(lines or DEFAULT_LINES, 1)]
        body = {"warehouse": "SH1", "supplier": "ACME", "lines": asked} | fields
        code = self.post("/purchase-orders", body, status=201)["code"]
        for action in ("submit", "approve", "send") if sent else ():
            self.post(f"/purchase-orders/{code}/{action}")
        return code

    def discrepancies(self):
        """(kind, subject, state, settlement) of each, sorted."""
        table = tables.discrepancies.c
        with self.database.read() as connection:
            found = connection.execute(
                select(table.kind, table.subject, table.state, table.settlement)
            )
            return sorted(tuple(one) for one in found)

    def carried(self, code):
        """What stations are told of a document: on which pallets its units stand."""
        with self.database.read() as connection:
            (told,) = present_entries(connection, 1, "SH1", [("document", "SH1", code)]).documents
            loaded = present_reference(connection, 1)
        assert loaded is not None
        assert told in loaded.documents
        return {line.sscc: line.carried_by for line in told.lines}

    def documents(self):
        """{code: {line: micro that it expects}} of what stations of SH1 work on here."""
        heads, lines = tables.documents.c, tables.document_lines.c
        with self.database.read() as connection:
            codes = connection.execute(select(heads.document).where(heads.source == "desk"))
            found = {code: {} for code in codes.scalars()}
            for one in connection.execute(select(lines.document, lines.line, lines.expected_micro)):
                if one.document in found:
                    found[one.document][one.line] = one.expected_micro
        return found

    def stock(self, item="BOLT"):
        """{(location, status): micro} of physical places, zeros left out."""
        balances = tables.balances
        with self.database.read() as connection:
            found = connection.execute(select(balances).where(balances.c.item == item)).all()
        held = {}
        for one in found:
            if one.location in {"supplier", "customer", "adjustment", "scrap"}:
                continue
            key = (one.location, one.status)
            held[key] = held.get(key, 0) + one.on_hand_micro
        return {key: micro for key, micro in held.items() if micro}

    def faults(self):
        """What the proofs of the ledger and of orders find."""
        found = list(verify_ledger(self.database).faults)
        with self.database.read() as connection:
            found += [fault for proof in PROOFS for fault in proof(connection)]
        return found


DEFAULT_LINES = ({"item": "BOLT", "quantity": "10", "unit": "CT"},)
