"""What is under way is told of any moment, by either time, from both ends' books."""

from random import Random

import pytest
from sqlalchemy import select

from central.contract.facts import decode_fact
from central.inbox.inbox import Inbox
from central.ledger.checkpoints import Checkpoints
from central.orders.transfers.transfer_store import load_transfer
from central.orders.transfers.transfer_transit import list_under_way
from central.stock.in_transit import TransitFilter, list_in_transit
from central.stock.moments import moment_at
from central.stock.times import utc_text
from central.storage.tables import facts
from tests.central.clients import ask
from tests.central.one_app import application
from tests.central.orders.transferring import Scene
from tests.central.scenery import FixedClock, Gateway, enrol, load

MINUTE_MS, DAY_MS = 60_000, 86_400_000
DOCUMENTS = ["", "TR-1", "TR-2", "SO-9"]


def weeks(database, seed, clock, between):
    """Two gateways that send and receive under documents, offline at times; when each was heard."""
    random, heard_ms = Random(seed), []
    here, there = Gateway(), Gateway("bj1-dock-1", warehouse="BJ1")
    load(database)
    enrol(database, here, there)
    inbox, offered = Inbox(database, clock=clock), {here: 1, there: 1}
    for index in range(20):
        clock.time_ms += random.choice([MINUTE_MS, 7 * MINUTE_MS, 3_600_000, DAY_MS])
        for gateway, first in offered.items():
            for _ in range(random.randint(1, 3)):
                away = random.random() < 0.5
                gateway.move(
                    random.choice(["BOLT", "NUT"]),
                    str(random.randint(1, 9)),
                    source="BIN-1" if away else "in_transit",
                    target="in_transit" if away else "BIN-1",
                    lot=random.choice(["", "L1"]),
                    document=random.choice(DOCUMENTS),
                    event_time_ms=clock.time_ms - random.choice([0, 9 * MINUTE_MS, 2 * DAY_MS]),
                )
            if random.random() < 0.7:
                assert inbox.accept([gateway.offer(first)])[0].kind == "accepted"
                offered[gateway] = len(gateway.bodies) + 1
        heard_ms.append(clock.time_ms)
        between(index)
    return heard_ms


def truth(read, time_ms, kind, *, item=""):
    """The same, summed fact by fact."""
    sums = {}
    for row, fact in read:
        happened_ms = row.record_ms if kind == "record" else row.event_time_ms
        if happened_ms > time_ms or item not in {"", fact.item}:
            continue
        sign = 1 if fact.to_location == "in_transit" else -1
        key = (fact.document, "" if fact.document else row.warehouse, fact.item, fact.lot)
        sums[key] = sums.get(key, 0) + sign * int(fact.quantity)
    return {key: value for key, value in sums.items() if value}


def told(connection, moment, **wanted):
    """What the ledger tells of it, page by page."""
    found, after = {}, None
    while True:
        page = list_in_transit(connection, TransitFilter(**wanted), moment, after=after, limit=3)
        for row in page:
            key = (row.document, row.key.book, row.key.item, row.key.lot)
            assert key not in found
            found[key] = int(row.quantity)
        if len(page) < 3:
            return found
        after = page[-1].key


@pytest.mark.parametrize("copies", ["none", "many"])
def test_what_was_under_way_is_what_the_facts_make_of_it(database, copies):
    clock = FixedClock()
    keeping = Checkpoints(database, clock=clock, facts_min=10, facts_per_row=0, rows_at_once=2)

    def between(index):
        if copies == "many":
            while not keeping.tick():
                pass

    heard_ms = weeks(database, 3, clock, between)
    with database.read() as connection:
        read = [(row, decode_fact(bytes(row.body))) for row in connection.execute(select(facts))]
        times = [
            ms + by_ms for ms in heard_ms[::4] for by_ms in (-MINUTE_MS // 2, 0, 8 * MINUTE_MS)
        ]
        for time_ms in [heard_ms[0] - 3 * DAY_MS, *times, heard_ms[-1] + DAY_MS]:
            for kind in ("event", "record"):
                moment = moment_at(connection, time_ms, kind=kind, warehouse="")
                assert told(connection, moment) == truth(read, time_ms, kind)
                of_nuts = truth(read, time_ms, kind, item="NUT")
                assert told(connection, moment, item="NUT") == of_nuts
                under = {key: one for key, one in of_nuts.items() if key[0] == "TR-2"}
                assert told(connection, moment, item="NUT", document="TR-2") == under
        assert told(connection, None) == truth(read, heard_ms[-1] + DAY_MS, "record") != {}


@pytest.fixture
def scene(database):
    """A transfer that left on the first day; the other end was offline until the third."""
    made = Scene(database)
    made.code, made.start_ms = made.released(), made.clock.time_ms
    made.ship(made.code, 6, event_time_ms=made.start_ms)
    made.send()
    made.clock.time_ms += DAY_MS
    made.receive(made.code, 4, event_time_ms=made.clock.time_ms)
    made.clock.time_ms += DAY_MS
    made.send()
    made.app = application(database=database, clock=made.clock)
    return made


DAYS = [(-1, "event", 0), (0, "event", 6), (1, "event", 2), (1, "record", 6), (2, "record", 2)]


@pytest.mark.parametrize(("days", "time", "quantity"), DAYS)
def test_a_transfer_tells_what_was_under_way_then(scene, days, time, quantity):
    at = {"as_of": utc_text(scene.start_ms + days * DAY_MS), "as_of_time": time}

    def get(path, **more):
        answer = ask(scene.app, f"/api/v1/{path}", params=at | more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    rows = get("in-transit")["in_transit"]
    assert [(one["document"], one["quantity"]) for one in rows] == (
        [(scene.code, str(quantity))] if quantity else []
    )
    for warehouse, seen in (("SH1", True), ("BJ1", True), ("CQ1", False)):
        assert get("in-transit", warehouse=warehouse)["in_transit"] == (rows if seen else [])
    things = get(f"transfers/{scene.code}/in-transit")["things"]
    assert [one["under_way"] for one in things] == ([str(quantity)] if quantity else [])


def test_now_is_as_of_now(scene):
    now = ask(scene.app, "/api/v1/in-transit").json()
    ends = [(one["source_warehouse"], one["destination_warehouse"]) for one in now["in_transit"]]
    assert ends == [("SH1", "BJ1")]
    past = {"as_of": utc_text(scene.clock.time_ms), "as_of_time": "record"}
    assert ask(scene.app, "/api/v1/in-transit", params=past).json() == now
    with scene.database.read() as connection:
        transfer = load_transfer(connection, scene.code)
        moment = moment_at(connection, scene.clock.time_ms, kind="record", warehouse="")
        present = list_under_way(connection, transfer, after=None, limit=9)
        assert list_under_way(connection, transfer, after=None, limit=9, moment=moment) == present


@pytest.mark.parametrize("wrong", [{"as_of": "yesterday"}, {"as_of_time": "then"}, {"day": "1"}])
def test_what_is_no_moment_is_refused(scene, wrong):
    answer = ask(scene.app, "/api/v1/in-transit", params=wrong)
    assert (answer.status_code, bool(answer.json()["hint"])) == (422, True)
