"""A cluster of three NATS servers as the broker, MQTT 3.1.1: what holds when a node dies. Edge.

Not part of `make test`: JetStream elects its leaders anew for up to ten seconds after each death.
`make chaos` runs it.
"""

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.brokers import PASSWORD, USERNAME
from tests.chaos.campaign import Campaign, CampaignPlan
from tests.chaos.nats_cluster import connected_client, end_client, subscribed
from tests.chaos.site import Site, SitePlan
from tests.waiting import wait_for

pytestmark = pytest.mark.chaos

GATEWAY = "chaos-1"
SCANS_COUNT = 20


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    directory = tmp_path_factory.mktemp("cluster") / "site"
    plan = SitePlan(directory, database="sqlite", broker="nats", gateways_count=1)
    with Site(plan) as site:
        site.broker.wait_until_formed()
        yield site
    assert site.processes_left() == []


def test_movements_pass_while_the_node_of_the_publisher_dies(site):
    campaign = Campaign(site, CampaignPlan(seed=0, cycles_max=0), lambda line: None)
    campaign.wait_until_all_scan()
    operator, proxy = site.stands[0].operator, site.proxies[GATEWAY]
    before = proxy.target_of_newest()
    wait_for(lambda: operator.greens_count > SCANS_COUNT, what="scans")
    node = site.broker.node_at(before)
    node.kill()
    wait_for(lambda: proxy.target_of_newest() != before, what="another node")
    count = operator.greens_count + SCANS_COUNT
    wait_for(lambda: operator.greens_count > count, what="scans after it")
    campaign.settle("with two nodes")
    node.start()
    campaign.wait_until_all_scan()
    campaign.settle("with three nodes")


def test_what_is_retained_at_every_node_outlives_one(site):
    topic, ports = "dl/1/probe/0/g/ack", site.broker.ports
    publisher = wait_for(lambda: connected_client(ports[0], "publisher"))
    published = publisher.publish(topic, b"newest", qos=1, retain=True)
    wait_for(published.is_published, what="the broker's PUBACK")
    end_client(publisher)
    # The PUBACK does not promise it: a node that dies just after it may take it along.
    assert_retained(ports[1], "early", topic, b"newest")
    site.broker.nodes[0].kill()
    try:
        assert_retained(ports[1], "late", topic, b"newest")
    finally:
        site.broker.nodes[0].start()


def assert_retained(port, name, topic, payload):
    client = wait_for(lambda: connected_client(port, name))
    heard = subscribed(client, topic)
    message = wait_for(lambda: heard and heard[0], what="what is retained")
    assert (message.payload, message.retain) == (payload, True)
    end_client(client)


def test_the_will_of_a_client_whose_node_lives_is_published(site):
    topic, ports = "dl/1/probe/0/g/state", site.broker.ports
    listener = wait_for(lambda: connected_client(ports[1], "listener"))
    heard = subscribed(listener, topic)
    with_will = paho.Client(
        CallbackAPIVersion.VERSION2, client_id="dying", protocol=MQTTProtocolVersion.MQTTv311
    )
    with_will.username_pw_set(USERNAME, PASSWORD)
    with_will.will_set(topic, b"gone", qos=1, retain=True)
    with_will.connect("127.0.0.1", ports[2], keepalive=5)
    with_will.loop_start()
    wait_for(with_will.is_connected, what="the connection")
    with_will.loop_stop()
    with_will.socket().close()  # Without farewell.
    wait_for(lambda: [one.payload for one in heard] == [b"gone"], what="the will")
    end_client(listener)
