"""Whom mosquitto refuses central counts, tells once and shows; heard from the broker's own log."""

import re
import socket
import ssl
from collections import Counter
from contextlib import suppress

import pytest
from sqlalchemy import select

from central.clock import SystemClock
from central.stock.alert_book import read_alerts
from central.storage.refusal_tables import refusals
from central.web.alert_words import ALERTS, HELD_BACK
from central.web.drawing import drawing_in
from tests.brokers import Broker, _program
from tests.central.watching.mail_sink import mail_server
from tests.ports import steady_port
from tests.trust.broker_client import Client, connected
from tests.trust.stand import trusted_site
from tests.trust.test_broker import enrolled, strangers, topic
from tests.waiting import wait_for, within

TOLD_S_MAX = 60
FLOOD_COUNT = 2000
HERE = "address:127.0.0.1"
MORE = """
[access]
mode = "open"
[mail]
host = "127.0.0.1"
port = {port}
tls = "none"
sender = "dockledger@example.com"
[[alerts.recipients]]
address = "keeper@example.com"
[[alerts.recipients]]
address = "baoguanyuan@example.com"
language = "zh"
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """An installation of its own: its keepers get letters, and anybody here sees its pages."""
    with mail_server() as (box, port):
        folder = tmp_path_factory.mktemp("heard")
        with trusted_site(folder, more=MORE.format(port=port)) as made:
            made.box = box
            yield made


@pytest.fixture(scope="module")
def gateways(site):
    """Certificate files of two gateways, by their names."""
    return {name: enrolled(site, name) for name in ("gw-a", "gw-b")}


def total(site, kind):
    """Return the figure that Prometheus reads."""
    text = site.get("/metrics")
    found = re.search(rf'^dockledger_refused_total{{kind="{kind}"}} (\d+)$', text, re.MULTILINE)
    return int(found[1])


def kept(site, kind, subject):
    """Return (how many, address, detail) of a refusal in the database, None for none."""
    table = refusals.c
    columns = select(table.refused_count, table.address, table.detail)
    with site.database.read() as connection:
        found = columns.where(table.kind == kind, table.subject == subject)
        return connection.execute(found).one_or_none()


def alerts(site, kind):
    """Return (subject, how many) of the alerts of a kind of refusal."""
    found = read_alerts(site.database, SystemClock()).alerts
    return [(one.subject, one.detail) for one in found if one.lot == kind]


def knock(port, *, ca, certificate=None):
    """Come to the broker once with TLS, and read until it ends."""
    context = ssl.create_default_context(cafile=str(ca))
    if certificate is not None:
        context.load_cert_chain(*certificate)
    with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
        try:
            with context.wrap_socket(line, server_hostname="127.0.0.1") as talk:
                assert talk.recv(1) == b""
        except (ssl.SSLError, ConnectionError):
            return
    raise AssertionError("the broker ended it without a reason")


def grows(site, kind, count=1):
    """Return what waits until that many more are counted, and no more."""
    before = total(site, kind)

    def wait():
        wait_for(lambda: total(site, kind) >= before + count, what=f"{count} {kind}")
        assert total(site, kind) == before + count

    return wait


def test_who_publishes_in_anothers_name_is_counted_by_the_name_in_his_certificate(site, gateways):
    with connected(
        site.port, ca=site.root, certificate=gateways["gw-a"], client_id="gw-b"
    ) as rogue:
        counted = grows(site, "broker_publish", 2)
        assert rogue.publish(topic("gw-b", "up")) == "Not authorized"
        rogue.client.publish(topic("gw-b", "state"), b"x", qos=0)
        assert rogue.publish(topic("gw-a", "up")) == "Success"
        counted()
    row = wait_for(lambda: kept(site, "broker_publish", "gw-a"), what="a row")
    assert row == (2, "127.0.0.1", topic("gw-b", "state"))
    assert alerts(site, "broker_publish") == [("gw-a", "2")]


def test_a_will_in_anothers_name_is_counted_though_the_broker_says_nothing(site, gateways):
    counted = grows(site, "broker_publish")
    with connected(
        site.port, ca=site.root, certificate=gateways["gw-a"], will=topic("gw-b", "state")
    ):
        counted()


def test_who_asks_to_read_anothers_notices_is_counted_though_the_broker_grants_it(site, gateways):
    counted = grows(site, "broker_subscribe", 2)
    with connected(site.port, ca=site.root, certificate=gateways["gw-a"]) as rogue:
        rogue.subscribe(topic("gw-b", "down"))
        rogue.subscribe(topic("gw-a", "down"))
        rogue.subscribe("#")
        counted()
    wait_for(lambda: kept(site, "broker_subscribe", "gw-a"), what="a row")
    assert kept(site, "broker_subscribe", "gw-a") == (2, "127.0.0.1", "#")


def test_strangers_are_counted_by_their_address(site):
    for name, files in strangers(site):
        kind = "broker_certificate" if files else "broker_no_certificate"
        counted = grows(site, kind)
        knock(site.port, ca=site.root, certificate=files)
        counted()
        wait_for(lambda kind=kind: kept(site, kind, HERE), what=name)
    assert alerts(site, "broker_no_certificate") == []  # From the fifth on.
    for _ in range(4):
        knock(site.port, ca=site.root)
    wait_for(lambda: alerts(site, "broker_no_certificate") == [(HERE, "5")], what="an alert")


def test_who_speaks_no_tls_is_counted(site):
    counted = grows(site, "broker_handshake", 2)
    for said in (b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00", b"GET / HTTP/1.0\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", site.port), timeout=60) as line:
            line.sendall(said)
            with suppress(ConnectionResetError):
                while line.recv(100):
                    pass
    counted()


def test_a_revoked_gateway_is_counted_by_name_while_it_is_in_and_then_by_address(site):
    files = enrolled(site, "gw-lost")
    with connected(site.port, ca=site.root, certificate=files) as lost:
        site.command("revoke", "gw-lost", "--reason", "stolen")
        counted = grows(site, "broker_publish")
        wait_for(lambda: lost.publish(topic("gw-lost", "up")) == "Not authorized", what="a refusal")
        counted()
    wait_for(lambda: kept(site, "broker_publish", "gw-lost"), what="a row")
    counted = grows(site, "broker_certificate")
    knock(site.port, ca=site.root, certificate=files)
    counted()


def test_a_flood_is_one_alert_and_one_letter_in_each_language_within_a_minute(site):
    names = ("gw-flood", "gw-late")
    files = {name: enrolled(site, name) for name in names}
    with connected(site.port, ca=site.root, certificate=files["gw-flood"]) as rogue:
        with within(TOLD_S_MAX, what="letters about the first"):
            assert rogue.publish("hello") == "Not authorized"
            wait_for(lambda: letters_about(site, "gw-flood").total() == 2, what="two letters")
        counted = grows(site, "broker_publish", FLOOD_COUNT)
        for _ in range(FLOOD_COUNT):
            rogue.client.publish("hello", b"x", qos=0)
        counted()
    flooded = str(FLOOD_COUNT + 1)
    wait_for(lambda: ("gw-flood", flooded) in alerts(site, "broker_publish"), what="a figure")
    with connected(site.port, ca=site.root, certificate=files["gw-late"]) as late:
        late.publish("hello")
    wait_for(lambda: letters_about(site, "gw-late").total() == 2, what="letters about the last")
    assert letters_about(site, "gw-flood") == {
        "keeper@example.com": 1,
        "baoguanyuan@example.com": 1,
    }
    page = site.get("/alerts?kind=broker_refused")
    for word in (ALERTS["broker_refused"][0], HELD_BACK["broker_publish"], "gw-flood", flooded):
        assert drawing_in("en").texts.say(word) in page.replace("&#39;", "'")


def letters_about(site, gateway):
    """Return how many letters with the advice, in his language, name a gateway, by recipient."""
    found = Counter()
    for letter in list(site.box.letters):
        language = "zh" if "baoguanyuan" in letter["to"] else "en"
        advice = drawing_in(language).texts.say(ALERTS["broker_refused"][1])
        body = letter.get_content()
        if gateway in body and advice in body:
            found[letter["to"]] += 1
    return found


def test_a_broker_that_is_started_anew_is_heard_again(site, gateways):
    counted = grows(site, "broker_publish")
    site.running_broker.stop()
    (site.folder / "broker.log").unlink()
    site.running_broker.start()
    client = Client(site.port, ca=site.root, certificate=gateways["gw-b"])
    assert client.connect() == "Success"
    assert client.publish(topic("gw-a", "up")) == "Not authorized"
    client.close()
    counted()


def test_a_file_that_debians_settings_name_is_written_no_more(site, tmp_path):
    """Theirs come first and name a log file, which would be full of what nobody needs."""
    there = (site.folder / "mosquitto.conf").read_text()
    port, central_port = steady_port(), steady_port()
    ours = there.replace(str(site.central_port), str(central_port))
    ours = ours.replace(str(site.port), str(port)).replace("persistence true\n", "")
    (tmp_path / "conf.d").mkdir()
    kept = ("pid_file", "persistence_location")
    (tmp_path / "conf.d/dockledger.conf").write_text(
        "".join(line for line in ours.splitlines(keepends=True) if not line.startswith(kept))
    )
    theirs = tmp_path / "mosquitto.conf"
    theirs.write_text(f"log_dest file {tmp_path}/theirs.log\ninclude_dir {tmp_path}/conf.d\n")
    broker = Broker([_program("mosquitto"), "-c", str(theirs)], port=port, directory=tmp_path)
    broker.start()
    try:
        knock(port, ca=site.root)
        wait_for(lambda: "peer did not return a certificate" in broker.log(), what="its word")
    finally:
        broker.kill()
    assert not (tmp_path / "theirs.log").exists()
