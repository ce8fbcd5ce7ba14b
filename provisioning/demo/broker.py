"""An MQTT 5 broker for one run, without a system package. Edge of iotcore (rumqttd)."""

import secrets
import sys
from pathlib import Path

from central.contract.envelope import BATCH_BYTES_MAX
from provisioning.demo.children import Child, free_port, wait_for_port

PAYLOAD_BYTES_MAX = 4 * BATCH_BYTES_MAX  # rumqttd's own default, 20480 bytes, is below a batch.
CONNECTIONS_MAX = 64
USERNAME = "dockledger"

# rumqttd keeps messages of connected clients in memory segments and nothing on disk: what is under
# way is lost with it, which the replication tolerates by design.
_CONFIGURATION = """\
id = 0

[router]
id = 0
max_connections = {connections_max}
max_outgoing_packet_count = 200
max_segment_size = 16777216
max_segment_count = 10

[v5.1]
name = "loopback"
listen = "127.0.0.1:{port}"
next_connection_delay_ms = 1

[v5.1.connections]
connection_timeout_ms = 5000
max_payload_size = {payload_bytes_max}
max_inflight_count = 100
dynamic_filters = true

[v5.1.connections.auth]
{username} = "{password}"
"""


class EmbeddedBroker:
    """A broker on a free port of 127.0.0.1 that wants a password made for this run.

    directory: takes its configuration (mode 0600) and its log. It forgets everything when it ends,
    and comes back at the same port with the same password.
    """

    def __init__(self, directory: Path) -> None:
        self.host = "127.0.0.1"
        self.port = free_port()
        self.username = USERNAME
        self.password = secrets.token_urlsafe(24)
        self._file = directory / "broker.toml"
        # rumqttd reports each packet as an error record; the level keeps those out of the log.
        command = ["-P", "-m", "iotcore", "--config", str(self._file), "--log-level", "CRITICAL"]
        self.child = Child("broker", [sys.executable, *command], log=directory / "broker.log")

    def start(self) -> None:
        """Return as soon as it accepts connections. Raises ChildFailed."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.touch(mode=0o600)
        self._file.write_text(
            _CONFIGURATION.format(
                connections_max=CONNECTIONS_MAX,
                payload_bytes_max=PAYLOAD_BYTES_MAX,
                port=self.port,
                username=self.username,
                password=self.password,
            )
        )
        self.child.start()
        wait_for_port(self.child, self.port)

    def stop(self) -> None:
        """End it. May be called twice."""
        self.child.stop()

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self.child.kill()
