"""Two docks of one warehouse, central and broker as programs, through what a month brings. Edge."""

import json
import shutil
import sqlite3
import subprocess
import sys
import urllib.request
from contextlib import ExitStack, closing

import pytest

from central.inbox.gateways import enrol_gateway
from central.storage.database import open_database
from provisioning.demo.relay import Relay
from tests.brokers import mosquitto
from tests.central.scenery import FixedClock
from tests.central.test_serve import configured, serving
from tests.gateway.test_downlink_whole import TEA, Gateway, equal
from tests.ports import steady_port
from tests.waiting import wait_for

SOAP = "4006381333931"
REFERENCE = """
revision = {revision}
[[warehouses]]
code = "sh1"
name = "Shanghai 1"
name_zh = "上海一号仓"
locations = [
    {{ code = "DOCK-1", kind = "dock_door" }},
    {{ code = "A-01-03", kind = "bin" }}, {{ code = "A-01-04", kind = "bin" }},
]
[[items]]
code = "TEA-250"
name = "Green tea 250 g"
name_zh = "绿茶"
unit = "C62"
barcodes = [{{ gtin = "6901234567892" }}]
[[documents]]
code = "PO-7"
warehouse = "sh1"
partner = "Tea & Co"
lines = [{{ line = 1, item = "TEA-250", quantity = "40" }}]
"""
SOAP_ITEM = f"""
[[items]]
code = "SOAP"
name = "Soap"
name_zh = "肥皂"
unit = "C62"
barcodes = [{{ gtin = "{SOAP}" }}]
"""
RECEIVE = ("DOC-PO-7", TEA, TEA, TEA, TEA, "CMD-DONE")


class Site:
    """The ledger's commands and pages, and the two docks."""

    def __init__(self, folder, parts):
        self.folder = folder
        self.broker = parts.enter_context(mosquitto(folder / "broker"))
        self.relay = parts.enter_context(Relay(host="127.0.0.1", port=self.broker.port))
        http_port = steady_port()
        self.config = configured(folder, broker_port=self.broker.port, http_port=http_port)
        self.url = f"http://127.0.0.1:{http_port}"
        self.run("migrate")
        self.load(revision=1)
        self.old = self.dock("old", self.broker.port)
        self.new = self.dock("new", self.relay.port)
        self.ledger = ExitStack()
        parts.callback(lambda: (self.ledger.close(), self.old.kill(), self.new.kill()))

    def dock(self, code, port):
        dock = Gateway(self.folder, code, port=port, url=self.url)
        quick = dock.config.read_text().replace("[central]", "[central]\nreport_interval_s = 1")
        dock.config.write_text(quick)
        database = open_database(f"sqlite:///{self.folder / 'ledger.db'}")
        enrol_gateway(
            database,
            gateway=code,
            site="demo",
            warehouse="sh1",
            public_key=bytes.fromhex(dock.key.public_key_hex),
            clock=FixedClock(),
        )
        database.close()
        return dock

    def run(self, *arguments):
        command = [sys.executable, "-m", "central", *arguments, "--config", str(self.config)]
        subprocess.run(command, check=True, capture_output=True, timeout=300)

    def load(self, *, revision, more=""):
        file = self.folder / "reference.toml"
        file.write_text(REFERENCE.format(revision=revision) + more)
        self.run("load-reference", str(file))

    def serve(self):
        self.ledger.enter_context(serving(self.config))

    def get(self, path):
        with urllib.request.urlopen(f"{self.url}{path}", timeout=60) as answer:
            return answer.read().decode()

    def differing(self):
        found = json.loads(self.get("/api/v1/discrepancies?limit=100"))["discrepancies"]
        return [(one["subject"], one["state"]) for one in found if one["kind"] == "stock_differs"]

    def compared(self):
        """Return how often reports of both docks were compared so far, by the ledger's count."""
        lines = self.get("/metrics").splitlines()
        name = "dockledger_intake_upkeep_digests_compared_total "
        return sum(int(line.removeprefix(name)) for line in lines if line.startswith(name))

    def streams(self):
        return [
            json.loads(self.get(f"/api/v1/gateways/{one.code}/notices"))["stream"]
            for one in (self.old, self.new)
        ]

    def reference_revisions(self):
        """Return which reference data each dock has applied, 0 while it has notices to apply."""
        told = [
            json.loads(self.get(f"/api/v1/gateways/{one.code}/notices"))
            for one in (self.old, self.new)
        ]
        return [
            one["reference_revision"] if one["acked_number"] == one["last_number"] else 0
            for one in told
        ]

    def back_up(self):
        ledger = sqlite3.connect(self.folder / "ledger.db")
        copy = sqlite3.connect(self.folder / "backup.db")
        with closing(ledger), closing(copy):
            ledger.backup(copy)

    def restore(self):
        self.ledger.close()
        for rest in ("-wal", "-shm"):
            (self.folder / f"ledger.db{rest}").unlink(missing_ok=True)
        shutil.copy(self.folder / "backup.db", self.folder / "ledger.db")
        self.run("new-generation")
        self.serve()


def tamper(dock):
    with closing(sqlite3.connect(dock.folder / "journal.db")) as journal, journal:
        journal.execute("UPDATE stock SET on_hand_micro = 7000000 WHERE location = 'A-01-03'")


@pytest.mark.timeout(600)
def test_two_docks_agree_with_the_ledger_whatever_is_cut_tampered_with_or_restored(tmp_path):
    with ExitStack() as parts:
        site = Site(tmp_path, parts)
        site.serve()
        old, new = site.old, site.new
        old.start()
        wait_for(old.knows, what="the first dock has a snapshot")
        old.scan(*RECEIVE)
        equal(old, old, {("DOCK-1", "TEA-250"): 4})
        new.start()  # A blank card: what the other dock did is in its snapshot.
        equal(old, new, {("DOCK-1", "TEA-250"): 4})
        wait_for(new.knows, what="the second dock works by its snapshot")

        # Both work on the same two bins while one of them is cut off.
        site.relay.cut()
        new.scan("CMD-PUTAWAY", TEA, "LOC-A-01-03", "CMD-DONE")
        old.scan("CMD-PUTAWAY", TEA, "LOC-A-01-03", TEA, "LOC-A-01-03", "CMD-DONE")
        equal(old, old, {("DOCK-1", "TEA-250"): 2, ("A-01-03", "TEA-250"): 2})
        equal(new, new, {("DOCK-1", "TEA-250"): 3, ("A-01-03", "TEA-250"): 1})
        before = site.compared()
        site.relay.mend()
        equal(old, new, {("DOCK-1", "TEA-250"): 1, ("A-01-03", "TEA-250"): 3})
        wait_for(lambda: site.compared() >= before + 2, what="both are compared")
        assert site.differing() == []

        # Somebody changes a row of one journal behind the gateway's back.
        old.kill()
        tamper(old)
        old.start()
        named = [("old/A-01-03", "open")]
        wait_for(lambda: site.differing() == named, what="the bin is named")
        assert "A-01-03" in site.get("/fragments/discrepancies?lang=zh")

        # What happens after the backup is lost at central, and comes again from the docks.
        site.back_up()
        streams = site.streams()
        site.load(revision=2, more=SOAP_ITEM)
        wait_for(lambda: site.reference_revisions() == [2, 2], what="the docks know the new item")
        new.scan("CMD-PUTAWAY", SOAP)
        wait_for(
            lambda: "Soap" in new.state()["scans"][0]["signal"]["text"], what="without a restart"
        )
        new.scan("CMD-DONE", "CMD-PUTAWAY", TEA, "LOC-A-01-04", "CMD-DONE")
        moved = {("A-01-03", "TEA-250"): 3, ("A-01-04", "TEA-250"): 1}
        equal(new, new, moved)
        wait_for(lambda: new.state()["unsent_count"] == 0, what="central has it")
        site.restore()
        wait_for(lambda: not set(site.streams()) & set(streams), what="other streams")
        equal(old, new, moved)
        settled = [("old/A-01-03", "settled")]
        wait_for(lambda: site.differing() == settled, what="the bin agrees again")
        site.run("verify-ledger")
