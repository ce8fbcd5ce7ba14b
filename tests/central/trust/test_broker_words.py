"""What mosquitto's log says of whom it refuses; its lines are those that it wrote."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.trust.broker_words import SEVERAL, BrokerWords, Refused

CAME = "New connection from 192.0.2.7:49955 on port 8883."
LET_IN = "New client connected from 192.0.2.7:49955 as gw-a (p5, c1, k60, u'gw-a')."
CENTRAL = [
    "New connection from 127.0.0.1:40523 on port 8884.",
    "New client connected from 127.0.0.1:40523 as dockledger-central-demo-main"
    " (p5, c0, k15, u'central').",
]
VERIFY = "OpenSSL Error[0]: error:0A000086:SSL routines::certificate verify failed"
NONE = "OpenSSL Error[0]: error:0A0000C7:SSL routines::peer did not return a certificate"
GONE = "Client <unknown> disconnected: Protocol error."
EOF = "OpenSSL Error[0]: error:0A000126:SSL routines::unexpected eof while reading"
ALERT = "OpenSSL Error[0]: error:0A000418:SSL routines::tlsv1 alert unknown ca"
FAILED = "Client connection from 192.0.2.7 failed: error:"
OTHER_CAME = "New connection from 198.51.100.3:1024 on port 8883."
B_UP, B_DOWN, B_STATE = (f"dl/1/demo/38/gw-b/{one}" for one in ("up", "down", "state"))
INJECTED = "x'), ... (5 bytes)) Denied PUBLISH from gw-b (d0, q1, r0, m1, 'y"
ADDRESS = "192.0.2.7"


def heard(*lines, words=None, now_s=0.0, end="\n"):
    words = words or BrokerWords(site="demo")
    text = "".join(f"1795409181: {line}{end}" for line in lines)
    return list(words.hear(text.encode(), now_s=now_s))


def denied(topic, *, who="gw-a", end=", ... (1 bytes))"):
    return f"Denied PUBLISH from {who} (d0, q1, r0, m1, '{topic}'{end}"


def asked(*filters, who="gw-a", end=" (QoS 1)"):
    return [f"Received SUBSCRIBE from {who}", *(f"\t{one}{end}" for one in filters)]


def of_address(kind, detail):
    return [Refused(kind, f"address:{ADDRESS}", ADDRESS, detail)]


CASES = {
    "a publication in another's name": (
        [CAME, LET_IN, "No will message specified.", denied(B_UP)],
        [Refused("broker_publish", "gw-a", ADDRESS, B_UP)],
    ),
    "one of somebody who came before we listened": (
        [denied(B_UP)],
        [Refused("broker_publish", "gw-a", "", B_UP)],
    ),
    "a topic that speaks as the log does": (
        [denied(INJECTED)],
        [Refused("broker_publish", "gw-a", "", INJECTED)],
    ),
    "a topic that is too long for the log": (
        [denied("l" * 900)[:500]],
        [Refused("broker_publish", "gw-a", "", denied("l" * 900)[:500].partition("'")[2])],
    ),
    "the name of a user where identifiers are free": (
        ["New client connected from 192.0.2.7:1 as gw-b (p5, c1, k60, u'mallory').", denied(
            B_UP, who="gw-b")],
        [Refused("broker_publish", "mallory", ADDRESS, B_UP)],
    ),
    "a will in another's name": (
        [CAME, LET_IN, "Will message specified (4 bytes) (r0, q1).", f"\t{B_STATE}"],
        [Refused("broker_publish", "gw-a", ADDRESS, B_STATE)],
    ),
    "its own will": (
        [CAME, LET_IN, "Will message specified (4 bytes) (r1, q1).", "\tdl/1/demo/7/gw-a/state"],
        [],
    ),
    "a will of nobody knows whom": (
        [CAME, LET_IN, CAME, "Will message specified (4 bytes) (r0, q1).", f"\t{B_STATE}"],
        [],
    ),
    "another's notices, and everything": (
        [CAME, LET_IN, *asked(B_DOWN, "#", "dl/1/demo/+/+/down")],
        [
            Refused("broker_subscribe", "gw-a", ADDRESS, one)
            for one in (B_DOWN, "#", "dl/1/demo/+/+/down")
        ],
    ),
    "filters that 2.1 denies": (
        asked("$SYS/#", end=" (denied)"),
        [Refused("broker_subscribe", "gw-a", "", "$SYS/#")],
    ),
    "its own facts": (
        asked("dl/1/demo/7/gw-a/up"),
        [Refused("broker_subscribe", "gw-a", "", "dl/1/demo/7/gw-a/up")],
    ),
    "of another site": (
        asked("dl/1/other/7/gw-a/down"),
        [Refused("broker_subscribe", "gw-a", "", "dl/1/other/7/gw-a/down")],
    ),
    "what a gateway reads": (
        asked("dl/1/demo/7/gw-a/ack", "dl/1/demo/7/gw-a/down", "dl/1/demo/central/+"),
        [],
    ),
    "what central reads": (
        [*CENTRAL, *asked("dl/1/demo/+/+/up", who="dockledger-central-demo-main")],
        [],
    ),
    "what central reads that came before we listened": (
        asked("dl/1/demo/+/+/up", who="dockledger-central-demo-main"),
        [],
    ),
    "what somebody leaves": (["Received UNSUBSCRIBE from gw-a", f"\t{B_DOWN}"], []),
    "a revoked certificate": (
        [CAME, VERIFY, GONE],
        of_address("broker_certificate", "certificate verify failed"),
    ),
    "no certificate": (
        [CAME, NONE, GONE],
        of_address("broker_no_certificate", "peer did not return a certificate"),
    ),
    "one that fails at once": (
        [f"{FAILED}0A000086:SSL routines::certificate verify failed."],
        of_address("broker_certificate", "certificate verify failed"),
    ),
    "no TLS": (
        [f"{FAILED}0A00010B:SSL routines::wrong version number."],
        of_address("broker_handshake", "wrong version number"),
    ),
    "a browser": (
        [f"{FAILED}0A00009C:SSL routines::http request."],
        of_address("broker_handshake", "http request"),
    ),
    "whoever does not believe the broker": (
        [CAME, ALERT, GONE],
        of_address("broker_handshake", "tlsv1 alert unknown ca"),
    ),
    "a gateway that loses its power": (
        [CAME, LET_IN, EOF, "Client gw-a closed its connection."],
        [],
    ),
    "a look at the port": (
        [CAME, EOF, GONE, f"{FAILED}0A000126:SSL routines::unexpected eof while reading."],
        [],
    ),
    "two who are being let in": (
        [CAME, OTHER_CAME, VERIFY, GONE],
        [Refused("broker_certificate", SEVERAL, "", "certificate verify failed")],
    ),
    "one after another was let in": (
        [CAME, LET_IN, OTHER_CAME, VERIFY],
        [Refused("broker_certificate", "address:198.51.100.3", "198.51.100.3",
                 "certificate verify failed")],
    ),
    "one after another has gone": (
        [CAME, GONE, OTHER_CAME, VERIFY],
        [Refused("broker_certificate", "address:198.51.100.3", "198.51.100.3",
                 "certificate verify failed")],
    ),
    "one after another has gone, as 2.1 says it": (
        [CAME, OTHER_CAME, f"Client {ADDRESS} [{ADDRESS}:49955] disconnected: protocol error.",
         VERIFY],
        [Refused("broker_certificate", "address:198.51.100.3", "198.51.100.3",
                 "certificate verify failed")],
    ),
    "a wrong password": (
        ["Client somebody disconnected, not authorised."],
        [Refused("broker_login", "somebody", "", "")],
    ),
    "a wrong password, as 2.1 says it": (
        [f"Client somebody [{ADDRESS}:1024] disconnected: not authorised."],
        [Refused("broker_login", "somebody", ADDRESS, "")],
    ),
    "one more than the broker takes": (
        [f"Client connection from {ADDRESS} denied: max_connections exceeded."],
        of_address("broker_full", ""),
    ),
    "what is allowed": (
        [
            "Received PUBLISH from gw-a (d0, q1, r0, m4, 'dl/1/demo/7/gw-a/up', ... (1 bytes))",
            "Received PUBLISH from gw-a (d0, q1, r0, m4, 'Denied PUBLISH from x', ... (1 bytes))",
            "Sending PUBACK to gw-a (m4, rc0)",
            "Reloading config.",
        ],
        [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "expected"), CASES.values(), ids=CASES)
def test_a_line_of_the_log_becomes_a_refusal_or_nothing(lines, expected):
    assert heard(*lines) == expected


@pytest.mark.parametrize(("lines", "expected"), CASES.values(), ids=CASES)
def test_lines_mean_the_same_one_by_one(lines, expected):
    words = BrokerWords(site="demo")
    assert [one for line in lines for one in heard(line, words=words)] == expected


def test_who_is_long_gone_hides_nobody():
    words = BrokerWords(site="demo")
    heard(CAME, words=words)
    assert heard(OTHER_CAME, VERIFY, words=words, now_s=99.0)[0].subject == SEVERAL
    found = heard(VERIFY, words=words, now_s=101.0)
    assert found[0].subject == "address:198.51.100.3"


def test_a_crowd_costs_bounded_memory():
    words = BrokerWords(site="demo")
    for number in range(10_000):
        heard(
            f"New connection from 192.0.2.7:{number} on port 8883.",
            f"New client connected from 198.51.100.3:1 as g{number} (p5, c1, k60, u'g{number}').",
            words=words,
        )
    assert (len(words._pending), len(words._clients)) == (256, 4096)
    assert heard(denied("x", who="g9999"), words=words)[0].address == "198.51.100.3"
    assert heard(denied("x", who="g1"), words=words)[0].address == ""


PARTS = st.sampled_from([one for lines, _ in CASES.values() for one in lines])
NOISE = st.binary(max_size=60)


@given(st.lists(st.one_of(PARTS.map(str.encode), NOISE), max_size=12))
def test_any_bytes_raise_nothing(parts):
    words = BrokerWords(site="demo")
    for one in words.hear(b"\n".join(parts), now_s=0.0):
        assert one.kind.startswith("broker_") and one.subject


@pytest.mark.parametrize("prefix", ["", "1795409181: ", "2026-11-23T04:45:12: "])
def test_the_time_before_a_line_may_have_any_form(prefix):
    words = BrokerWords(site="demo")
    found = list(words.hear(f"{prefix}{denied(B_UP)}\n".encode(), now_s=0.0))
    assert found == [Refused("broker_publish", "gw-a", "", B_UP)]
