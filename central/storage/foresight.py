"""Rows that a transaction has read ahead, kept as they are after its own writes. Pure.

    look_ahead(transfers TR-1, transfer_lines TR-1, balances W1 in_transit/TR-1)   one statement
    transfers TR-1 ...                                                             from memory

A change reads by keys here and there, and each statement costs more than what it finds. What is
read ahead under the ledger's lock nobody else changes; what the transaction itself writes by key is
noted here too. Anything else that writes makes it forget the table.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import chain, filterfalse, product
from operator import methodcaller
from typing import Any, Literal

Row = tuple[Any, ...]
# insert: rows that are not there yet. upsert: whether they are there or not. missing: leave what is
# there as it is. delete: rows that begin with these values. update: other columns of rows that are
# there, with their key.
Kind = Literal["insert", "upsert", "missing", "delete", "update"]
KNOWN_KEYS_MAX = 2000  # Of one transaction; a larger one reads the ordinary way.


class Foresight:
    """What is known of tables. key_getter: returns what gives the primary key of a table's row."""

    def __init__(self, key_getter: Callable[[Any], Callable[[Row], Row]]) -> None:
        self._key_getter = key_getter
        self._count = 0
        # Table, columns_count: beginning of a row: primary key: row.
        self._known: dict[Hashable, dict[int, dict[Row, dict[Row, Row]]]] = {}
        # Table, where other columns stand in a row: what they say: rows.
        self._aside: dict[Hashable, dict[tuple[int, ...], dict[Row, list[Row]]]] = {}
        # The same by more columns: table, columns_count, beginning: rows by what they begin with.
        self._parted: dict[tuple[Hashable, int, Row], dict[Row, dict[Row, Row]]] = {}
        # What was written of tables that are known: noted when one is asked for, as few are.
        self._written: dict[Hashable, list[tuple[Kind, Sequence[Row]]]] = {}

    def learn(
        self, table: Hashable, columns_count: int, keys: Sequence[Row], rows: Sequence[Row]
    ) -> None:
        """Note all rows that there are of which the first columns are one of `keys`."""
        if table in self._written:
            self._note_written(table)
        of_table = self._known.get(table)
        if of_table is None:
            of_table = self._known[table] = {}
        self._parted.clear()
        known = of_table.get(columns_count)
        if known is None:
            known = of_table[columns_count] = {}
        if len(keys) == 1:
            there = known[tuple(keys[0])] = {}
            if rows:
                there.update(zip(map(self._key_getter(table), rows), rows, strict=True))
        else:
            fresh: dict[Row, dict[Row, Row]] = {tuple(key): {} for key in keys}
            key_of = self._key_getter(table)
            for row in rows:
                fresh[row[:columns_count]][key_of(row)] = row
            known |= fresh
        self._count += len(keys)
        if self._count > KNOWN_KEYS_MAX:
            self.forget_all()

    def rows(self, table: Hashable, columns_count: int, keys: Sequence[Row]) -> list[Row] | None:
        """Return the rows of which the first columns are one of `keys`; None if not all is known.

        Each row once, like the answer of a statement to keys of which no two are equal.
        """
        if table in self._written:
            self._note_written(table)
        of_table = self._known.get(table)
        if of_table is None:
            return None
        theres = list(map(of_table.get(columns_count, _NOTHING).get, keys))
        if None not in theres:  # As it nearly always is: no loop of Python's own.
            return list(chain.from_iterable(map(_values_of, theres)))
        found: list[Row] = []
        for key, there in zip(keys, theres, strict=True):
            if there is not None:
                found += there.values()
                continue
            there = self._there(table, columns_count, tuple(key))
            if there is None:
                return None
            found += there.values()
        return found

    def learn_aside(
        self,
        table: Hashable,
        indices: tuple[int, ...],
        keys: Iterable[Row],
        rows: Iterable[Row],
    ) -> None:
        """Note all rows that there are of which the columns at `indices` are one of `keys`."""
        fresh: dict[Row, list[Row]] = {tuple(key): [] for key in keys}
        for row in dict.fromkeys(rows):
            fresh[tuple([row[index] for index in indices])].append(row)
        self._aside.setdefault(table, {}).setdefault(indices, {}).update(fresh)
        self._count += len(fresh)
        if self._count > KNOWN_KEYS_MAX:
            self.forget_all()

    def rows_aside(
        self, table: Hashable, indices: tuple[int, ...], keys: Sequence[Row]
    ) -> list[Row] | None:
        """Return the rows of which these columns are one of `keys`; None if not all is known."""
        known = self._aside.get(table, {}).get(indices)
        if known is None or any(tuple(key) not in known for key in keys):
            return None
        return [row for key in keys for row in known[tuple(key)]]

    def unknown(self, table: Hashable, columns_count: int, keys: Sequence[Row]) -> Sequence[Row]:
        """Return those of `keys` of which not all rows are known."""
        if table in self._written:
            self._note_written(table)
        of_table = self._known.get(table)
        if of_table is None:
            return keys
        exactly = of_table.get(columns_count, _NOTHING)
        missing = list(filterfalse(exactly.__contains__, keys))
        if not missing or len(of_table) == (columns_count in of_table):
            return missing
        return [key for key in missing if self._there(table, columns_count, key) is None]

    def write(self, table: Hashable, kind: Kind, rows: Sequence[Row]) -> None:
        """Note what the transaction writes. The caller leaves `rows` as they are."""
        self._aside.pop(table, None)  # A row may have gone from one of these keys to another.
        if kind == "update":
            self._known.pop(table, None)
            self._written.pop(table, None)
        elif table in self._known:
            self._written.setdefault(table, []).append((kind, rows))

    def _note_written(self, table: Hashable) -> None:
        """Have what is known of a table be as it was written."""
        written, of_table = self._written.pop(table), self._known[table]
        self._parted.clear()
        key_of = self._key_getter(table)
        for (kind, rows), (columns_count, known) in product(written, of_table.items()):
            for row in rows:
                if kind == "delete":
                    _delete(known, columns_count, row)
                    continue
                there = known.get(row[:columns_count])
                if there is not None:
                    key = key_of(row)
                    if kind != "missing" or key not in there:
                        there[key] = tuple(row)

    def _there(self, table: Hashable, columns_count: int, key: Row) -> dict[Row, Row] | None:
        """Return the rows that begin with a key, found by what it begins with; None if not known.

        All that begin so are parted at once: whoever asks for one of them asks for the next.
        """
        for size, known in self._known[table].items():
            begin = key[:size]
            rows = known.get(begin) if size < columns_count else None
            if rows is not None:
                parted = self._parted.get((table, columns_count, begin))
                if parted is None:
                    parted = self._parted[table, columns_count, begin] = {}
                    for primary_key, row in rows.items():
                        parted.setdefault(row[:columns_count], {})[primary_key] = row
                return parted.get(key, {})
        return None

    def forget_all(self) -> None:
        """Forget all: something else has written."""
        self._known.clear()
        self._aside.clear()
        self._written.clear()
        self._parted.clear()
        self._count = 0


_values_of = methodcaller("values")
_NOTHING: dict[Row, dict[Row, Row]] = {}


def _delete(known: dict[Row, dict[Row, Row]], columns_count: int, key: Row) -> None:
    """Delete the rows that begin with a key."""
    size = len(key)
    if size >= columns_count:
        prefixes = [key[:columns_count]] if key[:columns_count] in known else []
    else:
        prefixes = [prefix for prefix in known if prefix[:size] == key]
    for prefix in prefixes:
        there = known[prefix]
        for one in [one for one, row in there.items() if row[:size] == key]:
            del there[one]
