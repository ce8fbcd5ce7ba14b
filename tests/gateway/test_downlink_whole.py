"""Two gateways of one warehouse, central and the broker as programs: each sees the other's work."""

import json
import sqlite3
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from central.contract.facts import Print, decode_fact
from central.inbox.gateways import enrol_gateway
from central.ledger.reference_book import load_reference
from central.storage.database import open_database
from central.storage.schema import migrate
from gateway.replication.signing import load_or_create_key
from tests.brokers import PASSWORD, USERNAME, mosquitto
from tests.central.scenery import FixedClock
from tests.central.test_serve import configured, serving
from tests.gateway.station.bench import REFERENCE
from tests.gateway.test_following import TEMPLATE
from tests.gateway_program import GatewayProgram
from tests.waiting import wait_for

TEA = "6901234567892"
CONFIG = """
[gateway]
code = "{code}"
site = "demo"
warehouse = "sh1"
data_directory = "{code}"
[station]
code = "{code}"
receive_location = "DOCK-1"
[mqtt]
host = "127.0.0.1"
port = {port}
username = "{username}"
password = "{password}"
[central]
url = "{url}"
[screen]
port = 0
[discovery]
enabled = false
"""


class Gateway(GatewayProgram):
    """One gateway, and what its journal has."""

    def __init__(self, folder: Path, code: str, *, port: int, url: str) -> None:
        self.folder = folder / code
        super().__init__(code, config=folder / f"{code}.toml", log=folder / f"{code}.log")
        self.folder.mkdir()
        self.key = load_or_create_key(self.folder / "gateway.key")
        self.config.write_text(
            CONFIG.format(code=code, port=port, url=url, username=USERNAME, password=PASSWORD)
        )

    def scan(self, *codes: str) -> None:
        for code in codes:
            body = json.dumps({"code": code}).encode()
            urllib.request.urlopen(
                urllib.request.Request(
                    f"{self.url}api/v1/scan", body, {"content-type": "application/json"}
                ),
                timeout=60,
            ).close()

    def state(self) -> dict:
        with urllib.request.urlopen(f"{self.url}api/v1/state", timeout=60) as answer:
            return json.load(answer)

    def rows(self, query: str) -> list[tuple]:
        connection = sqlite3.connect(f"{(self.folder / 'journal.db').as_uri()}?mode=ro", uri=True)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def stock(self) -> dict[tuple[str, str], int]:
        rows = self.rows("SELECT location, item, on_hand_micro FROM stock")
        return {(location, item): micro // 1_000_000 for location, item, micro in rows}

    def knows(self) -> bool:
        # The journal has it a moment before the station works by it; the page says so after both.
        has = bool(self.rows("SELECT stream FROM ledger_knowledge"))
        return has and self.state()["knowledge"]["text"] == ""


@contextmanager
def site(folder: Path, *, ship_location: str = "DOCK-1"):
    database = open_database(f"sqlite:///{folder / 'ledger.db'}")
    migrate(database, generation="g")
    with database.write() as connection:
        load_reference(connection, REFERENCE)
    with (
        mosquitto(folder / "broker") as broker,
        serving(configured(folder, broker_port=broker.port)) as (_, url),
    ):
        gateways = [
            Gateway(folder, code, port=broker.port, url=url) for code in ("dock-a", "dock-b")
        ]
        try:
            for gateway in gateways:
                enrol_gateway(
                    database,
                    gateway=gateway.code,
                    site="demo",
                    warehouse="sh1",
                    public_key=bytes.fromhex(gateway.key.public_key_hex),
                    clock=FixedClock(),
                )
                text = gateway.config.read_text()
                place = f'[station]\nship_location = "{ship_location}"'
                gateway.config.write_text(text.replace("[station]", place))
                gateway.start()
            yield url, *gateways
        finally:
            for gateway in gateways:
                gateway.kill()
    database.close()


def shows_left(gateway: Gateway, code: str, left: str) -> None:
    """Wait until the page says how much of an item is left of the document that is open there."""

    def shown() -> bool:
        lines = gateway.state()["step"]["lines"]
        return [one["remaining"] for one in lines if f"({code})" in one["name"]][:1] == [left]

    wait_for(shown, what=f"{gateway.code} shows {left} left of {code}")


def put(url: str, path: str, body: dict, *, method: str) -> None:
    request = urllib.request.Request(
        f"{url}/api/v1/{path}",
        json.dumps(body).encode(),
        {"content-type": "application/json"},
        method=method,
    )
    urllib.request.urlopen(request, timeout=60).close()


def equal(left: Gateway, right: Gateway, stock: dict) -> None:
    for one in (left, right):
        try:
            wait_for(lambda one=one: one.stock() == stock, what=one.code)
        except AssertionError:
            said = [scan["signal"]["text"] for scan in one.state()["scans"]]
            pytest.fail(f"{one.code} has {one.stock()}, not {stock}; its latest scans: {said}")


@pytest.mark.timeout(600)
def test_gateways_of_one_warehouse_see_each_others_work_and_do_what_central_says(tmp_path):
    with site(tmp_path) as (url, left, right):
        for one in (left, right):
            wait_for(one.knows, what=f"{one.code} has a snapshot")
        # The items came with the snapshot: no file of reference data is configured.
        left.scan("DOC-PO-7", TEA, TEA, "CMD-DONE")
        equal(left, right, {("DOCK-1", "TEA-250"): 2})
        # Of what one does the other shows what is left, while it looks.
        right.scan("DOC-PO-7")
        shows_left(right, "TEA-250", "22")
        left.scan("DOC-PO-7", TEA)
        shows_left(right, "TEA-250", "21")
        left.scan("CMD-UNDO", "CMD-DONE", "CMD-DONE")
        shows_left(right, "TEA-250", "22")
        right.scan("CMD-DONE", "CMD-DONE")
        equal(left, right, {("DOCK-1", "TEA-250"): 2})
        right.scan("CMD-PUTAWAY", TEA, "LOC-A-01-03", "CMD-DONE")
        moved = {("DOCK-1", "TEA-250"): 1, ("A-01-03", "TEA-250"): 1}
        equal(left, right, moved)

        # One is gone while the other works on, and back again.
        left.kill()
        right.scan("CMD-PUTAWAY", TEA, "LOC-A-01-04", "CMD-DONE")
        moved = {("A-01-03", "TEA-250"): 1, ("A-01-04", "TEA-250"): 1}
        wait_for(lambda: right.stock() == moved, what="the other one works on")
        left.start()
        equal(left, right, moved)
        wait_for(lambda: left.state()["knowledge"]["text"] == "", what="known to be live")

        # Two pickers at one order: nobody fetches what the other has put ready.
        for one in (left, right):
            one.scan("CMD-PICK", "DOC-SO-1")
        left.scan("LOC-A-01-03", TEA)
        shows_left(right, "TEA-250", "23")
        right.scan("LOC-A-01-04", TEA)
        shows_left(left, "TEA-250", "22")
        shows_left(right, "TEA-250", "22")
        for one in (left, right):
            one.scan("CMD-DONE")

        put(url, "templates/bin", {"text": TEMPLATE}, method="PUT")
        put(url, f"gateways/{left.code}/settings", {"settings": {"language": "zh"}}, method="PUT")
        written = left.folder / "labels" / "central" / "bin.toml"
        wait_for(written.exists, what="the template is there")
        assert written.read_text() == TEMPLATE
        settings = "SELECT name, value FROM central_settings"
        wait_for(lambda: left.rows(settings) == [("language", "zh")], what="the setting")
        assert right.rows(settings) == []

        wanted = {"template": "bin", "fields": {"place": "A-01-03"}, "requested_by": "me"}
        put(url, f"gateways/{left.code}/print", wanted, method="POST")

        def prints() -> list[Print]:
            facts = [decode_fact(row[0]) for row in left.rows("SELECT data FROM facts")]
            return [fact for fact in facts if isinstance(fact, Print)]

        (fact,) = wait_for(prints, what="the print is answered")
        assert (fact.outcome, fact.detail) == ("failed", "This station has no label printer.")
        assert fact.content.endswith(": A-01-03")
