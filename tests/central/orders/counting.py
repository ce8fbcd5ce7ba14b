"""The warehouse SH1 with two gateways, a desk and the API, for tests of counts."""

from dataclasses import replace
from functools import cache

import httpx
from sqlalchemy import insert, select

from central.api.writing import WriteSide
from central.contract.facts import Count
from central.inbox.inbox import Inbox
from central.ledger.desk import Desk
from central.ledger.verify import verify_ledger
from central.orders.counts.count_proof import faults
from central.orders.following import FOLLOWERS
from central.storage import catalogue_tables, tables
from central.web.app import create_app
from tests.central.clients import run
from tests.central.orders.purchasing import row
from tests.central.scenery import NOW_MS, FixedClock, Gateway, enrol, load

MINUTE_MS = 60_000
START_MS = NOW_MS - 600 * MINUTE_MS  # Minute 0 of the scenes.
UNITS = {"RICE": "KGM"}


class Counting:
    """Scenes begin ten hours ago: `at` is the minute at which something happens."""

    def __init__(self, database):
        self.database = database
        self.clock = FixedClock()
        load(database)
        self.counter = Gateway("sh1-dock-1")
        self.other = Gateway("sh1-dock-2")
        enrol(database, self.counter, self.other)
        self.desk = Desk(database, clock=self.clock, followers=FOLLOWERS)
        self.inbox = Inbox(database, clock=self.clock, followers=FOLLOWERS)
        self.app = _application(database, self.clock, WriteSide(self.desk))
        self._sent = {}

    def policies(self, *policies):
        """Add item policies of which only some columns are named."""
        table = catalogue_tables.item_policies
        with self.desk.change(actor="test") as change:
            change.connection.execute(insert(table), [row(table, **one) for one in policies])
            change.touch(("all", "", ""))

    def move(self, gateway, quantity, *, at, item="BOLT", **fields):
        """Goods move, as far as the gateway knows; it keeps that until it sends."""
        fields = {"unit": UNITS.get(item, "C62"), "event_time_ms": time_of(at)} | fields
        return gateway.move(item, str(quantity), **fields)

    def put(self, gateway, quantity, *, at, location="BIN-1", **fields):
        """Goods come to a bin."""
        return self.move(gateway, quantity, at=at, target=location, **fields)

    def take(self, gateway, quantity, *, at, location="BIN-1", **fields):
        """Goods leave a bin for the customer."""
        fields = {"business_step": "shipping"} | fields
        return self.move(gateway, quantity, at=at, source=location, target="customer", **fields)

    def count(self, gateway, quantity, *, at, item="BOLT", location="BIN-1", by="an", **fields):
        """Somebody counts; the gateway keeps that until it sends."""
        values = {
            "operator": by,
            "location": location,
            "item": item,
            "quantity": str(quantity),
            "unit": UNITS.get(item, "C62"),
            "event_time_ms": time_of(at),
        } | fields
        return gateway._append(Count(**gateway._origin(values), **values))

    def send(self, *gateways):
        """Gateways send what they have not sent yet, one batch each."""
        for gateway in gateways or (self.counter, self.other):
            self.send_some(gateway, len(gateway.bodies))

    def send_some(self, gateway, facts_count):
        """A gateway sends so many of the facts that it has not sent yet."""
        first = self._sent.get(gateway.code, 0) + 1
        last = min(first + facts_count - 1, len(gateway.bodies))
        if first <= last:
            (outcome,) = self.inbox.accept([gateway.offer(first, last)])
            assert outcome.kind == "accepted", outcome
            self._sent[gateway.code] = last

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

    def get(self, path):
        """The body of an answer."""
        answer = self.ask("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path, body=None, *, status=200, **options):
        """The body of the answer to something that is done."""
        answer = self.ask("POST", path, body, **options)
        assert answer.status_code == status, answer.text
        return answer.json()

    def planned(self, *lines, released=True, **fields):
        """A count of lines (BIN-1 and BOLT if none are named), by default released; its code."""
        lines = lines or ({"location": "BIN-1", "item": "BOLT"},)
        body = {"warehouse": "SH1", "lines": list(lines)} | fields
        code = self.post("/counts", body, status=201)["code"]
        if released:
            self.post(f"/counts/{code}/release")
        return code

    def act(self, code, action, body=None, **options):
        """The body of the answer to one action on a count."""
        return self.post(f"/counts/{code}/{action}", body, **options)

    def variances(self, code, **parameters):
        """{(location, item, lot, serial): line of the result}."""
        query = "&".join(f"{name}={value}" for name, value in parameters.items())
        found = self.get(f"/counts/{code}/variances?{query}")["variances"]
        return {(one["location"], one["item"], one["lot"], one["serial"]): one for one in found}

    def variance(self, code, **parameters):
        """The only line of the result."""
        (found,) = self.variances(code, **parameters).values()
        return found

    def settle(self, code):
        """Finish a count and have it accepted by somebody else; the answer."""
        if self.act(code, "finish")["state"] == "recount":
            self.act(code, "refer")
        state = self.get(f"/counts/{code}")["state"]
        return self.act(code, "accept" if state == "review" else "post", actor="chief")

    def settle_ad_hoc(self):
        """Have the ad hoc count that is open accepted; its code, "" if none is open."""
        listed = self.get("/counts?kind=ad_hoc&state=counting")["counts"]
        for one in listed:
            self.settle(one["code"])
        return listed[0]["code"] if listed else ""

    def stock(self, item="BOLT", location="BIN-1"):
        """What the ledger has of an item at a place, as decimal text of whole units."""
        balances = tables.balances.c
        with self.database.read() as connection:
            found = connection.execute(
                select(balances.on_hand_micro).where(
                    balances.item == item, balances.location == location
                )
            )
            micro = sum(found.scalars())
        return micro / 1_000_000

    def discrepancies(self):
        """Kind and subject of each."""
        table = tables.discrepancies.c
        with self.database.read() as connection:
            return sorted(
                tuple(one) for one in connection.execute(select(table.kind, table.subject))
            )

    def documents(self):
        """(document, round, line, item, quantity in millionths, location) that stations have."""
        heads, lines = tables.documents.c, tables.document_lines.c
        with self.database.read() as connection:
            found = connection.execute(
                select(
                    heads.document,
                    heads.round,
                    lines.line,
                    lines.item,
                    lines.expected_micro,
                    lines.location,
                )
                .join(
                    tables.document_lines,
                    (lines.warehouse == heads.warehouse) & (lines.document == heads.document),
                )
                .where(heads.kind == "count")
                .order_by(heads.document, lines.line)
            )
            return [tuple(one) for one in found]

    def faults(self):
        """What the proofs of the ledger and of the counts find."""
        return [*verify_ledger(self.database).faults, *self.count_faults()]

    def count_faults(self):
        """What the proof of the counts finds."""
        with self.database.read() as connection:
            return list(faults(connection))


@cache
def _empty_application():
    # Its first answer costs a quarter of a second, so one application serves all tests.
    return create_app(database=None, clock=None, site="demo")


def _application(database, clock, writing):
    app = _empty_application()
    app.state.read_side = replace(app.state.read_side, database=database, clock=clock)
    app.state.write_side = writing
    return app


def time_of(minute):
    """The event time of a minute of the scene."""
    return START_MS + int(minute * MINUTE_MS)
