"""Posts the facts of one call one after another, and notes what is to be written. Pure."""

from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from central.contract.facts import Count, Fact, Movement, Packing, kind_of
from central.ledger.entries import (
    BALANCE_MICRO_MAX,
    CountPosted,
    Entry,
    FactKey,
    Finding,
    Known,
    Line,
    PostedFact,
    finding_of,
)
from central.ledger.goods_rules import LotKey, date_finding, goods_findings, plain_routes
from central.ledger.locations import IN_TRANSIT
from central.ledger.measures import quantity_in_unit
from central.ledger.packing import PackingBook
from central.ledger.pairs import LINES_OF_A_PAIR
from central.ledger.posting import PostedMovement, Posting, post, taken_back_at_once
from central.ledger.reversed_units import unit_findings
from central.ledger.running import RunningBooks
from central.ledger.runs import PlainWay, Route, Run
from central.ledger.statuses import AVAILABLE

DETAIL_LENGTH_MAX = 500
# A movement that a reversal took back, with its gateway and its lines.
TakenBack = tuple[str, Movement, Sequence[Line]]

# A row of the facts, and one for both lines of a movement: record_no, the route, expiry_date,
# quantity_micro.
Blob = bytes | bytearray
FactRow = tuple[str, str, str, int, str, Blob, Blob, int, int, int, int]
PairRow = tuple[int, str, str, str, str, str, str, str, str, str, int]


class ReversedBy(NamedTuple):
    """The fact that takes a movement back: of the same gateway."""

    epoch: str
    seq: int


class Settled(msgspec.Struct, frozen=True):
    """A reversal that waited no longer waits. back: whether its movement is taken back."""

    target: FactKey
    by: ReversedBy
    record_no: int
    back: bool


class Targets(msgspec.Struct, frozen=True):
    """What facts of a call have to do with each other, or with what is stored.

    named: facts that reversals of this call name. stored: what is there of them. waiting: reversals
    stored earlier whose movements are among the facts of this call.
    """

    named: frozenset[FactKey]
    stored: Mapping[FactKey, PostedMovement]
    waiting: Mapping[FactKey, ReversedBy]


class Goods(msgspec.Struct, frozen=True):
    """What is known of goods beside their amounts.

    expiry_dates: of lots of which a fact of this call states one, or has to have one. packing: with
    every unit that a fact of this call names. Both go on while facts are posted. dates_elsewhere:
    of those of these lots that have none here, what the books of other warehouses know.
    """

    expiry_dates: dict[LotKey, str]
    packing: PackingBook
    dates_elsewhere: Mapping[LotKey, str]


class Noted:
    """What is to be written, in the order of the facts. reversals: movement, and what names it.

    lots: key, expiry date and record number of new ones. counts: as they were posted.
    apart: facts that followers may have to look at. taken_back: movements, by reversals.
    waiting_count: how many reversals wait more, or less, than before.
    """

    def __init__(self) -> None:
        self.facts: list[FactRow] = []
        self.pairs: list[PairRow] = []
        self.further_lines: list[Line] = []
        self.reversals: list[tuple[FactKey, ReversedBy]] = []
        self.findings: list[Finding] = []
        self.apart: list[PostedFact] = []
        self.counts: list[CountPosted] = []
        self.taken_back: list[TakenBack] = []
        self.lots: list[tuple[str, str, str, str, int]] = []
        self.settled: list[Settled] = []
        self.waiting_count = 0


class Bookkeeper:
    """Posts runs of facts to the books, each fact judged on what stood there before it.

    routes: of all plain movements that will be posted. blob: makes of bytes what the driver of the
    database takes quickest.
    """

    def __init__(
        self,
        known: Known,
        books: RunningBooks,
        routes: Sequence[Route],
        targets: Targets,
        goods: Goods,
        *,
        now_ms: int,
        blob: Callable[[bytes], Blob],
    ) -> None:
        self._known = known
        self._goods = goods
        self._books = books
        self._named = targets.named
        self._targets = dict(targets.stored)
        self._waiting = dict(targets.waiting)
        # Facts that reversals are about, wherever those are: numbers by warehouse, gateway, epoch.
        self._apart: dict[tuple[str, ...], set[int]] = {}
        for key in (*targets.named, *targets.waiting):
            self._apart.setdefault(key[:3], set()).add(key.seq)
        self._now_ms = now_ms
        self._blob = blob
        self._told_dates: dict[tuple[str, str], str] = {}  # Of lots that are new to a book.
        self._ways: dict[str, dict[Route | None, PlainWay]] = {}
        for route in plain_routes(known, routes, goods.expiry_dates):
            # Goods that cross to another warehouse without a document are told of.
            way = None if IN_TRANSIT in route else books.plain_way(route)
            if way is not None:
                self._ways.setdefault(route[0], {})[route] = way
        self.noted = Noted()

    def post(self, run: Run) -> None:
        """Post the facts of a run.

        Almost all facts are plain movements: a known item in its unit between known places, with
        nothing to say about it. They are posted right here; everything else by `_post_one`.
        """
        warehouse, gateway, epoch, now_ms = run.warehouse, run.gateway, run.epoch, self._now_ms
        amounts, numbers, weights = self._books.amounts, self._books.numbers, self._books.weights
        ways = self._ways.get(warehouse, {})
        apart = self._apart.get((warehouse, gateway, epoch), set())
        facts, pairs, blob = self.noted.facts, self.noted.pairs, self._blob
        expiry_dates = self._goods.expiry_dates
        read, seqs, record_nos = run.read, count(run.first_seq), count(run.first_record_no)
        for seq, number, movement, route, micro, body, digest in zip(
            seqs,
            record_nos,
            read.movements,
            read.routes,
            read.micros,
            run.bodies,
            run.digests,
            strict=False,  # The counts have no end.
        ):
            way = ways.get(route)
            if way is None or movement is None or seq in apart:
                self._post_one(run, seq - run.first_seq)
                continue
            from_slot, to_slot, from_micro_min = way
            given, taken = amounts[from_slot] - micro, amounts[to_slot] + micro
            if (
                given < from_micro_min
                or taken > BALANCE_MICRO_MAX
                or (weights and (from_slot in weights or to_slot in weights))
            ):
                self._post_one(run, seq - run.first_seq)
                continue
            expiry_date = movement.expiry_date
            if expiry_date and movement.lot:
                lot = (warehouse, movement.item, movement.lot)
                if expiry_dates.get(lot) != expiry_date:
                    self._post_one(run, seq - run.first_seq)
                    continue
            amounts[from_slot], amounts[to_slot] = given, taken
            numbers[from_slot] = numbers[to_slot] = number
            facts.append(
                (
                    warehouse,
                    gateway,
                    epoch,
                    seq,
                    "movement",
                    blob(body),
                    blob(digest),
                    movement.event_time_ms,
                    1 if movement.clock_synced else 0,
                    now_ms,
                    number,
                )
            )
            pairs.append((number, *route, expiry_date, micro))

    def _post_one(self, run: Run, index: int) -> None:
        entry, fact = run.entry_at(index), run.read.facts[index]
        key = FactKey(entry.warehouse, entry.gateway, entry.epoch, entry.seq)
        waiting = self._waiting.pop(key, None)
        back = False
        if isinstance(fact, str):
            detail = fact[:DETAIL_LENGTH_MAX]
            finding = finding_of(entry, "unreadable_fact", str(entry), detail=detail)
            posting = Posting(findings=(finding,))
            kind, event_time_ms, synced = "unreadable", 0, 0
        else:
            posting = post(entry, fact, self._known, self._targets.get)
            # Of a reversal nothing is taken back, however early another one named it.
            back = waiting is not None and isinstance(fact, Movement) and bool(posting.lines)
            if back:
                posting = taken_back_at_once(entry, posting)
            posting = self._books.apply(entry, posting)
            self._set_apart(entry, fact, posting)
            self._note_goods(entry, fact, posting)
            back = back and bool(posting.lines)
            kind, event_time_ms = kind_of(fact), fact.event_time_ms
            synced = 1 if fact.clock_synced else 0
        body, digest = self._blob(entry.body), self._blob(entry.digest)
        self.noted.facts.append(
            (*key, kind, body, digest, event_time_ms, synced, self._now_ms, entry.record_no)
        )
        self._note(entry, posting)
        if waiting is not None:
            self.noted.settled.append(Settled(key, waiting, entry.record_no, back=back))
            self.noted.waiting_count -= 1
        if key in self._named:
            movement = fact if isinstance(fact, Movement) else None
            lines = posting.lines if movement else ()
            self._targets[key] = PostedMovement(lines, posting.progress, back, movement)

    def _set_apart(self, entry: Entry, fact: Fact, posting: Posting) -> None:
        """Note a fact that followers may have to look at more closely."""
        document = fact.document if isinstance(fact, Movement) else ""
        if posting.progress is not None:
            document = posting.progress[0].document
        if not posting.lines or not (
            document or posting.came_to or any(one.status != AVAILABLE for one in posting.lines)
        ):
            return
        told_ms = fact.event_time_ms if fact.clock_synced else self._now_ms
        goods = (document, posting.progress, posting.lines, posting.came_to)
        happened_ms = min(told_ms, self._now_ms)
        self.noted.apart.append(PostedFact(entry.record_no, entry.gateway, happened_ms, *goods))

    def _note_goods(self, entry: Entry, fact: Fact, posting: Posting) -> None:
        """Note what a fact says of goods beside how they moved."""
        if isinstance(fact, Movement):
            if posting.lines and fact.lot and fact.expiry_date and not posting.comes_back:
                self._note_lot(entry, fact)
            rule = self._known.goods_rules.get(fact.item)
            if rule is not None and posting.lines and not posting.comes_back:
                lot, goods = (entry.warehouse, fact.item, fact.lot), self._goods
                elsewhere = goods.dates_elsewhere.get(lot, "")
                date = goods.expiry_dates.get(lot, fact.expiry_date or elsewhere)
                self.noted.findings += goods_findings(
                    entry, fact, posting.lines, rule, expiry_date=date, now_ms=self._now_ms
                )
        elif entry.warehouse != fact.warehouse:
            pass  # It is about another warehouse, of which this gateway cannot tell.
        elif isinstance(fact, Count):
            self._note_count(entry, fact)
        elif isinstance(fact, Packing):
            self.noted.findings += self._goods.packing.apply(entry, fact)

    def _note_lot(self, entry: Entry, movement: Movement) -> None:
        key = (entry.warehouse, movement.item, movement.lot)
        known = self._goods.expiry_dates.get(key)
        if known is None:
            self._goods.expiry_dates[key] = movement.expiry_date
            self.noted.lots.append((*key, movement.expiry_date, entry.record_no))
            told = self._told_dates.setdefault(key[1:], movement.expiry_date)
            known = self._goods.dates_elsewhere.get(key, told)
        if known != movement.expiry_date:
            self.noted.findings.append(date_finding(entry, movement, known=known))

    def _note_count(self, entry: Entry, fact: Count) -> None:
        unit = self._known.item_units.get(fact.item, fact.unit)
        pack = self._known.pack(fact.item, fact.unit)
        quantity = quantity_in_unit(fact, unit, pack=pack)
        if quantity is None:
            unit, quantity = fact.unit, quantity_in_unit(fact, fact.unit)
        assert quantity is not None  # Its own unit needs no conversion.
        what = (fact.location, fact.item, fact.lot, fact.serial, fact.sscc, unit)
        book_micro = self._books.on_hand((entry.warehouse, *what))
        key = FactKey(entry.warehouse, entry.gateway, entry.epoch, entry.seq)
        self.noted.counts.append(
            CountPosted(key, entry.record_no, fact, unit, quantity, book_micro)
        )

    def _note(self, entry: Entry, posting: Posting) -> None:
        noted = self.noted
        noted.findings += posting.findings
        lines = posting.lines
        if lines and _is_plain(lines[0]) and _is_plain(lines[1]):
            (given, taken), lines = lines[:LINES_OF_A_PAIR], lines[LINES_OF_A_PAIR:]
            noted.pairs.append(
                (
                    entry.record_no,
                    entry.warehouse,
                    given.location,
                    taken.location,
                    taken.item,
                    taken.lot,
                    taken.serial,
                    taken.sscc,
                    taken.unit,
                    taken.expiry_date,
                    taken.quantity_micro,
                )
            )
        noted.further_lines += lines
        target = posting.takes_back or posting.waits_for
        if target is None:
            return
        by = ReversedBy(entry.epoch, entry.seq)
        noted.reversals.append((target, by))
        if posting.takes_back is not None:
            noted.findings += unit_findings(entry, posting.lines, self._known, self._books)
            self._targets[target] = taken_back = replace(self._targets[target], reversed=True)
            if taken_back.movement is not None:
                noted.taken_back.append((entry.gateway, taken_back.movement, taken_back.lines))
        else:
            self._targets[target] = PostedMovement((), None, reversed=True)
            self._waiting[target] = by
            noted.waiting_count += 1


def _is_plain(line: Line) -> bool:
    return line.status == AVAILABLE and not line.weight_micro
