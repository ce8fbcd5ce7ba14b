"""Reads all facts with their lines once more and computes both again. Edge of the database."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, Table, collate, select

from central.contract.errors import ContractError
from central.contract.facts import Movement, Reversal, chain_next, chain_start, kind_of
from central.contract.identifiers import parse_epoch
from central.ledger.entries import KINDS_WITHOUT_LINES, Entry, FactKey, Line, ProgressKey
from central.ledger.posting import movement_lines, progress_of, quantity_in_unit, read_fact
from central.storage import bulk, tables

ROWS_AT_ONCE = 1000
UNREAD = frozenset({"unreadable_fact"})
Progress = tuple[ProgressKey, int]
_KEY_COLUMNS = ("warehouse", "gateway", "epoch", "seq")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is off. check: which; subject: at what; detail: how, for people."""

    check: str
    subject: str
    detail: str


class FactCheck:
    """Walks over facts and lines side by side, in the order of their keys.

    facts_count, lines_count: what the last complete walk saw.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lines: Iterator[tuple[FactKey, list[Line]]] = iter(())
        self._waiting: tuple[FactKey, list[Line]] | None = None
        self.facts_count = 0
        self.lines_count = 0

    def run(self) -> Iterator[tuple[Fault | None, Progress | None]]:
        """Yield what is off and what counts towards documents, fact by fact."""
        self.facts_count = 0
        self.lines_count = 0
        self._lines = self._line_groups()
        self._waiting = next(self._lines, None)
        epochs = groupby(self._rows(tables.facts), key=itemgetter("warehouse", "gateway", "epoch"))
        for (warehouse, gateway, epoch), rows in epochs:
            yield from self._check_epoch(warehouse, gateway, epoch, rows)
        while self._waiting is not None:
            yield self._stray(), None
        yield from ((fault, None) for fault in self._positions_without_facts())

    def _check_epoch(
        self, warehouse: str, gateway: str, epoch: str, rows: Iterator[RowMapping]
    ) -> Iterator[tuple[Fault | None, Progress | None]]:
        name = f"{gateway}/{epoch}"
        position = self._position(gateway, epoch)
        digest = b""
        seq = 0
        if position is None or position["warehouse"] != warehouse:
            yield Fault("position", name, "the facts of this epoch have no position"), None
            position = None
        else:
            digest = chain_start(
                gateway=gateway,
                epoch=parse_epoch(epoch),
                previous_epoch_head=position["previous_epoch_head"],
            )
        broken = position is None
        for row in rows:
            self.facts_count += 1
            if row["seq"] != seq + 1:
                yield Fault("sequence", f"{name}/{row['seq']}", f"comes after {seq}"), None
            seq = row["seq"]
            digest = chain_next(digest, row["body"])
            if digest != row["digest"] and not broken:
                yield Fault("chain", f"{name}/{seq}", "the digest is not that of the facts"), None
                broken = True  # Every later digest follows from this one: said once.
            yield from self._check_fact(row)
        if position is not None and (position["acked_seq"], position["head_digest"]) != (
            seq,
            digest,
        ):
            detail = f"position {position['acked_seq']}, facts end at {seq}"
            if position["acked_seq"] == seq:
                detail = "the head digest is not that of the facts"
            yield Fault("position", name, detail), None

    def _check_fact(self, row: RowMapping) -> Iterator[tuple[Fault | None, Progress | None]]:
        key = FactKey(*(row[name] for name in _KEY_COLUMNS))
        while self._waiting is not None and self._waiting[0] < key:
            yield self._stray(), None
        lines: list[Line] = []
        if self._waiting is not None and self._waiting[0] == key:
            lines = self._waiting[1]
            self._next_lines()
        entry = _entry(key, row)
        try:
            fact = read_fact(entry)
        except ContractError:
            if row["kind"] != "unreadable" or lines:
                yield Fault("fact", str(entry), "it cannot be read, and is not kept as such"), None
            return
        if row["kind"] == "unreadable" and not lines and self._is_explained(entry, UNREAD):
            return  # It came before this version did, to one that could not read it and said so.
        if row["kind"] != kind_of(fact):
            yield Fault("fact", str(entry), f"a {kind_of(fact)} is kept as {row['kind']}"), None
        if not lines:
            if isinstance(fact, Movement | Reversal) and not self._is_explained(
                entry, KINDS_WITHOUT_LINES
            ):
                yield Fault("lines", str(entry), f"the {row['kind']} has no lines"), None
            return
        expected, progress = self._expected(entry, fact, lines)
        if tuple(lines) != expected:
            yield Fault("lines", str(entry), "the lines are not those of the fact"), None
        yield None, progress

    def _expected(
        self, entry: Entry, fact: object, lines: list[Line]
    ) -> tuple[tuple[Line, ...], Progress | None]:
        """Return the lines that a fact must have, in the unit in which it was posted."""
        if isinstance(fact, Movement):
            quantity = quantity_in_unit(fact, lines[0].unit)
            if quantity is None:
                return (), None
            progress = progress_of(
                fact, warehouse=entry.warehouse, unit=lines[0].unit, quantity_micro=quantity
            )
            expected = movement_lines(entry, fact, unit=lines[0].unit, quantity_micro=quantity)
            return expected, progress
        if not isinstance(fact, Reversal):
            return (), None
        target = FactKey(entry.warehouse, entry.gateway, fact.reverses_epoch, fact.reverses_seq)
        return self._reversed(entry, target)

    def _reversed(self, entry: Entry, target: FactKey) -> tuple[tuple[Line, ...], Progress | None]:
        by = next(
            bulk.select_by_key(self._connection, tables.reversals, [target], columns_count=4), None
        )
        stored = next(
            bulk.select_by_key(self._connection, tables.facts, [target], columns_count=4), None
        )
        if by is None or stored is None or by[4:] != (entry.epoch, entry.seq):
            return (), None
        lines = sorted(
            Line(*row)
            for row in bulk.select_by_key(self._connection, tables.lines, [target], columns_count=4)
        )
        origin = Entry(*target, body=stored[5], digest=stored[6], record_no=stored[10])
        movement = read_fact(origin)
        if not isinstance(movement, Movement) or len(lines) != 2:
            return (), None
        expected = tuple(
            line._replace(
                epoch=entry.epoch,
                seq=entry.seq,
                record_no=entry.record_no,
                quantity_micro=-line.quantity_micro,
            )
            for line in lines
        )
        progress = progress_of(
            movement,
            warehouse=entry.warehouse,
            unit=lines[1].unit,
            quantity_micro=-lines[1].quantity_micro,
        )
        return expected, progress

    def _is_explained(self, entry: Entry, kinds: frozenset[str]) -> bool:
        """Return whether a discrepancy of these kinds says why a fact has no lines."""
        table = tables.discrepancies
        found = self._connection.execute(
            select(table.c.id)
            .where(
                table.c.warehouse == entry.warehouse,
                table.c.state.in_(("open", "settled")),
                table.c.kind.in_(sorted(kinds)),
                table.c.subject == str(entry),
            )
            .limit(1)
        )
        return found.first() is not None

    def _position(self, gateway: str, epoch: str) -> RowMapping | None:
        table = tables.positions
        return (
            self._connection.execute(
                select(table).where(table.c.gateway == gateway, table.c.epoch == epoch)
            )
            .mappings()
            .first()
        )

    def _positions_without_facts(self) -> Iterator[Fault]:
        positions, facts = tables.positions, tables.facts
        has_facts = (
            select(facts.c.seq)
            .where(
                facts.c.warehouse == positions.c.warehouse,
                facts.c.gateway == positions.c.gateway,
                facts.c.epoch == positions.c.epoch,
            )
            .exists()
        )
        for row in self._connection.execute(select(positions).where(~has_facts)):
            detail = f"position {row.acked_seq}, but no facts"
            yield Fault("position", f"{row.gateway}/{row.epoch}", detail)

    def _stray(self) -> Fault:
        assert self._waiting is not None
        key = self._waiting[0]
        self._next_lines()
        return Fault("lines", "/".join(map(str, key[1:])), "these lines have no fact")

    def _next_lines(self) -> None:
        self._waiting = next(self._lines, None)

    def _line_groups(self) -> Iterator[tuple[FactKey, list[Line]]]:
        for key, rows in groupby(
            self._rows(tables.lines, "line_no"), key=itemgetter(*_KEY_COLUMNS)
        ):
            lines = [Line(**row) for row in rows]
            self.lines_count += len(lines)
            yield FactKey(*key), lines

    def _rows(self, table: Table, *further: str) -> Iterator[RowMapping]:
        query: Select[Any] = select(table).order_by(
            *(self._ordered(table, name) for name in (*_KEY_COLUMNS, *further))
        )
        streamed = {"yield_per": ROWS_AT_ONCE}
        yield from self._connection.execute(query, execution_options=streamed).mappings()

    def _ordered(self, table: Table, name: str) -> ColumnElement[Any]:
        """Order by code points on both databases, as Python compares."""
        column = table.c[name]
        if self._connection.dialect.name == "sqlite" or name in {"seq", "line_no"}:
            return column
        return collate(column, "C")


def _entry(key: FactKey, row: RowMapping) -> Entry:
    return Entry(*key, body=row["body"], digest=row["digest"], record_no=row["record_no"])
