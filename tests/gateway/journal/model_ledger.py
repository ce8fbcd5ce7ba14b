"""A ledger of one warehouse in memory: posts facts, writes notices, takes snapshots. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from central.contract.facts import Fact, Movement, Reversal
from central.contract.identifiers import Epoch, FactId, parse_epoch
from central.contract.notices import StockChanged, StockLevel
from central.contract.snapshots import Snapshot
from central.contract.wire_types import EpochSeq
from gateway.journal.local_stock import Changes, StockKey, add_movement
from tests.gateway.journal.samples import GATEWAY, WAREHOUSE

Stock = dict[StockKey, int]


@dataclass
class ModelLedger:
    """Everything at each revision, so that a test can ask what was true then."""

    stream: str = "stream-1"
    generation: str = "g1"
    facts: dict[FactId, Fact] = field(default_factory=dict)
    stock: Stock = field(default_factory=dict)
    positions: dict[Epoch, int] = field(default_factory=dict)
    stock_at: list[Stock] = field(default_factory=lambda: [{}])
    positions_at: list[dict[Epoch, int]] = field(default_factory=lambda: [{}])
    number: int = 0
    noticed_revision: int = 0
    notices: dict[int, StockChanged] = field(default_factory=dict)

    @property
    def revision(self) -> int:
        return len(self.stock_at) - 1

    def post(self, facts: Mapping[FactId, Fact]) -> None:
        """Post facts of the gateway, each epoch in order."""
        for fact_id, fact in facts.items():
            assert fact_id.seq == self.positions.get(fact_id.epoch, 0) + 1
            self.facts[fact_id] = fact
            self.positions[fact_id.epoch] = fact_id.seq
            add_effect(self.stock, self.facts, fact)
        self._record()

    def post_foreign(self, key: StockKey, micro: int) -> None:
        """Post what another gateway did."""
        self.stock[key] = self.stock.get(key, 0) + micro
        self._record()

    def write_notices(self, levels_max: int) -> None:
        """Write what has changed since the last notice, at most `levels_max` levels a notice."""
        before, now = self.stock_at[self.noticed_revision], self.stock
        changed = [
            StockLevel(*key, now.get(key, 0))
            for key in sorted(before.keys() | now.keys())
            if before.get(key, 0) != now.get(key, 0)
        ]
        parts = [changed[at : at + levels_max] for at in range(0, len(changed), levels_max)] or [[]]
        for part in parts:
            self.number += 1
            self.notices[self.number] = StockChanged(
                revision=self.revision,
                levels=tuple(part),
                positions=wire_positions(self.positions),
                final=part is parts[-1],
            )
        self.noticed_revision = self.revision

    def snapshot(self) -> Snapshot:
        """Return all that the notices up to now say."""
        stock = self.stock_at[self.noticed_revision]
        return Snapshot(
            gateway=GATEWAY,
            warehouse=WAREHOUSE,
            stream=self.stream,
            number=self.number,
            generation=self.generation,
            revision=self.noticed_revision,
            positions=wire_positions(self.positions_at[self.noticed_revision]),
            levels=tuple(StockLevel(*key, micro) for key, micro in sorted(stock.items()) if micro),
        )

    def _record(self) -> None:
        self.stock_at.append(dict(self.stock))
        self.positions_at.append(dict(self.positions))


def add_effect(stock: Stock, facts: Mapping[FactId, Fact], fact: Fact) -> None:
    """Add what a fact changes; a reversal is the movement that it takes back, the other way."""
    sign = 1
    if isinstance(fact, Reversal):
        target = FactId(GATEWAY, parse_epoch(fact.reverses_epoch), fact.reverses_seq)
        fact, sign = facts[target], -1
    if isinstance(fact, Movement):
        changes = Changes()
        add_movement(changes, fact, sign=sign)
        for key, micro in changes.stock.items():
            stock[key] = stock.get(key, 0) + micro


def wire_positions(positions: Mapping[Epoch, int]) -> tuple[EpochSeq, ...]:
    return tuple(
        EpochSeq(start_count=epoch.start_count, nonce=epoch.nonce, seq=seq)
        for epoch, seq in sorted(positions.items())
    )
