"""`dockledger-central serve` tells a gateway things, over a real broker and real HTTPS."""

import os
import signal
import ssl
from contextlib import contextmanager
from queue import Queue

import httpx
import paho.mqtt.client as paho
import pytest

from central.contract.notices import ReferenceChanged, SettingsChanged, StockChanged
from central.contract.sealed import open_sealed
from central.contract.snapshots import decode_manifest, decode_snapshot
from central.contract.topics import GatewayTopic
from central.inbox.ledger_key import load_ledger_key
from central.outbox.seals import is_signed_by
from central.storage.database import open_database
from central.storage.schema import migrate
from tests.brokers import PASSWORD, USERNAME, mosquitto
from tests.central.certificates import write_certificate
from tests.central.orders.sales_scenes import Scene
from tests.central.outbox.scenes import Told
from tests.central.scenery import enrol, load
from tests.central.test_serve import configured, serving

TIMEOUT_S = 60.0


class Line:
    """A gateway's connection: what it is told arrives in `told`, until `heard` says enough."""

    def __init__(self, told, client):
        self.told = told
        self.client = client
        self.messages = Queue()
        client.on_message = lambda _client, _data, message: self.messages.put(message.payload)

    def publish(self, channel, payload):
        self.client.publish(str(GatewayTopic("demo", self.told.code, channel)), payload, qos=1)

    def acknowledge(self, **forged):
        self.publish("down-ack", self.told.ack(**forged))

    def heard(self, kind, *, answers=True):
        """Hear messages until a notice of a kind is applied, or one of another stream came."""
        while True:
            foreign = self.told.hear(self.messages.get(timeout=TIMEOUT_S))
            if answers:
                self.acknowledge()
            if foreign or (self.told.applied and isinstance(self.told.applied[-1], kind)):
                return foreign

    def applies(self, kind):
        """Hear messages until a notice of a kind is applied.

        What was told again before central heard of the gateway's new stream may come first.
        """
        while self.heard(kind):
            pass


@contextmanager
def on_line(told, broker):
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.username_pw_set(USERNAME, PASSWORD)
    subscribed = Queue()
    client.on_subscribe = lambda *_: subscribed.put(True)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    line = Line(told, client)
    client.subscribe(str(GatewayTopic("demo", told.code, "down")), qos=1)
    subscribed.get(timeout=TIMEOUT_S)
    try:
        yield line
    finally:
        client.disconnect()
        client.loop_stop()


@pytest.fixture
def told(tmp_path):
    """An enrolled gateway of a ledger in `tmp_path`, that knows the ledger's key."""
    database = open_database(f"sqlite:///{tmp_path / 'ledger.db'}")
    migrate(database, generation="g")
    told = Told()
    load(database)
    enrol(database, told.facts)
    told.ledger_public = bytes.fromhex(load_ledger_key(database).public_key_hex)
    database.close()
    return told


def snapshot_of(told, http):
    answer = http.post("/api/v1/snapshots", content=told.request())
    assert answer.status_code == 200, answer.text
    sealed = open_sealed(answer.content, bytes_max=4096)
    assert is_signed_by(told.ledger_public, sealed, "snapshot")
    path = f"/api/v1/snapshots/{decode_manifest(sealed.payload).sha256}"
    first = http.get(path, headers={"Range": "bytes=0-99"})
    rest = http.get(path, headers={"Range": "bytes=100-"})
    assert (first.status_code, rest.status_code) == (206, 206)
    return decode_snapshot(first.content + rest.content)


def test_a_gateway_begins_goes_on_and_outlives_the_ledger(tmp_path, told):
    certificate, key = write_certificate(tmp_path)
    with mosquitto(tmp_path / "broker") as broker:
        config = configured(tmp_path, broker_port=broker.port)
        tls = f'[http]\ntls_certificate_file = "{certificate.name}"\ntls_key_file = "{key.name}"\n'
        named = '[epcis]\nbase_uri = "https://id.example.com/stock"\n'
        config.write_text(config.read_text().replace("[http]\n", tls) + named)
        trust = ssl.create_default_context(cafile=certificate)
        with on_line(told, broker) as line:
            with serving(config) as (process, url):
                assert url.startswith("https://")
                line.acknowledge()
                assert line.heard(StockChanged, answers=False), "it is asked to load a snapshot"
                with httpx.Client(base_url=url, verify=trust) as http:
                    told.begin(snapshot_of(told, http))
                    line.acknowledge()
                    told.facts.move("BOLT", "5")
                    line.publish("up", told.facts.batch())
                    line.applies(StockChanged)
                    assert told.applied[-1].levels[0].on_hand_micro == 5_000_000
                    (event,) = http.get("/api/v1/epcis/events").json()["epcisBody"]["eventList"]
                    assert event["readPoint"]["id"].startswith(
                        "https://id.example.com/stock/place/"
                    )
                    changed = {"settings": {"language": "zh"}}
                    path = f"/api/v1/gateways/{told.code}/settings"
                    assert http.put(path, json=changed).status_code == 200
                    line.applies(SettingsChanged)
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
            told.facts.move("BOLT", "2")
            with serving(config):
                line.acknowledge()
                line.publish("up", told.facts.batch(2))
                line.applies(StockChanged)
                while told.applied[-1].revision < 2:
                    line.applies(StockChanged)
    assert told.applied[-1].levels[0].on_hand_micro == 7_000_000


def test_a_gateway_hears_where_reserved_goods_are_now_without_anybody_asking_for_it(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'ledger.db'}")
    migrate(database, generation="g")
    scene = Scene(database, stock=[("BIN-1", 5)])
    code = scene.order(4, upto="released")
    told = Told(scene.gateway)
    told.ledger_public = bytes.fromhex(load_ledger_key(database).public_key_hex)
    database.close()
    with mosquitto(tmp_path / "broker") as broker:
        config = configured(tmp_path, broker_port=broker.port)
        with on_line(told, broker) as line, serving(config) as (_, url):
            with httpx.Client(base_url=url) as http:
                told.begin(snapshot_of(told, http))
            line.acknowledge()
            told.facts.move("BOLT", "5", source="BIN-1", target="BIN-2", business_step="storing")
            line.publish("up", told.facts.batch(2))
            while not (news := [one for one in told.applied if isinstance(one, ReferenceChanged)]):
                told.hear(line.messages.get(timeout=TIMEOUT_S))
                line.acknowledge()
    (document,) = news[0].documents
    (pick,) = document.lines
    assert (document.code, pick.line, pick.location, pick.quantity) == (code, 2, "BIN-2", "4")
