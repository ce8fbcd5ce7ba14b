"""Facts as they come in runs, read and ready to be posted. Pure."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from central.contract.facts import Fact, Movement, Reversal
from central.ledger.entries import Entry

# What plain movements have in common that go the same way with the same goods: warehouse, from and
# to location, item, lot, serial, sscc, unit.
Route = tuple[str, str, str, str, str, str, str, str]


class PlainWay(NamedTuple):
    """Where plain movements of one route are posted.

    from_slot, to_slot: in the amounts of `RunningBooks`. from_micro_min: what may be left where
    they come from without a finding.
    """

    from_slot: int
    to_slot: int
    from_micro_min: int


class FactsRead(msgspec.Struct, frozen=True):
    """Facts as they are read, in their order; every sequence has one place for each.

    facts: the fact, or why its bytes are none. movements, routes, micros: the plain movements among
    them, with their quantities in their own unit; else None and 0. Those that state a document, a
    status or a weight are not plain. apart: the facts that are no plain movements, in their order.
    reversals: those among them.
    dated: item and lot of movements that state an expiry date of a lot, plain or not. parts: which
    of the facts move a part of what is counted, plain or not, by their places.
    """

    facts: list[Fact | str]
    movements: list[Movement | None]
    routes: list[Route | None]
    micros: list[int]
    apart: list[Fact] = msgspec.field(default_factory=list)
    reversals: list[Reversal] = msgspec.field(default_factory=list)
    dated: set[tuple[str, str]] = msgspec.field(default_factory=set)
    parts: list[int] = msgspec.field(default_factory=list)

    def part(self, begin: int, end: int) -> "FactsRead":
        """Return the facts from a place on up to another one; `dated` stays as it is."""
        facts, movements = self.facts[begin:end], self.movements[begin:end]
        apart = [
            fact
            for fact, plain in zip(facts, movements, strict=True)
            if plain is None and not isinstance(fact, str)
        ]
        return FactsRead(
            facts,
            movements,
            self.routes[begin:end],
            self.micros[begin:end],
            apart,
            [fact for fact in apart if isinstance(fact, Reversal)],
            self.dated,
            [index - begin for index in self.parts if begin <= index < end],
        )


Told = tuple[str, FactsRead]  # Facts with the warehouse that their epoch belongs to.


class Run(msgspec.Struct, frozen=True):
    """Facts first_seq, first_seq + 1 ... of one epoch on their way into the ledger.

    warehouse: the one that the epoch belongs to. bodies: canonical bytes. digests: the chain after
    each fact. first_record_no: of the first fact in the ledger's own order.
    """

    warehouse: str
    gateway: str
    epoch: str
    first_seq: int
    first_record_no: int
    bodies: Sequence[bytes]
    digests: Sequence[bytes]
    read: FactsRead

    def without_first(self, facts_count: int) -> "Run":
        """Return the run without its first facts; the rest keeps the record numbers from the start.

        So many are posted already.
        """
        if not facts_count:
            return self
        return replace(
            self,
            first_seq=self.first_seq + facts_count,
            bodies=self.bodies[facts_count:],
            digests=self.digests[facts_count:],
            read=self.read.part(facts_count, len(self.bodies)),
        )

    def part(self, begin: int, end: int) -> "Run":
        """Return the facts from a place on up to another one, with their record numbers."""
        if (begin, end) == (0, len(self.bodies)):
            return self
        return replace(
            self,
            first_seq=self.first_seq + begin,
            first_record_no=self.first_record_no + begin,
            bodies=self.bodies[begin:end],
            digests=self.digests[begin:end],
            read=self.read.part(begin, end),
        )

    def entry_at(self, index: int) -> Entry:
        """Return one of the facts by itself."""
        return Entry(
            self.warehouse,
            self.gateway,
            self.epoch,
            self.first_seq + index,
            self.bodies[index],
            self.digests[index],
            self.first_record_no + index,
        )
