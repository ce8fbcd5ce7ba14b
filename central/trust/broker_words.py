"""What mosquitto's log says of those whom it refuses. Pure.

The lines are those of mosquitto 2.0.11 to 2.1.2 (`loop.c`, `net.c`, `handle_connect.c`,
`handle_publish.c` and `handle_subscribe.c` of its `src`), each behind the time:

    Denied PUBLISH from gw-a (d0, q1, r0, m1, 'dl/1/demo/38/gw-b/up', ... (1 bytes))
    New connection from 192.0.2.7:49955 on port 8883.
    OpenSSL Error[0]: error:0A000086:SSL routines::certificate verify failed
    Client <unknown> disconnected: Protocol error.
    Client connection from 192.0.2.7 failed: error:0A00010B:SSL routines::wrong version number.
    New client connected from 192.0.2.7:49955 as gw-a (p5, c1, k60, u'gw-a').
    Will message specified (4 bytes) (r0, q1).
    <TAB>dl/1/demo/38/gw-b/state
    Received SUBSCRIBE from gw-a
    <TAB>dl/1/demo/38/gw-b/down (QoS 1)

With the generated configuration the name in a line is that of the certificate: it is user name and
client identifier. mosquitto grants every subscription and every will and leaves out what may not be
delivered or published, without a word: so both are judged here, by the rules of `broker_rules.py`.
TLS that fails has no name, and its address only where one address alone is being let in.

A topic, and elsewhere a client identifier, is a stranger's text. mosquitto takes none with control
characters, so none begins a line; what it says inside of one is never looked for.
"""

import re
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from central.contract.topics import PREFIX, central_subscription
from central.trust.broker_rules import CENTRAL, DOWNLINK, UPLINK

# Of `central/access/refusals.py`, which says of whom each is.
BrokerRefusal = Literal[
    "broker_publish",
    "broker_subscribe",
    "broker_certificate",
    "broker_no_certificate",
    "broker_handshake",
    "broker_login",
    "broker_full",
]
CLIENTS_MAX = 4096  # Names whose address is remembered; those of long ago go first.
PENDING_MAX = 256  # Connections that are being let in.
PENDING_S = 100.0  # mosquitto ends one that says nothing after 90 s.
SEVERAL = "address:?"  # One of several that were being let in.
LINE = re.compile(
    rb"^(?:[\w:+.-]+: )?"
    rb"(Denied PUBLISH from |New connection from |New client connected from |Client |OpenSSL Error"
    rb"|Received SUBSCRIBE from |Received UNSUBSCRIBE from |Will message specified |\t)(.*)$",
    re.MULTILINE,
)
DENIED = re.compile(r"(.*?) \(d[01], q[0-2], r[01], m\d+, '(.*)")
DENIED_END = re.compile(r"', \.\.\. \(\d+ bytes\)\)$")
ARRIVED = re.compile(r"(\S+):(\d+) on port \d+\.$")
LET_IN = re.compile(r"(\S+):(\d+) as (.*) \(p\d+, c\d, k\d+(?:, u'(.*)')?\)\.$")
FAILED = re.compile(r"connection from (\S+) failed: (.*)$")
FULL = re.compile(r"connection from (\S+) denied: max_connections exceeded\.$")
UNAUTHORISED = re.compile(r"(.*?)(?: \[(\S+):\d+\])? disconnected(?:, |: )not authorised\.$")
# 2.0: "Client <unknown> ..."; 2.1 has the address there, and again in brackets.
LEFT = re.compile(r"(?:<unknown> |\S+ \[(\S+):(\d+)\] )(?:disconnected|closed|has exceeded|been)")
QOS = re.compile(r" \((?:QoS \d|denied)\)$")
# What OpenSSL says of TLS that a stranger does not get right. Of a connection that breaks off it
# says "unexpected eof": that is every gateway that loses its power.
TLS_REFUSALS: dict[str, BrokerRefusal] = {
    "certificate verify failed": "broker_certificate",
    "peer did not return a certificate": "broker_no_certificate",
    "wrong version number": "broker_handshake",
    "http request": "broker_handshake",
    "https proxy request": "broker_handshake",
    "unknown protocol": "broker_handshake",
    "unsupported protocol": "broker_handshake",
    "version too low": "broker_handshake",
    "no shared cipher": "broker_handshake",
    "bad signature": "broker_handshake",
    "tlsv1 alert unknown ca": "broker_handshake",
}


@dataclass(frozen=True, slots=True)
class Refused:
    """Somebody whom the broker refused. subject: a name in a certificate, or an address.

    address: from where, "" if the log does not tell. detail: what was tried; a stranger's text.
    """

    kind: BrokerRefusal
    subject: str
    address: str = ""
    detail: str = ""


class BrokerWords:
    """The lines of one broker's log, in their order."""

    def __init__(self, *, site: str) -> None:
        self._site = site
        self._workers = central_subscription(site=site)
        self._clients: OrderedDict[str, tuple[str, str]] = OrderedDict()  # Name: user, address.
        self._pending: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._newest = ""
        self._topics_of: tuple[str, BrokerRefusal] | None = None

    def hear(self, lines: bytes, *, now_s: float) -> Iterator[Refused]:
        """Yield who was refused in whole lines of the log, in their order. Never raises."""
        for match in LINE.finditer(lines):
            begins, rest = match[1].decode(), match[2].decode(errors="replace")
            if begins == "\t":
                yield from self._topic(rest)
                continue
            self._topics_of = None
            # A will is that of who was let in by the line before.
            newest, self._newest = self._newest, ""
            match begins.split()[0]:
                case "Denied":
                    yield from self._denied(rest)
                case "Received":
                    if begins.startswith("Received SUBSCRIBE"):
                        self._topics_of = (rest, "broker_subscribe")
                case "Will":
                    self._topics_of = (newest, "broker_publish") if newest else None
                case "OpenSSL":
                    yield from self._tls(rest, address=self._address(now_s))
                case "Client":
                    yield from self._client(rest)
                case _:
                    self._came(begins, rest, now_s=now_s)

    def _came(self, begins: str, rest: str, *, now_s: float) -> None:
        if begins.startswith("New connection"):
            if found := ARRIVED.match(rest):
                self._pending[(found[1], found[2])] = now_s
                if len(self._pending) > PENDING_MAX:
                    self._pending.popitem(last=False)
        elif found := LET_IN.match(rest):
            self._pending.pop((found[1], found[2]), None)
            self._newest = found[3]
            self._clients[found[3]] = (found[4] or "", found[1])
            self._clients.move_to_end(found[3])
            if len(self._clients) > CLIENTS_MAX:
                self._clients.popitem(last=False)

    def _denied(self, rest: str) -> Iterator[Refused]:
        found = DENIED.match(rest)
        if found is None:
            return
        user, address = self._clients.get(found[1], ("", ""))
        topic = DENIED_END.sub("", found[2])
        yield Refused("broker_publish", user or found[1], address, topic)

    def _topic(self, rest: str) -> Iterator[Refused]:
        """A filter that somebody subscribes to, or the topic of a will."""
        if self._topics_of is None:
            return
        name, kind = self._topics_of
        user, address = self._clients.get(name, ("", ""))
        who = user or name
        # Its workers' identifiers, where the log does not tell any more when they came.
        if who == CENTRAL or (not user and name.startswith(f"dockledger-{CENTRAL}-{self._site}")):
            return
        topic = QOS.sub("", rest) if kind == "broker_subscribe" else rest
        if not self._is_own(topic, who, reads=kind == "broker_subscribe"):
            yield Refused(kind, who, address, topic)

    def _is_own(self, topic: str, gateway: str, *, reads: bool) -> bool:
        if reads and topic == self._workers:
            return True
        parts = topic.split("/")
        own = [*PREFIX.split("/"), self._site, *parts[3:4], gateway]
        return parts[:5] == own and parts[5:] in [[one] for one in (DOWNLINK if reads else UPLINK)]

    def _client(self, rest: str) -> Iterator[Refused]:
        if found := FAILED.match(rest):
            yield from self._tls(found[2], address=found[1])
        elif found := FULL.match(rest):
            yield Refused("broker_full", f"address:{found[1]}", found[1])
        elif found := UNAUTHORISED.match(rest):
            user, address = self._clients.get(found[1], ("", ""))
            yield Refused("broker_login", user or found[1], found[2] or address)
        elif found := LEFT.match(rest):
            self._leaves(found[1], found[2])

    def _tls(self, said: str, *, address: str) -> Iterator[Refused]:
        for needle, kind in TLS_REFUSALS.items():
            if needle in said:
                subject = f"address:{address}" if address else SEVERAL
                yield Refused(kind, subject, address, needle)
                return

    def _address(self, now_s: float) -> str:
        """Return from where whoever is being let in comes, "" if they come from several."""
        while self._pending and next(iter(self._pending.values())) < now_s - PENDING_S:
            self._pending.popitem(last=False)
        addresses = {address for address, _ in self._pending}
        return addresses.pop() if len(addresses) == 1 else ""

    def _leaves(self, address: str | None, port: str | None) -> None:
        """Somebody went before he had a name: known by 2.1, else only if all are of one address."""
        if address is not None and port is not None:
            self._pending.pop((address, port), None)
        elif len({one for one, _ in self._pending}) == 1:
            self._pending.popitem(last=False)
