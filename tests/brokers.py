"""Real brokers on free loopback ports, to start, stop, kill and start again. Edge of mosquitto.

`mosquitto()` runs Debian's broker with the shipped settings; `iotcore()` the embedded one.
"""

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.ports import steady_port

USERNAME = "dockledger"
PASSWORD = "only-for-tests"
START_S_MAX = 60.0
SHIPPED_CONFIGURATION = Path(__file__).parents[1] / "systemd" / "mosquitto" / "dockledger.conf"
# rumqttd serves MQTT 5 only on a listener of its own.
IOTCORE_CONFIGURATION = """
id = 0
[router]
id = 0
max_connections = 100
max_outgoing_packet_count = 200
max_segment_size = 1048576
max_segment_count = 10
[v5.1]
name = "v5"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1
[v5.1.connections]
connection_timeout_ms = 5000
max_payload_size = 300000
max_inflight_count = 100
dynamic_filters = true
"""


class Broker:
    """A broker in a child of ours. `port` stays the same over restarts.

    ports: where clients may come in, as a cluster says it; here the one port.
    """

    def __init__(self, command: list[str], *, port: int, directory: Path) -> None:
        self.port = port
        self.ports = (port,)
        self.directory = directory
        self._command = command
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Return the number of the running broker."""
        assert self._child is not None
        return self._child.pid

    def start(self) -> None:
        """Return when connections are taken."""
        log = (self.directory / "broker.log").open("ab")
        with log:
            self._child = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=self.directory
            )
        deadline = time.monotonic() + START_S_MAX
        while not self._answers():
            assert self._child.poll() is None and time.monotonic() < deadline, self.log()
            time.sleep(0.02)

    def stop(self) -> None:
        """End it in an orderly way; mosquitto then writes its retained messages to disk."""
        self._end(kill=False)

    def kill(self) -> None:
        """End it with SIGKILL; whatever it kept in memory is gone."""
        self._end(kill=True)

    def forget(self) -> None:
        """Remove what the stopped broker wrote to disk."""
        for path in self.directory.glob("*.db*"):
            path.unlink()

    def log(self) -> str:
        """Return what the broker wrote to its log."""
        return (self.directory / "broker.log").read_text(errors="replace")

    def _end(self, *, kill: bool) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        if kill:
            child.kill()
        else:
            child.terminate()
        child.wait(START_S_MAX)
        assert child.stdin is not None
        child.stdin.close()

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=0.5):
                return True
        except OSError:
            return False


@contextmanager
def mosquitto(directory: Path) -> Iterator[Broker]:
    """Yield a running mosquitto with the shipped configuration, user USERNAME, on a free port."""
    directory.mkdir(parents=True, exist_ok=True)
    port = steady_port()
    passwords = directory / "passwords"
    subprocess.run(
        [_program("mosquitto_passwd"), "-c", "-b", str(passwords), USERNAME, PASSWORD],
        check=True,
        capture_output=True,
    )
    text = SHIPPED_CONFIGURATION.read_text(encoding="utf-8")
    changes = {
        "listener 1883": f"listener {port} 127.0.0.1",
        "password_file /etc/mosquitto/dockledger.passwords": f"password_file {passwords}",
        # Debian's own file says where; here there is none.
        "persistence true": f"persistence true\npersistence_location {directory}/",
    }
    for shipped, changed in changes.items():
        assert text.count(f"\n{shipped}\n") == 1, shipped
        text = text.replace(f"\n{shipped}\n", f"\n{changed}\n")
    configuration = directory / "mosquitto.conf"
    configuration.write_text(text + "\nuser root\n", encoding="utf-8")
    command = [_program("mosquitto"), "-c", str(configuration)]
    yield from _running(Broker(command, port=port, directory=directory))


@contextmanager
def iotcore(directory: Path) -> Iterator[Broker]:
    """Yield a running iotcore, the embedded broker, on a free port; it knows no users."""
    directory.mkdir(parents=True, exist_ok=True)
    port = steady_port()
    configuration = directory / "rumqttd.toml"
    configuration.write_text(IOTCORE_CONFIGURATION.format(port=port), encoding="utf-8")
    options = json.dumps({"config_path": str(configuration)})
    program = "from iotcore._serve import main; main()"
    yield from _running(
        Broker([sys.executable, "-c", program, options], port=port, directory=directory)
    )


def _running(broker: Broker) -> Iterator[Broker]:
    broker.start()
    try:
        yield broker
    finally:
        broker.kill()


def _program(name: str) -> str:
    found = shutil.which(name, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    assert found is not None, f"install {name} (Debian package mosquitto)"
    return found
