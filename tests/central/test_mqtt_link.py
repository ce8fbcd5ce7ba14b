"""What waits never stands in the way of what the broker offers again. Edge of sockets."""

import socket
import struct
from contextlib import contextmanager

import pytest

from central.config import MqttSection
from central.contract.topics import GatewayTopic
from central.mqtt_link import (
    HINT_REFUSED,
    HINT_SLOW,
    HINT_TAKEN,
    RECONNECT_MIN_S,
    WAITING_MAX,
    CentralLink,
)
from tests.waiting import wait_for

CONNECT, PUBLISH, PUBACK, SUBSCRIBE = 1, 3, 4, 8  # MQTT 5, 2.1.2
GRANTED, NOT_AUTHORISED, TAKEN_OVER = 1, 0x87, 0x8E
ACCEPTED = {"5": bytes([0x20, 3, 0, 0, 0]), "3.1.1": bytes([0x20, 2, 0, 0])}
TOPIC = str(GatewayTopic("demo", "sh1-dock-1", "up")).encode()
TIMEOUT_S = 60.0


class Connection:
    """The broker's end of one connection: says what a test tells it, keeps to no limit."""

    def __init__(self, listening, protocol):
        self._protocol = protocol
        self._socket = listening.accept()[0]
        self._socket.settimeout(TIMEOUT_S)
        self._stream = self._socket.makefile("rb")
        assert self._packet()[0] == CONNECT

    def accept(self):
        """Let the other side in."""
        self._socket.sendall(ACCEPTED[self._protocol])
        return self

    def answer_subscription(self, reason):
        """Grant or refuse the two filters of a link that hears all shards."""
        kind, body = self._packet()
        assert kind == SUBSCRIBE
        self._socket.sendall(bytes([0x90, 5]) + body[:2] + bytes([0, reason, reason]))

    def publish(self, *, qos, count):
        """Send messages; those with QoS 1 are numbered 1, 2, ..."""
        for number in range(1, count + 1):
            identity = struct.pack("!H", number) if qos else b""
            properties = b"\0" if self._protocol == "5" else b""
            body = struct.pack("!H", len(TOPIC)) + TOPIC + identity + properties + b"payload"
            self._socket.sendall(bytes([PUBLISH << 4 | qos << 1, len(body)]) + body)

    def settled(self, count):
        """Return the numbers of the next `count` messages that are settled."""
        numbers = []
        while len(numbers) < count:
            kind, body = self._packet()
            if kind == PUBACK:
                numbers.append(struct.unpack("!H", body[:2])[0])
        return numbers

    def end(self, reason):
        """Say why, and end the connection."""
        self._socket.sendall(bytes([0xE0, 2, reason, 0]))
        self.say_nothing_more()

    def say_nothing_more(self):
        """End our direction; return when the other side has read everything and ended its own."""
        self._socket.shutdown(socket.SHUT_WR)
        self.wait_for_end()

    def wait_for_end(self):
        """Return when the other side has ended the connection."""
        try:
            while self._stream.read(1):
                pass
        except ConnectionResetError:
            pass

    def close(self):
        self._stream.close()
        self._socket.close()

    def _packet(self):
        first, length = self._stream.read(2)
        assert length < 128
        return first >> 4, self._stream.read(length)


@contextmanager
def connecting_link(protocol="5", **options):
    """Yield (link, function that returns the next connection of the link, not yet let in)."""
    connections = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        mqtt = MqttSection(host="127.0.0.1", port=port, protocol=protocol)
        link = CentralLink(mqtt, site="demo", **options)
        link.start()

        def next_connection(timeout_s=TIMEOUT_S):
            listening.settimeout(timeout_s)
            connections.append(Connection(listening, protocol))
            return connections[-1]

        try:
            yield link, next_connection
        finally:
            link.stop()
            for connection in connections:
                connection.close()


def take_and_settle(link, count, *, connection=1):
    """Settle in rounds, as the intake does; return the first `count` messages of a connection."""
    messages = []

    def enough():
        taken = link.take(64, 0.1)
        link.settle(taken)
        messages.extend(message for message in taken if message.connection == connection)
        return len(messages) >= count

    wait_for(enough, what=f"{count} messages")
    return messages


def test_what_waits_from_a_lost_connection_makes_room_for_what_is_offered_again():
    with connecting_link() as (link, next_connection):
        first = next_connection().accept()
        first.publish(qos=1, count=WAITING_MAX)
        first.say_nothing_more()
        second = next_connection().accept()
        second.publish(qos=1, count=WAITING_MAX)
        take_and_settle(link, WAITING_MAX, connection=2)
        assert second.settled(WAITING_MAX) == list(range(1, WAITING_MAX + 1))
        assert link.dropped_count == 0


def test_nothing_of_a_lost_connection_is_settled_while_the_next_one_is_being_made():
    with connecting_link() as (link, next_connection):
        first = next_connection().accept()
        first.publish(qos=1, count=3)
        first.say_nothing_more()
        second = next_connection()
        messages = wait_for(lambda: link.take(64, 0.1), what="messages")
        link.settle(messages[2:])
        second.accept().publish(qos=1, count=1)
        take_and_settle(link, 1, connection=2)
        assert second.settled(1) == [1]


def test_messages_that_nobody_settles_take_no_room_from_those_that_are_settled():
    with connecting_link() as (link, next_connection):
        connection = next_connection().accept()
        connection.publish(qos=0, count=WAITING_MAX + 5)
        connection.publish(qos=1, count=WAITING_MAX)
        wait_for(lambda: link.dropped_count == 5, what="dropped messages")
        messages = take_and_settle(link, 2 * WAITING_MAX)
        assert [message.qos for message in messages] == [0] * WAITING_MAX + [1] * WAITING_MAX
        assert connection.settled(WAITING_MAX) == list(range(1, WAITING_MAX + 1))
        assert link.dropped_count == 5


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_broker_that_sends_more_than_waits_here_is_held_back(protocol):
    with connecting_link(protocol) as (link, next_connection):
        connection = next_connection().accept()
        connection.publish(qos=1, count=2 * WAITING_MAX)
        wait_for(lambda: link.waiting_count == WAITING_MAX, what="a full link")
        take_and_settle(link, 2 * WAITING_MAX)
        numbers = connection.settled(2 * WAITING_MAX)
        assert numbers == list(range(1, 2 * WAITING_MAX + 1))
        assert link.dropped_count == 0


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_connection_that_is_held_back_too_long_ends_and_the_broker_offers_again(protocol, caplog):
    with connecting_link(protocol, patience_s=0.05) as (link, next_connection):
        first = next_connection().accept()
        first.publish(qos=1, count=WAITING_MAX + 1)
        first.wait_for_end()
        second = next_connection().accept()
        second.publish(qos=1, count=3)
        take_and_settle(link, 3, connection=2)
        assert second.settled(3) == [1, 2, 3]
    assert HINT_SLOW in [getattr(record, "hint", "") for record in caplog.records]


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_full_link_can_be_stopped(protocol):
    with connecting_link(protocol) as (link, next_connection):
        next_connection().accept().publish(qos=1, count=WAITING_MAX + 1)
        wait_for(lambda: link.waiting_count == WAITING_MAX, what="a full link")


def test_a_link_is_connected_once_the_broker_grants_what_it_asks_for(caplog):
    with connecting_link() as (link, next_connection):
        first = next_connection().accept()
        assert not link.connected
        first.answer_subscription(NOT_AUTHORISED)
        first.wait_for_end()
        next_connection().accept().answer_subscription(GRANTED)
        wait_for(lambda: link.connected, what="a connection")
    assert [record.hint for record in caplog.records if record.levelname == "WARNING"] == [
        HINT_REFUSED
    ]


def test_two_processes_with_one_name_do_not_throw_each_other_out_all_the_time(caplog):
    with connecting_link() as (link, next_connection):
        first = next_connection().accept()
        first.answer_subscription(GRANTED)
        wait_for(lambda: link.connected, what="a connection")
        first.end(TAKEN_OVER)
        wait_for(lambda: not link.connected, what="the end")
        with pytest.raises(TimeoutError):
            next_connection(RECONNECT_MIN_S + 1.0)
    assert HINT_TAKEN in [getattr(record, "hint", "") for record in caplog.records]


@pytest.mark.parametrize("qos", [0, 1])
def test_what_was_taken_makes_room(qos):
    with connecting_link() as (link, next_connection):
        connection = next_connection().accept()
        for _ in range(3):
            connection.publish(qos=qos, count=100)
            take_and_settle(link, 100)
        assert link.dropped_count == 0
