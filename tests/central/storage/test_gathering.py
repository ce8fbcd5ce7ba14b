"""What waits to be written, and what was read ahead, shows nowhere but in how quick it is."""

import random
from pathlib import Path

import pytest
from sqlalchemy import select, text

from central.storage import bulk, tables
from central.storage.transfer_tables import transfer_facts, transfer_lines, transfers
from tests.central.scenery import rows
from tests.central.storage.counting import statements_of
from tests.waiting import wait_for

pytestmark = pytest.mark.postgresql
ON_POSTGRESQL = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
CODES = ["TR-1", "TR-2", 'TR-"3', "TR-\\4"]
LINES = [1, 2, 3]
STEPS = 150


def line(code, number, micro):
    return (code, number, "BOLT", "C62", micro, 0, "", "", "")


def keys_of(chance, count):
    return sorted({(chance.choice(CODES), chance.choice(LINES)) for _ in range(count)})


class Model:
    """A transaction on the lines of transfers, and what they have to be at each step."""

    def __init__(self, connection, chance):
        self.connection = connection
        self.chance = chance
        self.lines = {}

    def insert(self):
        fresh = [key for key in keys_of(self.chance, 3) if key not in self.lines]
        self._write(bulk.insert_rows, fresh, fresh)

    def upsert(self):
        keys = keys_of(self.chance, 3)
        self._write(bulk.upsert_rows, keys, keys)

    def insert_missing(self):
        keys = keys_of(self.chance, 3)
        self._write(bulk.insert_missing_rows, keys, [key for key in keys if key not in self.lines])

    def update(self):
        keys = keys_of(self.chance, 2)
        micro = self.chance.randrange(100)
        values = [(*key, micro) for key in keys]
        columns = ("transfer", "line", "quantity_micro")
        bulk.update_rows(self.connection, transfer_lines, columns, values)
        self.lines |= {key: line(*key, micro) for key in keys if key in self.lines}

    def delete(self):
        size = self.chance.choice([1, 2])
        gone = sorted({key[:size] for key in keys_of(self.chance, 2)})
        bulk.delete_by_key(self.connection, transfer_lines, gone)
        self.lines = {key: row for key, row in self.lines.items() if key[:size] not in gone}

    def delete_by_sqlalchemy(self):
        code = self.chance.choice(CODES)
        table = transfer_lines
        self.connection.execute(table.delete().where(table.c.transfer == code))
        self.lines = {key: row for key, row in self.lines.items() if key[0] != code}

    def look_ahead(self):
        size = self.chance.choice([1, 2])
        keys = sorted({key[:size] for key in keys_of(self.chance, 3)})
        looks = [bulk.Look(transfer_lines, keys, size), bulk.Look(transfers, [("TR-1",)], 1)]
        bulk.look_ahead(self.connection, looks)

    def check(self):
        size = self.chance.choice([1, 2])
        keys = sorted({key[:size] for key in keys_of(self.chance, 3)})
        found = bulk.select_by_key(self.connection, transfer_lines, keys, columns_count=size)
        expected = [row for key, row in sorted(self.lines.items()) if key[:size] in keys]
        assert sorted(found) == expected

    def check_by_sqlalchemy(self):
        found = self.connection.execute(select(transfer_lines)).all()
        assert sorted(map(tuple, found)) == [row for _, row in sorted(self.lines.items())]

    def _write(self, write, keys, written):
        micro = self.chance.randrange(100)
        write(self.connection, transfer_lines, [line(*key, micro) for key in keys])
        self.lines |= {key: line(*key, micro) for key in written}


@ON_POSTGRESQL
@pytest.mark.parametrize("seed", range(12))
def test_a_transaction_finds_what_it_wrote_however_much_waits_or_was_read_ahead(database, seed):
    chance = random.Random(seed)
    with database.write() as connection:
        model = Model(connection, chance)
        steps = [
            *(model.insert, model.upsert, model.insert_missing, model.update, model.delete),
            *(model.look_ahead, model.look_ahead, model.check, model.check),
        ]
        seldom = [model.delete_by_sqlalchemy, model.check_by_sqlalchemy]
        for _ in range(STEPS):
            chance.choice(seldom if chance.random() < 0.05 else steps)()
    assert rows(database, transfer_lines) == [row for _, row in sorted(model.lines.items())]


@ON_POSTGRESQL
def test_writes_to_several_tables_are_one_statement_and_reads_ahead_another(database):
    with database.write() as connection, statements_of(connection) as said:
        looks = [bulk.Look(transfer_lines, [("TR-1",)], 1), bulk.Look(transfers, [("TR-1",)], 1)]
        bulk.look_ahead(connection, looks)
        assert list(bulk.select_by_key(connection, transfers, [("TR-1",)], columns_count=1)) == []
        bulk.insert_rows(connection, transfer_lines, [line("TR-1", 1, 5), line("TR-1", 2, 5)])
        bulk.insert_missing_rows(connection, transfer_facts, [("TR-1", 1, "SH1")])
        bulk.upsert_rows(connection, tables.object_numbers, [("TR", 1)])
        bulk.upsert_rows(connection, tables.object_numbers, [("TR", 2)])
        assert len(said) == 1
        keys = [("TR-1", 1)]
        found = bulk.select_by_key(connection, transfer_lines, keys, columns_count=2)
        assert list(found) == [line("TR-1", 1, 5)]
        assert len(said) == 1
        connection.execute(text("SELECT 1"))
        assert len(said) == 3
    assert rows(database, tables.object_numbers) == [("TR", 2)]


LEAD = bulk.Lead(
    tables.discrepancies,
    transfers,
    ("warehouse", "state", "kind", "document"),
    tuple(
        (
            bulk.Part(column=name),
            bulk.Part("open"),
            bulk.Part("unexpected"),
            bulk.Part("", "transfer"),
        )
        for name in ("source_warehouse", "destination_warehouse")
    ),
)
LINES_OF = bulk.Lead(transfer_lines, transfers, ("transfer",), ((bulk.Part(column="transfer"),),))


def discrepancies_of(connection, code):
    keys = [(warehouse, "open", "unexpected", code) for warehouse in ("SH1", "BJ1")]
    found = bulk.select_by_columns(
        connection,
        tables.discrepancies,
        keys,
        columns=LEAD.columns,
        index="discrepancies_open",
        where="",
    )
    return sorted(row[0] for row in found)


def discrepancy(identity, warehouse, code):
    text_columns = (identity, warehouse, "unexpected", f"{code}/{identity}", "g", "e")
    return (
        *(*text_columns, 1, "BOLT", "", "", "C62", code, 1, None, None, "", "open", 1, 0, 1),
        *(0, "", "", 0, 1),
    )


@ON_POSTGRESQL
def test_what_a_row_leads_to_is_read_with_it(database):
    transfer = ("TR-1", "SH1", "BJ1", "draft", "", 1, 'a "note"\n', False, "li", 5, "", "")
    with database.write() as connection:
        bulk.insert_rows(connection, transfers, [(*transfer, 0, 0, "", 0, True)])
        bulk.insert_rows(connection, transfer_lines, [line("TR-1", 1, 5), line("TR-2", 1, 5)])
        found = [discrepancy("d1", "SH1", "TR-1"), discrepancy("d2", "BJ1", "TR-1")]
        elsewhere = [discrepancy("d3", "CQ1", "TR-1"), discrepancy("d4", "SH1", "TR-2")]
        bulk.insert_rows(connection, tables.discrepancies, [*found, *elsewhere])
    leader = bulk.Look(transfers, [("TR-1",)], 1)
    looks = [leader, bulk.Led(LEAD, leader), bulk.Led(LINES_OF, leader)]
    with database.write() as connection, statements_of(connection) as said:
        bulk.look_ahead(connection, looks)
        (row,) = bulk.select_by_key(connection, transfers, [("TR-1",)], columns_count=1)
        assert row == (*transfer, 0, 0, "", 0, True, False, False)
        found = bulk.select_by_key(connection, transfer_lines, [("TR-1",)], columns_count=1)
        assert list(found) == [line("TR-1", 1, 5)]
        assert discrepancies_of(connection, "TR-1") == ["d1", "d2"]
        assert len(said) == 1
        bulk.insert_rows(connection, transfer_lines, [line("TR-1", 2, 5)])
        found = bulk.select_by_key(connection, transfer_lines, [("TR-1",)], columns_count=1)
        assert len(list(found)) == 2
        bulk.insert_rows(connection, tables.discrepancies, [discrepancy("d5", "SH1", "TR-1")])
        assert discrepancies_of(connection, "TR-1") == ["d1", "d2", "d5"]
        bulk.look_ahead(connection, looks)
        assert discrepancies_of(connection, "TR-1") == ["d1", "d2", "d5"]


@ON_POSTGRESQL
def test_what_waits_is_dropped_with_its_transaction(database):
    def write_and_fail():
        with database.write() as connection:
            bulk.insert_rows(connection, transfer_lines, [line("TR-1", 1, 5)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    with database.write():
        pass
    assert rows(database, transfer_lines) == []


@ON_POSTGRESQL
def test_connections_that_the_server_ended_while_they_waited_are_made_anew(database):
    with database.write() as one, database.write() as two, database.write() as three:
        pids = [
            connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            for connection in (one, two, three)
        ]
    with database.read() as connection:
        ended = "SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid"
        mine = connection.connection.driver_connection.info.backend_pid
        others = sorted({*pids} - {mine})
        connection.exec_driver_sql(ended, (others,))
    wait_for(lambda: not any(map(runs, others)), what="the end of the connections")
    with database.write() as one, database.write() as two, database.write() as three:
        for number, connection in enumerate((one, two, three)):
            row = (f"TR-{number}", 1)
            bulk.upsert_rows(connection, tables.object_numbers, [row])
    assert len(rows(database, tables.object_numbers)) == 3


def runs(pid):
    return Path(f"/proc/{pid}").exists()
