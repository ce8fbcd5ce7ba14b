"""Whatever the network does, every notice is applied once, in order; a snapshot fills what is lost.

Both ends are the real ones: `Inbound` of the gateway, `NoticeStream` of central.
"""

import random
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from central.contract.notices import DownMessage, Notice, PrintRequested, Settled
from central.outbox.stream import Kept, NoticeStream, RecordAck, Renew
from gateway.journal.records import Standing
from gateway.replication.inbound import Inbound
from tests.gateway.journal.samples import GATEWAY

LOAD_S = 0.5
NOTHING = Standing("", 0)
Message = DownMessage | Standing


@dataclass
class ModelCentral:
    """Writes notices; `told` is all that it ever said, whatever the stream."""

    random: random.Random
    told: list[int] = field(default_factory=list)
    first_told: int = 0  # How much was told before notice 1 of this stream.
    kept_from: int = 1
    acked: int = 0
    streams_count: int = 0

    def __post_init__(self) -> None:
        self.begin(0.0)

    @property
    def head(self) -> int:
        return len(self.told) - self.first_told

    def begin(self, now_s: float) -> None:
        """Begin another stream, after all that was told."""
        self.streams_count += 1
        self.first_told, self.kept_from, self.acked = len(self.told), 1, 0
        self.sender = NoticeStream(self.kept(), jitter=self.random.random)
        self.sender.connected(now_s)
        self.sender.reachable(now_s, yes=True)

    def kept(self) -> Kept:
        name = f"stream-{self.streams_count}"
        return Kept(stream=name, oldest=self.kept_from, acked=self.acked, head=self.head)

    def tell(self) -> None:
        self.told.append(len(self.told))
        self.sender.loaded(self.kept())

    def prune(self) -> None:
        """Forget what is acknowledged."""
        self.kept_from = max(self.kept_from, self.acked)
        self.sender.loaded(self.kept())

    def snapshot(self, now_s: float) -> tuple[Standing, list[int]]:
        """Begin a stream for the gateway that asks, as a snapshot does."""
        if self.acked or not self.streams_count or self.head:
            self.begin(now_s)
        return Standing(self.kept().stream, 0), list(self.told)

    def messages(self, now_s: float) -> list[DownMessage]:
        if self.sender.needs_announcement:
            self.tell()
        made = []
        while (run := self.sender.next_run(now_s)) is not None:
            last = min(run.first_number + run.count_max - 1, self.head)
            numbers = range(run.first_number, last + 1)
            assert numbers and run.first_number >= self.kept_from
            self.sender.sent(run, sizes=[1] * len(numbers), now_s=now_s)
            notices = tuple(notice(self.told[self.first_told + n - 1]) for n in numbers)
            made.append(
                DownMessage(
                    gateway=GATEWAY,
                    stream=self.kept().stream,
                    first_number=run.first_number,
                    notices=notices,
                )
            )
        return made

    def take_ack(self, ack: Standing, now_s: float) -> None:
        done = self.sender.received_ack(stream=ack.stream, number=ack.number, now_s=now_s)
        if isinstance(done, RecordAck):
            self.acked = max(self.acked, done.number)
            self.sender.loaded(self.kept())
        elif isinstance(done, Renew):
            self.begin(now_s)
            self.tell()  # As a stream without a snapshot begins: a gateway that hears it loads one.


def notice(number: int) -> PrintRequested | Settled:
    """Make one that says its number, of the two kinds that no snapshot can stand in for."""
    if number % 2:
        return Settled(
            discrepancy=f"j{number}",
            kind="unknown_item",
            subject="BOLT",
            item="BOLT",
            location="",
            document="",
            decided="accept",
            at_ms=number,
            epoch="00000001-0000000000000001",
            seq=1,
        )
    return PrintRequested(job=f"j{number}", printer="", template="bin", fields=())


def number_of(notice: Notice) -> int:
    assert isinstance(notice, PrintRequested | Settled)
    code = notice.job if isinstance(notice, PrintRequested) else notice.discrepancy
    return int(code.removeprefix("j"))


@dataclass
class World:
    random: random.Random
    loss: float
    now_s: float = 0.0
    under_way: list[tuple[float, Message]] = field(default_factory=list)
    has: list[int] = field(default_factory=list)  # What the gateway's journal has applied.
    standing: Standing = NOTHING
    load_ends_s: float | None = None
    applied_count: int = 0

    def __post_init__(self) -> None:
        self.central = ModelCentral(self.random)
        self.restart()

    def restart(self) -> None:
        self.inbound = Inbound(self.standing)
        self.inbound.connected(self.now_s)
        self.load_ends_s = None

    def reconnect(self) -> None:
        self.inbound.disconnected()
        self.under_way.clear()
        self.now_s += 1.0
        self.inbound.connected(self.now_s)

    def step(self, pass_s: float) -> None:
        self.now_s += pass_s
        ready = [one for one in self.under_way if one[0] <= self.now_s]
        self.under_way = [one for one in self.under_way if one[0] > self.now_s]
        self.random.shuffle(ready)
        for _, message in ready:
            if isinstance(message, DownMessage):
                self.take(message)
            else:
                self.central.take_ack(message, self.now_s)
        self.load()
        if self.inbound.ack_due(self.now_s):
            self.transmit(self.inbound.standing)
            self.inbound.acknowledged(self.now_s)
        for message in self.central.messages(self.now_s):
            self.transmit(message)
        assert self.has == self.central.told[: len(self.has)], "skipped, doubled or out of order"

    def take(self, message: DownMessage) -> None:
        todo = self.inbound.received(message, self.now_s)
        if todo is None:
            return
        new = message.notices[todo.skip_count :]
        assert new
        self.has += [number_of(one) for one in new]
        self.applied_count += len(new)
        self.standing = Standing(message.stream, message.last_number)
        self.inbound.stands(self.standing, self.now_s)

    def load(self) -> None:
        if not self.inbound.wants_snapshot:
            return
        if self.load_ends_s is None:
            self.load_ends_s = self.now_s + LOAD_S
        elif self.now_s >= self.load_ends_s:
            self.load_ends_s = None
            if self.random.random() < self.loss:
                return
            self.standing, self.has = self.central.snapshot(self.now_s)
            self.inbound.stands(self.standing, self.now_s)

    def transmit(self, message: Message) -> None:
        copies_count = self.random.choice([0, 0, 2]) if self.random.random() < self.loss else 1
        for _ in range(copies_count):
            late_s = self.random.random() * 3 if self.random.random() < self.loss else 0.0
            self.under_way.append((self.now_s + 0.005 + late_s, message))

    def settle(self, seconds_max: float) -> None:
        self.loss = 0.0
        end_s = self.now_s + seconds_max
        while self.now_s < end_s and not self.done():
            self.step(0.05)

    def done(self) -> bool:
        told = self.has == self.central.told and self.central.acked == self.central.head
        # A notice of an older stream may still have it load a snapshot, which changes nothing.
        return told and not self.inbound.wants_snapshot


EVENTS = st.lists(
    st.sampled_from(
        [
            *("tell", "tell", "tell", "pass", "pass", "pass"),
            *("long", "restart", "reconnect", "prune", "renew"),
        ]
    ),
    max_size=60,
)


@settings(max_examples=400, deadline=None)
@given(EVENTS, st.sampled_from([0.0, 0.1, 0.5, 0.9]), st.integers(0, 2**32))
def test_every_notice_is_applied_once_and_in_order(
    events: list[str], loss: float, seed: int
) -> None:
    world = World(random.Random(seed), loss)
    run(world, events)
    world.central.tell()
    world.settle(seconds_max=400.0)
    assert world.done()
    assert not world.inbound.wants_snapshot


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 400), st.integers(0, 2**32))
def test_on_a_good_network_nothing_is_applied_but_once(count: int, seed: int) -> None:
    world = World(random.Random(seed), 0.0)
    world.settle(seconds_max=60.0)
    for _ in range(count):
        world.central.tell()
        world.step(0.003)
    world.settle(seconds_max=60.0)
    assert world.done()
    assert world.applied_count <= count + 1  # One more announces the first stream.
    assert world.central.streams_count <= 2  # The snapshot begins another one.


@settings(max_examples=150, deadline=None)
@given(EVENTS, st.integers(0, 2**32), st.integers(0, 100))
def test_a_gateway_that_went_back_in_time_is_filled_again(
    events: list[str], seed: int, keep_percent: int
) -> None:
    world = World(random.Random(seed), 0.1)
    run(world, [*events, "tell", "long"])
    number = world.standing.number * keep_percent // 100
    world.has = world.has[: len(world.has) - world.standing.number + number]
    world.standing = Standing(world.standing.stream, number if world.standing.stream else 0)
    world.restart()
    world.central.tell()
    world.settle(seconds_max=400.0)
    assert world.done()


def run(world: World, events: list[str]) -> None:
    for event in events:
        if event == "tell":
            world.central.tell()
            world.step(0.001)
        elif event in {"pass", "long"}:
            for _ in range(8):
                world.step(0.05 if event == "pass" else 1.0)
        elif event == "prune":
            world.central.prune()
        elif event == "renew":
            world.central.begin(world.now_s)
        else:
            getattr(world, event)()
