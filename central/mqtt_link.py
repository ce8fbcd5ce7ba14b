"""The ledger's connection to the broker, acknowledging by hand. Edge of paho-mqtt.

A message is acknowledged to the broker (PUBACK) only by `settle`, after the ledger's commit, so a
broker that keeps our session offers it again if we die before. Nothing depends on that: gateways
send again until the ledger acknowledges.

What waits here is bounded by WAITING_MAX. With MQTT 5 the broker knows that as our Receive Maximum,
so a slow ledger makes the broker wait, not our memory grow. MQTT 3.1.1 (for clusters that speak
nothing newer) has no such bound, and mosquitto 2.0 exceeds it where it resumes a session that has
much to tell: then we stop reading until there is room, so that TCP holds the broker back. After
PATIENCE_S the connection ends, before the broker takes us for dead, and it offers again what we
have not settled. A message with QoS 0 is no part of that: as many may wait, more are dropped.

A session of MQTT 3.1.1 has no end: nobody but the broker's operator ends it.

What waits ends with its connection: it can no longer be settled, and the broker offers it again.
"""

from collections.abc import Iterator, Sequence
from logging import getLogger
from typing import get_args

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from central import tcp
from central.config import MqttSection
from central.contract.envelope import BATCH_BYTES_MAX
from central.contract.topics import (
    SHARD_COUNT,
    Channel,
    GatewayTopic,
    central_topic,
    subscription,
)
from central.messages import Incoming, Waiting

__all__ = ["WAITING_MAX", "CentralLink", "Incoming"]

WAITING_MAX = 128
HEADER_BYTES_MAX = 512  # Of an MQTT PUBLISH beside its payload: topic, properties, lengths.
MESSAGES_QUEUED_MAX = 512
MESSAGES_IN_FLIGHT_MAX = 20
SESSION_EXPIRY_S = 3600  # What gateways send while central restarts waits so long at the broker.
KEEPALIVE_S = 15
PATIENCE_S = 10.0  # Less than a broker waits for a sign of life.
CONNECT_S_MAX = 3.0
RECONNECT_MIN_S = 1
RECONNECT_MAX_S = 30
TAKEN_OVER_PAUSE_S = 20  # Two workers with one name would else throw each other out for ever.
CHANNELS: tuple[Channel, ...] = get_args(Channel)
HINT_REFUSED = "Check username, password and access list of the broker for central."
HINT_TAKEN = "Give each process of central that takes facts a name of its own: --worker."
HINT_NETWORK = "Check that the broker runs, and host and port in [mqtt]."
HINT_SLOW = "Find out why the database is slow or away; the broker offers again what it has."

logger = getLogger(__name__)


class CentralLink:
    """One connection that comes back by itself. One thread takes, publishes and settles.

    worker: a code that no other connection of the site has. shards: whose gateways it hears on
    `channels`, None for all. will: topic and payload that the broker publishes, retained, when it
    loses us. patience_s: how long a message waits for room.
    """

    def __init__(
        self,
        mqtt: MqttSection,
        *,
        site: str,
        worker: str = "main",
        shards: tuple[int, ...] | None = None,
        channels: tuple[Channel, ...] = ("up", "state"),
        will: tuple[str, bytes] | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._mqtt = mqtt
        self._patience_s = patience_s
        self._site = site
        self._worker = worker
        self._filters = tuple(_filters(site=site, channels=channels, shards=shards))
        self._is_5 = mqtt.protocol == "5"
        self._waiting = Waiting(WAITING_MAX)
        self._connections_count = 0
        self._connected = False
        self._subscribed = False
        self._stopping = False
        self._refused = False  # The end of the connection that follows says nothing more.
        self._lost_told = ""
        self._client = self._new_client(will)

    @property
    def connected(self) -> bool:
        """Return True while the broker holds our connection and sends what we asked for."""
        return self._connected and self._subscribed

    @property
    def dropped_count(self) -> int:
        """Return how many messages did not find room: WAITING_MAX with QoS 0, as many others."""
        return self._waiting.dropped_count

    @property
    def waiting_count(self) -> int:
        """Return how many messages with QoS 1 wait to be taken, at most WAITING_MAX."""
        return self._waiting.unsettled_count

    @property
    def connections_count(self) -> int:
        """Return how many times we have connected; `take` returns when it changes."""
        return self._connections_count

    def start(self) -> None:
        """Begin to connect, in a thread of paho's. Never raises because of the broker."""
        host, port = self._mqtt.host, self._mqtt.port
        if self._is_5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.ReceiveMaximum = WAITING_MAX
            properties.MaximumPacketSize = BATCH_BYTES_MAX + HEADER_BYTES_MAX
            properties.SessionExpiryInterval = SESSION_EXPIRY_S
            self._client.connect_async(
                host, port, keepalive=KEEPALIVE_S, clean_start=False, properties=properties
            )
        else:
            self._client.connect_async(host, port, keepalive=KEEPALIVE_S)
        self._client.loop_start()

    def stop(self) -> None:
        """Disconnect and wait for paho's thread; the broker keeps the session for a while."""
        self._stopping = True
        self._waiting.close()
        self._client.disconnect()
        self._client.drop_out_messages()  # Else paho's thread waits for their acknowledgement.
        self._client.loop_stop()

    def take(self, count_max: int, timeout_s: float) -> list[Incoming]:
        """Return what waits, oldest first; empty if nothing came in time, or after `wake`."""
        return self._waiting.take(count_max, timeout_s)

    def wake(self) -> None:
        """Make `take` return."""
        self._waiting.wake()

    def publish(self, gateway: str, channel: Channel, payload: bytes, *, retain: bool) -> bool:
        """Publish to a gateway; False if it cannot be given to the broker now."""
        return self._publish(
            str(GatewayTopic(self._site, gateway, channel)), payload, retain=retain
        )

    def publish_own(self, payload: bytes) -> bool:
        """Publish the state of this worker, retained; False as in `publish`."""
        return self._publish(
            central_topic(site=self._site, worker=self._worker), payload, retain=True
        )

    def settle(self, messages: Sequence[Incoming]) -> None:
        """Tell the broker that these need not be offered again.

        Messages of an earlier connection are left out: their numbers may mean others by now.
        """
        for message in messages:
            if not self._connected:
                return  # What we said now would go out on the next connection.
            if message.qos and message.connection == self._connections_count:
                self._client.ack(message.number, message.qos)

    def _publish(self, topic: str, payload: bytes, *, retain: bool) -> bool:
        if not self._connected:
            return False
        message = self._client.publish(topic, payload, qos=1, retain=retain)
        return message.rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def _new_client(self, will: tuple[str, bytes] | None) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"dockledger-central-{self._site}-{self._worker}",
            clean_session=None if self._is_5 else False,
            protocol=MQTTProtocolVersion.MQTTv5 if self._is_5 else MQTTProtocolVersion.MQTTv311,
            manual_ack=True,
        )
        client.connect_timeout = CONNECT_S_MAX
        client.reconnect_delay_set(RECONNECT_MIN_S, RECONNECT_MAX_S)
        client.max_queued_messages_set(MESSAGES_QUEUED_MAX)
        client.max_inflight_messages_set(MESSAGES_IN_FLIGHT_MAX)
        if self._mqtt.username:
            client.username_pw_set(self._mqtt.username, self._mqtt.password or None)
        if self._mqtt.tls_ca_file:
            client.tls_set(
                ca_certs=self._mqtt.tls_ca_file,
                certfile=self._mqtt.tls_certificate_file or None,
                keyfile=self._mqtt.tls_key_file or None,
            )
        if will is not None:
            client.will_set(will[0], will[1], qos=1, retain=True)
        client.on_pre_connect = _drop_what_is_old
        client.on_socket_open = _make_quick
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        return client

    def _on_connect(
        self,
        client: paho.Client,
        _userdata: object,
        flags: paho.ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._refused = reason.is_failure
        if reason.is_failure:
            self._tell_lost(f"the broker refuses us: {reason}", hint=HINT_REFUSED)
            return
        if flags.session_present and not self._connections_count:
            # Of a worker of this name that had other shards.
            every = _filters(site=self._site, channels=CHANNELS, shards=None, each=True)
            client.unsubscribe([one for one in every if one not in self._filters])
        client.subscribe([(one, 1) for one in self._filters])
        self._connections_count += 1
        self._connected = True
        self._waiting.clear()

    def _on_subscribe(
        self,
        _client: paho.Client,
        _userdata: object,
        _number: int,
        reasons: Sequence[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        refused = [reason for reason in reasons if reason.is_failure]
        if refused:
            self._break_off(f"the broker sends us nothing: {refused[0]}", hint=HINT_REFUSED)
            return
        self._subscribed = True
        self._lost_told = ""
        self._client.reconnect_delay_set(RECONNECT_MIN_S, RECONNECT_MAX_S)
        self._waiting.wake()
        logger.info("connected to the broker")

    def _on_message(
        self, client: paho.Client, _userdata: object, message: paho.MQTTMessage
    ) -> None:
        tcp.acknowledge_quickly(client.socket())
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = None
        incoming = Incoming(
            topic=topic,
            payload=bytes(message.payload),
            channel=_channel_of(topic),
            number=message.mid,
            qos=message.qos,
            connection=self._connections_count,
        )
        patience_s = self._patience_s if message.qos else 0.0
        if not self._waiting.put(incoming, patience_s=patience_s) and message.qos:
            self._break_off("the ledger does not keep up with the broker", hint=HINT_SLOW)

    def _break_off(self, detail: str, *, hint: str) -> None:
        """End the connection, so that it is made anew; after paho's `disconnect` it is not."""
        self._tell_lost(detail, hint=hint)
        self._refused = True
        tcp.break_off(self._client.socket())

    def _on_publish(
        self,
        client: paho.Client,
        _userdata: object,
        _number: int,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        tcp.acknowledge_quickly(client.socket())
        if reason.is_failure:
            detail, hint = str(reason), HINT_REFUSED
            logger.error("publication refused", extra={"detail": detail, "hint": hint})

    def _on_connect_fail(self, _client: paho.Client, _userdata: object) -> None:
        self._tell_lost("the broker cannot be reached", hint=HINT_NETWORK)

    def _on_disconnect(
        self,
        client: paho.Client,
        _userdata: object,
        _flags: paho.DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._subscribed = False
        if self._stopping:
            self._connected = False
        elif str(reason) == "Session taken over":  # MQTT 5 alone says so.
            client.reconnect_delay_set(TAKEN_OVER_PAUSE_S, RECONNECT_MAX_S)
            self._tell_lost("another process has this worker's name", hint=HINT_TAKEN)
        elif not self._refused:
            self._tell_lost(f"the broker's connection is lost: {reason}", hint=HINT_NETWORK)

    def _tell_lost(self, detail: str, *, hint: str) -> None:
        self._connected = False
        if hint != self._lost_told:  # Once for each thing to do.
            self._lost_told = hint
            logger.warning("no broker", extra={"detail": detail, "hint": hint})


def _filters(
    *, site: str, channels: Sequence[Channel], shards: Sequence[int] | None, each: bool = False
) -> Iterator[str]:
    """Yield what to subscribe to; `each`: all that could have been subscribed to."""
    wanted: Sequence[int | None] = (None,) if shards is None else shards
    if each:
        wanted = (None, *range(SHARD_COUNT))
    for channel in channels:
        for shard in wanted:
            yield subscription(site=site, channel=channel, shard=shard)


def _channel_of(topic: str | None) -> Channel:
    last = (topic or "").rpartition("/")[2]
    return next((channel for channel in CHANNELS if channel == last), "up")


def _drop_what_is_old(client: paho.Client, _userdata: object) -> None:
    client.drop_out_messages()


def _make_quick(_client: paho.Client, _userdata: object, connection: object) -> None:
    tcp.make_quick(connection)
