"""Whatever comes when: what is shown is the ledger's stock plus what it does not yet hold."""

import random
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from central.contract.facts import Fact
from central.contract.identifiers import FactId
from central.contract.notices import DownMessage
from central.contract.quantities import to_micro
from gateway.journal.local_stock import StockKey
from gateway.journal.reading import open_reader
from gateway.journal.verify import verify_journal
from gateway.replication.inbound import Inbound
from tests.gateway.journal.model_ledger import ModelLedger, add_effect
from tests.gateway.journal.samples import GATEWAY, movement, open_journal, reversal

PLACES = ("A-1", "A-2", "B-1", "supplier", "customer")
EVENTS = {
    "append": 4,
    "undo": 1,
    "restart": 1,
    "post": 3,
    "foreign": 1,
    "notice": 3,
    "deliver": 4,
    "deliver_late": 1,
    "snapshot": 1,
    "new_stream": 1,
    "restored": 1,
}
SOME_EVENTS = st.lists(
    st.sampled_from([event for event, weight in EVENTS.items() for _ in range(weight)]),
    max_size=50,
)


# Each step is a commit: on a disk its sync would be most of the time.
IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None


class World:
    """One journal, one ledger, and notices on the way between them."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.path = folder / "journal.db"
        self.ledger = ModelLedger()
        self.facts: dict[FactId, Fact] = {}
        self.waiting: list[FactId] = []
        self.late: list[DownMessage] = []
        self.journal = open_journal(self.path, nonce=1)
        self.open_inbound()

    def open_inbound(self) -> None:
        self.inbound = Inbound(self.journal.knowledge.standing())
        self.inbound.connected(0.0)

    def append(self) -> None:
        drafts = []
        for _ in range(self.random.randint(1, 4)):
            start, end = self.random.sample(PLACES, 2)
            item, lot = self.random.choice(["rice", "tea"]), self.random.choice(["", "L1"])
            quantity = str(self.random.randint(1, 3))
            drafts.append(
                movement(
                    from_location=start, to_location=end, item=item, lot=lot, quantity=quantity
                )
            )
        self.note(drafts)

    def undo(self) -> None:
        last = self.journal.last_reversible()
        if last is not None:
            self.note([reversal(last[0])])

    def note(self, drafts) -> None:
        fact_ids = self.journal.append(drafts).fact_ids
        self.facts |= dict(zip(fact_ids, drafts, strict=True))
        self.waiting.extend(fact_ids)

    def restart(self) -> None:
        self.journal.close()
        self.journal = open_journal(self.path, nonce=self.random.getrandbits(64))
        self.open_inbound()

    def post(self) -> None:
        count = self.random.randint(0, len(self.waiting))
        posted, self.waiting = self.waiting[:count], self.waiting[count:]
        self.ledger.post({fact_id: self.facts[fact_id] for fact_id in posted})

    def foreign(self) -> None:
        place = self.random.choice(PLACES[:3])
        key = StockKey(place, self.random.choice(["rice", "tea"]), "", "", "", "KGM")
        self.ledger.post_foreign(key, self.random.choice([-2_000_000, 1_000_000, 500_000]))

    def notice(self) -> None:
        self.ledger.write_notices(levels_max=self.random.randint(1, 3))

    def deliver(self) -> None:
        """Central sends from any place on: what is new, old, or beyond a gap."""
        if not self.ledger.notices:
            return
        first = self.random.randint(1, self.ledger.number)
        if self.random.random() < 0.7:
            first = max(1, min(self.inbound.standing.number + 1, self.ledger.number))
        last = self.random.randint(first, self.ledger.number)
        if any(number not in self.ledger.notices for number in range(first, last + 1)):
            return  # Central keeps none that were before its stream.
        message = self.message(first, last)
        if self.random.random() < 0.2:
            self.late.append(message)
        else:
            self.take(message)

    def deliver_late(self) -> None:
        self.random.shuffle(self.late)
        while self.late:
            self.take(self.late.pop())

    def message(self, first: int, last: int) -> DownMessage:
        return DownMessage(
            gateway=GATEWAY,
            stream=self.ledger.stream,
            first_number=first,
            notices=tuple(self.ledger.notices[number] for number in range(first, last + 1)),
        )

    def take(self, message: DownMessage) -> None:
        todo = self.inbound.received(message, 0.0)
        if todo is not None:
            applied = self.journal.knowledge.apply_notices(
                message.stream,
                message.first_number + todo.skip_count,
                message.notices[todo.skip_count :],
            )
            self.inbound.stands(applied.standing, 0.0)

    def snapshot(self) -> None:
        snapshot = self.ledger.snapshot()
        standing = self.inbound.standing
        if snapshot.stream == standing.stream and snapshot.number < standing.number:
            return
        applied = self.journal.knowledge.apply_snapshot(snapshot)
        self.inbound.stands(applied.standing, 0.0)

    def new_stream(self) -> None:
        self.ledger.stream = f"stream-{self.random.getrandbits(32)}"
        self.ledger.number = self.random.choice([0, 7])
        self.ledger.notices = {}

    def restored(self) -> None:
        """Central comes back from an older backup: it begins a new generation and stream."""
        ledger = self.ledger
        back_to = self.random.randint(0, ledger.revision)
        kept = ledger.positions_at[back_to]
        self.ledger = ModelLedger(generation=f"g{self.random.getrandbits(32)}")
        self.ledger.facts = {
            one: fact for one, fact in ledger.facts.items() if one.seq <= kept.get(one.epoch, 0)
        }
        self.ledger.stock, self.ledger.positions = dict(ledger.stock_at[back_to]), dict(kept)
        self.ledger._record()
        self.ledger.noticed_revision = self.ledger.revision
        self.waiting = [one for one in self.facts if one not in self.ledger.facts]
        self.late.clear()
        self.new_stream()
        self.snapshot()

    def check(self) -> None:
        """What is shown is the ledger's stock of the revision known, plus the rest of our facts."""
        known = self.journal.knowledge.known()
        revision = known.revision if known else 0
        expected = dict(self.ledger.stock_at[revision]) if self.same(known) else None
        if expected is None:
            return
        held = self.ledger.positions_at[revision]
        for fact_id, fact in self.facts.items():
            if fact_id.seq > held.get(fact_id.epoch, 0):
                add_effect(expected, self.facts, fact)
        assert self.shown() == {key: micro for key, micro in expected.items() if micro}

    def same(self, known) -> bool:
        return known is None or known.generation == self.ledger.generation

    def shown(self) -> dict[StockKey, int]:
        return {
            StockKey(row.location, row.item, row.lot, row.serial, row.sscc, row.unit): to_micro(
                row.on_hand
            )
            for row in self.journal.stock()
        }

    def settle(self) -> None:
        """Let everything arrive."""
        self.ledger.post({fact_id: self.facts[fact_id] for fact_id in self.waiting})
        self.waiting = []
        self.ledger.write_notices(levels_max=2)
        if self.inbound.wants_snapshot or self.inbound.standing.stream != self.ledger.stream:
            self.snapshot()
        first = self.inbound.standing.number + 1
        if first <= self.ledger.number:
            self.take(self.message(first, self.ledger.number))


@settings(max_examples=60, deadline=None)
@given(SOME_EVENTS, st.integers(0, 2**32))
def test_what_is_shown_is_the_ledgers_stock_and_the_own_facts_beyond_it(
    events: list[str], seed: int
) -> None:
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        world = World(Path(folder), seed)
        try:
            for event in events:
                getattr(world, event)()
                world.check()
            world.settle()
            world.check()
            truth = {key: micro for key, micro in world.ledger.stock.items() if micro}
            assert world.shown() == truth
            reader = open_reader(world.path)
            findings = verify_journal(reader).findings
            reader.close()
            assert findings == ()
        finally:
            world.journal.close()
