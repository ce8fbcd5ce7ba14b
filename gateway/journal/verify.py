"""Recomputes everything in a journal from its facts and says what is off. Edge of SQLite."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlite_utils import Database

from central.contract.errors import ContractError
from central.contract.facts import Fact, Weighing, chain_next, chain_start, decode_fact
from central.contract.identifiers import Epoch, FactId
from gateway.journal.alibi_numbers import AlibiNumbers, load_alibi_numbers
from gateway.journal.append import KIND_TAGS
from gateway.journal.local_stock import LineKey, StockKey, clamp_micro
from gateway.journal.outbox import EpochRow
from gateway.journal.pruned import load_pruned
from gateway.journal.rebuild import load_rules
from gateway.journal.recompute import Recomputed, take_fact
from gateway.journal.transactions import reading

FINDINGS_MAX = 100

SELECT_EPOCHS = "SELECT * FROM epochs ORDER BY start_count"
SELECT_FACTS = "SELECT number, kind, digest, data FROM facts ORDER BY number"
SELECT_TAIL = """
    SELECT number, data FROM facts
    WHERE number > (SELECT coalesce(max(number), 0) FROM facts) - ? ORDER BY number
"""
SELECT_DATA = "SELECT data FROM facts WHERE number = ?"
SELECT_RECORDS = "SELECT * FROM alibi_records ORDER BY number"
SELECT_STOCK = "SELECT * FROM stock"
SELECT_BASE_STOCK = "SELECT * FROM base_stock"
SELECT_PRUNED_STOCK = "SELECT * FROM pruned_stock"
SELECT_SCALES = "SELECT * FROM scales"
SELECT_REVERSED = "SELECT * FROM reversed_facts"


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found. findings: English sentences, at most FINDINGS_MAX; empty if all is well.

    pruned_count: facts that are forgotten; the chain is proven from there on.
    weighings_count: weighings here, those of the alibi memory included, numbered without gaps.
    """

    gateway: str
    warehouse: str
    facts_count: int
    epochs_count: int
    findings: tuple[str, ...]
    pruned_count: int = 0
    weighings_count: int = 0


@dataclass(frozen=True, slots=True)
class _Look:
    """What has been found and summed so far."""

    database: Database
    gateway: str
    recomputed: Recomputed
    alibi: AlibiNumbers
    findings: list[str] = field(default_factory=list)

    def report(self, finding: str) -> None:
        if len(self.findings) < FINDINGS_MAX:
            self.findings.append(finding)


def verify_journal(database: Database) -> Verified:
    """Return what is off in a journal: chain, numbers, stock, document progress, alibi memory.

    Reads one consistent state, also beside a running gateway. Raises JournalDamaged if the file
    itself cannot be read.
    """
    with reading():
        database.execute("BEGIN")
        try:
            identity = next(iter(database.query("SELECT gateway, warehouse FROM identity")))
            look = _Look(
                database,
                identity["gateway"],
                Recomputed(load_rules(database.conn)),
                load_alibi_numbers(database.conn),
            )
            for row in database.query("PRAGMA quick_check(10)"):
                if row["quick_check"] != "ok":
                    look.report(f"file: {row['quick_check']}")
            spans = _epoch_spans(database)
            _check_spans(look, spans)
            _check_alibi_records(look)
            _check_facts(look, spans)
            _compare_tables(look)
            facts_count = database["facts"].count
        finally:
            database.execute("ROLLBACK")
    return Verified(
        gateway=identity["gateway"],
        warehouse=identity["warehouse"],
        facts_count=facts_count,
        epochs_count=len(spans),
        findings=tuple(look.findings),
        pruned_count=look.recomputed.rules.pruned_number,
        weighings_count=look.alibi.count,
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


def _check_spans(look: _Look, spans: list[EpochRow]) -> None:
    for span, following in zip(spans, [*spans[1:], None], strict=True):
        if following is None:
            if span.head_seq is not None:
                look.report(f"epoch {span.epoch} is the last one and yet closed")
        elif span.head_seq != following.first_number - span.first_number:
            look.report(f"epoch {span.epoch} ends at {span.head_seq}, not where the next begins")
        if span.head_seq is not None and span.acked_seq > span.head_seq:
            look.report(f"epoch {span.epoch} is acknowledged beyond its end")


def _check_alibi_records(look: _Look) -> None:
    """Prove each weighing whose fact is forgotten by its own link of the chain."""
    for row in look.database.query(SELECT_RECORDS):
        name = f"{row['scale']} {row['alibi_number']}"
        if chain_next(row["previous_digest"], row["data"]) != row["digest"]:
            look.report(f"weighing {name}: the record is not what was chained")
            continue
        fact = decode_fact(row["data"])
        found = (fact.scale, fact.alibi_number) if isinstance(fact, Weighing) else None
        if found != (row["scale"], row["alibi_number"]):
            look.report(f"weighing {name}: the record says otherwise")
            continue
        _check_alibi_number(look, row["scale"], row["alibi_number"], name=f"weighing {name}")


def _check_alibi_number(look: _Look, scale: str, number: int, *, name: str) -> None:
    expected = look.alibi.take(scale, number)
    if number != expected:
        look.report(f"{name}: alibi number {number} instead of {expected}")


def _check_facts(look: _Look, spans: list[EpochRow]) -> None:
    pruned = load_pruned(look.database.conn)
    head = digest = pruned.digest
    by_first_number = {span.first_number: span for span in spans}
    span = _span_of(spans, pruned.number + 1) if pruned.number else None
    expected = pruned.number + 1
    for row in look.database.query(SELECT_FACTS):
        number = row["number"]
        if number != expected:
            look.report(f"facts {expected} to {number - 1} are missing")
        expected = number + 1
        if number in by_first_number:
            span = by_first_number[number]
            digest = _epoch_start(look, span, head)
        if span is None:
            look.report(f"fact {number} belongs to no epoch")
            continue
        seq = number - span.first_number + 1
        digest = chain_next(digest, row["data"])
        if digest != row["digest"]:
            look.report(f"fact {span.epoch}/{seq}: the chain of digests is broken here")
            digest = row["digest"]  # Say it once, then check the rest against what stands there.
        head = digest
        _check_fact(look, span, row, name=f"{span.epoch}/{seq}", seq=seq)
    for span in spans:
        if span.head_seq is not None and span.first_number + span.head_seq > expected:
            look.report(f"epoch {span.epoch}: its last facts are missing")


def _epoch_start(look: _Look, span: EpochRow, head: bytes) -> bytes:
    if span.previous_epoch_head != head:
        look.report(f"epoch {span.epoch} does not continue the epoch before")
    return chain_start(
        gateway=look.gateway,
        epoch=span.epoch,
        previous_epoch_head=span.previous_epoch_head,
    )


def _check_fact(
    look: _Look, span: EpochRow, row: dict[str, object], *, name: str, seq: int
) -> None:
    def fact_at(number: int) -> Fact | None:
        found = next(iter(look.database.query(SELECT_DATA, [number])), None)
        return decode_fact(found["data"]) if found else None

    try:
        data, number = row["data"], row["number"]
        assert isinstance(data, bytes) and isinstance(number, int)
        fact = decode_fact(data)
        if fact.seq != seq or KIND_TAGS[type(fact)] != row["kind"]:
            look.report(f"fact {name}: number or kind differ from what its bytes say")
        if isinstance(fact, Weighing):
            _check_alibi_number(look, fact.scale, fact.alibi_number, name=f"fact {name}")
        take_fact(look.recomputed, fact, epoch=span.epoch, number=number, fact_at=fact_at)
    except ContractError as error:
        look.report(f"fact {name}: {error}")


def _compare_tables(look: _Look) -> None:
    database, recomputed = look.database, look.recomputed
    begin = SELECT_PRUNED_STOCK if recomputed.rules.positions is None else SELECT_BASE_STOCK
    expected = dict(_stock_rows(database, begin))
    for key, micro in recomputed.changes.stock.items():
        expected[key] = clamp_micro(expected.get(key, 0) + micro)
    _compare(look, "local stock", expected, dict(_stock_rows(database, SELECT_STOCK)))
    received = dict(_progress_rows(database, "SELECT * FROM pruned_progress"))
    for line, micro in recomputed.changes.received.items():
        received[line] = clamp_micro(received.get(line, 0) + micro)
    stored = dict(_progress_rows(database, "SELECT * FROM document_progress"))
    _compare(look, "document progress", received, stored)
    scales = {row["scale"]: row["alibi_number"] for row in database.query(SELECT_SCALES)}
    _compare(look, "alibi number", look.alibi.last_numbers(), scales)
    reversals = {row["number"]: row["by_number"] for row in database.query(SELECT_REVERSED)}
    _compare(look, "reversal of fact", recomputed.reversed_numbers, reversals)


def _stock_rows(database: Database, statement: str) -> Iterator[tuple[StockKey, int]]:
    for row in database.query(statement):
        yield StockKey(*(row[name] for name in StockKey._fields)), row["on_hand_micro"]


def _progress_rows(database: Database, statement: str) -> Iterator[tuple[LineKey, int]]:
    for row in database.query(statement):
        yield LineKey(row["document"], row["document_line"]), row["received_micro"]


def _compare(
    look: _Look, what: str, expected: Mapping[Any, int], stored: Mapping[Any, int]
) -> None:
    for key in sorted(expected.keys() | stored.keys(), key=repr):
        by_facts, in_table = expected.get(key, 0), stored.get(key, 0)
        if by_facts != in_table:
            name = "/".join(map(str, key)) if isinstance(key, tuple) else str(key)
            look.report(f"{what} {name}: {in_table} in the table, {by_facts} by the facts")
