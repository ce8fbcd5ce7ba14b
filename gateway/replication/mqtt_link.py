"""The gateway's connection to the broker. Edge of paho-mqtt.

MQTT 5 (OASIS standard of 2019), so that a refused message is seen. MQTT 3.1.1 if the configuration
says so, for clustered brokers that speak nothing newer: a refusal then shows as the ledger's
silence, and a broker is taken to carry the largest batch. QoS 1 is used for flow control and prompt
repetition; nothing is believed because a broker acknowledged it. Nothing is kept for a next
connection: what paho still held when the connection went is dropped, the sender knows better.

A gateway that is known by a certificate reads it again when it has a newer one.

Callbacks run in paho's thread and only put into the mailbox.
"""

import socket
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from central.contract.envelope import BATCH_BYTES_MAX
from central.contract.notices import DOWN_BYTES_MAX
from central.contract.topics import Channel, GatewayTopic, central_subscription
from gateway.config_sections import MqttSection
from gateway.health import ConnectionProblem
from gateway.replication.mailbox import Connected, Disconnected, Mailbox
from gateway.replication.tls import BrokerTls, broker_tls

MESSAGES_QUEUED_MAX = 64
MESSAGES_IN_FLIGHT_MAX = 20
CONNECT_S_MAX = 3.0
FAREWELL_S_MAX = 1.0
RECONNECT_MIN_S = 1
RECONNECT_MAX_S = 30
TAKEN_OVER_PAUSE_S = 20  # Two gateways with one code would else throw each other out for ever.
HEADER_BYTES_MAX = 512  # Of an MQTT PUBLISH beside its payload: topic, properties, lengths.
RECEIVED_PACKET_BYTES_MAX = DOWN_BYTES_MAX + HEADER_BYTES_MAX

PROTOCOLS = {"5": MQTTProtocolVersion.MQTTv5, "3.1.1": MQTTProtocolVersion.MQTTv311}
# By the names of the reason codes in MQTT 5, section 2.4; any other: the way to the broker.
PROBLEMS: dict[str, ConnectionProblem] = {
    "Not authorized": "login_refused",
    "Bad user name or password": "login_refused",
    "Unsupported protocol version": "protocol_refused",
    "Session taken over": "code_taken",
}
HINTS: dict[ConnectionProblem, str] = {
    "unreachable": "Check the network cable, and host and port in [mqtt].",
    "not_enrolled": "Give the gateway a claim: see central's page of gateways.",
    "login_refused": "Check username and password in [mqtt], and the broker's user list.",
    "protocol_refused": "Use a broker that speaks MQTT 5, such as mosquitto 2.",
    "code_taken": "Give each gateway a code of its own; two machines use this one.",
    "reading_refused": "Let this user read the topic in the broker's access list.",
    "writing_refused": "Let this user write the gateway's topics in the broker's access list.",
    "central_silent": "Start central's intake; go on working until then.",
}


class MqttLink:
    """One connection that comes back by itself. `publish_*` may be called from one thread."""

    def __init__(
        self, mqtt: MqttSection, *, site: str, gateway: str, will: bytes, mailbox: Mailbox
    ) -> None:
        """will: the state that the broker publishes for us when we are gone without farewell.

        Raises ConfigInvalid if the file of the broker's authority is of no use.
        """
        self._mqtt = mqtt
        self._mailbox = mailbox
        self._site = site
        self._gateway = gateway
        self._ack = self._topic("ack")
        self._down = self._topic("down")
        self._state = self._topic("state")
        self._is_mqtt_5 = mqtt.protocol == "5"
        self._lock = Lock()
        self._asked: dict[int, tuple[str, ...]] = {}  # Filters by the number of the question.
        self._refused_filters: dict[str, str] = {}  # Why, by filter.
        self._connected = False
        self._refused = False  # The end of the connection that follows says nothing more.
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"dockledger-{gateway}",
            clean_session=None if self._is_mqtt_5 else True,
            protocol=MQTTProtocolVersion.MQTTv5
            if self._is_mqtt_5
            else MQTTProtocolVersion.MQTTv311,
        )
        client.connect_timeout = CONNECT_S_MAX
        client.reconnect_delay_set(RECONNECT_MIN_S, RECONNECT_MAX_S)
        client.max_queued_messages_set(MESSAGES_QUEUED_MAX)
        client.max_inflight_messages_set(MESSAGES_IN_FLIGHT_MAX)
        client.will_set(self._state, will, qos=1, retain=True)
        if mqtt.username:
            client.username_pw_set(mqtt.username, mqtt.password or None)
        self._tls = broker_tls(mqtt)
        self._waiting_for_certificate = False
        if self._tls is not None:
            client.tls_set_context(self._tls.context)
        client.on_pre_connect = _drop_what_is_old
        client.on_socket_open = _set_socket
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        self._client = client
        self._payload_bytes_max = BATCH_BYTES_MAX

    def start(self) -> None:
        """Begin to connect, in a thread of paho's; the mailbox tells when it is done.

        Without the certificate that it needs it waits until `renew` finds one.
        """
        self._waiting_for_certificate = self._tls is not None and not self._tls.load()
        if self._waiting_for_certificate:
            self._tell_lost("there is no certificate yet", "not_enrolled")
        else:
            self._begin()

    def _begin(self) -> None:
        host, port, keepalive_s = self._mqtt.host, self._mqtt.port, self._mqtt.keepalive_s
        if self._is_mqtt_5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.MaximumPacketSize = RECEIVED_PACKET_BYTES_MAX
            self._client.connect_async(
                host, port, keepalive=keepalive_s, clean_start=True, properties=properties
            )
        else:
            self._client.connect_async(host, port, keepalive=keepalive_s)
        self._client.loop_start()

    def stop(self, farewell: bytes) -> None:
        """Publish the state `farewell`, disconnect and wait for paho's thread."""
        if self._connected:
            message = self._client.publish(self._state, farewell, qos=1, retain=True)
            if message.rc == MQTTErrorCode.MQTT_ERR_SUCCESS:
                message.wait_for_publish(FAREWELL_S_MAX)
        self._client.disconnect()
        self._client.drop_out_messages()  # Else paho's thread waits for their acknowledgement.
        self._client.loop_stop()
        # paho's thread may end before it has closed the connection that it was opening.
        left_open = self._client.socket()
        if left_open is not None:
            left_open.close()

    def renew(self) -> None:
        """Ask again for what the broker did not let us read; call it every now and then.

        A cluster refuses while it elects a leader, and stays connected (NATS 2.15 within 10 s after
        a node's death); an access list refuses until somebody corrects it.
        """
        if self._tls is not None and (self._waiting_for_certificate or self._tls.is_newer()):
            self._take_certificate(self._tls)
        with self._lock:
            refused = sorted(self._refused_filters)
        if refused and self._client.is_connected():
            self._subscribe(refused)

    def _take_certificate(self, tls: BrokerTls) -> None:
        """Begin with the first certificate; with a newer one the connection is made anew."""
        if not tls.load():
            return
        if self._waiting_for_certificate:
            self._waiting_for_certificate = False
            self._begin()
            return
        connection = self._client.socket()
        if isinstance(connection, socket.socket):
            with suppress(OSError):  # The base's: paho's thread still reads through TLS.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def publish(self, channel: Channel, payload: bytes, *, retain: bool = False) -> bool:
        """Give a message to the broker; False if it cannot be taken now. Not yet delivered then."""
        if not self._connected or len(payload) > self._payload_bytes_max:
            return False
        message = self._client.publish(self._topic(channel), payload, qos=1, retain=retain)
        return message.rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def _topic(self, channel: Channel) -> str:
        return str(GatewayTopic(self._site, self._gateway, channel))

    def _on_connect(
        self,
        _client: paho.Client,
        _userdata: object,
        _flags: paho.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        self._refused = reason.is_failure
        if reason.is_failure:
            self._tell_lost(f"the broker refuses us: {reason}", _problem_of(reason))
            return
        packet_bytes_max = getattr(properties, "MaximumPacketSize", None)
        room = BATCH_BYTES_MAX  # Also where an earlier connection had less.
        if packet_bytes_max is not None:
            room = int(packet_bytes_max) - HEADER_BYTES_MAX
        self._payload_bytes_max = max(1, min(BATCH_BYTES_MAX, room))
        with self._lock:  # What was asked on an earlier connection is not answered any more.
            self._asked.clear()
            self._refused_filters.clear()
        self._subscribe([self._ack, self._down, central_subscription(site=self._site)])

    def _subscribe(self, filters: Sequence[str]) -> None:
        with self._lock:  # Else the answer could be here before its number.
            _, number = self._client.subscribe([(one, 1) for one in filters])
            if number is not None:
                self._asked[number] = tuple(filters)

    def _on_subscribe(
        self,
        client: paho.Client,
        _userdata: object,
        number: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        with self._lock:
            for name, reason in zip(self._asked.pop(number, ()), reasons, strict=False):
                if reason.is_failure:
                    self._refused_filters[name] = str(reason)
                else:
                    self._refused_filters.pop(name, None)
            refused = dict(self._refused_filters)
        if self._ack in refused:
            self._refused = True
            detail = f"the broker does not let us read {self._ack}: {refused[self._ack]}"
            self._tell_lost(detail, "reading_refused")
            return
        if refused:  # Facts go on; only what central knows does not come.
            self._mailbox.put_refused(f"reading {', '.join(sorted(refused))} is refused")
        if not self._connected:
            self._refused = False
            client.reconnect_delay_set(RECONNECT_MIN_S, RECONNECT_MAX_S)
            self._connected = True
            self._mailbox.put_connection(Connected(self._payload_bytes_max))

    def _on_message(
        self, client: paho.Client, _userdata: object, message: paho.MQTTMessage
    ) -> None:
        _acknowledge_quickly(client)
        payload = bytes(message.payload)
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return  # Nobody of ours; not every broker refuses it. It would end paho's thread.
        if topic == self._ack:
            self._mailbox.put_ack(payload)
        elif topic == self._down:
            self._mailbox.put_notices(payload)
        else:
            self._mailbox.put_state(payload)

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
            self._mailbox.put_refused(str(reason))
        else:
            self._mailbox.wake()  # There is room in the queue.

    def _on_connect_fail(self, _client: paho.Client, _userdata: object) -> None:
        self._tell_lost("the broker cannot be reached", "unreachable")

    def _on_disconnect(
        self,
        client: paho.Client,
        _userdata: object,
        _flags: paho.DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if str(reason) == "Session taken over":
            client.reconnect_delay_set(TAKEN_OVER_PAUSE_S, RECONNECT_MAX_S)
        if not self._refused:
            self._tell_lost(f"the broker's connection is lost: {reason}", _problem_of(reason))

    def _tell_lost(self, detail: str, problem: ConnectionProblem) -> None:
        self._connected = False
        self._mailbox.put_connection(Disconnected(detail, HINTS[problem], problem))


def _problem_of(reason: ReasonCode) -> ConnectionProblem:
    return PROBLEMS.get(str(reason), "unreachable")


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
