"""New reference data is told by the entries that were touched, and never wrongly."""

import random

import msgspec
import pytest

from central.contract.notices import ReferenceChanged
from central.contract.reference import (
    Barcode,
    DocumentLine,
    ExpectedDocument,
    Item,
    Location,
    Operator,
)
from central.ledger.desk import Desk
from central.ledger.expected import read_every_change
from central.ledger.reference_desk import (
    put_document,
    put_item,
    put_location,
    put_operator,
    withdraw_document,
    withdraw_item,
    withdraw_location,
)
from central.ledger.state import read_state
from central.orders.catalogue.item_cards import ItemCard, Policy
from central.orders.catalogue.items import create_item, replace_item
from central.outbox.changes import ENTRIES_BY_CODE_MAX
from central.outbox.difference import of_warehouse
from central.outbox.present_reference import present_reference
from central.storage import tables
from gateway.journal.reference_patch import patch_reference
from tests.central.outbox.scenes import Outbox, Told
from tests.central.scenery import REFERENCE, FixedClock, Gateway, furnished, load, rows

CODES = ("A", "B", "C")


def served(database):
    """(outbox, desk, told, other): a gateway of each warehouse, at its snapshot."""
    told = [Told(Gateway("sh1-dock-1")), Told(Gateway("bj1-dock-1", warehouse="BJ1"))]
    furnished(database, *(one.facts for one in told))
    outbox = Outbox(database, *told)
    for one in told:
        outbox.load(one)
    outbox.settle()
    return outbox, Desk(database, clock=FixedClock()), *told


def item(code, name="Name"):
    return Item(code=code, name=name, name_zh="名", unit="C62")


def document(code, *, quantity="7", kind="shipment", warehouse="SH1"):
    line = DocumentLine(line=1, item="BOLT", quantity=quantity, lot="L-1", location="BIN-1")
    return ExpectedDocument(
        code=code,
        warehouse=warehouse,
        partner="王",
        kind=kind,
        counterpart="BJ1",
        round=2,
        lines=(line, DocumentLine(line=2, item="NUT", quantity="1", sscc="106141412345678908")),
    )


def known(told):
    """What a gateway knows after all that it was told."""
    heard = [one for one in told.applied if isinstance(one, ReferenceChanged)]
    kept = told.snapshot.reference
    return patch_reference(kept, heard, warehouse=told.facts.warehouse) if heard else kept


def contents(reference, warehouse):
    own = of_warehouse(reference, warehouse)
    places = [place for one in own.warehouses for place in one.locations]
    return [
        {one.code: one for one in entries}
        for entries in (own.items, places, own.documents, own.operators)
    ]


def assert_all_know_the_present(database, *told):
    with database.read() as connection:
        present = present_reference(connection, read_state(connection).reference_revision)
    for one in told:
        assert contents(known(one), one.facts.warehouse) == contents(present, one.facts.warehouse)
        assert known(one).revision == present.revision


def test_what_an_item_asks_for_on_its_card_is_told(database):
    outbox, desk, near, far = served(database)
    asked = {"serial_tracked": True, "expiry_tracked": True, "min_days_left_to_ship": 5}
    for version, policy in enumerate(({}, asked, {})):
        card = ItemCard(
            code="MILK", name="Milk", unit="C62", lot_tracked=True, policy=Policy(**policy)
        )
        with desk.change(actor="li.na") as change:
            if version:
                replace_item(change, card, version=version)
            else:
                create_item(change, card)
        outbox.settle()
        (milk,) = [one for one in known(near).items if one.code == "MILK"]
        told = {name: getattr(milk, name) for name in asked}
        assert told == (policy or dict.fromkeys(asked, 0))
        assert_all_know_the_present(database, near, far)


def place(code):
    return Location(code=code, kind="bin")


def numbered(code, name):
    """A document whose quantity tells the name."""
    return document(code, quantity=str(ord(name)))


def test_what_was_touched_is_told_as_it_is_and_nothing_else_is_read(database):
    outbox, desk, told, other = served(database)
    with desk.change(actor="x") as change:
        put_item(change, msgspec.structs.replace(item("A"), barcodes=(Barcode(gtin="96385074"),)))
        put_location(change, "SH1", Location(code="BIN-9", kind="bin"))
        put_operator(change, Operator(code="OP9", name="王", language="zh"))
        put_document(change, document("SO-1"))
        withdraw_location(change, "SH1", "BIN-3")
    outbox.settle()
    (mine,), (theirs,) = told.applied, other.applied
    assert [one.code for one in mine.items] == [one.code for one in theirs.items] == ["A"]
    assert mine.items[0].barcodes == (Barcode(gtin="96385074"),)
    assert [one.code for one in mine.locations] == ["BIN-9"]
    assert mine.gone_locations == ("BIN-3",)
    assert mine.documents == (document("SO-1"),)
    assert [(one.code, one.language) for one in mine.operators] == [("OP9", "zh")]
    assert (theirs.locations, theirs.gone_locations, theirs.documents) == ((), (), ())
    copies = rows(database, tables.reference_copies, "revision")
    assert copies == [(1,)], "a copy was made of it all"
    assert_all_know_the_present(database, told, other)


def test_a_document_that_came_and_went_between_two_notices_is_gone(database):
    outbox, desk, told, _ = served(database)
    for act in (
        lambda change: put_document(change, document("SO-1")),
        lambda change: withdraw_document(change, warehouse="SH1", code="SO-1"),
    ):
        with desk.change(actor="x") as change:
            act(change)
    outbox.settle()
    (mine,) = told.applied
    assert (mine.documents, mine.gone_documents) == ((), ("SO-1",))


def test_a_file_is_compared_with_what_was_told_as_a_whole_and_touched_since(database):
    outbox, desk, told, other = served(database)
    with desk.change(actor="x") as change:
        put_item(change, item("NUT", name="Changed at the desk"))  # The file changes it back.
        put_item(change, item("A"))
        put_document(change, document("SO-1"))
    outbox.settle()
    with desk.change(actor="x") as change:
        withdraw_item(change, "A")
    load(database, REFERENCE.replace(b"revision = 1", b"revision = 9"))
    streams = [one.stream for one in (told, other)]
    outbox.settle()
    assert [one.stream for one in (told, other)] == streams, "nobody had to load a snapshot"
    assert told.applied[-1].gone_items == ("A",)
    assert [one.name for one in told.applied[-1].items] == ["Nut"]
    assert_all_know_the_present(database, told, other)


def test_revisions_of_which_it_is_not_known_what_they_touched_are_compared(database):
    outbox, desk, told, other = served(database)
    for code in CODES:
        with desk.change(actor="x") as change:
            put_item(change, item(code))
    with database.write() as connection:
        table = tables.reference_changes
        connection.execute(table.delete().where(table.c.revision == 3))
    with database.read() as connection:
        assert read_every_change(connection, after=1, until=4) is None
        assert read_every_change(connection, after=3, until=4) == [("item", "", "C")]
    outbox.settle()
    assert_all_know_the_present(database, told, other)


def test_more_than_can_be_read_one_by_one_is_compared(database):
    outbox, desk, told, other = served(database)
    with desk.change(actor="x") as change:
        put_item(change, item("A"))
        change.touch(*(("item", "", f"X{number}") for number in range(ENTRIES_BY_CODE_MAX)))
    outbox.settle()
    assert_all_know_the_present(database, told, other)
    assert (2,) in rows(database, tables.reference_copies, "revision")


@pytest.mark.parametrize("seed", range(2))
def test_whatever_happens_at_the_desk_and_by_files_gateways_know_the_present(database, seed):
    outbox, desk, told, other = served(database)
    chance = random.Random(seed)
    for _ in range(25):
        code, name = chance.choice(CODES), chance.choice("xyz")
        acts = [
            lambda change: put_item(change, item(code, name)),  # noqa: B023 - called at once
            lambda change: withdraw_item(change, code),  # noqa: B023
            lambda change: put_location(change, "SH1", place(code)),  # noqa: B023
            lambda change: withdraw_location(change, "SH1", code),  # noqa: B023
            lambda change: put_operator(change, Operator(code=code, name=name)),  # noqa: B023
            lambda change: put_document(change, numbered(code, name)),  # noqa: B023
            lambda change: withdraw_document(change, warehouse="SH1", code=code),  # noqa: B023
        ]
        if chance.random() < 0.1:
            with database.read() as connection:
                revision = read_state(connection).reference_revision + chance.randint(1, 3)
            load(database, REFERENCE.replace(b"revision = 1", b"revision = %d" % revision))
        else:
            with desk.change(actor="x") as change:
                for act in chance.sample(acts, 2):
                    act(change)
        if chance.random() < 0.4:
            outbox.settle()
    outbox.settle()
    assert_all_know_the_present(database, told, other)
    assert told.stream == told.snapshot.stream
