"""Compares what gateways show with the ledger, bin by bin. Edge of the database.

take_digests     sealed reports -> authentic ones wait, the rest is quarantined
compare_waiting  the ledger has all of a report's facts? -> both sums of each bin
                   differ: discrepancy `stock_differs`, subject gateway/bin
                   agree:  an open one of that bin settles itself
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, select

from central.clock import Clock
from central.contract.errors import ContractError
from central.contract.sealed import Sealed, open_sealed
from central.contract.stock_digests import DIGESTS_BYTES_MAX, StockDigests, decode_digests
from central.inbox import quarantine
from central.inbox.gateways import Enrolled, enrolled_gateways
from central.ledger.discrepancies import open_discrepancies, settle_discrepancies
from central.ledger.entries import Finding
from central.ledger.gateway_stock import BinDiffers, covers, differing_bins
from central.ledger.state import lock_ledger, read_state
from central.ledger.stock_at import TooFarBehind, epoch_text, shown_stock
from central.storage import tables
from central.storage.database import Database

# Reports that wait for the ledger to have their facts; the newest of each gateway and part.
WAITING_MAX = 256
COMPARED_PER_CALL_MAX = 4
# Of one report; further bins are counted in the detail of these.
DIFFERENCES_MAX = 200

PartKey = tuple[str, str]  # gateway, where the part begins


@dataclass(frozen=True, slots=True)
class _Compared:
    """What a report led to. settled: identities of open discrepancies of bins that agree."""

    report: StockDigests
    warehouse: str
    record_no: int
    differing: tuple[BinDiffers, ...]
    settled: tuple[str, ...]


class _Open(NamedTuple):
    subject: str
    location: str
    warehouse: str
    id: str


class Reconciliation:
    """Reports of the gateways that one worker hears. One thread uses it.

    Nothing is kept over a restart: a gateway reports again.
    """

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._waiting: dict[PartKey, StockDigests] = {}
        self._counters: dict[str, int] = {}

    @property
    def waiting_count(self) -> int:
        """Return how many reports wait for the ledger to have their facts."""
        return len(self._waiting)

    def counters(self) -> dict[str, int]:
        """Return counts since the start: reports taken, refused, compared, left out; bins."""
        return dict(self._counters)

    def take_digests(self, payloads: Sequence[tuple[str, bytes]]) -> None:
        """Keep the authentic ones of (gateway of the topic, sealed report) until `compare_waiting`.

        What cannot be read or authenticated is quarantined. Raises LedgerUnavailable, and then
        all of them may be lost: the next report comes soon.
        """
        if not payloads:
            return
        with self._database.read() as connection:
            enrolled = enrolled_gateways(connection, {topic for topic, _ in payloads})
        refused = []
        for topic_gateway, payload in payloads:
            report = _opened(topic_gateway, payload, enrolled)
            if isinstance(report, quarantine.Refused):
                refused.append(report)
            else:
                self._keep(report)
        self._count("digests_taken_total", len(payloads) - len(refused))
        if refused:
            self._count("digests_refused_total", len(refused))
            with self._database.write() as connection:
                state = lock_ledger(connection)
                quarantine.keep(connection, state, refused, now_ms=self._clock.now_ms())

    def compare_waiting(self) -> int:
        """Compare reports whose facts the ledger has; return how many discrepancies were opened.

        At most COMPARED_PER_CALL_MAX of them. To be called every second or so. Raises
        LedgerUnavailable; what waits still waits then.
        """
        compared: list[tuple[PartKey, _Compared | None]] = []
        if not self._waiting:
            return 0
        with self._database.read() as connection:
            record_no = read_state(connection).record_no
            for key, report in self._waiting.items():
                if len(compared) >= COMPARED_PER_CALL_MAX:
                    break
                if report.revision <= record_no and _has_facts(connection, report):
                    compared.append((key, _compared(connection, report)))
        opened_count = self._write([one for _, one in compared if one is not None])
        for key, one in compared:
            del self._waiting[key]
            if one is None:
                self._count("digests_left_out_total")
            else:
                self._count("digests_compared_total")
        return opened_count

    def _keep(self, report: StockDigests) -> None:
        key = (report.gateway, report.after)
        self._waiting.pop(key, None)
        self._waiting[key] = report
        while len(self._waiting) > WAITING_MAX:
            del self._waiting[next(iter(self._waiting))]
            self._count("digests_left_out_total")

    def _write(self, compared: Sequence[_Compared]) -> int:
        findings = [_finding(one, differs) for one in compared for differs in one.differing]
        settled = [one for one in compared if one.settled]
        if not findings and not settled:
            return 0
        now_ms = self._clock.now_ms()
        with self._database.write() as connection:
            # Two workers that hear one gateway during a take-over must not open two.
            lock_ledger(connection)
            opened = open_discrepancies(connection, findings, now_ms=now_ms, counts=False)
            for one in settled:
                reason = f"the gateway's report at revision {one.report.revision} agrees"
                settle_discrepancies(connection, one.settled, settlement=reason, now_ms=now_ms)
        self._count("bins_differing_total", opened)
        self._count("bins_agreeing_again_total", sum(len(one.settled) for one in settled))
        return opened

    def _count(self, name: str, by: int = 1) -> None:
        self._counters[name] = self._counters.get(name, 0) + by


def _opened(
    topic_gateway: str, payload: bytes, enrolled: dict[str, Enrolled]
) -> StockDigests | quarantine.Refused:
    try:
        sealed = open_sealed(payload, bytes_max=DIGESTS_BYTES_MAX)
        report = decode_digests(sealed.payload)
        for head in report.heads:
            epoch_text(head)  # Also says whether it can be one.
    except ContractError as error:
        return quarantine.Refused(topic_gateway, "unreadable", str(error), payload)
    if report.gateway != topic_gateway:
        detail = f"stock digests of {report.gateway} came as {topic_gateway}"
        return quarantine.Refused(topic_gateway, "wrong_topic", detail, payload)
    known = enrolled.get(topic_gateway)
    if known is None:
        detail = f"gateway {topic_gateway} is not enrolled"
        return quarantine.Refused(topic_gateway, "unknown_gateway", detail, payload)
    if not _is_signed(sealed, known.public_key):
        detail = f"the signature is not that of {topic_gateway}"
        return quarantine.Refused(topic_gateway, "bad_signature", detail, payload)
    return report


def _is_signed(sealed: Sealed, public_key: bytes) -> bool:
    try:
        key = Ed25519PublicKey.from_public_bytes(public_key)
        key.verify(sealed.signature, sealed.signed_bytes("digests"))
    except (InvalidSignature, ValueError):
        return False
    return True


def _has_facts(connection: Connection, report: StockDigests) -> bool:
    """Return whether the ledger has all own facts that are in a report."""
    positions = tables.positions.c
    acked = {
        row.epoch: row.acked_seq
        for row in connection.execute(
            select(positions.epoch, positions.acked_seq).where(
                positions.gateway == report.gateway,
                positions.epoch.in_([epoch_text(head) for head in report.heads]),
            )
        )
    }
    return all(acked.get(epoch_text(head), 0) >= head.seq for head in report.heads)


def _compared(connection: Connection, report: StockDigests) -> _Compared | None:
    """Return what a report shows; None if it stands on what the ledger no longer tells it."""
    known = enrolled_gateways(connection, [report.gateway]).get(report.gateway)
    if known is None or not _is_current(connection, report, known.warehouse):
        return None
    try:
        levels = shown_stock(
            connection,
            warehouse=known.warehouse,
            gateway=report.gateway,
            revision=report.revision,
            heads=report.heads,
        )
    except TooFarBehind:
        return None
    differing = differing_bins(report, levels)
    subjects = {_subject(report, one.location) for one in differing}
    return _Compared(
        report=report,
        warehouse=known.warehouse,
        record_no=read_state(connection).record_no,
        differing=tuple(differing[:DIFFERENCES_MAX]),
        settled=tuple(
            one.id
            for one in _still_open(connection, report)
            # A gateway that was moved says nothing of its former warehouse any more.
            if one.warehouse != known.warehouse
            or (covers(report, one.location) and one.subject not in subjects)
        ),
    )


def _is_current(connection: Connection, report: StockDigests, warehouse: str) -> bool:
    """Return whether the revision is one of this life of the ledger, and of this warehouse."""
    streams = tables.notice_streams.c
    row = connection.execute(
        select(streams.stream, streams.generation, streams.warehouse).where(
            streams.gateway == report.gateway
        )
    ).first()
    if row is None:
        return False
    expected = (report.stream, read_state(connection).generation, warehouse)
    return tuple(row) == expected


def _still_open(connection: Connection, report: StockDigests) -> list[_Open]:
    """Return what is open about places of this gateway, wherever it was."""
    table = tables.discrepancies.c
    query = select(table.subject, table.location, table.warehouse, table.id).where(
        table.state == "open", table.kind == "stock_differs", table.gateway == report.gateway
    )
    return [_Open(*row) for row in connection.execute(query)]


def _finding(compared: _Compared, differs: BinDiffers) -> Finding:
    return Finding(
        kind="stock_differs",
        subject=_subject(compared.report, differs.location),
        warehouse=compared.warehouse,
        gateway=compared.report.gateway,
        epoch="",
        seq=0,
        record_no=compared.record_no,
        location=_storable(differs.location),
        detail=differs.detail,
    )


def _subject(report: StockDigests, location: str) -> str:
    return f"{report.gateway}/{_storable(location)}"


def _storable(text: str) -> str:
    return text.replace("\0", "\\0")  # PostgreSQL cannot store U+0000 in text.
