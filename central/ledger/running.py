"""Balances and document progress while facts are posted one after another. Pure.

Each fact is judged on what stood there the moment before it, so the findings do not depend on how
facts were cut into batches.
"""

from collections.abc import Mapping
from dataclasses import replace

from central.ledger.entries import (
    BALANCE_MICRO_MAX,
    BalanceKey,
    Entry,
    ExpectedLine,
    FactKey,
    Finding,
    Known,
    Line,
    ProgressKey,
    finding_of,
)
from central.ledger.locations import may_be_negative
from central.ledger.posting import Posting, unmatched


class RunningBooks:
    """What stands in the books; `apply` posts one fact after another.

    balances, progress: amounts of every key that may be touched, absent for zero; changed here.
    balance_numbers, progress_numbers: the last fact that changed each changed key.
    """

    def __init__(
        self,
        known: Known,
        *,
        balances: dict[BalanceKey, int],
        progress: dict[ProgressKey, int],
    ) -> None:
        self._known = known
        self.balances = balances
        self.progress = progress
        self.balance_numbers: dict[BalanceKey, int] = {}
        self.progress_numbers: dict[ProgressKey, int] = {}
        self._left_out: set[FactKey | None] = set()

    def apply(self, entry: Entry, posting: Posting) -> Posting:
        """Post one fact and return what came of it, findings about amounts added.

        A posting that would leave the range of a balance changes nothing and has no lines.
        """
        if not posting.lines:
            return posting
        if posting.takes_back in self._left_out:
            return Posting(findings=(unmatched(entry, posting.takes_back, "was left out"),))
        if not self._fits(posting):
            self._left_out.add(FactKey(entry.warehouse, entry.gateway, entry.epoch, entry.seq))
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
        findings = list(posting.findings)
        for line in posting.lines:
            key = line.balance_key
            on_hand = self.balances.get(key, 0) + line.quantity_micro
            self.balances[key] = on_hand
            self.balance_numbers[key] = entry.record_no
            if on_hand < 0 > line.quantity_micro and not may_be_negative(line.location):
                findings.append(_negative(entry, line, on_hand_micro=on_hand))
        if posting.progress is not None:
            findings += self._progressed(entry, *posting.progress)
        if len(findings) == len(posting.findings):
            return posting
        return replace(posting, findings=tuple(findings))

    def _fits(self, posting: Posting) -> bool:
        if posting.progress is not None:
            key, quantity = posting.progress
            if abs(self.progress.get(key, 0) + quantity) > BALANCE_MICRO_MAX:
                return False
        return all(
            abs(self.balances.get(line.balance_key, 0) + line.quantity_micro) <= BALANCE_MICRO_MAX
            for line in posting.lines
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
