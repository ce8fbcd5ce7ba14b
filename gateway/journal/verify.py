"""Recomputes everything in a journal from its facts and says what is off. Edge of SQLite."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlite_utils import Database

from central.contract.errors import ContractError
from central.contract.facts import (
    NO_HEAD,
    Fact,
    Movement,
    Reversal,
    Weighing,
    chain_next,
    chain_start,
    decode_fact,
)
from central.contract.identifiers import Epoch, FactId, parse_epoch
from gateway.journal.append import KIND_TAGS
from gateway.journal.local_stock import Changes, LineKey, StockKey, add_movement
from gateway.journal.outbox import EpochRow
from gateway.journal.transactions import reading

FINDINGS_MAX = 100

SELECT_EPOCHS = "SELECT * FROM epochs ORDER BY start_count"
SELECT_FACTS = "SELECT number, kind, digest, data FROM facts ORDER BY number"
SELECT_TAIL = """
    SELECT number, data FROM facts
    WHERE number > (SELECT coalesce(max(number), 0) FROM facts) - ? ORDER BY number
"""
SELECT_DATA = "SELECT data FROM facts WHERE number = ?"


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found. findings: English sentences, at most FINDINGS_MAX; empty if all is well."""

    gateway: str
    warehouse: str
    facts_count: int
    epochs_count: int
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Recomputed:
    """What the facts read so far amount to."""

    database: Database
    gateway: str
    findings: list[str] = field(default_factory=list)
    changes: Changes = field(default_factory=Changes)
    alibi_numbers: dict[str, int] = field(default_factory=dict)
    reversed_numbers: dict[int, int] = field(default_factory=dict)

    def report(self, finding: str) -> None:
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(finding)


def verify_journal(database: Database) -> Verified:
    """Return what is off in a journal: chain, numbers, stock, document progress, alibi numbers.

    Reads one consistent state, also beside a running gateway. Raises JournalDamaged if the file
    itself cannot be read.
    """
    with reading():
        database.execute("BEGIN")
        try:
            identity = next(iter(database.query("SELECT gateway, warehouse FROM identity")))
            recomputed = _Recomputed(database, identity["gateway"])
            for row in database.query("PRAGMA quick_check(10)"):
                if row["quick_check"] != "ok":
                    recomputed.report(f"file: {row['quick_check']}")
            spans = _epoch_spans(database)
            _check_spans(recomputed, spans)
            _check_facts(recomputed, spans)
            _compare_tables(recomputed)
            facts_count = database["facts"].count
        finally:
            database.execute("ROLLBACK")
    return Verified(
        gateway=identity["gateway"],
        warehouse=identity["warehouse"],
        facts_count=facts_count,
        epochs_count=len(spans),
        findings=tuple(recomputed.findings),
    )


def tail_facts(database: Database, count: int) -> list[tuple[FactId, Fact]]:
    """Return the newest `count` facts of a journal, oldest first."""
    with reading():
        gateway = next(iter(database.query("SELECT gateway FROM identity")))["gateway"]
        rows = list(database.query(SELECT_TAIL, [count]))
        spans = _epoch_spans(database)
    facts = []
    for row in rows:
        span = _span_of(spans, row["number"])
        assert span is not None, f"fact {row['number']} stands before the first epoch"
        seq = row["number"] - span.first_number + 1
        identity = FactId(gateway=gateway, epoch=span.epoch, seq=seq)
        facts.append((identity, decode_fact(row["data"])))
    return facts


def _epoch_spans(database: Database) -> list[EpochRow]:
    return [
        EpochRow(
            epoch=Epoch(start_count=row["start_count"], nonce=int(row["nonce"], 16)),
            first_number=row["first_number"],
            previous_epoch_head=row["previous_epoch_head"],
            head_seq=row["head_seq"],
            acked_seq=row["acked_seq"],
        )
        for row in database.query(SELECT_EPOCHS)
    ]


def _span_of(spans: list[EpochRow], number: int) -> EpochRow | None:
    for span in reversed(spans):
        if span.first_number <= number:
            return span
    return None


def _check_spans(recomputed: _Recomputed, spans: list[EpochRow]) -> None:
    for span, following in zip(spans, [*spans[1:], None], strict=True):
        if following is None:
            if span.head_seq is not None:
                recomputed.report(f"epoch {span.epoch} is the last one and yet closed")
        elif span.head_seq != following.first_number - span.first_number:
            recomputed.report(
                f"epoch {span.epoch} ends at {span.head_seq}, not where the next begins"
            )
        if span.head_seq is not None and span.acked_seq > span.head_seq:
            recomputed.report(f"epoch {span.epoch} is acknowledged beyond its end")


def _check_facts(recomputed: _Recomputed, spans: list[EpochRow]) -> None:
    head = NO_HEAD
    digest = NO_HEAD
    by_first_number = {span.first_number: span for span in spans}
    span: EpochRow | None = None
    expected = spans[0].first_number if spans else 1
    for row in recomputed.database.query(SELECT_FACTS):
        number = row["number"]
        if number != expected:
            recomputed.report(f"facts {expected} to {number - 1} are missing")
        expected = number + 1
        if number in by_first_number:
            span = by_first_number[number]
            digest = _epoch_start(recomputed, span, head)
        if span is None:
            recomputed.report(f"fact {number} belongs to no epoch")
            continue
        seq = number - span.first_number + 1
        digest = chain_next(digest, row["data"])
        if digest != row["digest"]:
            recomputed.report(f"fact {span.epoch}/{seq}: the chain of digests is broken here")
            digest = row["digest"]  # Say it once, then check the rest against what stands there.
        head = digest
        _check_fact(recomputed, spans, row, name=f"{span.epoch}/{seq}", seq=seq)
    for span in spans:
        if span.head_seq is not None and span.first_number + span.head_seq > expected:
            recomputed.report(f"epoch {span.epoch}: its last facts are missing")


def _epoch_start(recomputed: _Recomputed, span: EpochRow, head: bytes) -> bytes:
    if span.previous_epoch_head != head:
        recomputed.report(f"epoch {span.epoch} does not continue the epoch before")
    return chain_start(
        gateway=recomputed.gateway,
        epoch=span.epoch,
        previous_epoch_head=span.previous_epoch_head,
    )


def _check_fact(
    recomputed: _Recomputed, spans: list[EpochRow], row: dict[str, object], *, name: str, seq: int
) -> None:
    try:
        data, number = row["data"], row["number"]
        assert isinstance(data, bytes) and isinstance(number, int)
        fact = decode_fact(data)
        if fact.seq != seq or KIND_TAGS[type(fact)] != row["kind"]:
            recomputed.report(f"fact {name}: number or kind differ from what its bytes say")
        if isinstance(fact, Movement):
            add_movement(recomputed.changes, fact)
        elif isinstance(fact, Weighing):
            _check_alibi(recomputed, fact, name=name)
        elif isinstance(fact, Reversal):
            _take_back(recomputed, spans, fact, number=number)
    except ContractError as error:
        recomputed.report(f"fact {name}: {error}")


def _check_alibi(recomputed: _Recomputed, fact: Weighing, *, name: str) -> None:
    expected = recomputed.alibi_numbers.get(fact.scale, 0) + 1
    if fact.alibi_number != expected:
        recomputed.report(f"fact {name}: alibi number {fact.alibi_number} instead of {expected}")
    recomputed.alibi_numbers[fact.scale] = fact.alibi_number


def _take_back(
    recomputed: _Recomputed, spans: list[EpochRow], fact: Reversal, *, number: int
) -> None:
    epoch = parse_epoch(fact.reverses_epoch)
    span = next((span for span in spans if span.epoch == epoch), None)
    if span is None:
        raise ContractError(f"reverses a fact of {fact.reverses_epoch}, which is not here")
    target = span.first_number + fact.reverses_seq - 1
    row = next(iter(recomputed.database.query(SELECT_DATA, [target])), None)
    movement = decode_fact(row["data"]) if row else None
    if not isinstance(movement, Movement) or target in recomputed.reversed_numbers:
        raise ContractError(
            f"reverses {epoch}/{fact.reverses_seq}, no movement or taken back before"
        )
    add_movement(recomputed.changes, movement, sign=-1)
    recomputed.reversed_numbers[target] = number


def _compare_tables(recomputed: _Recomputed) -> None:
    stock = {key: micro for key, micro in recomputed.changes.stock.items() if micro}
    _compare(recomputed, "local stock", stock, dict(_stored_stock(recomputed.database)))
    _compare(
        recomputed,
        "document progress",
        recomputed.changes.received,
        {
            LineKey(row["document"], row["document_line"]): row["received_micro"]
            for row in recomputed.database.query("SELECT * FROM document_progress")
        },
    )
    _compare(
        recomputed,
        "alibi number",
        recomputed.alibi_numbers,
        {
            row["scale"]: row["alibi_number"]
            for row in recomputed.database.query("SELECT * FROM scales")
        },
    )
    _compare(
        recomputed,
        "reversal of fact",
        recomputed.reversed_numbers,
        {
            row["number"]: row["by_number"]
            for row in recomputed.database.query("SELECT * FROM reversed_facts")
        },
    )


def _stored_stock(database: Database) -> Iterator[tuple[StockKey, int]]:
    for row in database.query("SELECT * FROM stock"):
        yield StockKey(*(row[name] for name in StockKey._fields)), row["on_hand_micro"]


def _compare(
    recomputed: _Recomputed, what: str, expected: Mapping[Any, int], stored: Mapping[Any, int]
) -> None:
    for key in sorted(expected.keys() | stored.keys(), key=repr):
        if expected.get(key) != stored.get(key):
            name = "/".join(map(str, key)) if isinstance(key, tuple) else str(key)
            recomputed.report(
                f"{what} {name}: {stored.get(key)} in the table, {expected.get(key)} by the facts"
            )
