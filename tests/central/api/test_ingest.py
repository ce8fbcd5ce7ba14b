"""Batches over HTTP: the same bytes, the same answer and the same ledger as over MQTT."""

import asyncio
import itertools
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Event

import httpx
import msgspec
import paho.mqtt.client as paho
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from central.api.context import INGESTS_AT_ONCE_MAX, Entrance
from central.config import MqttSection
from central.contract.acks import decode_ack
from central.contract.envelope import BATCH_BYTES_MAX
from central.contract.topics import GatewayTopic
from central.errors import LedgerUnavailable
from central.inbox.inbox import Inbox
from central.inbox.intake_loop import IntakeLoop
from central.inbox.ledger_key import LedgerKey
from central.ledger.verify import verify_ledger
from central.mqtt_link import CentralLink
from central.storage import tables
from central.web.app import create_app
from tests.brokers import PASSWORD, USERNAME, mosquitto
from tests.central.migrated import open_migrated
from tests.central.scenery import FixedClock, Gateway, enrol, load, rows
from tests.central.test_intake_loop import MemoryInbox
from tests.waiting import until

_numbers = itertools.count(1)  # Each worker has a session of its own at the broker.
KEY = LedgerKey("5a" * 32)
OCTETS = {"Content-Type": "application/octet-stream"}
ONE_DATABASE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
LEDGER = {
    tables.facts: ("gateway", "epoch", "seq", "kind", "body", "digest", "record_no"),
    tables.balances: ("warehouse", "location", "item", "lot", "unit", "on_hand_micro", "record_no"),
    tables.positions: ("gateway", "epoch", "warehouse", "acked_seq", "head_digest"),
    tables.discrepancies: ("kind", "subject", "facts_count", "detail", "record_no"),
    tables.quarantine: ("id", "topic_gateway", "reason", "detail", "payload", "offers_count"),
}


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with mosquitto(tmp_path_factory.mktemp("broker")) as running:
        yield running


def application(database, inbox):
    entrance = Entrance(inbox=inbox, sign=KEY.sign, counters=dict, credit=lambda: 1)
    return create_app(database=database, clock=FixedClock(), site="demo", entrance=entrance)


def post(app, payload, *, headers=OCTETS, **parameters):
    """The answer to one batch."""

    async def request():
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://central") as client:
            return await client.post(
                "/api/v1/ingest", content=payload, headers=headers, params=parameters
            )

    return asyncio.run(request())


@dataclass
class Http:
    """Sends payloads in a gateway's name, one after the other."""

    app: object
    acks: list = field(default_factory=list)

    def send(self, topic_gateway, payload):
        answer = post(self.app, payload, gateway=topic_gateway)
        if answer.status_code == 200:
            self.acks.append(decode_ack(answer.content))


@dataclass
class Mqtt:
    """As `Http`, through a broker and the loop of a worker."""

    client: paho.Client
    intake: IntakeLoop
    acks: list = field(default_factory=list)
    sent_count: int = 0

    def send(self, topic_gateway, payload):
        self.client.publish(str(GatewayTopic("demo", topic_gateway, "up")), payload, qos=1)
        self.sent_count += 1
        until(lambda: self._taken_count() == self.sent_count, "an outcome")

    def _taken_count(self):
        counters = self.intake.counters()
        return sum(count for name, count in counters.items() if name.startswith("batches_"))


@contextmanager
def over_http(database, _broker):
    yield Http(application(database, Inbox(database, clock=FixedClock())))


@contextmanager
def over_mqtt(database, broker):
    mqtt = MqttSection(host="127.0.0.1", port=broker.port, username=USERNAME, password=PASSWORD)
    link = CentralLink(mqtt, site="demo", worker=f"worker-{next(_numbers)}")
    intake = IntakeLoop(
        link=link,
        inbox=Inbox(database, clock=FixedClock()),
        note_states=len,
        jitter=lambda: 0.0,
        sign=KEY.sign,
    )
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.username_pw_set(USERNAME, PASSWORD)
    way = Mqtt(client, intake)
    client.on_message = lambda _client, _data, message: way.acks.append(decode_ack(message.payload))
    client.on_connect = lambda *_: client.subscribe("dl/1/demo/+/+/ack", qos=1)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    intake.start()
    try:
        until(lambda: link.connected, "a connection")
        yield way
    finally:
        intake.stop()
        client.disconnect()
        client.loop_stop()


WAYS = [pytest.param(over_http, id="http"), pytest.param(over_mqtt, id="mqtt")]


class Floor:
    """A gateway with facts, of which the ledger takes some before anything bad comes."""

    def __init__(self):
        self.gateway = Gateway("gw-1")
        self.clone = Gateway("gw-1")
        self.other = Gateway("gw-2")
        self.stranger = Gateway("gw-3")
        self.moved = Gateway("gw-1", warehouse="BJ1").next_epoch()
        for one in (self.gateway, self.other, self.stranger, self.moved):
            for _ in range(6):
                one.move()
        for _ in range(6):
            self.clone.move("NUT")

    def good(self):
        return self.gateway.batch(1, 3)

    def of_version(self, version):
        fields = msgspec.msgpack.decode(self.gateway.batch(4, 6))
        return msgspec.msgpack.encode([version, *fields[1:]])

    def with_field(self, index, change):
        fields = msgspec.msgpack.decode(self.gateway.batch(4, 6))
        fields[index] = change(fields[index])
        return msgspec.msgpack.encode(fields)


# name of the gateway in the topic, payload, reason in quarantine ("" for none), problem told
BAD = [
    pytest.param("gw-1", lambda f: f.gateway.batch(4, 6, key=f.other.key), "bad_signature", 1,
                 id="forged"),
    pytest.param("gw-1", lambda f: f.gateway.batch(4, 6)[:-7], "unreadable", 0, id="truncated"),
    pytest.param("gw-1", lambda f: f.good(), "", 0, id="replayed"),
    pytest.param("gw-2", lambda f: f.good(), "wrong_topic", 0, id="replayed as another gateway"),
    pytest.param("gw-1", lambda f: f.other.batch(1, 6), "wrong_topic", 0,
                 id="lying about its gateway"),
    pytest.param("gw-1", lambda f: f.of_version(2), "unreadable", 0, id="wrongly versioned"),
    pytest.param("gw-1", lambda f: f.with_field(9, lambda s: s[::-1]), "bad_signature", 1,
                 id="wrongly signed"),
    pytest.param("gw-1", lambda f: f.with_field(9, lambda s: b""), "bad_signature", 1,
                 id="unsigned"),
    pytest.param("gw-1", lambda f: f.with_field(4, lambda n: n + 1), "bad_signature", 1,
                 id="moved in its numbers"),
    pytest.param("gw-1", lambda f: f.with_field(5, lambda n: n + 1), "unreadable", 0,
                 id="lying about its length"),
    pytest.param("gw-3", lambda f: f.stranger.batch(), "unknown_gateway", 1, id="not enrolled"),
    pytest.param("gw-1", lambda f: f.clone.batch(1, 3), "fork", 1, id="a cloned identity"),
    pytest.param("gw-1", lambda f: f.clone.batch(4, 6), "broken_chain", 1,
                 id="a cloned identity, later"),
    pytest.param("gw-1", lambda f: f.moved.batch(), "wrong_warehouse", 1, id="another warehouse"),
    pytest.param("gw-1", lambda f: b"\xff" * 1000, "unreadable", 0, id="noise"),
    pytest.param("gw-1", lambda f: b"", "unreadable", 0, id="nothing"),
]  # fmt: skip


def said(acks, ack):
    """Whether an acknowledgement was told, apart from the order in which MQTT brings it."""
    return any((one.acked, one.problem) == ack for one in acks)


@ONE_DATABASE
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("topic_gateway", "bad", "reason", "told_count"), BAD)
def test_bad_input_is_quarantined_whole_and_the_good_stream_goes_on(
    database, broker, way, topic_gateway, bad, reason, told_count
):
    floor = Floor()
    load(database)
    enrol(database, floor.gateway, floor.other)
    payload = bad(floor)
    with way(database, broker) as sending:
        sending.send("gw-1", floor.good())
        for _ in range(2):
            sending.send(topic_gateway, payload)
        sending.send("gw-1", floor.gateway.batch(4, 6))
        until(lambda: said(sending.acks, (6, "")), "the good batch's acknowledgement")
        acks = list(sending.acks)
    kept = rows(database, tables.quarantine, "reason", "topic_gateway", "payload", "offers_count")
    assert kept == ([(reason, topic_gateway, payload, 2)] if reason else [])
    problems = [(ack.problem, ack.refused_digest) for ack in acks if ack.problem]
    told = [(reason, sha256(payload).digest())] * told_count
    # Where both came in one call of the inbox, the broker gets one answer for the two.
    assert problems == told * 2 or (way is over_mqtt and problems == told)
    public_key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(KEY.public_key_hex))
    for ack in acks:
        public_key.verify(ack.signature, ack.signed_bytes)
    assert rows(database, tables.facts, "gateway", "seq") == [("gw-1", n) for n in range(1, 7)]
    assert verify_ledger(database).faults == ()


@ONE_DATABASE
def test_what_is_larger_than_any_batch_is_refused_before_it_is_read(database, broker):
    large = b"\x9b" + bytes(BATCH_BYTES_MAX)
    with over_http(database, broker) as sending:
        answer = post(sending.app, large)
        assert (answer.status_code, answer.json()["status"]) == (413, 413)

        async def in_pieces():
            for start in range(0, len(large), 60_000):
                yield large[start : start + 60_000]

        assert post(sending.app, in_pieces()).status_code == 413
    assert rows(database, tables.quarantine) == []
    floor = Floor()
    load(database)
    enrol(database, floor.gateway)
    with over_mqtt(database, broker) as sending:
        sending.send("gw-1", large)
        sending.send("gw-1", floor.good())
    assert rows(database, tables.quarantine, "reason") == [("unreadable",)]
    assert len(rows(database, tables.facts)) == 3


@ONE_DATABASE
def test_the_same_payloads_make_the_same_ledger_over_mqtt_and_http(database, broker, tmp_path):

    second = open_migrated(tmp_path / "second.db", generation="g")
    floor = Floor()
    payloads = [("gw-1", floor.good()), ("gw-2", floor.other.batch(2, 6))]
    payloads += [(one.values[0], one.values[1](floor)) for one in BAD]
    payloads += [("gw-1", floor.gateway.batch(2, 6)), ("gw-2", floor.other.batch())]
    for ledger, way in ((database, over_http), (second, over_mqtt)):
        load(ledger)
        enrol(ledger, floor.gateway, floor.other)
        with way(ledger, broker) as sending:
            for topic_gateway, payload in payloads:
                sending.send(topic_gateway, payload)
    for table, columns in LEDGER.items():
        found = rows(database, table, *columns)
        assert found and found == rows(second, table, *columns), table.name
    second.close()


@ONE_DATABASE
def test_without_a_name_a_batch_comes_in_the_name_of_its_own_gateway(database):
    floor = Floor()
    load(database)
    enrol(database, floor.gateway)
    app = application(database, Inbox(database, clock=FixedClock()))
    ack = decode_ack(post(app, floor.good()).content)
    assert (ack.gateway, ack.acked, ack.problem) == ("gw-1", 3, "")


class FailingInbox:
    """An inbox whose database is away."""

    def accept(self, payloads):
        raise LedgerUnavailable("database is locked", hint="Check the database.")


@ONE_DATABASE
@pytest.mark.parametrize(
    ("inbox", "options", "status", "named"),
    [
        pytest.param("real", {"headers": {}}, 415, "octet-stream", id="no type"),
        pytest.param("real", {"headers": {"Content-Type": "text/plain"}}, 415, "text", id="text"),
        pytest.param("real", {}, 422, "quarantine", id="no batch"),
        pytest.param("real", {"gateway": "a/b"}, 422, "gateway", id="no name"),
        pytest.param("failing", {}, 503, "database", id="the database is away"),
        pytest.param("none", {}, 404, "serve", id="it only reads"),
    ],
)
def test_what_is_not_taken_is_said_with_a_hint(database, inbox, options, status, named):
    real = Inbox(database, clock=FixedClock())
    app = application(database, FailingInbox() if inbox == "failing" else real)
    if inbox == "none":
        app = create_app(database=database, clock=FixedClock(), site="demo")
    answer = post(app, b"no batch", **options)
    body = answer.json()
    assert (answer.status_code, body["status"]) == (status, status)
    assert named in body["detail"] + body["hint"]
    assert ("Retry-After" in answer.headers) == (status == 503)


class SlowInbox(MemoryInbox):
    """An inbox that waits until it may go on."""

    def __init__(self):
        super().__init__([], [])
        self.entered_count = 0
        self.go_on = Event()

    def accept(self, payloads):
        self.entered_count += 1
        assert self.go_on.wait(60)
        return super().accept([("gw-1", payload) for _, payload in payloads])


@ONE_DATABASE
def test_more_than_some_batches_at_once_are_asked_to_come_again(database):
    inbox = SlowInbox()
    app = application(database, inbox)

    async def crowd():
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://central") as client:

            async def send():
                return await client.post("/api/v1/ingest", content=b"x", headers=OCTETS)

            first = [asyncio.create_task(send()) for _ in range(INGESTS_AT_ONCE_MAX)]
            await asyncio.to_thread(until, lambda: inbox.entered_count == INGESTS_AT_ONCE_MAX)
            refused = await send()
            inbox.go_on.set()
            taken = await asyncio.gather(*first)
            return refused, taken, await send()

    refused, taken, later = asyncio.run(crowd())
    assert refused.status_code == 503 and int(refused.headers["Retry-After"]) > 0
    assert {answer.status_code for answer in [*taken, later]} == {200}


@ONE_DATABASE
def test_staff_see_what_is_in_quarantine_and_get_its_bytes(database):
    app = application(database, Inbox(database, clock=FixedClock()))
    payloads = [b"noise %d" % number for number in range(5)]
    for payload in payloads:
        post(app, payload, gateway="gw-1")
    post(app, payloads[0], gateway="gw-1")
    found, cursor = [], None
    while True:
        parameters = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = asked(app, "/api/v1/quarantine", **parameters).json()
        assert page["dropped_count"] == 0
        found += page["quarantine"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len({one["id"] for one in found}) == 5
    assert sorted(one["offers_count"] for one in found) == [1, 1, 1, 1, 2]
    assert {(one["reason"], one["topic_gateway"], one["bytes_count"]) for one in found} == {
        ("unreadable", "gw-1", 7)
    }
    got = [asked(app, f"/api/v1/quarantine/{one['id']}/payload") for one in found]
    assert sorted(answer.content for answer in got) == payloads
    assert asked(app, f"/api/v1/quarantine/{'0' * 64}/payload").status_code == 404
    assert asked(app, "/api/v1/quarantine/../payload").status_code in {404, 422}
    assert asked(app, "/api/v1/quarantine", limit=0).status_code == 422


def asked(app, path, **parameters):
    from tests.central.clients import ask

    return ask(app, path, params=parameters)


@ONE_DATABASE
def test_the_intakes_counts_and_the_credit_that_it_gives_are_measured(database):
    entrance = Entrance(
        inbox=Inbox(database, clock=FixedClock()),
        sign=KEY.sign,
        counters=lambda: {"batches_accepted_total": 3, "states_total": 1},
        credit=lambda: 4000,
    )
    app = create_app(database=database, clock=FixedClock(), site="demo", entrance=entrance)
    lines = asked(app, "/metrics").text.splitlines()
    assert "dockledger_intake_batches_accepted_total 3" in lines
    assert "# TYPE dockledger_intake_batches_accepted_total counter" in lines
    assert "dockledger_intake_credit_facts 4000" in lines
