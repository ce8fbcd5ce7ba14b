"""Reads all facts with their lines once more and computes both again. Edge of the database."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, Table, collate, select

from central.contract.errors import ContractError
from central.contract.facts import Movement, Reversal, chain_next, chain_start, kind_of
from central.contract.identifiers import parse_epoch
from central.ledger.decided_goods import are_taken_as
from central.ledger.entries import KINDS_WITHOUT_LINES, Entry, FactKey, Line
from central.ledger.held_again import as_held
from central.ledger.packs_then import PacksThen
from central.ledger.pairs import are_those_of, own_lines, taken_micro, turned
from central.ledger.progress import Progress, progress_of
from central.ledger.reading import read_fact
from central.ledger.weight_rests import are_rests, parted
from central.storage import bulk, tables

ROWS_AT_ONCE = 1000
UNREAD = frozenset({"unreadable_fact"})
STREAMED = {"yield_per": ROWS_AT_ONCE}
_KEY_COLUMNS = ("warehouse", "gateway", "epoch", "seq")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is off. check: which; subject: at what; detail: how, for people."""

    check: str
    subject: str
    detail: str


class FactCheck:
    """Walks over facts in the order of their keys, with the lines of each.

    facts_count, lines_count: what the last complete walk saw.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._packs = PacksThen(connection)
        self.facts_count = 0
        self.lines_count = 0

    def run(self) -> Iterator[tuple[Fault | None, Progress | None]]:
        """Yield what is off and what counts towards documents, fact by fact."""
        self.facts_count = 0
        self.lines_count = 0
        epochs = groupby(self._facts(), key=itemgetter("warehouse", "gateway", "epoch"))
        for (warehouse, gateway, epoch), rows in epochs:
            yield from self._check_epoch(warehouse, gateway, epoch, rows)
        yield from ((fault, None) for fault in self._lines_without_facts())
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
        for row, lines in self._with_lines(warehouse, rows):
            self.facts_count += 1
            if row["seq"] != seq + 1:
                yield Fault("sequence", f"{name}/{row['seq']}", f"comes after {seq}"), None
            seq = row["seq"]
            digest = chain_next(digest, row["body"])
            if digest != row["digest"] and not broken:
                yield Fault("chain", f"{name}/{seq}", "the digest is not that of the facts"), None
                broken = True  # Every later digest follows from this one: said once.
            yield from self._check_fact(row, lines)
        if position is not None and (position["acked_seq"], position["head_digest"]) != (
            seq,
            digest,
        ):
            detail = f"position {position['acked_seq']}, facts end at {seq}"
            if position["acked_seq"] == seq:
                detail = "the head digest is not that of the facts"
            yield Fault("position", name, detail), None

    def _check_fact(
        self, row: RowMapping, lines: list[Line]
    ) -> Iterator[tuple[Fault | None, Progress | None]]:
        key = FactKey(*(row[name] for name in _KEY_COLUMNS))
        entry = _entry(key, row)
        try:
            fact = read_fact(entry.body, seq=entry.seq)
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
        right, progress = self._judge(entry, fact, lines)
        if not right:
            yield Fault("lines", str(entry), "the lines are not those of the fact"), None
        yield None, progress

    def _judge(self, entry: Entry, fact: object, lines: list[Line]) -> tuple[bool, Progress | None]:
        """Return whether lines are those that a fact must have, and what it counts towards."""
        if isinstance(fact, Movement):
            return self._moved(entry, fact, lines)
        if not isinstance(fact, Reversal):
            return False, None
        target = FactKey(entry.warehouse, entry.gateway, fact.reverses_epoch, fact.reverses_seq)
        return self._reversed(entry, target, lines)

    def _moved(
        self, entry: Entry, movement: Movement, lines: list[Line]
    ) -> tuple[bool, Progress | None]:
        own = own_lines(lines)
        said, rests = parted(own)
        pack = None
        if said and said[0].unit != movement.unit:
            pack = self._packs.pack_at(entry.record_no, item=movement.item, unit=movement.unit)
        if not said or not are_those_of(entry, movement, said, pack=pack):
            return False, None
        if not are_rests(said, rests):
            return False, None
        if len(own) < len(lines):
            back = turned(own, record_no=entry.record_no, first_line_no=len(own) + 1)
            named = self._reversed_by(_key_of(entry)) is not None
            return named and tuple(lines) == own + back, None
        return True, self._progress(movement, own, warehouse=entry.warehouse)

    def _reversed(
        self, entry: Entry, target: FactKey, lines: list[Line]
    ) -> tuple[bool, Progress | None]:
        stored = next(
            bulk.select_by_key(self._connection, tables.facts, [target], columns_count=4), None
        )
        if stored is None or self._reversed_by(target) != (entry.epoch, entry.seq):
            return False, None
        found = bulk.select_by_key(
            self._connection, tables.lines, [(target.warehouse, stored[10])], columns_count=2
        )
        moved = tuple(sorted(Line(*row) for row in found))
        movement = read_fact(stored[5], seq=target.seq)
        if not isinstance(movement, Movement) or not moved or own_lines(moved) != moved:
            return False, None
        progress = self._progress(movement, moved, warehouse=entry.warehouse, sign=-1)
        whole = turned(moved, record_no=entry.record_no)
        back, rests = tuple(lines[: len(moved)]), tuple(lines[len(moved) :])
        right = back in (whole, as_held(whole))
        if not right:
            back, rests = parted(lines)
            right = are_taken_as(whole, back)
        return right and are_rests(back, rests), progress

    def _progress(
        self, movement: Movement, own: tuple[Line, ...], *, warehouse: str, sign: int = 1
    ) -> Progress | None:
        return progress_of(
            movement,
            warehouse=warehouse,
            unit=own[0].unit,
            quantity_micro=sign * taken_micro(own),
        )

    def _reversed_by(self, target: FactKey) -> tuple[str, int] | None:
        found = bulk.select_by_key(self._connection, tables.reversals, [target], columns_count=4)
        row = next(found, None)
        return (row[4], row[5]) if row is not None else None

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

    def _lines_without_facts(self) -> Iterator[Fault]:
        lines, facts = tables.lines, tables.facts
        has_fact = (
            select(facts.c.seq)
            .where(facts.c.record_no == lines.c.record_no, facts.c.warehouse == lines.c.warehouse)
            .exists()
        )
        query = select(lines.c.warehouse, lines.c.record_no).where(~has_fact)
        for row in self._connection.execute(query, execution_options=STREAMED):
            self.lines_count += 1
            subject = f"{row.warehouse}/{row.record_no}"
            yield Fault("lines", subject, "this line has no fact")

    def _with_lines(
        self, warehouse: str, rows: Iterator[RowMapping]
    ) -> Iterator[tuple[RowMapping, list[Line]]]:
        while chunk := list(islice(rows, ROWS_AT_ONCE)):
            lines: dict[int, list[Line]] = {row["record_no"]: [] for row in chunk}
            keys = [(warehouse, record_no) for record_no in lines]
            for found in bulk.select_by_key(self._connection, tables.lines, keys, columns_count=2):
                lines[found[1]].append(Line(*found))
                self.lines_count += 1
            for row in chunk:
                yield row, sorted(lines[row["record_no"]])

    def _facts(self) -> Iterator[RowMapping]:
        query: Select[Any] = select(tables.facts).order_by(
            *(self._ordered(tables.facts, name) for name in _KEY_COLUMNS)
        )
        yield from self._connection.execute(query, execution_options=STREAMED).mappings()

    def _ordered(self, table: Table, name: str) -> ColumnElement[Any]:
        """Order by code points on both databases, as Python compares."""
        column = table.c[name]
        if self._connection.dialect.name == "sqlite" or name == "seq":
            return column
        return collate(column, "C")


def _entry(key: FactKey, row: RowMapping) -> Entry:
    return Entry(*key, body=row["body"], digest=row["digest"], record_no=row["record_no"])


def _key_of(entry: Entry) -> FactKey:
    return FactKey(entry.warehouse, entry.gateway, entry.epoch, entry.seq)
