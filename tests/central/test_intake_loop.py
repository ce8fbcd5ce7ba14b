"""Commit, then acknowledge, then settle; whatever comes, the loop goes on. Edge of threads."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from queue import Empty, Queue

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from central.contract.acks import Ack, decode_ack
from central.contract.identifiers import Epoch
from central.contract.states import GatewayState, encode_state
from central.contract.topics import Channel, GatewayTopic
from central.errors import LedgerUnavailable
from central.inbox.inbox import Inbox, Outcome
from central.inbox.intake_loop import MESSAGES_PER_COMMIT_MAX, IntakeLoop
from central.inbox.ledger_key import LedgerKey
from central.mqtt_link import Incoming
from tests.central.scenery import FixedClock, Gateway, enrol
from tests.waiting import until

SITE = "demo"
KEY = LedgerKey("5a" * 32)


class MemoryLink:
    """A broker in memory that writes down in which order it is spoken to."""

    def __init__(self, story: list[tuple[str, object]]) -> None:
        self.story = story
        self.published: list[tuple[str, Ack]] = []
        self.settled: list[int] = []
        self.takes: list[int] = []
        self.retained: list[bool] = []
        self._waiting: Queue[Incoming] = Queue()
        self._number = 0

    def offer(self, topic: str | None, payload: bytes, channel: Channel = "up") -> None:
        self._number += 1
        self._waiting.put(Incoming(topic, payload, channel, self._number, 1, 1))

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def wake(self) -> None:
        pass

    def take(self, count_max: int, timeout_s: float) -> list[Incoming]:
        taken: list[Incoming] = []
        try:
            taken.append(self._waiting.get(timeout=min(timeout_s, 0.05)))
            while len(taken) < count_max:
                taken.append(self._waiting.get_nowait())
        except Empty:
            pass
        if taken:
            self.takes.append(len(taken))
        return taken

    def publish(self, gateway: str, channel: Channel, payload: bytes, *, retain: bool) -> bool:
        assert channel == "ack"
        self.retained.append(retain)
        ack = decode_ack(payload)
        self.published.append((gateway, ack))
        self.story.append(("acknowledged", ack.acked))
        return True

    def settle(self, messages: Sequence[Incoming]) -> None:
        self.settled += [message.number for message in messages]
        if messages:
            self.story.append(("settled", len(messages)))


class MemoryInbox:
    """An inbox that fails as told: `failures` first, then it counts what it takes."""

    def __init__(self, story: list[tuple[str, object]], failures: list[Exception]) -> None:
        self.story = story
        self.failures = failures
        self.poison = b""
        self.taken: list[tuple[str, bytes]] = []

    def accept(self, payloads: Sequence[tuple[str, bytes]]) -> list[Outcome]:
        if self.failures:
            raise self.failures.pop(0)
        if self.poison and any(payload == self.poison for _, payload in payloads):
            raise ZeroDivisionError("oops")
        self.taken += payloads
        self.story.append(("committed", len(self.taken)))
        return [
            Outcome("accepted", ack_of(gateway, len(self.taken)), gateway)
            for gateway, _ in payloads
        ]


class FullList(list[object]):
    """Takes nothing."""

    def extend(self, _items: object) -> None:
        raise ZeroDivisionError("oops")


def ack_of(gateway: str, acked: int) -> Ack | None:
    if not gateway:
        return None
    epoch = Epoch(start_count=1, nonce=1)
    return Ack(
        gateway=gateway,
        start_count=epoch.start_count,
        nonce=epoch.nonce,
        acked=acked,
        want=acked + 1,
        head_digest=bytes(32),
        credit_count=1,
        ledger_generation="g",
        ledger_time_ms=0,
    )


@contextmanager
def running(link: MemoryLink, inbox: object, states: list[object]) -> Iterator[IntakeLoop]:
    loop = IntakeLoop(
        link=link,
        inbox=inbox,
        note_states=states.extend,
        jitter=lambda: 0.0,  # type: ignore[arg-type]
        sign=KEY.sign,
    )
    loop.start()
    try:
        yield loop
    finally:
        loop.stop()


def up(gateway: str = "sh1-dock-1") -> str:
    return str(GatewayTopic(SITE, gateway, "up"))


@pytest.fixture
def story() -> list[tuple[str, object]]:
    return []


def test_commit_comes_before_acknowledgement_before_settlement(story) -> None:
    link, inbox = MemoryLink(story), MemoryInbox(story, [])
    with running(link, inbox, []):
        link.offer(up(), b"batch")
        until(lambda: link.settled)
    assert story == [("committed", 1), ("acknowledged", 1), ("settled", 1)]


def test_all_that_waits_is_one_commit_and_one_acknowledgement_an_epoch(story) -> None:
    link, inbox = MemoryLink(story), MemoryInbox(story, [])
    for number in range(MESSAGES_PER_COMMIT_MAX + 3):
        link.offer(up(), b"%d" % number)
    with running(link, inbox, []):
        until(lambda: len(link.settled) == MESSAGES_PER_COMMIT_MAX + 3)
    assert link.takes == [MESSAGES_PER_COMMIT_MAX, 3]
    assert len(link.published) == 2
    assert [payload for _, payload in inbox.taken] == [b"%d" % n for n in range(67)]


def test_while_the_database_is_away_nothing_is_acknowledged_and_nothing_is_lost(
    story, caplog
) -> None:
    away = LedgerUnavailable("locked", hint="Start the database.")
    link, inbox = MemoryLink(story), MemoryInbox(story, [away, away])
    with running(link, inbox, []) as loop:
        link.offer(up(), b"batch")
        until(lambda: link.settled)
        assert loop.counters()["database_failures_total"] == 2
    assert [kind for kind, _ in story] == ["committed", "acknowledged", "settled"]
    assert [r.getMessage() for r in caplog.records if r.levelname == "ERROR"] == [
        "the database does not commit"
    ]


def test_a_message_that_breaks_the_inbox_holds_up_no_other(story) -> None:
    link, inbox = MemoryLink(story), MemoryInbox(story, [])
    inbox.poison = b"poison"
    for payload in (b"one", b"poison", b"two"):
        link.offer(up(), payload)
    with running(link, inbox, []) as loop:
        until(lambda: len(link.settled) == 3)
        link.offer(up(), b"three")
        until(lambda: len(link.settled) == 4)
        assert loop.counters()["crashes_total"] == 1
    assert [payload for _, payload in inbox.taken] == [b"one", b"two", b"three"]


def test_what_came_is_settled_in_the_order_in_which_it_came(story) -> None:
    link, inbox = MemoryLink(story), MemoryInbox(story, [])
    inbox.poison = b"poison"
    state = str(GatewayTopic(SITE, "sh1-dock-1", "state"))
    for payload in (b"one", b"poison", b"two"):
        link.offer(up(), payload)
        link.offer(state, b"{}", "state")
    with running(link, inbox, []):
        until(lambda: len(link.settled) == 6)
    assert link.settled == [1, 2, 3, 4, 5, 6]


def test_topics_that_name_no_gateway_go_to_the_inbox_without_one(story) -> None:
    link, inbox = MemoryLink(story), MemoryInbox(story, [])
    wrong_shard = up().replace("/demo/", "/demo/9", 1)
    for topic in (None, "dl/1/demo/x", wrong_shard, "dl/1/demo/0/not a code/up"):
        link.offer(topic, b"x")
    with running(link, inbox, []):
        until(lambda: len(link.settled) == 4)
    assert inbox.taken == [("", b"x")] * 4
    assert link.published == []


def test_states_are_noted_apart_from_batches(story) -> None:
    link, inbox = MemoryLink(story), MemoryInbox(story, [])
    states: list[object] = []
    link.offer(str(GatewayTopic(SITE, "sh1-dock-1", "state")), b"{}", "state")
    link.offer("dl/1/demo/0/no one/state", b"{}", "state")
    with running(link, inbox, states):
        until(lambda: states and len(link.settled) == 2)
    assert states == [("sh1-dock-1", b"{}")]
    assert inbox.taken == []


def test_a_state_that_cannot_be_kept_holds_up_no_batch(story) -> None:
    link, inbox = MemoryLink(story), MemoryInbox(story, [])
    link.offer(str(GatewayTopic(SITE, "sh1-dock-1", "state")), b"{}", "state")
    link.offer(up(), b"one")
    with running(link, inbox, FullList()) as loop:
        until(lambda: len(link.settled) == 2)
        assert loop.counters()["crashes_total"] == 1
    assert inbox.taken == [("sh1-dock-1", b"one")]


def test_the_real_inbox_takes_batches_states_and_rubbish(database, story) -> None:
    gateway = Gateway("sh1-dock-1")
    enrol(database, gateway)
    for _ in range(3):
        gateway.move()
    link = MemoryLink(story)
    inbox = Inbox(database, clock=FixedClock())
    link.offer(up(), gateway.batch(1, 2))
    link.offer(up(), b"rubbish")
    link.offer(up("sh1-dock-9"), gateway.batch(3, 3))
    link.offer(up(), gateway.batch(1, 3))
    with running(link, inbox, []) as loop:
        until(lambda: len(link.settled) == 4)
        counters = loop.counters()
    assert counters["batches_accepted_total"] == 2
    assert counters["batches_quarantined_total"] == 2
    assert [(name, ack.acked) for name, ack in link.published] == [("sh1-dock-1", 3)]


@pytest.mark.parametrize("forged_last", [True, False], ids=["forged last", "forged first"])
def test_a_forged_batch_does_not_hide_the_word_on_a_true_one(database, story, forged_last) -> None:
    gateway = Gateway("sh1-dock-1")
    enrol(database, gateway)
    gateway.move()
    forged = gateway.batch(1, 1, key=Gateway("another").key)
    link = MemoryLink(story)
    for payload in (gateway.batch(), forged) if forged_last else (forged, gateway.batch()):
        link.offer(up(), payload)
    with running(link, Inbox(database, clock=FixedClock()), []):
        until(lambda: len(link.settled) == 2)
    assert [(ack.acked, ack.problem) for _, ack in link.published] == [(1, "")]


def test_what_is_published_is_signed_by_the_ledger_and_kept_unless_it_is_a_problem(
    database, story
) -> None:
    gateway, clone = Gateway("sh1-dock-1"), Gateway("sh1-dock-1")
    enrol(database, gateway)
    gateway.move()
    clone.move("NUT")
    link = MemoryLink(story)
    for payload in (gateway.batch(), clone.batch()):
        link.offer(up(), payload)
    with running(link, Inbox(database, clock=FixedClock()), []):
        until(lambda: len(link.settled) == 2)
    told = [(ack.problem, ack.refused_digest, ack.acked) for _, ack in link.published]
    assert told == [("", b"", 1), ("fork", sha256(clone.batch()).digest(), 1)]
    assert link.retained == [True, False]
    public_key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(KEY.public_key_hex))
    for _, ack in link.published:
        public_key.verify(ack.signature, ack.signed_bytes)


def test_a_state_of_the_contract_reaches_who_keeps_states(story) -> None:
    link = MemoryLink(story)
    state = encode_state(
        GatewayState(gateway="sh1-dock-1", warehouse="SH1", epoch="e", online=True)
    )
    states: list[object] = []
    link.offer(str(GatewayTopic(SITE, "sh1-dock-1", "state")), state, "state")
    with running(link, MemoryInbox(story, []), states):
        until(lambda: states)
    assert states == [("sh1-dock-1", state)]
