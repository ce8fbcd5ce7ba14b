"""The ledger's connection to the broker, acknowledging by hand. Edge of paho-mqtt.

A message is acknowledged to the broker (PUBACK) only by `settle`, after the ledger's commit, so a
broker that keeps our session offers it again if we die before. Nothing depends on that: gateways
send again until the ledger acknowledges.

What waits here is bounded by MQTT 5's Receive Maximum: a broker may not have more unsettled
messages under way to us than WAITING_MAX, so a slow ledger makes the broker wait, not our memory
grow. A broker that does not keep to it is disconnected (MQTT 5, 3.3.4); it offers again what we
have not settled. A message with QoS 0 is no part of that: as many may wait, more are dropped.

What waits ends with its connection: it can no longer be settled, and the broker offers it again.
"""

import socket
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from logging import getLogger
from threading import Condition
from typing import Literal

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from central.config import MqttSection
from central.contract.envelope import BATCH_BYTES_MAX
from central.contract.topics import GatewayTopic, subscription

WAITING_MAX = 128
HEADER_BYTES_MAX = 512  # Of an MQTT PUBLISH beside its payload: topic, properties, lengths.
MESSAGES_QUEUED_MAX = 512
MESSAGES_IN_FLIGHT_MAX = 20
SESSION_EXPIRY_S = 3600  # What gateways send while central restarts waits so long at the broker.
KEEPALIVE_S = 15
CONNECT_S_MAX = 3.0
RECONNECT_MIN_S = 1
RECONNECT_MAX_S = 30
HINT_REFUSED = "Check username, password and access list of the broker for central."
HINT_NETWORK = "Check that the broker runs, and host and port in [mqtt]."
HINT_MAXIMUM = "Use a broker that keeps to the Receive Maximum of MQTT 5, such as mosquitto 2."

logger = getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as it came. topic: None if it is no readable text. connection: which one, 1, 2 ...

    number, qos: how the broker knows it. channel: by its last level, "up" for what is none.
    """

    topic: str | None
    payload: bytes
    channel: Literal["up", "state"]
    number: int
    qos: int
    connection: int


class CentralLink:
    """One connection that comes back by itself. One thread takes, publishes and settles."""

    def __init__(self, mqtt: MqttSection, *, site: str) -> None:
        self._mqtt = mqtt
        self._site = site
        self._condition = Condition()
        self._waiting: deque[Incoming] = deque()
        self._waiting_unsettled_count = 0  # Of those that wait, the ones with QoS 1 or 2.
        self._connections_count = 0
        self._connected = False
        self._refused = False  # The end of the connection that follows says nothing more.
        self._dropped_count = 0
        self._woken = False
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"dockledger-central-{site}",
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
        )
        client.connect_timeout = CONNECT_S_MAX
        client.reconnect_delay_set(RECONNECT_MIN_S, RECONNECT_MAX_S)
        client.max_queued_messages_set(MESSAGES_QUEUED_MAX)
        client.max_inflight_messages_set(MESSAGES_IN_FLIGHT_MAX)
        if mqtt.username:
            client.username_pw_set(mqtt.username, mqtt.password or None)
        if mqtt.tls_ca_file:
            client.tls_set(ca_certs=mqtt.tls_ca_file)
        client.on_pre_connect = _drop_what_is_old
        client.on_socket_open = _set_socket
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        self._client = client
        self._lost_told = ""

    @property
    def connected(self) -> bool:
        """Return True while the broker holds our connection."""
        return self._connected

    @property
    def dropped_count(self) -> int:
        """Return how many messages did not find room: WAITING_MAX with QoS 0, as many others."""
        return self._dropped_count

    def start(self) -> None:
        """Begin to connect, in a thread of paho's. Never raises because of the broker."""
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.ReceiveMaximum = WAITING_MAX
        properties.MaximumPacketSize = BATCH_BYTES_MAX + HEADER_BYTES_MAX
        properties.SessionExpiryInterval = SESSION_EXPIRY_S
        self._client.connect_async(
            self._mqtt.host,
            self._mqtt.port,
            keepalive=KEEPALIVE_S,
            clean_start=False,
            properties=properties,
        )
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect and wait for paho's thread; the broker keeps the session for a while."""
        self._client.disconnect()
        self._client.drop_out_messages()  # Else paho's thread waits for their acknowledgement.
        self._client.loop_stop()

    def take(self, count_max: int, timeout_s: float) -> list[Incoming]:
        """Return what waits, oldest first; empty if nothing came in time, or after `wake`."""
        with self._condition:
            self._condition.wait_for(lambda: self._waiting or self._woken, timeout_s)
            self._woken = False
            count = min(count_max, len(self._waiting))
            taken = [self._waiting.popleft() for _ in range(count)]
            self._waiting_unsettled_count -= sum(message.qos > 0 for message in taken)
            return taken

    def wake(self) -> None:
        """Make `take` return."""
        with self._condition:
            self._woken = True
            self._condition.notify_all()

    def publish_ack(self, gateway: str, payload: bytes) -> bool:
        """Publish an acknowledgement, retained; False if it cannot be given to the broker now."""
        if not self._connected:
            return False
        topic = str(GatewayTopic(self._site, gateway, "ack"))
        message = self._client.publish(topic, payload, qos=1, retain=True)
        return message.rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def settle(self, messages: Sequence[Incoming]) -> None:
        """Tell the broker that these need not be offered again.

        Messages of an earlier connection are left out: their numbers may mean others by now.
        """
        for message in messages:
            if not self._connected:
                return  # What we said now would go out on the next connection.
            if message.qos and message.connection == self._connections_count:
                self._client.ack(message.number, message.qos)

    def _on_connect(
        self,
        client: paho.Client,
        _userdata: object,
        _flags: paho.ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._refused = reason.is_failure
        if reason.is_failure:
            self._tell_lost(f"the broker refuses us: {reason}", hint=HINT_REFUSED)
            return
        with self._condition:
            self._connections_count += 1
            self._waiting.clear()
            self._waiting_unsettled_count = 0
        client.subscribe([(subscription(site=self._site, channel="up"), 1)])
        client.subscribe([(subscription(site=self._site, channel="state"), 1)])
        self._connected = True
        self._lost_told = ""
        logger.info("connected to the broker")

    def _on_message(
        self, client: paho.Client, _userdata: object, message: paho.MQTTMessage
    ) -> None:
        _acknowledge_quickly(client)
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = None
        incoming = Incoming(
            topic=topic,
            payload=bytes(message.payload),
            channel="state" if topic is not None and topic.endswith("/state") else "up",
            number=message.mid,
            qos=message.qos,
            connection=self._connections_count,
        )
        with self._condition:
            unsettled_count = self._waiting_unsettled_count
            same_count = unsettled_count if message.qos else len(self._waiting) - unsettled_count
            full = same_count >= WAITING_MAX
            if full:
                self._dropped_count += 1
            else:
                self._waiting.append(incoming)
                self._waiting_unsettled_count += message.qos > 0
                self._condition.notify_all()
        if full and message.qos:
            self._break_off(client)

    def _break_off(self, client: paho.Client) -> None:
        """End the connection, so that it is made anew; after paho's `disconnect` it is not."""
        self._tell_lost("the broker sends more than it may at once", hint=HINT_MAXIMUM)
        self._refused = True
        connection = client.socket()
        if isinstance(connection, socket.socket):
            try:
                # Not the method of a TLS socket, which would go on in plain text.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
            except OSError:
                return  # The connection has just ended.

    def _on_publish(
        self,
        client: paho.Client,
        _userdata: object,
        _number: int,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        _acknowledge_quickly(client)
        if reason.is_failure:
            detail, hint = str(reason), HINT_REFUSED
            logger.error("acknowledgement refused", extra={"detail": detail, "hint": hint})

    def _on_connect_fail(self, _client: paho.Client, _userdata: object) -> None:
        self._tell_lost("the broker cannot be reached", hint=HINT_NETWORK)

    def _on_disconnect(
        self,
        _client: paho.Client,
        _userdata: object,
        _flags: paho.DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if not self._refused:
            self._tell_lost(f"the broker's connection is lost: {reason}", hint=HINT_NETWORK)

    def _tell_lost(self, detail: str, *, hint: str) -> None:
        self._connected = False
        if hint != self._lost_told:  # Once for each thing to do.
            self._lost_told = hint
            logger.warning("no broker", extra={"detail": detail, "hint": hint})


def _drop_what_is_old(client: paho.Client, _userdata: object) -> None:
    client.drop_out_messages()


def _set_socket(client: paho.Client, _userdata: object, connection: object) -> None:
    assert isinstance(connection, socket.socket)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    _acknowledge_quickly(client)


def _acknowledge_quickly(client: paho.Client) -> None:
    """Ask Linux to acknowledge the next segment at once; it forgets this, see tcp(7).

    A broker that keeps Nagle's algorithm holds each small message back until the one before is
    acknowledged, which Linux delays by 40 ms.
    """
    connection = client.socket()
    if isinstance(connection, socket.socket) and hasattr(socket, "TCP_QUICKACK"):
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        except OSError:
            return  # The connection has just ended; paho tells that.
