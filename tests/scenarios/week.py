"""Two warehouses and a shop: three gateways, broker and central as programs. Edge."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import ExitStack

from central.inbox.gateways import enrol_gateway
from central.storage.database import open_database
from provisioning.demo.relay import Relay
from tests.brokers import mosquitto
from tests.central.scenery import FixedClock
from tests.central.test_serve import configured, serving
from tests.gateway.test_downlink_whole import Gateway
from tests.ports import steady_port
from tests.waiting import wait_for

HOUSES = {
    "sh1": ("Shanghai 1", "上海一号仓"),
    "bj1": ("Beijing 1", "北京一号仓"),
    "shop": ("Shop", "门店"),
}
TEA, MILK, CUP, JAR = "6901234567892", "6901234567908", "6901234567915", "6901234567922"
GS = "\x1d"
PLACES = ("DOCK-1", "BIN-1", "BIN-2", "HOLD")
GOODS = {
    "TEA": {"name": "Green tea", "name_zh": "绿茶", "barcodes": [{"gtin": "0" + TEA}]},
    "MILK": {
        "name": "Milk",
        "name_zh": "牛奶",
        "lot_tracked": True,
        "barcodes": [{"gtin": "0" + MILK}],
        "policy": {"inspected": True, "expiry_tracked": True},
    },
    "CUP": {"name": "Cup", "name_zh": "杯子", "barcodes": [{"gtin": "0" + CUP}]},
}


class Dock(Gateway):
    """A gateway of which is known how much was scanned."""

    scans_count = 0

    def start(self):
        self.scans_count = 0  # A program counts them from its start.
        super().start()

    def live_on(self, clock_file):
        """Let its next start be by a clock that can be turned."""
        self.module, self.more_arguments = "tests.scenarios.other_days", (str(clock_file),)

    def scan(self, *codes):
        super().scan(*codes)
        self.scans_count += len(codes)

    def done(self):
        """Whether all that was scanned is recorded."""
        scans = self.state()["scans"]
        return (scans[0]["number"] if scans else 0) >= self.scans_count

    def all_told(self):
        """Whether the ledger has all that was scanned: first it is recorded, then it is sent."""
        if not self.done():
            return False
        ((recorded,),) = self.rows("SELECT COALESCE(MAX(number), 0) FROM facts")
        ((acknowledged,),) = self.rows("SELECT MAX(first_number - 1 + acked_seq) FROM epochs")
        return acknowledged == recorded


class Week:
    """Head office, which speaks JSON, and a gateway in each house; any of them can be cut off."""

    def __init__(self, folder, parts, database_url):
        self.folder, self._database_url = folder, database_url
        broker = parts.enter_context(mosquitto(folder / "broker"))
        http_port = steady_port()
        ports = {"broker_port": broker.port, "http_port": http_port}
        self.config = configured(folder, url=database_url, **ports)
        self.url = f"http://127.0.0.1:{http_port}"
        self.run("migrate")
        (folder / "reference.toml").write_text("revision = 1\nitems = []\n" + "".join(_houses()))
        self.run("load-reference", str(folder / "reference.toml"))
        self.relays, self.docks = {}, {}
        for house in HOUSES:
            relay = parts.enter_context(Relay(host="127.0.0.1", port=broker.port))
            self.relays[house] = relay
            self.docks[house] = self._dock(house, relay.port)
        self.ledger = parts.enter_context(ExitStack())
        parts.callback(lambda: [dock.kill() for dock in self.docks.values()])
        self.ledger.enter_context(serving(self.config))
        for dock in self.docks.values():
            dock.start()
        for house, dock in self.docks.items():
            wait_for(dock.knows, what=f"{house} has a snapshot")

    def _dock(self, house, port):
        dock = Dock(self.folder, f"{house}-dock", port=port, url=self.url)
        text = dock.config.read_text().replace('warehouse = "sh1"', f'warehouse = "{house}"')
        dock.config.write_text(text)
        database = open_database(self._database_url)
        enrol_gateway(
            database,
            gateway=dock.code,
            site="demo",
            warehouse=house,
            public_key=bytes.fromhex(dock.key.public_key_hex),
            clock=FixedClock(),
        )
        database.close()
        return dock

    def run(self, *arguments):
        command = [sys.executable, "-m", "central", *arguments, "--config", str(self.config)]
        done = subprocess.run(command, capture_output=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
        return done.stdout.decode()

    def ask(self, method, path, body=None, *, actor="li.na", expect=None):
        """What head office is answered; a refusal fails unless its status is expected."""
        request = urllib.request.Request(
            f"{self.url}/api/v1/{path}",
            json.dumps(body).encode() if body is not None else None,
            {"content-type": "application/json", "dockledger-actor": actor},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                status, said = answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            status, said = error.code, json.load(error)
        assert status == expect or (expect is None and status < 300), f"{method} {path}: {said}"
        return said

    def get(self, path):
        return self.ask("GET", path)

    def post(self, path, body=None, **options):
        return self.ask("POST", path, body if body is not None else {}, **options)

    def steps(self, path, *actions, **options):
        """Take an order through several actions; what it is after the last."""
        for action in actions:
            said = self.post(f"{path}/{action}", **options)
        return said

    def knows(self, *houses):
        """Wait until gateways work by the ledger's present orders."""
        for house in houses:
            wait_for(lambda house=house: self._told(house), what=f"{house} is told")

    def _told(self, house):
        told = self.get(f"gateways/{house}-dock/notices")
        applied = told["acked_number"] == told["last_number"]
        return applied and told["reference_revision"] == told["reference_newest"]

    def heard(self, *houses):
        """Wait until the ledger has everything that gateways recorded."""
        for house in houses or HOUSES:
            wait_for(self.docks[house].all_told, what=f"the ledger heard {house}")

    def stock(self, house, **wanted):
        """{(place, item, status): quantity as text} of a house."""
        query = "".join(f"&{name}={value}" for name, value in wanted.items())
        rows = self.get(f"stock?warehouse={house}&limit=1000{query}")["stock"]
        found = {}
        for row in rows:
            key = (row["location"], row["item"], row["status"])
            found[key] = found.get(key, 0) + int(row["on_hand"])
        return found

    def discrepancies(self, state="open"):
        found = self.get(f"discrepancies?state={state}&limit=1000")["discrepancies"]
        return sorted((one["kind"], one["warehouse"]) for one in found)

    def discrepancy(self, kind):
        found = self.get(f"discrepancies?state=open&kind={kind}")["discrepancies"]
        assert len(found) == 1, found
        return found[0]


def element(gtin, *, lot, expiry, pieces=None):
    """A GS1 element string, typed without its AIM identifier."""
    count = f"{GS}30{pieces}" if pieces else ""
    return f"010{gtin}17{expiry}10{lot}{count}"


def _houses():
    places = ", ".join(f'{{ code = "{place}", kind = "{_kind(place)}" }}' for place in PLACES)
    for code, (name, name_zh) in HOUSES.items():
        yield f'[[warehouses]]\ncode = "{code}"\nname = "{name}"\nname_zh = "{name_zh}"\n'
        yield f"locations = [{places}]\n"


def _kind(place):
    return {"DOCK-1": "dock_door", "HOLD": "quality_hold"}.get(place, "bin")
