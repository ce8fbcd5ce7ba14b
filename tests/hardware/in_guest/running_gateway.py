"""The whole gateway of the wheel under test, running in the guest. Edge of its program and page."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from tests.hardware.in_guest import programs
from tests.hardware.in_guest.gadget import WAIT_S, wait_until
from tests.hardware.in_guest.open_counts import counts_at_rest

ASK_PAUSE_S = 0.1  # Or those who ask have the processor, and nobody else.
START_S = 480.0  # Ten, on a machine of its own.
# Asking takes the guest's processor from the program that reads the drivers, which has a minute.
LOOK_S = 2.0
LOG_SHOWN = 4000  # Characters, where something failed.
CONFIG = """
[gateway]
code = "gw-1"
warehouse = "sh1"
data_directory = "{folder}/data"
reference_file = "{folder}/reference.toml"

[station]
code = "dock-1"
receive_location = "DOCK"

[mqtt]
host = "127.0.0.1"
port = 1

[screen]
port = {port}
"""
REFERENCE = """
revision = 1
[[warehouses]]
code = "sh1"
name = "Shanghai"
name_zh = "上海"
locations = [{ code = "DOCK", kind = "dock_door" }, { code = "BIN-1", kind = "bin" }]
[[items]]
code = "BOLT"
name = "Bolt"
name_zh = "螺栓"
unit = "C62"
barcodes = [{ gtin = "04006381333931" }]
"""


class RunningGateway:
    """The program `dockledger-gateway run` in a folder of its own; a with-block ends it."""

    def __init__(self, folder, *, port=8081, more="", reference=REFERENCE):
        self.folder = Path(folder)
        self._port = port
        (self.folder / "data").mkdir(exist_ok=True)
        self.config = self.folder / "gateway.toml"
        self.config.write_text(CONFIG.format(folder=self.folder, port=port) + more)
        (self.folder / "reference.toml").write_text(reference)
        os.sync()  # Files of an installation: what is promised is what the gateway writes.
        self.child = programs.start(
            *("gateway", "run", "--config", str(self.config)),
            log=self.folder / "gateway.log",
            becomes=("gateway.service", str(self.config), "info"),
        )
        try:
            wait_until(self._answers, "page of the gateway", START_S, pause_s=ASK_PAUSE_S)
        except BaseException:
            print(self.close(), file=sys.stderr)  # What it logged, for whoever looks at this.
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, *_exc):
        log = self.close()
        if kind is not None:
            print(log[-LOG_SHOWN:], file=sys.stderr)

    def ask(self, method, path, body=None):
        """Return the answer of its page's interface, as JSON or text."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            headers = {"Content-Type": "application/json"} if body is not None else {}
            connection.request(
                method, path, json.dumps(body) if body is not None else None, headers
            )
            answer = connection.getresponse()
            text = answer.read().decode()
            assert answer.status < 400, (path, answer.status, text)
            return json.loads(text) if "json" in answer.getheader("content-type", "") else text
        finally:
            connection.close()

    def found(self, title):
        """Wait until a device of that title is offered with its drivers, and return it."""

        def look():  # Which drivers there are is read by a program of its own, once.
            offered = self.ask("GET", "/api/v1/devices")["found"]
            for one in offered:
                if title in one["title"] and one["choices"]:
                    return one
            time.sleep(LOOK_S)
            return None

        return wait_until(look, f"offer of {title}", START_S, pause_s=1.0)

    def claim(self, key, name, driver):
        """Put a found device into service."""
        self.ask(
            "POST", "/api/v1/claims", {"key": key, "name": name, "driver": driver, "force": True}
        )
        self.wait_for(name, "ready")

    def wait_for(self, name, *states, timeout_s=WAIT_S):
        """Wait until a device is in one of the states; return how long that took, in seconds."""
        begin = time.monotonic()
        what = f"{name} {' or '.join(states)}"
        wait_until(lambda: self.states().get(name) in states, what, timeout_s, pause_s=ASK_PAUSE_S)
        return time.monotonic() - begin

    def states(self):
        """Return the state of each device by its name."""
        return self.ask("GET", "/health")["devices"]

    def scan(self, scanner, code, *, until):
        """Scan until it is understood, as people do who are told to scan again."""
        deadline = time.monotonic() + START_S
        while not until():
            assert time.monotonic() < deadline, self.ask("GET", "/api/v1/state")
            scanner.type(f"{code}\n")
            with suppress(TimeoutError):
                wait_until(until, code, 10.0, pause_s=ASK_PAUSE_S)

    def prompt(self):
        """Return what the station asks for."""
        return self.ask("GET", "/api/v1/state")["prompt"]

    def movements(self):
        """Return the item and quantity of each movement in the journal, in order."""
        words = [sys.executable, "-m", "gateway", "journal", "tail", "--json", "--count", "10000"]
        done = subprocess.run(
            [*words, "--config", str(self.config)], capture_output=True, text=True, check=True
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    def memory_bytes(self):
        """Return what it has written into memory: what a leak makes grow, and nothing else.

        Private pages are no measure: those of files come and go with the page cache, and all are
        shared while it starts another program.
        """
        text = Path(f"/proc/{self.child.pid}/status").read_text()
        return sum(
            int(line.split()[1]) * 1024
            for line in text.splitlines()
            if line.startswith(("RssAnon:", "VmSwap:"))
        )

    def open_counts(self):
        """Return how many descriptors of each kind and how many threads it has, at rest."""
        threads = len(list(Path(f"/proc/{self.child.pid}/task").iterdir()))
        return counts_at_rest(self.child.pid) + Counter(thread=threads)

    def close(self):
        """End it and return what it logged."""
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            self.child.wait(60)
        return (self.folder / "gateway.log").read_text()

    def _answers(self):
        assert self.child.poll() is None, (self.folder / "gateway.log").read_text()
        try:
            return self.ask("GET", "/health")
        except OSError:
            return None
