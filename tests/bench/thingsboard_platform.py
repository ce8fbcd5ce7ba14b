"""Stands in for the ThingsBoard platform behind mosquitto: takes telemetry to disk. Edge of paho.

A message is written and synced first, acknowledged to the broker then; the session survives. It
also answers what a gateway asks its platform for at its start, with a server's default limits.
"""

import json
import os
from pathlib import Path
from threading import Event

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests import brokers

SESSION_S = 86_400
RECONNECT_S = 0.1  # At once, so that nothing is published to nobody.
TELEMETRY = "v1/gateway/telemetry"
RPC_REQUEST, RPC_RESPONSE = "v1/devices/me/rpc/request/", "v1/devices/me/rpc/response/"
ATTRIBUTES_REQUEST = "v1/devices/me/attributes/request/"
ATTRIBUTES_RESPONSE = "v1/devices/me/attributes/response/"
SESSION_LIMITS = {
    "maxPayloadSize": 65536,
    "maxInflightMessages": 100,
    "rateLimits": {},
    "gatewayRateLimits": {},
}


class Platform:
    """Listens from `start` to `stop`; any thread may ask what has arrived."""

    def __init__(self, broker_port: int, file: Path, *, device: str) -> None:
        self._device = device
        self._file = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._times_ms: list[int] = []
        self._listening = Event()
        self.messages_count = 0
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id="platform",
            protocol=MQTTProtocolVersion.MQTTv5,
            manual_ack=True,
        )
        self._client.username_pw_set(brokers.USERNAME, brokers.PASSWORD)
        self._client.reconnect_delay_set(RECONNECT_S, RECONNECT_S)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._listening.set()
        self._client.on_message = self._on_message
        self._port = broker_port

    def start(self) -> None:
        """Return when subscribed."""
        kept = Properties(PacketTypes.CONNECT)
        kept.SessionExpiryInterval = SESSION_S
        self._client.connect(
            "127.0.0.1", self._port, keepalive=10, clean_start=False, properties=kept
        )
        self._client.loop_start()
        assert self._listening.wait(10), "mosquitto did not take the subscription"

    def stop(self) -> None:
        """Leave the broker."""
        self._client.disconnect()
        self._client.loop_stop()
        os.close(self._file)

    def arrived_ms(self) -> list[int]:
        """Return the time of each scan that has arrived, in order of arrival, doubled ones too."""
        return self._times_ms.copy()

    def _on_connect(self, client: Client, *_: object) -> None:
        # A broker that lost its memory does not know the subscriptions of the session any more.
        asked = (TELEMETRY, f"{RPC_REQUEST}+", f"{ATTRIBUTES_REQUEST}+")
        client.subscribe([(topic, 1) for topic in asked])

    def _on_message(self, client: Client, _: object, message: MQTTMessage) -> None:
        if message.topic == TELEMETRY:
            os.write(self._file, message.payload + b"\n")
            os.fdatasync(self._file)
            self.messages_count += 1
            for scan in json.loads(message.payload).get(self._device, []):
                self._times_ms.append(scan["ts"])
        elif message.topic.startswith(RPC_REQUEST):
            self._answer(RPC_RESPONSE, message, SESSION_LIMITS)
        elif message.topic.startswith(ATTRIBUTES_REQUEST):
            self._answer(ATTRIBUTES_RESPONSE, message, {})
        client.ack(message.mid, message.qos)

    def _answer(self, topic: str, request: MQTTMessage, answer: dict[str, object]) -> None:
        number = request.topic.rsplit("/", 1)[1]
        self._client.publish(topic + number, json.dumps(answer), qos=1)
