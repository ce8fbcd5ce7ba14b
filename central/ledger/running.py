"""Balances and document progress while facts are posted one after another. Pure.

Each fact is judged on what stood there the moment before it, so the findings do not depend on how
facts were cut into batches.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from central.ledger.amount_findings import (
    left_out,
    negative,
    outweighed,
    rested,
    unavailable,
    unweighed,
)
from central.ledger.entries import (
    BALANCE_MICRO_MAX,
    BalanceKey,
    Entry,
    ExpectedLine,
    Finding,
    GoodsKey,
    Known,
    ProgressKey,
)
from central.ledger.gone_back import gone_back
from central.ledger.line_counts import UNNAMED, Relieved, judge_counts, shared_counts
from central.ledger.locations import is_virtual, may_be_negative
from central.ledger.measures import WEIGHED_IN, shares, weight_share
from central.ledger.pairs import (
    LINES_OF_A_PAIR,
    Lines,
    is_received,
    is_weighed_there,
    over_statuses,
    taken_micro,
    with_shares,
)
from central.ledger.posting import Posting
from central.ledger.progress import NOTHING_COUNTED, WAYS_OF_RETURNS, Counted, sign_of, way_of
from central.ledger.rests_back import lines_back
from central.ledger.runs import PlainWay, Route
from central.ledger.serials import SerialPlaces
from central.ledger.statuses import AVAILABLE, STATUSES
from central.ledger.transit_statuses import TransitStatuses
from central.ledger.unit_places import UnitPlaces, is_judged
from central.ledger.weight_rests import Reweighed, WeighedPlaces, is_under_way, rest_lines


class Amounts(NamedTuple):
    """What a balance holds."""

    quantity_micro: int
    weight_micro: int = 0


class RunningBooks:
    """What stands in the books; `apply` posts one fact after another.

    balances, progress: amounts of every key that may be touched, absent for zero.
    expecting: keys of lines that expect something, in the units in which their items are kept.
    amounts: of the balance at each slot. numbers: the last fact that changed it, 0 for none.
    weights: catch weights at slots, absent for zero. serials, units: where those numbers are.
    """

    def __init__(
        self,
        known: Known,
        *,
        balances: Mapping[BalanceKey, Amounts],
        progress: dict[ProgressKey, Counted],
        expecting: Collection[ProgressKey] = (),
    ) -> None:
        self._known = known
        self._keys = list(balances)
        self._slots = {key: slot for slot, key in enumerate(self._keys)}
        self.amounts = [one.quantity_micro for one in balances.values()]
        self.numbers = [0] * len(self._keys)
        weights = enumerate(one.weight_micro for one in balances.values())
        self.weights = {slot: weight_micro for slot, weight_micro in weights if weight_micro}
        self._places = WeighedPlaces(self._slots, self._keys, self.amounts, self.weights)
        self._transit = TransitStatuses(self._slots, self._keys, self.amounts)
        self.serials = SerialPlaces(self._keys, self.amounts)
        self.units = UnitPlaces(self._keys, self.amounts)
        self._amounts_before = tuple(self.amounts)
        below_zero = (key for key, micro in zip(self._keys, self.amounts, strict=True) if micro < 0)
        self._below_zero = {key for key in below_zero if not may_be_negative(key.location)}
        self.progress = progress
        self._expecting = expecting
        self.progress_numbers: dict[ProgressKey, int] = {}
        self.relieved: list[Relieved] = []
        self.returning: set[tuple[str, str]] = set()
        self.returned: list[tuple[ProgressKey, int]] = []
        self.reweighed: list[Reweighed] = []

    def slot_of(self, key: BalanceKey) -> int:
        """Return where the balance stands in `amounts` and `numbers`."""
        slot = self._slots.get(key)
        if slot is None:
            slot = self._slots[key] = len(self.amounts)
            self._keys.append(key)
            self.amounts.append(0)
            self.numbers.append(0)
            if key.serial:
                self.serials.note(key, slot)
            if key.sscc:
                self.units.note(key, slot)
        return slot

    def on_hand(self, goods: GoodsKey) -> int:
        """Return what is there, whatever its status. goods: a balance's key before the status."""
        slots = (self._slots.get(BalanceKey._make((*goods, status))) for status in STATUSES)
        return sum(self.amounts[slot] for slot in slots if slot is not None)

    def changed(self) -> list[tuple[BalanceKey, int, int, int]]:
        """Return each changed balance, in the order of the keys: amount, last fact, weight."""
        weights = self.weights
        return sorted(
            (key, self.amounts[slot], self.numbers[slot], weights.get(slot, 0))
            for key, slot in self._slots.items()
            if self.numbers[slot]
        )

    def recovered(self) -> tuple[BalanceKey, ...]:
        """Return places of the warehouse that were below zero, also on the way, and are not now."""
        return tuple(key for key in sorted(self._below_zero) if self.amounts[self._slots[key]] >= 0)

    def fallen(self) -> tuple[tuple[BalanceKey, int], ...]:
        """Return in order available stock in the warehouse that is less now: keys and amounts."""
        before, there = self._amounts_before, len(self._amounts_before)
        return tuple(
            sorted(
                (key, self.amounts[slot])
                for key, slot in self._slots.items()
                if self.amounts[slot] < (before[slot] if slot < there else 0)
                and key.status == AVAILABLE
                and not is_virtual(key.location)
            )
        )

    def plain_way(self, route: Route) -> PlainWay | None:
        """Return where plain movements of a route are posted, None if they need a closer look."""
        warehouse, from_location, to_location, item, lot, serial, sscc, unit = route
        known = self._known
        if known.item_units.get(item) != unit or serial:
            return None
        if sscc and is_judged(from_location, to_location):
            return None
        held = known.lots_on_hold and known.is_on_hold(warehouse, item, lot)
        if (held or item in known.inspected_items) and is_received(from_location, to_location):
            return None
        if item in known.weight_units and is_weighed_there(from_location, to_location):
            return None
        for location in (from_location, to_location):
            if not is_virtual(location) and (warehouse, location) not in known.locations:
                return None
        what = (item, lot, serial, sscc, unit, AVAILABLE)
        return PlainWay(
            self.slot_of(BalanceKey(warehouse, from_location, *what)),
            self.slot_of(BalanceKey(warehouse, to_location, *what)),
            -BALANCE_MICRO_MAX if may_be_negative(from_location) else 0,
        )

    def apply(self, entry: Entry, posting: Posting) -> Posting:
        """Post one fact and return what came of it, findings about amounts added.

        A posting that would leave the range of a balance changes nothing and has no lines.
        """
        if not posting.lines:
            return posting
        slots = [self.slot_of(line.balance_key) for line in posting.lines]
        if posting.shared and self.amounts[slots[0]] < posting.lines[1].quantity_micro:
            posting = self._shared(posting)
            slots = [self.slot_of(line.balance_key) for line in posting.lines]
        elif posting.books:
            given, taken = posting.lines
            parts = self._transit.taken(given, posting.books)
            parted = over_statuses((given, taken), parts.__getitem__, keep=posting.keeps_status)
            posting = replace(posting, lines=parted)
            slots = [self.slot_of(line.balance_key) for line in posting.lines]
        if posting.unweighed and self.weights:
            posting = self._weighed(posting, slots)
        progress = posting.progress
        counted = NOTHING_COUNTED if progress is None else self._counted(progress.key)
        now = counted if progress is None else counted.plus(progress)
        if not self._fits(posting, slots, now):
            return left_out(entry, posting)
        amounts, numbers, record_no = self.amounts, self.numbers, entry.record_no
        was_twice = self.serials.is_twice(posting.lines[0])
        findings: list[Finding] = []
        for line, slot in zip(posting.lines, slots, strict=True):
            on_hand = amounts[slot] = amounts[slot] + line.quantity_micro
            numbers[slot] = record_no
            if line.weight_micro:
                self.weights[slot] = self.weights.get(slot, 0) + line.weight_micro
            # What goes and comes back at once leaves everything as it was.
            if on_hand < 0 > line.quantity_micro and not (
                posting.comes_back or may_be_negative(line.location)
            ):
                self._below_zero.add(line.balance_key)
                findings.append(negative(entry, line, on_hand_micro=on_hand))
        self._places.note(posting.lines)
        if was_twice:
            self.serials.note_end(posting.lines[0], record_no=record_no)
        if not posting.comes_back:
            findings += self._goods_findings(entry, posting, left_micro=amounts[slots[0]])
            if self.weights or posting.rests_back:
                posting = self._without_rests(entry, posting, findings)
        if progress is not None:
            findings += self._progressed(entry, progress.key, counted, now)
        return replace(posting, findings=(*posting.findings, *findings)) if findings else posting

    def _shared(self, posting: Posting) -> Posting:
        given, taken = posting.lines
        goods = given.balance_key[:-1]

        def on_hand(status: str) -> int:
            slot = self._slots.get(BalanceKey(*goods, status))
            return 0 if slot is None else self.amounts[slot]

        parted = over_statuses((given, taken), on_hand, keep=posting.keeps_status)
        return replace(posting, lines=parted)

    def _weighed(self, posting: Posting, slots: Sequence[int]) -> Posting:
        """Return a posting whose goods were not weighed with their share of what is there."""
        first = posting.lines[0]
        if is_under_way(first.location):
            if first.item not in self._known.weight_units:
                return posting
            quantity, weight = self._places.left(first)
            moved = taken_micro(posting.lines)
            share = weight_share(moved, there_micro=quantity, weight_micro=weight)
            parts = [taken.quantity_micro for taken in posting.lines[1::2]]
            return replace(posting, lines=with_shares(posting.lines, shares(share, parts)))
        if is_virtual(first.location):
            return posting
        weights = [
            weight_share(
                taken.quantity_micro,
                there_micro=self.amounts[slot],
                weight_micro=self.weights.get(slot, 0),
            )
            for slot, taken in zip(slots[::2], posting.lines[1::2], strict=True)
        ]
        return (
            replace(posting, lines=with_shares(posting.lines, weights)) if any(weights) else posting
        )

    def _without_rests(self, entry: Entry, posting: Posting, findings: list[Finding]) -> Posting:
        """Return a posting that leaves no weight without pieces, and say so."""
        lines = posting.lines
        unit = self._known.weight_units.get(lines[0].item, "")
        # Whether other books were looked into depends on the call; this on the fact alone.
        if not unit and not any(line.weight_micro for line in lines):
            lines = tuple(line for line in lines if not is_under_way(line.location))
        # Of others nobody has looked up what was written off.
        if posting.rests_back and (unit or any(line.weight_micro for line in lines)):
            back = lines_back(lines, posting.rests_back, first_line_no=len(posting.lines) + 1)
            posting = self._with_weights(entry, posting, back)
        for line, weight in self._places.outweighed(lines) if unit else ():
            findings.append(outweighed(entry, line, weight_micro=weight))
        self.reweighed += self._places.reweighed(lines) if unit else ()
        rests = rest_lines(lines, self._places.left, first_line_no=len(posting.lines) + 1)
        if rests:
            findings += rested(entry, rests, unit=unit or WEIGHED_IN)
            posting = self._with_weights(entry, posting, rests)
        return posting

    def _with_weights(self, entry: Entry, posting: Posting, lines: Lines) -> Posting:
        for line in lines:
            slot = self.slot_of(line.balance_key)
            self.weights[slot] = self.weights.get(slot, 0) + line.weight_micro
            self.numbers[slot] = entry.record_no
        self._places.note(lines)
        return replace(posting, lines=posting.lines + lines)

    def _goods_findings(self, entry: Entry, posting: Posting, *, left_micro: int) -> list[Finding]:
        """Return what is wrong with where numbers are, and with goods that leave."""
        findings: list[Finding] = []
        first = posting.lines[0]
        if first.sscc:
            findings += self.units.judge(entry, posting, left_micro)
        if first.serial:
            serial_twice = self.serials.found_twice(entry, posting.lines)
            findings += [serial_twice] if serial_twice is not None else []
        parted = len(posting.lines) > LINES_OF_A_PAIR
        if posting.takes_back is None and (parted or first.status != AVAILABLE):
            findings += unavailable(entry, posting.lines)
        lost = posting.lost_weight
        if (posting.unweighed or lost) and first.item in self._known.weight_units:
            findings += unweighed(entry, posting.lines, detail=lost)
        return findings

    def _fits(self, posting: Posting, slots: list[int], now: Counted) -> bool:
        if abs(now.done_micro) > BALANCE_MICRO_MAX:
            return False
        for line, slot in zip(posting.lines, slots, strict=True):
            if abs(self.amounts[slot] + line.quantity_micro) > BALANCE_MICRO_MAX:
                return False
            weight = line.weight_micro
            if weight and abs(self.weights.get(slot, 0) + weight) > BALANCE_MICRO_MAX:
                return False
        return not self.weights or self._places.have_room(posting.lines, posting.rests_back)

    def _counted(self, key: ProgressKey) -> Counted:
        counted = self.progress.get(key)
        if counted is not None:
            return counted
        return Counted(0, way_of(self._known.document_kinds.get(key[:2], "")))

    def _progressed(
        self, entry: Entry, key: ProgressKey, counted: Counted, now: Counted
    ) -> list[Finding]:
        """Let a fact count. counted, now: what its progress holds before and after."""
        lines = self._known.documents.get(key[:2], {})
        before = self._line_counts(key, lines)
        self.progress[key], self.progress_numbers[key] = now, entry.record_no
        after, direction = self._line_counts(key, lines), sign_of(counted.way)
        kept = self._known.item_units
        findings, relieved = judge_counts(
            entry, key, lines, before=before, after=after, direction=direction, kept=kept
        )
        self.relieved += relieved
        earlier, done = counted.done_micro, now.done_micro
        # Where stations do not know the document, less than nothing is what left.
        if done < earlier and (lines or earlier > 0):
            self.returned.append((key, entry.record_no))
            self.returning.add(key[:2])
            findings += gone_back(entry, key, lines, self._counted, moved_micro=done - earlier)
        elif done > earlier < 0 or counted.way in WAYS_OF_RETURNS:
            self.returning.add(key[:2])
        return findings

    def _line_counts(self, key: ProgressKey, lines: Mapping[int, ExpectedLine]) -> dict[int, int]:
        """Return what counts for the lines that a fact may count for, by their numbers."""
        if key[:2] in self._known.picked_documents:
            return {key.line: self._counted(key).done_micro}
        if key.line != UNNAMED and key._replace(line=UNNAMED) not in self.progress:
            return {key.line: self._counted(key).done_micro}
        shared = shared_counts(
            lines, key.item, lambda number: self._counted(key._replace(line=number)).done_micro
        )
        # In the unit in which the item is kept: others count for no line.
        if any(key._replace(line=number) in self._expecting for number in shared):
            return shared
        return {key.line: self._counted(key).done_micro}
