"""Workers hear the gateways of their shards, and say so. Edge of mosquitto."""

from contextlib import contextmanager
from queue import Empty, Queue

import paho.mqtt.client as paho
import pytest

from central.config import MqttSection, parse_shards
from central.contract.states import decode_central_state
from central.contract.topics import GatewayTopic, central_subscription, shard_of
from central.errors import ConfigInvalid, LedgerUnavailable
from central.inbox.announcing import LOOK_S, SAY_AGAIN_S, Announcing, offline_will, worker_state
from central.mqtt_link import CentralLink
from tests.brokers import PASSWORD, USERNAME, mosquitto
from tests.central.scenery import FixedClock
from tests.waiting import until

GATEWAYS = [f"gw-{number}" for number in range(12)]
PROTOCOLS = ["5", "3.1.1"]


@pytest.fixture(scope="module")
def broker(tmp_path_factory):
    with mosquitto(tmp_path_factory.mktemp("broker")) as running:
        yield running


@contextmanager
def linked(broker, protocol="5", **options):
    """Yield a connected link."""
    mqtt = MqttSection(
        host="127.0.0.1",
        port=broker.port,
        username=USERNAME,
        password=PASSWORD,
        protocol=protocol,
    )
    link = CentralLink(mqtt, site="demo", **options)
    link.start()
    try:
        until(lambda: link.connected, "a connection")
        yield link
    finally:
        link.stop()


@contextmanager
def peer(broker, *filters):
    """Yield (publish, queue of what comes) of a client of the broker."""
    messages, subscribed = Queue(), Queue()
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    client.username_pw_set(USERNAME, PASSWORD)
    client.on_message = lambda _client, _data, message: messages.put(message)
    client.on_subscribe = lambda *_: subscribed.put(True)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    for one in filters:
        client.subscribe(one, qos=1)
        subscribed.get(timeout=60)

    def publish(topic, payload):
        client.publish(topic, payload, qos=1).wait_for_publish(10)

    try:
        yield publish, messages
    finally:
        client.disconnect()
        client.loop_stop()


def heard(link, last):
    """The gateways of the messages up to the one with the payload `last`, all settled."""
    found = []

    def enough():
        taken = link.take(64, 0.1)
        link.settle(taken)
        found.extend(taken)
        return any(message.payload == last for message in found)

    until(enough, "the last message")
    return [message.topic.split("/")[4] for message in found]


def say_all(publish, gateways, payload):
    for gateway in gateways:
        publish(str(GatewayTopic("demo", gateway, "up")), payload)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_worker_hears_its_shards_alone_also_if_it_had_others_before(broker, protocol):
    def shards_of(gateways):
        return tuple(sorted({shard_of(gateway) for gateway in gateways}))

    first, second = GATEWAYS[:6], GATEWAYS[6:]
    name = f"worker-{protocol.replace('.', '-')}"
    own_second = [one for one in second if shard_of(one) not in shards_of(first)]
    with peer(broker) as (publish, _):
        with linked(broker, protocol, worker=name, shards=shards_of(first)) as link:
            say_all(publish, [*own_second, *first[:5]], b"before")
            publish(str(GatewayTopic("demo", first[5], "up")), b"last")
            assert heard(link, b"last") == first
        with linked(broker, protocol, worker=name, shards=shards_of(own_second)) as link:
            publish(str(GatewayTopic("demo", own_second[0], "up")), b"last")
            heard(link, b"last")
            say_all(publish, [*first, *own_second], b"after")
            publish(str(GatewayTopic("demo", own_second[0], "up")), b"end")
            assert set(heard(link, b"end")) == set(own_second)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_came_while_nobody_listened_is_offered_when_the_worker_is_back(broker, protocol):
    name = f"away-{protocol.replace('.', '-')}"
    with peer(broker) as (publish, _):
        with linked(broker, protocol, worker=name) as link:
            publish(str(GatewayTopic("demo", GATEWAYS[0], "up")), b"first")
            heard(link, b"first")
        publish(str(GatewayTopic("demo", GATEWAYS[0], "up")), b"meanwhile")
        with linked(broker, protocol, worker=name) as link:
            heard(link, b"meanwhile")


def test_messages_name_their_channel_and_reach_the_gateway_that_is_named(broker):
    channels = ("up", "state", "down-ack", "digests")
    down = str(GatewayTopic("demo", "gw-1", "down"))
    with (
        peer(broker, down) as (publish, messages),
        linked(broker, worker="channels", channels=channels) as link,
    ):
        for channel in channels:
            publish(str(GatewayTopic("demo", "gw-1", channel)), channel.encode())
        found = []
        until(lambda: found.extend(link.take(9, 0.1)) or len(found) == 4, "four messages")
        assert [(one.channel, one.payload.decode()) for one in found] == [
            (channel, channel) for channel in channels
        ]
        assert link.publish("gw-1", "down", b"notice", retain=False)
        told = messages.get(timeout=60)
        assert (told.topic, told.payload, told.retain) == (down, b"notice", False)


class Generations:
    """What the ledger's generation is; fails as long as it is told to."""

    def __init__(self):
        self.now, self.away = "g-1", False

    def read(self):
        if self.away:
            raise LedgerUnavailable("away", hint="Start it.")
        return self.now


def states_of(messages):
    found = []
    while True:
        try:
            found.append(decode_central_state(messages.get_nowait().payload))
        except Empty:
            return found


def test_a_worker_is_announced_once_a_connection_and_at_a_new_generation_and_its_end(broker):
    clock, generations, noted = FixedClock(), Generations(), []
    state = worker_state(worker="one", shards=(3, 5), generation="g-1", public_key="ab")
    with peer(broker, central_subscription(site="demo")) as (_, messages):
        with linked(broker, worker="one", will=offline_will(state, site="demo")) as link:
            announcing = Announcing(
                state,
                link=link,
                clock=clock,
                read_generation=generations.read,
                noted=noted.append,
            )
            told = []

            def hear(count):
                until(lambda: told.extend(states_of(messages)) or len(told) >= count, "a state")

            announcing.turn()
            announcing.turn()
            hear(1)
            generations.now, generations.away = "g-2", True
            clock.time_ms += int(LOOK_S * 1000)
            announcing.turn()
            generations.away = False
            clock.time_ms += int(LOOK_S * 1000)
            announcing.turn()
            hear(2)
            clock.time_ms += int(SAY_AGAIN_S * 1000)
            announcing.turn()  # The same word again: a cluster may have lost what it retained.
            hear(3)
            announcing.turn()
            announcing.end()
            hear(4)
        assert [(one.online, one.generation, one.shards) for one in told] == [
            (True, "g-1", (3, 5)),
            (True, "g-2", (3, 5)),
            (True, "g-2", (3, 5)),
            (False, "g-2", (3, 5)),
        ]
        assert {(one.worker, one.public_key) for one in told} == {("one", "ab")}
        assert told[1] == told[2]
        assert told[1].time_ms == clock.time_ms - int(SAY_AGAIN_S * 1000)
        assert [one.online for one in noted] == [True, True, True, False]
    with peer(broker, central_subscription(site="demo")) as (_, messages):
        assert not decode_central_state(messages.get(timeout=60).payload).online  # Retained.


@pytest.mark.parametrize(
    ("text", "shards"),
    [
        pytest.param("0", (0,), id="one"),
        pytest.param("0-3,40", (0, 1, 2, 3, 40), id="a range and one"),
        pytest.param(" 63, 1-2 ,2", (1, 2, 63), id="unsorted, twice, with spaces"),
        pytest.param("0-63", tuple(range(64)), id="all"),
    ],
)
def test_shards_are_numbers_and_ranges(text, shards):
    assert parse_shards(text) == shards


@pytest.mark.parametrize("text", ["", "64", "3-1", "1-", "a", "-1", "0-64", "1,,2", "1;2", "²"])
def test_what_is_no_shard_is_refused_with_a_hint(text):
    with pytest.raises(ConfigInvalid) as caught:
        parse_shards(text)
    assert "63" in caught.value.hint
