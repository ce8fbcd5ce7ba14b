"""Makes the digests of local stock that central compares with the ledger, and says when. Pure.

    every INTERVAL_S      all_stock_digests(...): one report per 5000 bins, each of one moment
    same as the last one  left out, but for one each REPEAT_S: central may have forgotten it

A report is exact only where the revision below it is whole, which is what the journal keeps: the
levels of a revision whose last notice has not come yet are staged apart.
"""

from collections.abc import Callable, Sequence

from central.contract.stock_digests import (
    BINS_PER_REPORT_MAX,
    BinDigest,
    StockDigests,
    digests_by_bin,
    encode_digests,
)
from gateway.journal.records import StockReport

INTERVAL_S = 60.0
REPEAT_S = 600.0
HEADS_MAX = 1000  # As in the contract; more epochs are unsent only where something is badly wrong.
PART_BYTES_MAX = 128 * 1024  # Below what central and every broker takes; names may be long.
BIN_OVERHEAD_BYTES = 8
PARTS_MAX = 64  # Of 5000 bins each; beyond them a warehouse has more than is compared.


def all_stock_digests(
    read: Callable[[str, int], StockReport | None],
    *,
    gateway: str,
    bins_max: int = BINS_PER_REPORT_MAX,
) -> tuple[bytes, ...]:
    """Return the payloads to seal for "digests", together about all places.

    read: returns the report of at most so many places after one (after, places_max), None if there
    is none; each part is exact by itself, so the journal's lock is held for one part at a time.
    """
    payloads: list[bytes] = []
    after = ""
    for _ in range(PARTS_MAX):
        report = read(after, bins_max)
        if report is None:
            break
        payloads += stock_digests(report, gateway=gateway, bins_max=bins_max)
        after = report.to
        if not after:
            break
    return tuple(payloads)


def stock_digests(
    report: StockReport, *, gateway: str, bins_max: int = BINS_PER_REPORT_MAX
) -> tuple[bytes, ...]:
    """Return the payloads about the places of one report, each about other bins.

    None at all where the gateway has more epochs to send than a report can name.
    """
    if len(report.heads) > HEADS_MAX:
        return ()
    parts = _parts(sorted(digests_by_bin(report.levels).items()), bins_max)
    payloads = []
    after = report.after
    for index, part in enumerate(parts):
        to = part[-1][0] if index + 1 < len(parts) else report.to
        said = StockDigests(
            gateway=gateway,
            stream=report.stream,
            revision=report.revision,
            heads=report.heads,
            bins=tuple(BinDigest(location, digest) for location, digest in part),
            after=after,
            to=to,
        )
        payloads.append(encode_digests(said))
        after = to
    return tuple(payloads)


class ReportTimes:
    """When local stock is to be reported. One thread uses it; times are monotonic seconds.

    interval_s: between two looks at it. repeat_s: after which a report that says the same as the
    last one goes out all the same.
    """

    def __init__(self, *, interval_s: float = INTERVAL_S, repeat_s: float = REPEAT_S) -> None:
        self._interval_s = interval_s
        self._repeat_s = repeat_s
        self._due_s: float | None = None
        self._repeat_due_s = 0.0
        self._sent: tuple[bytes, ...] = ()

    def due(self, now_s: float) -> bool:
        """Return True if it is time to read the stock; then not again for `interval_s`.

        The first time one interval after the first question: a start has enough to do.
        """
        if self._due_s is None:
            self._due_s = now_s + self._interval_s
        if now_s < self._due_s:
            return False
        self._due_s = now_s + self._interval_s
        return True

    def worth_sending(self, payloads: Sequence[bytes], now_s: float) -> bool:
        """Return True if these say something new, or nothing was said for `repeat_s`."""
        return tuple(payloads) != self._sent or now_s >= self._repeat_due_s

    def sent(self, payloads: Sequence[bytes], now_s: float) -> None:
        """Tell that all of these were given to the broker."""
        self._sent = tuple(payloads)
        self._repeat_due_s = now_s + self._repeat_s

    def forget(self) -> None:
        """Tell that what was sent may be lost, as with a connection: say it again when due."""
        self._sent = ()


def _parts(digests: Sequence[tuple[str, bytes]], bins_max: int) -> list[list[tuple[str, bytes]]]:
    """Return the digests in runs that each fit a report; one empty run for none."""
    parts: list[list[tuple[str, bytes]]] = [[]]
    bytes_count = 0
    for location, digest in digests:
        size = len(location.encode()) + len(digest) + BIN_OVERHEAD_BYTES
        if len(parts[-1]) >= bins_max or bytes_count + size > PART_BYTES_MAX:
            parts.append([])
            bytes_count = 0
        parts[-1].append((location, digest))
        bytes_count += size
    return parts
