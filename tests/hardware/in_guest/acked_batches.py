"""Sends batches without end to a whole central; prints the number of each fact acknowledged. Root.

usage: python3 -m tests.hardware.in_guest.acked_batches FOLDER FIRST DATABASE [SETTING ...]

DATABASE: sqlite or postgresql. SETTING: of the PostgreSQL server, such as fsync=off.

A gateway of its own for each run sends signed batches over HTTP, every fact with a serial number of
its own, and prints `GREEN number` for each fact up to the acknowledgement: what a gateway takes for
committed.
"""

import http.client
import os
import random
import signal
import sys
from pathlib import Path

from central.__main__ import app
from central.contract.acks import decode_ack
from tests.central.scenery import REFERENCE, Gateway
from tests.hardware.in_guest import programs
from tests.hardware.in_guest.commands import run_command
from tests.hardware.in_guest.gadget import wait_until
from tests.hardware.in_guest.ledgers import ledger_url

PORT = 8000
START_S = 480.0
ASK_PAUSE_S = 0.1
FACTS_MAX = 20
CONFIG = """
[database]
url = "{database}"
[mqtt]
host = "127.0.0.1"
port = 1
[http]
port = {port}
[access]
mode = "open"
[ledger]
site = "main"
"""


def main():
    folder, number = Path(sys.argv[1]), int(sys.argv[2])
    database, settings = sys.argv[3], sys.argv[4:]
    config = folder / "central.toml"
    with ledger_url(folder, database, settings) as url:
        config.write_text(CONFIG.format(database=url, port=PORT))
        _work(folder, config, number)


def _work(folder, config, number):
    (folder / "reference.toml").write_bytes(REFERENCE)
    gateway = Gateway(f"sh1-{number}", warehouse="SH1")
    _central(config, "migrate")
    _central(config, "load-reference", str(folder / "reference.toml"))
    key = gateway.public_key.hex()
    _central(config, "enrol-gateway", gateway.code, "--warehouse", "SH1", "--public-key", key)
    os.sync()  # Files of an installation: what is promised is what central acknowledges.
    words = ("serve", "--config", str(config))
    with programs.start("central", *words, log=folder / "central.log") as server:
        try:
            wait_until(lambda: _answers(server), "central", START_S, pause_s=ASK_PAUSE_S)
            _send_for_ever(gateway, number)
        finally:
            server.send_signal(signal.SIGTERM)


def _central(config, *words):
    status, _, log = run_command(app, words[0], "--config", str(config), *words[1:])
    assert status == 0, log


def _send_for_ever(gateway, number):
    chooser = random.Random(number)
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    headers = {"Content-Type": "application/octet-stream"}
    while not programs.rehearsed(len(gateway.bodies)):
        first = len(gateway.bodies) + 1
        for _ in range(chooser.randint(1, FACTS_MAX)):
            gateway.move(serial=f"N{number + len(gateway.bodies):07d}")
        connection.request("POST", "/api/v1/ingest", gateway.batch(first), headers)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        acked = decode_ack(body).acked
        assert acked == len(gateway.bodies), (acked, len(gateway.bodies))
        for seq in range(first, acked + 1):
            print(f"GREEN {number + seq - 1}", flush=seq == acked)


def _answers(server):
    assert server.poll() is None, "central has ended"
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status < 600
    except OSError:
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    main()
