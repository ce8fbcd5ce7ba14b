"""`dockledger-central serve` as a real process between a real broker and a browser's requests."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, Queue

import paho.mqtt.client as paho
import pytest

from central.contract.acks import decode_ack
from central.contract.topics import GatewayTopic
from central.ledger.verify import verify_ledger
from central.storage.database import open_database
from central.storage.schema import migrate
from tests.brokers import PASSWORD, USERNAME, mosquitto
from tests.central.scenery import Gateway, enrol, load
from tests.waiting import within

STOP_S_MAX = 5.0
# Of a ledger as it starts on every day but the first: whoever migrates carries Alembic, 6 MB.
IDLE_KIB_MAX = 120 * 1024
# With the first page come its templates, its catalogue and what the tables are made of.
PAGE_KIB_MAX = 130 * 1024


def configured(tmp_path, *, broker_port, http_port=0, url=None):
    path = tmp_path / "central.toml"
    url = url or f"sqlite:///{tmp_path / 'ledger.db'}"
    path.write_text(
        f'[database]\nurl = "{url}"\n'
        f'[mqtt]\nhost = "127.0.0.1"\nport = {broker_port}\n'
        f'username = "{USERNAME}"\npassword = "{PASSWORD}"\n'
        f'[http]\nport = {http_port}\n[ledger]\nsite = "demo"\n[access]\nmode = "open"\n'
    )
    return path


@contextmanager
def serving(config):
    """Yield (process, address) of a ledger that serves."""
    command = [sys.executable, "-m", "central", "serve", "--config", str(config), "--json"]
    with (config.parent / "log").open("ab") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
    try:
        line = process.stdout.readline()
        assert line, (config.parent / "log").read_text()
        yield process, json.loads(line)["url"]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@contextmanager
def listening_for_acks(broker_port, gateway):
    """Yield (publish a payload, queue of acknowledgements) of a gateway's own connection."""
    acks = Queue()
    subscribed = Queue()
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.username_pw_set(USERNAME, PASSWORD)
    client.on_message = lambda _client, _data, message: acks.put(decode_ack(message.payload))
    client.on_subscribe = lambda *_: subscribed.put(True)
    client.connect("127.0.0.1", broker_port)
    client.loop_start()
    client.subscribe(str(GatewayTopic("demo", gateway.code, "ack")), qos=1)
    subscribed.get(timeout=60)
    up = str(GatewayTopic("demo", gateway.code, "up"))
    try:
        yield (lambda payload: client.publish(up, payload, qos=1)), acks
    finally:
        client.disconnect()
        client.loop_stop()


def acknowledged(publish, acks, payload):
    """Publish as a gateway does, again until an acknowledgement comes; return that."""
    for _ in range(20):
        publish(payload)
        with suppress(Empty):
            return acks.get(timeout=1)
    raise AssertionError("no acknowledgement")


def resident_kib(process):
    status = Path(f"/proc/{process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


def answer(url):
    with urllib.request.urlopen(url, timeout=60) as response:
        return response.status


def test_it_serves_and_stops_without_a_broker(tmp_path):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        config = configured(tmp_path, broker_port=nobody.getsockname()[1])
        database = open_database(f"sqlite:///{tmp_path / 'ledger.db'}")
        migrate(database, generation="g")
        database.close()
        with serving(config) as (process, url):
            assert resident_kib(process) < IDLE_KIB_MAX
            assert answer(f"{url}/") == 200
            assert resident_kib(process) < PAGE_KIB_MAX
            page = urllib.request.urlopen(f"{url}/live", timeout=60)  # An open page.
            with within(STOP_S_MAX, what="the end", also=process.pid):
                process.send_signal(signal.SIGTERM)
                assert process.wait(60) == 0
            page.close()
    for line in (tmp_path / "log").read_text().splitlines():
        assert {"time", "level", "event", "logger"} <= json.loads(line).keys()


def test_a_batch_is_acknowledged_and_again_after_the_ledger_was_killed(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'ledger.db'}")
    migrate(database, generation="g")
    gateway = Gateway()
    for _ in range(3):
        gateway.move()
    load(database)
    enrol(database, gateway)
    with mosquitto(tmp_path / "broker") as broker:
        config = configured(tmp_path, broker_port=broker.port)
        with listening_for_acks(broker.port, gateway) as (publish, acks):
            with serving(config) as (process, _):
                first = acknowledged(publish, acks, gateway.batch(1, 2))
                assert (first.acked, first.head_digest) == (2, gateway.digests[2])
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
            with serving(config):
                assert acknowledged(publish, acks, gateway.batch(1, 2)).acked == 2
                # The broker may offer again what the killed ledger had not settled.
                payload = gateway.batch(1, 3)
                assert any(acknowledged(publish, acks, payload).acked == 3 for _ in range(9))
    report = verify_ledger(database)
    assert (report.facts_count, report.faults) == (3, ())
    database.close()


@pytest.mark.parametrize(
    ("spoil", "code", "named"),
    [
        pytest.param("port", 2, "cannot listen", id="the port is taken"),
        pytest.param("database", 3, "something else", id="the database is not ours"),
    ],
)
def test_what_cannot_be_served_is_said_with_a_hint(tmp_path, spoil, code, named):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1] if spoil == "port" else 0
        config = configured(tmp_path, broker_port=1, http_port=port)
        if spoil == "database":
            database = open_database(f"sqlite:///{tmp_path / 'ledger.db'}")
            with database.write() as connection:
                connection.exec_driver_sql("CREATE TABLE notes (text TEXT)")
            database.close()
        command = [sys.executable, "-m", "central", "serve", "--config", str(config)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == code
    assert named in ended.stderr and "hint: " in ended.stderr
