"""What the ledger remembers of names is bounded, and what it forgot is looked up again."""

import tracemalloc

import pytest

from central.contract.reference import parse_reference
from central.ledger import reference_book
from central.ledger.reference_book import ReferenceBook, load_reference
from central.ledger.state import read_state
from central.storage import bulk, tables

BOLT_AND_NUT = """
revision = 1
[[warehouses]]
code = "SH1"
name = "W"
name_zh = "W"
locations = [{ code = "BIN-1", kind = "bin" }, { code = "BIN-2", kind = "bin" }]
[[items]]
code = "BOLT"
name = "B"
name_zh = "B"
unit = "C62"
[[items]]
code = "NUT"
name = "N"
name_zh = "N"
unit = "KGM"
[[documents]]
code = "PO-1"
kind = "receipt"
warehouse = "SH1"
partner = "P"
lines = [{ line = 1, item = "BOLT", quantity = "5" }]
"""
ITEMS_COUNT = 20_000
ITEM_BYTES_MAX = 150  # Without its code.


class Asked:
    """A book, and which tables it looked into for each answer."""

    def __init__(self, database, monkeypatch):
        self._database, self._book = database, ReferenceBook()
        self._tables = []
        select = bulk.select_by_key

        def noting(connection, table, keys, **rest):
            self._tables.append((table.name, list(keys)))
            return select(connection, table, keys, **rest)

        monkeypatch.setattr(bulk, "select_by_key", noting)

    def of(self, *items, places=(), documents=()):
        """What is known, and of which tables it had to be looked up."""
        self._tables.clear()
        with self._database.write() as connection:
            known = self._book.look_up(
                connection,
                revision=read_state(connection).reference_revision,
                items=set(items),
                locations={("SH1", one) for one in places},
                documents={("SH1", one) for one in documents},
            )
        looked = {name for name, _ in self._tables}
        return known, looked & {"items", "locations", "documents"}


@pytest.fixture
def asked(database, monkeypatch):
    with database.write() as connection:
        load_reference(connection, parse_reference(BOLT_AND_NUT.encode()))
    return Asked(database, monkeypatch)


def test_what_is_known_is_looked_up_once(asked):
    what = ("BOLT", "NUT"), {"places": ("BIN-1", "BIN-9"), "documents": ("PO-1",)}
    first, looked = asked.of(*what[0], **what[1])
    assert looked == {"items", "locations", "documents"}
    assert dict(first.item_units) == {"BOLT": "C62", "NUT": "KGM"}
    assert first.locations == {("SH1", "BIN-1")}
    assert set(first.documents) == {("SH1", "PO-1")}
    assert asked.of(*what[0], **what[1]) == (first, set())


def test_names_beyond_the_bound_are_forgotten_and_looked_up_again(asked, monkeypatch):
    monkeypatch.setattr(reference_book, "NAMES_KEPT_MAX", 2)
    assert asked.of("BOLT", "NUT", documents=("PO-1",))[1] == {"items", "documents"}
    assert asked.of("BOLT", places=("BIN-1",))[1] == {"locations"}  # Three are known by now.
    known, looked = asked.of("BOLT", places=("BIN-1",), documents=("PO-1",))
    assert looked == {"items", "locations"}
    assert (dict(known.item_units), known.locations) == ({"BOLT": "C62"}, {("SH1", "BIN-1")})


def test_documents_beyond_their_bound_are_forgotten_without_the_names(asked, monkeypatch):
    monkeypatch.setattr(reference_book, "DOCUMENTS_KEPT_MAX", 1)
    assert asked.of("BOLT", documents=("PO-1", "PO-2"))[1] == {"items", "documents"}
    known, looked = asked.of("BOLT", documents=("PO-1",))
    assert looked == {"documents"}
    assert set(known.documents) == {("SH1", "PO-1")}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_item_takes_little_memory(database):
    codes = [f"P{number:05d}" for number in range(ITEMS_COUNT)]
    with database.write() as connection:
        rows = [(code, code, code, "C62", "piece", False, "file") for code in codes]
        bulk.insert_rows(connection, tables.items, rows)
        book, nothing = ReferenceBook(), {"locations": set(), "documents": set()}
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            book.look_up(connection, revision=1, items=set(codes), **nothing)
            taken = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
    assert 0 < taken / ITEMS_COUNT < ITEM_BYTES_MAX
