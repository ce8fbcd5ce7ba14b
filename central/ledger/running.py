"""Balances and document progress while facts are posted one after another. Pure.

Each fact is judged on what stood there the moment before it, so the findings do not depend on how
facts were cut into batches.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from central.ledger.entries import (
    BALANCE_MICRO_MAX,
    BalanceKey,
    Entry,
    ExpectedLine,
    Finding,
    Known,
    Line,
    ProgressKey,
    Route,
    finding_of,
)
from central.ledger.locations import is_virtual, may_be_negative
from central.ledger.posting import Posting

LINES_OF_A_MOVEMENT = 2


class PlainWay(NamedTuple):
    """Where plain movements of one route are posted.

    from_slot, to_slot: in `RunningBooks.amounts`. from_micro_min: what may be left where they come
    from without a finding.
    """

    from_slot: int
    to_slot: int
    from_micro_min: int


class RunningBooks:
    """What stands in the books; `apply` posts one fact after another.

    balances, progress: amounts of every key that may be touched, absent for zero.
    amounts: of the balance at each slot. numbers: the last fact that changed it, 0 for none.
    """

    def __init__(
        self,
        known: Known,
        *,
        balances: Mapping[BalanceKey, int],
        progress: dict[ProgressKey, int],
    ) -> None:
        self._known = known
        self._slots = {key: slot for slot, key in enumerate(balances)}
        self.amounts = list(balances.values())
        self.numbers = [0] * len(self.amounts)
        self.progress = progress
        self.progress_numbers: dict[ProgressKey, int] = {}

    def slot_of(self, key: BalanceKey) -> int:
        """Return where the balance stands in `amounts` and `numbers`."""
        slot = self._slots.get(key)
        if slot is None:
            slot = self._slots[key] = len(self.amounts)
            self.amounts.append(0)
            self.numbers.append(0)
        return slot

    def changed(self) -> list[tuple[BalanceKey, int, int]]:
        """Return each changed balance, in the order of the keys, with its last fact."""
        return sorted(
            (key, self.amounts[slot], self.numbers[slot])
            for key, slot in self._slots.items()
            if self.numbers[slot]
        )

    def plain_way(self, route: Route) -> PlainWay | None:
        """Return where plain movements of a route are posted, None if they need a closer look."""
        warehouse, from_location, to_location, item, lot, serial, sscc, unit = route
        if self._known.item_units.get(item) != unit:
            return None
        for location in (from_location, to_location):
            if not is_virtual(location) and (warehouse, location) not in self._known.locations:
                return None
        what = (item, lot, serial, sscc, unit)
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
        if not self._fits(posting, slots):
            return _left_out(entry, posting)
        findings = list(posting.findings)
        for line, slot in zip(posting.lines, slots, strict=True):
            on_hand = self.amounts[slot] + line.quantity_micro
            self.amounts[slot] = on_hand
            self.numbers[slot] = entry.record_no
            # What goes and comes back at once leaves everything as it was.
            if len(slots) > LINES_OF_A_MOVEMENT:
                continue
            if on_hand < 0 > line.quantity_micro and not may_be_negative(line.location):
                findings.append(_negative(entry, line, on_hand_micro=on_hand))
        if posting.progress is not None:
            findings += self._progressed(entry, *posting.progress)
        if len(findings) == len(posting.findings):
            return posting
        return replace(posting, findings=tuple(findings))

    def _fits(self, posting: Posting, slots: list[int]) -> bool:
        if posting.progress is not None:
            key, quantity = posting.progress
            if abs(self.progress.get(key, 0) + quantity) > BALANCE_MICRO_MAX:
                return False
        return all(
            abs(self.amounts[slot] + line.quantity_micro) <= BALANCE_MICRO_MAX
            for line, slot in zip(posting.lines, slots, strict=True)
        )

    def _progressed(self, entry: Entry, key: ProgressKey, quantity_micro: int) -> list[Finding]:
        received = self.progress.get(key, 0) + quantity_micro
        self.progress[key] = received
        self.progress_numbers[key] = entry.record_no
        expected = expected_line(self._known.documents, key)
        if expected is None or quantity_micro < 0 or received <= expected.limit_micro:
            return []
        return [
            finding_of(
                entry,
                "over_received",
                f"{key.document}/{key.line}/{key.item}",
                item=key.item,
                unit=key.unit,
                document=key.document,
                document_line=key.line,
                expected_micro=expected.expected_micro,
                actual_micro=received,
            )
        ]


def expected_line(
    documents: Mapping[tuple[str, str], Mapping[int, ExpectedLine]], key: ProgressKey
) -> ExpectedLine | None:
    """Return the document line that a progress counts towards, None if none is expected."""
    return documents.get((key.warehouse, key.document), {}).get(key.line)


def _left_out(entry: Entry, posting: Posting) -> Posting:
    detail = "the quantity takes a balance out of range; check its digits and its unit"
    finding = finding_of(
        entry,
        "quantity_overflow",
        str(entry),
        item=posting.lines[0].item,
        location=posting.lines[0].location,
        unit=posting.lines[0].unit,
        actual_micro=posting.lines[1].quantity_micro,
        detail=detail,
    )
    return Posting(findings=(*posting.findings, finding))


def _negative(entry: Entry, line: Line, *, on_hand_micro: int) -> Finding:
    return finding_of(
        entry,
        "negative_balance",
        "/".join(line.balance_key[1:]),
        item=line.item,
        location=line.location,
        lot=line.lot,
        unit=line.unit,
        expected_micro=0,
        actual_micro=on_hand_micro,
    )
