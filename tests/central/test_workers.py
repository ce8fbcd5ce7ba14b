"""Several processes take facts of one ledger, and die at will. Edge of processes.

Real workers, a real PostgreSQL, a real broker; gateways that send again until they are told.
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

import paho.mqtt.client as paho
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from central.contract.acks import decode_ack
from central.contract.states import decode_central_state
from central.contract.topics import GatewayTopic, central_subscription, shard_of
from central.inbox.ledger_key import load_ledger_key
from central.ledger.verify import verify_ledger
from central.storage import tables
from central.storage.database import open_database
from central.storage.schema import migrate
from tests.brokers import PASSWORD, USERNAME, mosquitto
from tests.central.scenery import Gateway, enrol, load, rows
from tests.postgresql import new_database
from tests.waiting import until

pytestmark = pytest.mark.postgresql
RESEND_S = 0.3
KILLS_COUNT = 2


@dataclass
class Floor:
    """Gateways that send what is not acknowledged, from one thread, over one connection."""

    gateways: list
    public_key: Ed25519PublicKey
    chooser: random.Random
    acked: dict = field(default_factory=dict)
    states: dict = field(default_factory=dict)

    def heard(self, _client, _data, message):
        """Believe what the ledger signed, and note which workers listen."""
        if "/central/" in message.topic:
            state = decode_central_state(message.payload)
            self.states[state.worker] = state
            return
        ack = decode_ack(message.payload)
        self.public_key.verify(ack.signature, ack.signed_bytes)
        key = (ack.gateway, str(ack.epoch))
        self.acked[key] = max(self.acked.get(key, 0), ack.acked)

    def done(self):
        return all(self.acked_of(one) == len(one.bodies) for one in self.gateways)

    def acked_of(self, gateway):
        return self.acked.get((gateway.code, str(gateway.epoch)), 0)

    def send_round(self, client):
        """Send of each gateway a few batches of what is not acknowledged, not always in order."""
        payloads = []
        for gateway in self.gateways:
            first = self.acked_of(gateway) + 1
            for _ in range(4):
                if first <= len(gateway.bodies):
                    last = min(len(gateway.bodies), first + self.chooser.randrange(1, 6))
                    payloads.append((gateway.code, gateway.batch(first, last)))
                    first = last + 1
        if self.chooser.random() < 0.3:
            self.chooser.shuffle(payloads)
        for code, payload in payloads:
            client.publish(str(GatewayTopic("demo", code, "up")), payload, qos=1)


@contextmanager
def sending(floor, broker):
    """Have the gateways send until the end of the block."""
    stopping = threading.Event()
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.username_pw_set(USERNAME, PASSWORD)
    client.on_message = floor.heard
    filters = ("dl/1/demo/+/+/ack", central_subscription(site="demo"))
    client.on_connect = lambda *_: [client.subscribe(one, qos=1) for one in filters]
    client.connect("127.0.0.1", broker.port)
    client.loop_start()

    def send():
        while not stopping.is_set():
            floor.send_round(client)
            stopping.wait(RESEND_S)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join(60)
        client.disconnect()
        client.loop_stop()


@dataclass
class Site:
    """A ledger's database, a broker, and processes that are ended with it."""

    directory: object
    broker: object
    url: str
    database: object
    stack: ExitStack

    def start(self, *arguments, name):
        """Start a command of the ledger; return its process, which has said that it runs."""
        log = self.stack.enter_context((self.directory / f"{name}.log").open("ab"))
        command = [sys.executable, "-m", "central", *arguments, "--json"]
        process = subprocess.Popen(
            [*command, "--config", str(self.directory / "central.toml")],
            stdout=subprocess.PIPE,
            stderr=log,
        )
        self.stack.callback(process.stdout.close)
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        line = process.stdout.readline()
        assert line, (self.directory / f"{name}.log").read_text()
        return process, json.loads(line)

    def start_worker(self, name, *options):
        return self.start("intake", "--worker", name, *options, name=name)[0]

    def counters(self, name):
        """What a worker counted until its clean end."""
        lines = (self.directory / f"{name}.log").read_text().splitlines()
        return next(one for one in map(json.loads, lines) if one["event"] == "stopped")

    def furnish(self, *gateways, chooser):
        load(self.database)
        enrol(self.database, *{one.code: one for one in gateways}.values())
        key = bytes.fromhex(load_ledger_key(self.database).public_key_hex)
        return Floor(list(gateways), Ed25519PublicKey.from_public_bytes(key), chooser)


@pytest.fixture
def site(tmp_path, postgresql_url):
    with ExitStack() as stack:
        broker = stack.enter_context(mosquitto(tmp_path / "broker"))
        url = stack.enter_context(new_database(postgresql_url, f"workers_{os.getpid()}"))
        database = open_database(url)
        stack.callback(database.close)
        migrate(database, generation="g")
        (tmp_path / "central.toml").write_text(
            f'[database]\nurl = "{url}"\n[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\n'
            f'username = "{USERNAME}"\npassword = "{PASSWORD}"\n'
            f'[http]\nport = 0\n[ledger]\nsite = "demo"\n[access]\nmode = "open"\n'
        )
        yield Site(tmp_path, broker, url, database, stack)


def moved(count, **changes):
    gateway = Gateway(**changes)
    for _ in range(count):
        gateway.move()
    return gateway


def wait_for_progress(floor):
    before = sum(floor.acked.values())
    until(lambda: sum(floor.acked.values()) > before or floor.done(), "progress")


def wait_until_it_says(floor, name, *, online):
    until(lambda: name in floor.states and floor.states[name].online == online, f"{name} {online}")


def assert_posted_once_and_in_order(database, gateways):
    posted = {}
    for _, gateway, epoch, seq in rows(
        database, tables.facts, "record_no", "gateway", "epoch", "seq"
    ):
        posted.setdefault((gateway, epoch), []).append(seq)
    assert posted == {
        (one.code, str(one.epoch)): list(range(1, len(one.bodies) + 1)) for one in gateways
    }
    assert verify_ledger(database).faults == ()
    assert rows(database, tables.discrepancies) == []


def test_two_workers_that_hear_the_same_gateways_and_die_at_random_post_each_fact_once(site):
    chooser = random.Random(4)
    gateways = [moved(300, code=f"gw-{number}") for number in range(4)]
    floor = site.furnish(*gateways, chooser=chooser)
    workers = {name: site.start_worker(name) for name in ("one", "two")}
    with sending(floor, site.broker):
        for _ in range(KILLS_COUNT):
            name = chooser.choice(sorted(workers))
            wait_for_progress(floor)
            wait_until_it_says(floor, name, online=True)
            workers[name].kill()
            workers[name].wait()
            wait_until_it_says(floor, name, online=False)
            for gateway in gateways:  # Work goes on meanwhile.
                for _ in range(20):
                    gateway.move()
            workers[name] = site.start_worker(name)
        until(floor.done, "all acknowledgements", seconds_max=300)
        until(lambda: all(state.online for state in floor.states.values()), "both workers")
        for worker in workers.values():
            worker.send_signal(signal.SIGTERM)
        assert [worker.wait(60) for worker in workers.values()] == [0, 0]
        until(lambda: not any(one.online for one in floor.states.values()), "both to say goodbye")
    assert {one.shards for one in floor.states.values()} == {tuple(range(64))}
    assert_posted_once_and_in_order(site.database, gateways)


def test_workers_with_shards_of_their_own_take_their_gateways_and_no_others(site):
    codes = [f"gw-{number}" for number in range(6)]
    low = [code for code in codes if shard_of(code) < 32]
    assert low and len(low) < len(codes)
    gateways = [moved(30, code=code) for code in codes]
    floor = site.furnish(*gateways, chooser=random.Random(5))
    first = site.start_worker("low", "--shards", "0-31")
    with sending(floor, site.broker):
        until(lambda: all(floor.acked_of(one) == 30 for one in gateways if one.code in low), "low")
        assert all(floor.acked_of(one) == 0 for one in gateways if one.code not in low)
        second = site.start_worker("high", "--shards", "32-63")
        until(floor.done, "all acknowledgements", seconds_max=300)
        assert floor.states["low"].shards == tuple(range(32))
        for process in (first, second):
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
    assert_posted_once_and_in_order(site.database, gateways)
    assert site.counters("high")["batches_accepted_total"] >= len(codes) - len(low)


def test_pages_show_what_another_process_has_committed_and_new_facts_may_come_over_http(site):
    gateway = moved(6)
    floor = site.furnish(gateway, chooser=random.Random(6))
    _, said = site.start("serve", "--no-intake", name="serve")
    site.start_worker("one")
    with urllib.request.urlopen(f"{said['url']}/live", timeout=60) as page:
        while page.readline() != b"\n":  # How to come back.
            pass
        first = event_of(page)
        with sending(floor, site.broker):
            until(floor.done, "all acknowledgements", seconds_max=300)
        assert event_of(page) != first
    gateway.move()
    request = urllib.request.Request(
        f"{said['url']}/api/v1/ingest",
        data=gateway.batch(7, 7),
        headers={"Content-Type": "application/octet-stream"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        ack = decode_ack(answer.read())
    floor.public_key.verify(ack.signature, ack.signed_bytes)
    assert (ack.acked, ack.problem) == (7, "")
    assert_posted_once_and_in_order(site.database, [gateway])


def event_of(page):
    """The next event of a live page, as bytes."""
    lines = []
    while not lines or lines[-1] != b"\n":
        lines.append(page.readline())
    return b"".join(lines)
