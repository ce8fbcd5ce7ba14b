"""The broker lets a gateway speak for itself alone; judged by what is delivered, not by words."""

import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from sqlalchemy import func, select

from central.contract.topics import GatewayTopic
from central.storage.tables import facts
from central.trust.authority import (
    Authority,
    issue_gateway,
    issue_server,
    key_pem,
    make_issuing,
    make_root,
    new_key,
    pem_of,
)
from central.trust.authority_files import load_authorities
from tests.central.trust.machines import Machine
from tests.trust.broker_client import Client, connected, is_refused, quiet
from tests.trust.stand import Pi
from tests.waiting import wait_for, within

REVOKED_S_MAX = 5.0
NAMES = ("gw-a", "gw-b")
TEA = "6901234567892"


def topic(gateway, channel):
    return str(GatewayTopic("demo", gateway, channel))


@pytest.fixture(scope="module")
def pair(site):
    """Certificate files of two gateways that were enrolled over HTTPS."""
    return {name: enrolled(site, name) for name in NAMES}


def enrolled(site, name):
    machine = Machine()
    status, answer = site.post("/api/v1/enrol", machine.body(site.claim(name)))
    assert status == 200, answer
    return written(site, name, machine.key, answer["certificate"] + answer["chain"])


def written(site, name, key, chain):
    certificate, private = site.folder / f"{name}.test.pem", site.folder / f"{name}.test.key"
    certificate.write_text(chain)
    private.write_text(key_pem(key))
    return str(certificate), str(private)


@pytest.fixture
def central(site):
    """A client with central's certificate at central's own listener."""
    broker = site.folder / "trust" / "broker"
    files = (str(broker / "central.pem"), str(broker / "central.key"))
    with connected(site.central_port, ca=site.root, certificate=files, client_id="look") as client:
        client.subscribe("dl/1/demo/+/+/up")
        client.subscribe("dl/1/demo/+/+/state")
        yield client


@pytest.fixture
def gateways(site, pair):
    with (
        connected(site.port, ca=site.root, certificate=pair["gw-a"]) as a,
        connected(site.port, ca=site.root, certificate=pair["gw-b"]) as b,
    ):
        yield a, b


FORBIDDEN = {
    "its neighbour's facts": topic("gw-b", "up"),
    "its neighbour's state": topic("gw-b", "state"),
    "its neighbour's acknowledgement": topic("gw-b", "ack"),
    "its own acknowledgement": topic("gw-a", "ack"),
    "its own notices": topic("gw-a", "down"),
    "central's state": "dl/1/demo/central/main",
    "another site": str(GatewayTopic("other", "gw-a", "up")),
    "a topic below its own": topic("gw-a", "up") + "/x",
    "a topic of nobody": "hello",
}


@pytest.mark.parametrize("where", FORBIDDEN.values(), ids=FORBIDDEN)
def test_a_gateway_cannot_publish(gateways, central, where):
    a, b = gateways
    b.subscribe(where)
    assert a.publish(where) == "Not authorized"
    assert quiet(central, a, topic("gw-a", "up")) == []
    assert not [one for one in b.hears() if one[1] == b"x"]


def test_a_gateway_publishes_its_own_facts_and_reads_its_own_notices(gateways, central):
    a, _ = gateways
    a.subscribe(topic("gw-a", "down"))
    assert a.publish(topic("gw-a", "up"), b"facts") == "Success"
    assert central.heard.get(timeout=60) == (topic("gw-a", "up"), b"facts")
    assert central.publish(topic("gw-a", "down"), b"notice") == "Success"
    assert a.heard.get(timeout=60) == (topic("gw-a", "down"), b"notice")


@pytest.mark.parametrize("asked", ["#", "$SYS/#", "dl/1/demo/+/+/down", topic("gw-b", "down")])
def test_what_a_gateway_subscribes_to_beyond_its_own_is_never_delivered(gateways, central, asked):
    a, b = gateways
    a.subscribe(asked)  # mosquitto 2.0 grants it, and looks again at each delivery.
    b.subscribe(topic("gw-b", "down"))
    central.publish(topic("gw-b", "down"), b"for b")
    assert b.heard.get(timeout=60) == (topic("gw-b", "down"), b"for b")
    a.subscribe(topic("gw-a", "down"))
    # Central's retained states are for everybody.
    heard = quiet(a, central, topic("gw-a", "down"))
    assert [one for one in heard if one[0] != "dl/1/demo/central/main"] == []


def test_a_will_on_a_neighbours_topic_is_never_delivered(site, pair, central):
    words = {"ca": site.root, "certificate": pair["gw-a"]}
    rogue = Client(site.port, will=topic("gw-b", "state"), **words)
    assert rogue.connect() == "Success"
    rogue.client.socket().close()  # Without a farewell.
    rogue.client.loop_stop()
    with connected(site.port, **words) as honest:
        assert quiet(central, honest, topic("gw-a", "up")) == []


def test_a_neighbours_client_identifier_disturbs_nobody(site, pair, gateways, central):
    _, b = gateways
    words = {"ca": site.root, "certificate": pair["gw-a"]}
    with connected(site.port, client_id="gw-b", **words) as rogue:
        assert rogue.publish(topic("gw-b", "up")) == "Not authorized"
        assert b.publish(topic("gw-b", "up"), b"still here") == "Success"
    assert central.heard.get(timeout=60) == (topic("gw-b", "up"), b"still here")


def strangers(site):
    """Certificates that must not open the broker: (name, file pair)."""
    now_ms = int(time.time() * 1000)
    authorities = load_authorities(site.folder / "trust")
    key = new_key()
    foreign = make_issuing(make_root("Foreign", now_ms=now_ms), "Foreign", now_ms=now_ms)

    def gateway(authority, *, at_ms=now_ms):
        made = issue_gateway(authority, key.public_key(), "gw-a", now_ms=at_ms, crl_url="")
        return pem_of(made) + authority.pem

    old_ms, next_ms = now_ms - 91 * 86_400_000, now_ms + 86_400_000
    server = issue_server(
        authorities.servers, key.public_key(), ["127.0.0.1"], now_ms=now_ms, crl_url=""
    )
    yield "expired", written(site, "expired", key, gateway(authorities.gateways, at_ms=old_ms))
    yield "not yet good", written(site, "soon", key, gateway(authorities.gateways, at_ms=next_ms))
    yield "of another authority", written(site, "foreign", key, gateway(foreign))
    yield (
        "a server's",
        written(site, "server", key, pem_of(server) + authorities.servers.pem),
    )
    yield "none", None


def test_the_broker_lets_no_stranger_in(site):
    for name, files in strangers(site):
        assert is_refused(site.port, ca=site.root, certificate=files), name


def test_a_gateway_has_no_way_in_at_centrals_listener(site, pair):
    words = {"ca": site.root, "certificate": pair["gw-a"]}
    assert is_refused(site.central_port, client_id="dockledger-central-demo-main", **words)


def test_a_leaf_is_no_authority(site, pair):
    key = new_key()
    certificate, private = pair["gw-b"]
    leaf = x509.load_pem_x509_certificate(Path(certificate).read_bytes())
    own = load_pem_private_key(Path(private).read_bytes(), password=None)
    assert isinstance(own, ec.EllipticCurvePrivateKey)
    made = issue_gateway(
        Authority(leaf, own), key.public_key(), "gw-c", now_ms=int(time.time() * 1000), crl_url=""
    )
    chain = pem_of(made) + Path(certificate).read_text()
    assert is_refused(site.port, ca=site.root, certificate=written(site, "leaf", key, chain))


def test_revocation_stops_a_live_session_and_disturbs_no_other(site, pair, central):
    files = enrolled(site, "gw-lost")
    with (
        connected(site.port, ca=site.root, certificate=files) as lost,
        connected(site.port, ca=site.root, certificate=pair["gw-b"]) as other,
    ):
        assert lost.publish(topic("gw-lost", "up"), b"before") == "Success"
        lost.subscribe(topic("gw-lost", "down"))
        site.command("revoke", "gw-lost", "--reason", "stolen")
        with within(REVOKED_S_MAX, what="the end of the session"):
            wait_for(
                lambda: lost.publish(topic("gw-lost", "up"), b"after") == "Not authorized",
                what="no right to publish",
            )
        central.publish(topic("gw-lost", "down"), b"secret")
        assert other.publish(topic("gw-b", "up"), b"undisturbed") == "Success"
        heard = quiet(central, other, topic("gw-b", "up"))
        assert (topic("gw-b", "up"), b"undisturbed") in heard
        assert lost.hears() == []
        assert other.states.empty()  # It was never disconnected.
    assert is_refused(site.port, ca=site.root, certificate=files)
    with connected(site.port, ca=site.root, certificate=pair["gw-b"]):
        pass


def test_a_pi_with_an_enrolment_file_becomes_a_gateway_and_its_movement_is_posted(site):
    pi = Pi(site, "dock-a")
    site.write_enrol_file("dock-a", site.claim("dock-a"))
    try:
        pi.start()
        wait_for(pi.identity.exists, what="the certificate")
        wait_for(pi.knows, what="the stock of central")
        pi.scan("DOC-PO-7", TEA, "CMD-DONE")

        def posted():
            with site.database.read() as connection:
                return connection.execute(select(func.count()).select_from(facts)).scalar()

        wait_for(posted, what="a fact at the ledger")
        wait_for(lambda: pi.state()["unsent_count"] == 0, what="the acknowledgement")
    finally:
        pi.kill()
