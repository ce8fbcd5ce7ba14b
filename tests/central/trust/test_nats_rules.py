"""The users of NATS servers: each with its own subjects, and with nobody else's. Pure."""

import re

from central.trust.nats_rules import subject_of, user_list
from tests.central.trust.machines import Machine, claimed, trust_of


def test_a_level_of_a_topic_stays_one_level_of_a_subject():
    assert subject_of("dl/1/demo/+/gw.a/up") == "dl.1.demo.*.gw//a.up"
    assert subject_of("dl/1/a..b/central/+") == "dl.1.a////b.central.*"


def test_no_subject_of_a_gateway_holds_a_wildcard_but_for_centrals_workers():
    lines = user_list(site="demo", gateways=["gw-a", "gw-b", "gw-a"]).splitlines()
    users = [line for line in lines if "CN=gw" in line]
    assert len(users) == 2
    for name, line in zip(("gw-a", "gw-b"), users, strict=True):
        subjects = set(re.findall(r'"([^"]+)"', line)) - {f"CN={name}", "MQTT"}
        open_ones = {one for one in subjects if "*" in one or ">" in one}
        assert open_ones == {"dl.1.demo.central.*", "$MQTT.sub.>"}
        assert all(one.split(".")[4] == name for one in subjects - open_ones)


def test_the_file_follows_each_enrolment_and_revocation(database, tmp_path):
    trust, file = trust_of(database, directory=tmp_path), tmp_path / "nats-users.conf"
    for name in ("dock-a", "dock-b"):
        trust.enrol(Machine().request(claimed(trust, name)), address="192.0.2.1")
    assert re.findall(r"CN=([a-z-]+)", file.read_text()) == ["central", "dock-a", "dock-b"]
    trust.revoke("dock-a", reason="stolen", by="tests")
    assert re.findall(r"CN=([a-z-]+)", file.read_text()) == ["central", "dock-b"]
