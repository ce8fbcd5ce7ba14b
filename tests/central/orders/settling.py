"""Two warehouses with gateways that make mistakes, and the desk that settles them, for tests."""

import httpx
from sqlalchemy import select

from central.api.writing import WriteSide
from central.inbox.inbox import Inbox
from central.ledger.desk import Desk
from central.ledger.verify import verify_ledger
from central.orders.following import FOLLOWERS
from central.orders.proofs import PROOFS
from central.storage import tables
from tests.central.clients import run
from tests.central.one_app import application
from tests.central.scenery import REFERENCE, FixedClock, Gateway, enrol, load


class Settling:
    """SH1 with a gateway, BJ1 with another; a desk, and an application."""

    def __init__(self, database, reference=REFERENCE):
        self.database = database
        self.clock = FixedClock()
        load(database, reference)
        self.dock = Gateway()
        self.other = Gateway("bj1-dock-1", warehouse="BJ1")
        enrol(database, self.dock, self.other)
        self.inbox = Inbox(database, clock=self.clock, followers=FOLLOWERS)
        self.desk = Desk(database, clock=self.clock, followers=FOLLOWERS)
        self.app = application(database=database, clock=self.clock, writing=WriteSide(self.desk))
        self._sent = {}

    def send(self, *gateways):
        """Offer everything that these gateways have not sent yet, the dock's if none is named."""
        for gateway in gateways or (self.dock,):
            first = self._sent.get(gateway, 0) + 1
            if first <= len(gateway.bodies):
                (outcome,) = self.inbox.accept([gateway.offer(first)])
                assert outcome.kind == "accepted", outcome
                self._sent[gateway] = len(gateway.bodies)

    def ask(self, method, path, body=None, **headers):
        """The answer to one request, by its JSON."""
        return run(self._request(method, path, body, headers))

    def get(self, path):
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path, body=None):
        answer = self.ask("POST", path, {} if body is None else body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def found(self, kind, state="open"):
        """The one discrepancy of a kind."""
        (row,) = self.get(f"/discrepancies?kind={kind}&state={state}")["discrepancies"]
        return self.get(f"/discrepancies/{row['id']}")

    def settle(self, kind, body=None, **headers):
        """Settle the one open discrepancy of a kind, as its best proposal says if not said."""
        row = self.found(kind)
        if body is None:
            body = row["proposals"][0]["body"]
        return self.ask(
            "POST", f"/discrepancies/{row['id']}/settle", {"reason": "looked", **body}, **headers
        )

    def on_hand(self, item="BOLT", warehouse="SH1"):
        """{(location, lot): whole units}, zeros left out."""
        balances = tables.balances.c
        with self.database.read() as connection:
            rows = connection.execute(
                select(balances.location, balances.lot, balances.on_hand_micro).where(
                    balances.item == item, balances.warehouse == warehouse
                )
            ).all()
        return {
            (row.location, row.lot): row.on_hand_micro / 10**6 for row in rows if row.on_hand_micro
        }

    def received(self, document, item="BOLT"):
        """Whole units counted towards each line of a document."""
        progress = tables.document_progress.c
        with self.database.read() as connection:
            rows = connection.execute(
                select(progress.line, progress.received_micro).where(
                    progress.document == document, progress.item == item
                )
            ).all()
        return {line: micro / 10**6 for line, micro in rows if micro}

    def proved(self):
        """Nothing is off: the ledger's own books and everything beyond them."""
        assert verify_ledger(self.database).faults == ()
        with self.database.read() as connection:
            assert [fault for proof in PROOFS for fault in proof(connection)] == []

    async def _request(self, method, path, body, headers):
        transport = httpx.ASGITransport(app=self.app)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        async with httpx.AsyncClient(transport=transport, base_url="http://central") as client:
            return await client.request(method, f"/api/v1{path}", json=body, headers=names)
