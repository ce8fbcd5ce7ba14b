"""Starts mosquitto with a configuration, on free ports, to see that it takes it. Edge of mosquitto.

A broker that does not start after the next reboot is found now, not then.
"""

import re
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from provisioning.mosquitto import BrokerPlan, Version, configuration

START_S_MAX = 10.0
END_S_MAX = 5.0
LOOK_S = 0.05
PATHS = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"
VERSION = re.compile(r"mosquitto version (\d+)\.(\d+)")


class TrialFailed(Exception):
    """mosquitto did not start. hint: what a person can do."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def installed_version() -> Version | None:
    """Return the version of mosquitto here, None if there is none. Raises TrialFailed."""
    program = shutil.which("mosquitto", path=PATHS)
    if program is None:
        return None
    shown = subprocess.run(  # noqa: S603 - a program of the system
        [program, "-h"], capture_output=True, text=True, timeout=START_S_MAX, check=False
    )
    match = VERSION.search(shown.stdout)
    if match is None or int(match[1]) != 2:
        raise TrialFailed(
            f"this mosquitto is not of version 2: {shown.stdout[:80]!r}",
            hint="Install mosquitto 2 (Debian 12 and 13 have it).",
        )
    return "2.0" if match[2] == "0" else "2.1"


def try_configuration(plan: BrokerPlan, *, version: Version) -> None:
    """Return when mosquitto has taken connections with it. Raises TrialFailed with its words."""
    program = shutil.which("mosquitto", path=PATHS)
    assert program is not None
    with tempfile.TemporaryDirectory(prefix="dockledger-broker-") as folder:
        port, central_port = _free_ports()
        tried = replace(
            plan,
            port=port,
            address="127.0.0.1",
            central_port=central_port,
            central_address="127.0.0.1",
            persistence_directory=f"{folder}/",
            pid_file="",
            user="root",
        )
        path = Path(folder) / "mosquitto.conf"
        path.write_text(configuration(tried, version=version), encoding="utf-8")
        log = Path(folder) / "log"
        with log.open("wb") as output:
            child = subprocess.Popen(  # noqa: S603 - a program of the system
                [program, "-c", str(path)], stdout=output, stderr=output
            )
        try:
            if not _answers(child, (port, central_port)):
                said = log.read_text(errors="replace").strip().splitlines()
                raise TrialFailed(
                    f"mosquitto does not start: {said[-1] if said else 'it says nothing'}",
                    hint="Correct what it says; nothing was written to its configuration.",
                )
        finally:
            child.terminate()
            try:
                child.wait(END_S_MAX)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _answers(child: subprocess.Popen[bytes], ports: tuple[int, ...]) -> bool:
    deadline_s = time.monotonic() + START_S_MAX
    while child.poll() is None and time.monotonic() < deadline_s:
        if all(_is_open(port) for port in ports):
            return True
        time.sleep(LOOK_S)
    return False


def _is_open(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.5):
            return True
    except OSError:
        return False


def _free_ports() -> tuple[int, int]:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as b:
        return int(one.getsockname()[1]), int(b.getsockname()[1])
