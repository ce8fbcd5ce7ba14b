"""Brokers that refuse a gateway, or pass on to it what they should not. Edge of sockets."""

import socket
import struct
from contextlib import contextmanager

import pytest

from central.contract.envelope import BATCH_BYTES_MAX
from central.contract.topics import GatewayTopic
from gateway.config_sections import MqttSection
from gateway.errors import ConfigInvalid
from gateway.replication.mailbox import Connected, Disconnected, Mailbox
from gateway.replication.mqtt_link import HEADER_BYTES_MAX, MqttLink
from tests.waiting import wait_for

SUBSCRIBE = 8  # MQTT 5, 2.1.2
GRANTED, NOT_AUTHORISED = 1, 0x87
TIMEOUT_S = 60.0
ACK = str(GatewayTopic("demo", "sh1-dock-1", "ack"))


class Connection:
    """The broker's end of one connection of a gateway."""

    def __init__(self, accepted):
        self._socket = accepted
        self._socket.settimeout(TIMEOUT_S)
        self._stream = self._socket.makefile("rb")

    def let_in(self, *, properties=b""):
        """Answer the gateway's greeting."""
        self._packet()
        body = bytes([0, 0, len(properties)]) + properties
        self._socket.sendall(bytes([0x20, len(body)]) + body)

    def answer_subscription(self, *reasons):
        """Grant or refuse, filter by filter."""
        kind, body = self._packet()
        assert kind == SUBSCRIBE
        answer = body[:2] + bytes([0, *reasons])
        self._socket.sendall(bytes([0x90, len(answer)]) + answer)

    def publish(self, topic, payload):
        """Send a message with QoS 0."""
        body = struct.pack("!H", len(topic)) + topic + b"\0" + payload
        self._socket.sendall(bytes([0x30, len(body)]) + body)

    def close(self):
        self._stream.close()
        self._socket.close()

    def _packet(self):
        first, length = self._stream.read(2)
        if length >= 128:
            length += (self._stream.read(1)[0] - 1) * 128
        return first >> 4, self._stream.read(length)


@contextmanager
def connecting_link():
    """Yield (link, its mailbox, function that returns its next connection, let in)."""
    connections, mailbox = [], Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(TIMEOUT_S)
        mqtt = MqttSection(host="127.0.0.1", port=listening.getsockname()[1])
        link = MqttLink(mqtt, site="demo", gateway="sh1-dock-1", will=b"gone", mailbox=mailbox)
        link.start()

        def next_connection(**options):
            connections.append(Connection(listening.accept()[0]))  # Closed whatever comes of it.
            connections[-1].let_in(**options)
            return connections[-1]

        try:
            yield link, mailbox, next_connection
        finally:
            link.stop(b"farewell")
            for connection in connections:
                connection.close()


def change(mailbox):
    return wait_for(lambda: mailbox.take(0.1).connection, what="a change of the connection")


def test_who_may_not_read_acknowledgements_is_told_and_asks_again_until_it_may():
    with connecting_link() as (link, mailbox, next_connection):
        connection = next_connection()
        connection.answer_subscription(NOT_AUTHORISED, GRANTED, GRANTED)
        refused = change(mailbox)
        assert isinstance(refused, Disconnected)
        assert refused.problem == "reading_refused"
        link.renew()
        connection.answer_subscription(GRANTED)
        assert isinstance(change(mailbox), Connected)


def test_who_may_not_read_notices_sends_facts_and_is_told():
    with connecting_link() as (_, mailbox, next_connection):
        next_connection().answer_subscription(GRANTED, NOT_AUTHORISED, GRANTED)
        mail = wait_for(lambda: (mail := mailbox.take(0.1)).connection and mail, what="word")
        assert isinstance(mail.connection, Connected)
        assert "/down is refused" in mail.refused


def test_a_topic_that_is_no_text_ends_nothing():
    with connecting_link() as (_, mailbox, next_connection):
        connection = next_connection()
        connection.answer_subscription(GRANTED, GRANTED, GRANTED)
        connection.publish(b"dl/1/demo/central/\xff", b"x")
        connection.publish(ACK.encode(), b"word")
        assert wait_for(lambda: mailbox.take(0.1).acks, what="the next message") == (b"word",)


@pytest.mark.parametrize(
    ("packet_bytes_max", "payload_bytes_max"),
    [(100_000, 100_000 - HEADER_BYTES_MAX), (100, 1)],
    ids=["less than a batch", "less than a header"],
)
def test_what_a_broker_carries_counts_for_its_connection(packet_bytes_max, payload_bytes_max):
    with connecting_link() as (_, mailbox, next_connection):
        property_39 = b"\x27" + struct.pack("!I", packet_bytes_max)  # MQTT 5, 3.2.2.3.6
        first = next_connection(properties=property_39)
        first.answer_subscription(GRANTED, GRANTED, GRANTED)
        assert change(mailbox) == Connected(payload_bytes_max)
        first.close()
        assert isinstance(change(mailbox), Disconnected)
        next_connection().answer_subscription(GRANTED, GRANTED, GRANTED)
        assert change(mailbox) == Connected(BATCH_BYTES_MAX)


@pytest.mark.parametrize("content", [None, b"no certificate"], ids=["missing", "damaged"])
def test_a_broken_file_of_the_brokers_authority_says_what_to_do(tmp_path, content):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    mqtt = MqttSection(host="127.0.0.1", port=1, tls_ca_file=str(path))
    with pytest.raises(ConfigInvalid, match=r"ca\.pem"):
        MqttLink(mqtt, site="demo", gateway="sh1-dock-1", will=b"gone", mailbox=Mailbox())
