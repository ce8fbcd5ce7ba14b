"""A whole gateway as a program on a mocked machine, used as people do. Edge of loopback HTTP."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager

from tests.waiting import wait_for

CONFIGURATION = """
[gateway]
code = "sh1-dock-2"
warehouse = "sh1"
data_directory = "data"
[station]
code = "dock-2"
receive_location = "dock-1"
[mqtt]
host = "127.0.0.1"
port = 1
[screen]
port = 0
[discovery]
sweep_interval_s = {sweep_interval_s}
"""


class ServedGateway:
    """What a test asks of a running gateway."""

    def __init__(self, url, log_file, pid):
        self.url = url
        self.pid = pid
        self.log_file = log_file

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:
            return json.load(answer)

    def post(self, path, body):
        """Return the answer's JSON, whatever its status."""
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"content-type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)

    def found(self, part):
        """Return the unclaimed device at a node or of a title, None if there is none."""
        listed = self.get("api/v1/devices")["found"]
        match = [one for one in listed if part in {one["where"].split()[-1], one["title"]}]
        return match[0] if match and match[0]["choices"] else None

    def claim(self, part, driver, name):
        """Claim the device at a node; return what the gateway says."""
        one = wait_for(lambda: self.found(part), what=f"{part} offered")
        return self.post("api/v1/claims", {"key": one["key"], "driver": driver, "name": name})

    def state(self, name):
        """Return the state of a device, "" if there is none of that name."""
        devices = self.get("api/v1/state")["devices"]
        return next((one["state"] for one in devices if one["name"] == name), "")

    def codes(self):
        """Return what was scanned, newest first."""
        return [scan["code"] for scan in self.get("api/v1/state")["scans"]]

    def scan(self, descriptor, text):
        """Scan with the scanner whose line this is."""
        os.write(descriptor, text.encode() + b"\r")

    def scan_until_seen(self, descriptor, text):
        """Scan once and wait for it on the page."""
        self.scan(descriptor, text)
        wait_for(lambda: text in self.codes(), what=f"{text} on the page")

    def log(self):
        return [
            json.loads(line) for line in self.log_file.read_text().splitlines() if line[:1] == "{"
        ]


@contextmanager
def served_gateway(folder, machine, *, sweep_interval_s=1.0):
    """Start a gateway with an empty configuration in `folder`; stop it at the end."""
    config = folder / "gateway.toml"
    config.write_text(CONFIGURATION.format(sweep_interval_s=sweep_interval_s))
    log_file = folder / "gateway.log"
    with log_file.open("wb") as log:
        program = subprocess.Popen(
            [sys.executable, "-m", "gateway.service", str(config), "info"],
            env=machine.environment,
            stderr=log,
        )
    try:
        gateway = ServedGateway("", log_file, program.pid)
        running = wait_for(
            lambda: [one for one in gateway.log() if one["event"] == "gateway running"],
            what="gateway running",
        )
        gateway.url = running[0]["screen"]
        yield gateway
    finally:
        program.terminate()
        assert program.wait(60) == 0
