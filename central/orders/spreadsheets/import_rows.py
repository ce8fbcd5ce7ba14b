"""A sheet as rows of an import table, with every fault of every cell. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from central.errors import Unusable
from central.orders.spreadsheets.import_columns import (
    CellRefused,
    Column,
    ImportTable,
    Value,
    column_named,
    read_cell,
)
from central.orders.spreadsheets.sheets import Sheet


@dataclass(frozen=True, slots=True)
class ImportRow:
    """A row that can be read. number: as the spreadsheet counts it. values: of columns by name.

    A column that the file does not have has no value.
    """

    number: int
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True, order=True)
class RowFault:
    """What is wrong with a row. column: "" where it is about the row as a whole."""

    row: int
    column: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class ReadRows:
    """What a sheet says. rows_count: of rows that say anything at all."""

    rows: tuple[ImportRow, ...]
    faults: tuple[RowFault, ...]
    rows_count: int


def known_columns(table: ImportTable, heading: Sequence[str]) -> int:
    """Return how many cells of a heading are columns of a table."""
    return sum(column_named(table, cell) is not None for cell in heading)


def read_rows(table: ImportTable, sheet: Sheet) -> ReadRows:
    """Return the rows of a sheet that can be read, and what is wrong with the others.

    Raises Unusable for a heading that is not that of the table.
    """
    if not sheet.rows:
        raise Unusable(
            "the table is empty", hint="Write the names of the columns into its first row."
        )
    columns = _columns(table, sheet.rows[0])
    troubles = {(one.row, one.column): one for one in sheet.troubles}
    rows: list[ImportRow] = []
    faults: list[RowFault] = []
    first_rows: dict[tuple[Value, ...], int] = {}
    rows_count = 0
    for number, cells in enumerate(sheet.rows[1:], 2):
        if not any(cell.strip() for cell in cells) and not _troubled(troubles, number, columns):
            continue
        rows_count += 1
        values: dict[str, Value] = {}
        found = len(faults)
        for index, column in columns.items():
            trouble = troubles.get((number, index + 1))
            try:
                if trouble is not None and (not trouble.of_names or column.is_name):
                    raise CellRefused(trouble.message, hint=trouble.hint)
                values[column.name] = read_cell(column, cells[index] if index < len(cells) else "")
            except CellRefused as error:
                faults.append(RowFault(number, column.name, str(error), error.hint))
        if any(cell.strip() for cell in cells[len(sheet.rows[0]) :]):
            faults.append(
                RowFault(
                    number,
                    "",
                    f"has {len(cells)} cells, the heading {len(sheet.rows[0])}",
                    "Put cells that hold a separator in quotation marks.",
                )
            )
        if len(faults) > found:
            continue
        key = tuple(values.get(name, "") for name in table.key)
        first = first_rows.setdefault(key, number)
        if first != number:
            shown = " ".join(str(part) for part in key).strip()
            faults.append(
                RowFault(
                    number,
                    table.key[-1],
                    f"{shown[:100]} is in row {first} already",
                    "Keep one of both rows.",
                )
            )
            continue
        rows.append(ImportRow(number, values))
    return ReadRows(tuple(rows), tuple(faults), rows_count)


def _columns(table: ImportTable, heading: Sequence[str]) -> dict[int, Column]:
    columns: dict[int, Column] = {}
    for index, cell in enumerate(heading):
        if not cell.strip():
            continue
        column = column_named(table, cell)
        names = [one.name for one in table.columns]
        if column is None:
            raise Unusable(
                f"column {index + 1} is called {cell.strip()[:60]!r}, which no column of"
                f" {table.name} is",
                hint=f"Delete it, or call it one of: {', '.join(names)}.",
                fields={"column": index + 1, "columns": list(names)},
            )
        if column in columns.values():
            raise Unusable(
                f"column {column.name!r} is there twice", hint="Delete one of both columns."
            )
        columns[index] = column
    missing = [
        name
        for name in table.key
        if name not in {one.name for one in columns.values()} and _required(table, name)
    ]
    if missing:
        raise Unusable(
            f"column {missing[0]!r} is missing",
            hint="Add it; it tells the rows apart. The first row holds the names of the columns.",
            fields={"columns": missing},
        )
    return columns


def _required(table: ImportTable, name: str) -> bool:
    return next(column.required for column in table.columns if column.name == name)


def _troubled(
    troubles: Mapping[tuple[int, int], object], number: int, columns: Mapping[int, Column]
) -> bool:
    return any((number, index + 1) in troubles for index in columns)
