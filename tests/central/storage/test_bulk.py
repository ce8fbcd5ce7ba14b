"""What is written in bulk is read back as it was, whatever the texts hold."""

import pytest
from psycopg import RawCursor
from sqlalchemy import text

from central.errors import LedgerUnavailable
from central.storage import array_sql, bulk, tables
from central.storage.line_pairs import insert_line_pairs
from central.storage.transfer_tables import transfer_lines
from tests.central.scenery import rows
from tests.central.storage.counting import statements_of

ODD_TEXTS = ["", "NULL", "null", 'a"b', "a\\b", "{a,b}", "a,b", " a ", "'", "螺栓", "a\nb\tc", '"']
WAREHOUSE = "SH1"
KEY = tuple(column.name for column in tables.balances.primary_key)
ON_POSTGRESQL = [pytest.param("postgresql", marks=pytest.mark.postgresql)]


def balances(text, amount):
    return (WAREHOUSE, "BIN-1", "BOLT", text, text[::-1], "", "C62", "available", amount, 1, 0)


def test_odd_texts_are_kept_and_found(database):
    written = sorted(balances(text, number) for number, text in enumerate(ODD_TEXTS))
    for some in ([row] for row in written):  # Each by itself, and then all at once.
        with database.write() as connection:
            bulk.upsert_rows(connection, tables.balances, some)
        with database.read() as connection:
            found = bulk.select_by_key(connection, tables.balances, [some[0][:8]], columns_count=8)
            assert list(found) == some
    with database.write() as connection:
        bulk.upsert_rows(connection, tables.balances, written)
    assert rows(database, tables.balances) == written
    keys = [row[:8] for row in written]
    with database.read() as connection:
        found = bulk.select_by_key(connection, tables.balances, keys, columns_count=8)
        assert sorted(found) == written


@pytest.mark.parametrize("count", [1, 9, 300])
def test_columns_are_found_beside_their_keys_also_of_what_was_just_written(database, count):
    goods = [
        (WAREHOUSE, f"BIN-{number}", "BOLT", ODD_TEXTS[number % len(ODD_TEXTS)], "", "", "C62")
        for number in range(count)
    ]
    missing = (WAREHOUSE, "BIN-0", "NUT", "", "", "", "C62")
    with database.write() as connection:
        bulk.upsert_rows(
            connection,
            tables.balances,
            [
                (*key, status, 10 * number, 7, number)
                for number, key in enumerate(goods)
                for status in ("available", "held")
            ],
        )
        found = bulk.select_beside(
            connection,
            tables.balances,
            [missing, *goods],
            columns_count=7,
            columns=("status", "on_hand_micro", "weight_micro"),
        )
        assert sorted(found) == sorted(
            (key, (status, 10 * number, number))
            for number, key in enumerate(goods)
            for status in ("available", "held")
        )


@pytest.mark.parametrize("database", ON_POSTGRESQL, indirect=True)
@pytest.mark.parametrize("count", [1, 9, 100])
def test_what_was_read_ahead_is_not_read_again_beside_its_keys(database, count):
    goods = [(WAREHOUSE, f"BIN-{number}", "BOLT", "", "", "", "C62") for number in range(count)]
    with database.write() as connection:
        written = [(*key, "available", 10, 1, 0) for key in goods[1:]]
        bulk.upsert_rows(connection, tables.balances, written)
    with database.write() as connection:
        bulk.look_ahead(connection, [bulk.Look(tables.balances, goods, 7)])
        columns = ("status", "on_hand_micro")
        with statements_of(connection) as asked:
            found = bulk.select_beside(
                connection, tables.balances, goods, columns_count=7, columns=columns
            )
            assert sorted(found) == sorted((key, ("available", 10)) for key in goods[1:])
            assert not list(asked)


@pytest.mark.parametrize("keys_count", [1, 2, 40])
def test_rows_of_a_key_come_in_the_order_of_the_whole_key_however_they_lie(database, keys_count):
    """As lines of a document do: who names no line fills them in their order."""
    written = [("TR-1", line, "BOLT", "C62", 1, 0, "", "", "") for line in (3, 1, 2)]
    with database.write() as connection:
        bulk.insert_rows(connection, transfer_lines, written)
    with database.write() as connection:
        bulk.upsert_rows(connection, transfer_lines, written[1:2])  # It lies last by now.
    if database.dialect == "postgresql":
        with database.write() as connection:
            connection.execute(text("ANALYZE transfer_lines"))  # A small table is read whole.
    keys = [("TR-1",), *((f"TR-{number}",) for number in range(2, keys_count + 1))]
    for connected in (database.read, database.write):
        with connected() as connection:
            found = bulk.select_by_key(connection, transfer_lines, keys, columns_count=1)
            assert [row[1] for row in found] == [1, 2, 3]


def test_odd_texts_are_kept_among_many_rows(database):
    written = [balances(f"{n}{text}", n) for n in range(9) for text in ODD_TEXTS]
    assert len(written) >= bulk.COPIED_ROWS_MIN
    with database.write() as connection:
        bulk.insert_rows(connection, tables.balances, written)
    assert sorted(rows(database, tables.balances)) == sorted(written)


def test_every_kind_of_column_is_written_by_upsert_as_by_insert(database):
    def written(site):
        return [("gw-1", b"\0\xff", 1, True), ("gw-2", b"", -(2**63), False)], site

    names = ("gateway", "public_key", "head_seq", "online")
    for write in (bulk.insert_rows, bulk.upsert_rows):
        some, site = written(write.__name__)
        full = [filled(tables.gateways, dict(zip(names, row, strict=True)), site) for row in some]
        with database.write() as connection:
            connection.execute(tables.gateways.delete())
            write(connection, tables.gateways, full)
        assert rows(database, tables.gateways, *names) == some


def filled(table, values, site):
    """A whole row: what is not named is a zero of its kind."""
    values = {"site": site} | values
    zeros = {str: "", int: 0, bool: False, bytes: b""}
    return tuple(
        values.get(column.name, zeros[column.type.python_type]) for column in table.columns
    )


@pytest.mark.parametrize("rows_count", [3, bulk.COPIED_ROWS_MIN])
def test_rows_take_the_place_of_those_that_go_in_the_same_transaction(database, rows_count):
    def written(amount):
        return [("TR-1", line, "BOLT", "C62", amount, 0, "", "", "") for line in range(rows_count)]

    for amount in (1, 2):  # There is nothing to go before the first.
        with database.write() as connection:
            bulk.delete_by_key(connection, transfer_lines, [("TR-1",)])
            bulk.insert_rows(connection, transfer_lines, written(amount))
        assert sorted(rows(database, transfer_lines)) == written(amount)


@pytest.mark.parametrize("rows_count", [1, 40])
def test_of_two_updates_of_a_row_the_last_one_counts(database, rows_count):
    def written(amount):
        return [(f"P{number}", amount) for number in range(rows_count)]

    table = tables.object_numbers
    with database.write() as connection:
        bulk.insert_rows(connection, table, written(0))
    with database.write() as connection:
        for amount in (1, 2, 3):
            bulk.update_rows(connection, table, ("prefix", "last_number"), written(amount))
    assert sorted(rows(database, table)) == sorted(written(3))


@pytest.mark.parametrize("bytes_of", [bytes, bytearray])
def test_bytes_are_kept_in_whatever_they_came(database, bytes_of):
    body, digest = b"a\\b\0\xff", b"\x5c" * 32
    row = ("SH1", "gw", "1-a", 1, "movement", bytes_of(body), bytes_of(digest), 1, 1, 1, 1)
    with database.write() as connection:
        bulk.insert_rows(connection, tables.facts, [row])
    assert rows(database, tables.facts, "body", "digest") == [(body, digest)]


def test_numbers_that_are_not_there_stay_so(database):
    row = filled(tables.discrepancies, {"id": "x", "expected_micro": None, "actual_micro": 5}, "")
    with database.write() as connection:
        bulk.upsert_rows(connection, tables.discrepancies, [row])
    assert rows(database, tables.discrepancies, "id", "expected_micro", "actual_micro") == [
        ("x", None, 5)
    ]


@pytest.mark.parametrize("times", [1, bulk.COPIED_ROWS_MIN // 20, bulk.COPIED_ROWS_MIN // 10])
def test_both_lines_of_a_movement_are_made_from_one_row(database, times):
    pairs = [
        (number, WAREHOUSE, "supplier", f"BIN-{number % 2}", text, text, "S", "", "C62", date, 10)
        for number, text in enumerate(ODD_TEXTS * times)
        for date in [["", "2027-01-31"][number % 2]]
    ]
    pairs.append((999, WAREHOUSE, "BIN-1", "supplier", "BOLT", "", "", "", "KGM", "", -(10**17)))
    with database.write() as connection:
        insert_line_pairs(connection, pairs)
        insert_line_pairs(connection, [])
    expected = []
    for number, warehouse, given, taken, item, lot, serial, sscc, unit, date, micro in pairs:
        what = (item, lot, serial, sscc, date, unit)
        expected.append((warehouse, number, 1, given, *what, -micro, "available", 0))
        expected.append((warehouse, number, 2, taken, *what, micro, "available", 0))
    assert rows(database, tables.lines) == expected


@pytest.mark.parametrize("database_url", ON_POSTGRESQL, indirect=True)
def test_many_serial_numbers_of_one_item_are_found_each_by_its_own_key(own_database):
    # Its own: where autovacuum counted an emptied table, PostgreSQL plans for no rows for a minute.
    database = own_database

    def keyed(number):
        return ("W", "L", "ITEM", "", f"S{number:06d}", "", "C62", "available")

    with database.write() as connection:
        bulk.insert_rows(
            connection,
            tables.balances,
            [(*keyed(number), 1, number, 0) for number in range(20_000)],
        )
        keys = [keyed(number) for number in range(0, 20_000, 40)]
        server = RawCursor(connection.connection.driver_connection)
        sql = "EXPLAIN " + array_sql.select_sql(tables.balances, KEY, 0)
        for analyzed in (False, True):
            if analyzed:
                connection.exec_driver_sql("ANALYZE balances")
            plan = server.execute(sql, array_sql.arrays(tables.balances, keys)).fetchall()
            text = "\n".join(line for (line,) in plan)
            assert "Filter" not in text, text  # No row is read that is not wanted.
            assert "serial = wanted.k4" in text, text
        found = bulk.select_by_key(connection, tables.balances, keys, columns_count=8)
        assert sorted(row[9] for row in found) == list(range(0, 20_000, 40))


def test_nothing_of_a_bulk_write_stays_if_its_transaction_fails(database):
    def write_and_fail():
        with database.write() as connection:
            bulk.insert_rows(connection, tables.balances, [balances("L1", 1)])
            bulk.upsert_rows(connection, tables.balances, [balances("L2", 1)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    assert rows(database, tables.balances) == []
    with database.write() as connection:
        bulk.insert_rows(connection, tables.balances, [balances("L1", 1)])
    assert len(rows(database, tables.balances)) == 1


@pytest.mark.parametrize("database", ON_POSTGRESQL, indirect=True)
def test_a_server_that_is_gone_in_the_middle_is_named_and_found_again(database):
    def write_without_server():
        with database.write() as connection:
            pid = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
            with database.write() as other:
                other.exec_driver_sql(f"SELECT pg_terminate_backend({pid})")
            bulk.insert_rows(connection, tables.balances, [balances("L1", 1)])

    with pytest.raises(LedgerUnavailable):
        write_without_server()
    with database.write() as connection:
        bulk.insert_rows(connection, tables.balances, [balances("L1", 1)])
