"""What is packed in what follows from the packings, and never holds itself."""

import pytest
from sqlalchemy import text

from central.ledger.packing import DEPTH_MAX
from central.ledger.verify import verify_ledger
from central.storage import tables
from tests.central.scenery import Gateway, discrepancies, furnished, rows, sscc

UNITS = {sscc(number): number for number in range(40)}


def packed(database):
    """{unit: what it is in} by serial reference, of units that are in one."""
    found = rows(database, tables.handling_units, "sscc", "parent")
    return {UNITS[unit]: UNITS[parent] for unit, parent in found if parent}


def told(database):
    found = [subject for _, subject, _ in discrepancies(database)]
    return [tuple(UNITS[one] for one in subject.split("/")) for subject in found]


TOWER = [("pack", number + 1, number) for number in range(DEPTH_MAX - 1)]
STORIES = [
    pytest.param([("pack", 9, 1, 2)], {1: 9, 2: 9}, [], id="packed"),
    pytest.param([("pack", 9, 1, 2), ("unpack", 9, 1)], {2: 9}, [], id="one taken out"),
    pytest.param([("pack", 9, 1), ("pack", 8, 9)], {1: 9, 9: 8}, [], id="nested"),
    pytest.param([("pack", 9, 1), ("pack", 8, 1)], {1: 8}, [], id="packed elsewhere"),
    pytest.param([("pack", 9, 1), ("pack", 9, 1)], {1: 9}, [], id="scanned again"),
    pytest.param([("unpack", 9, 1)], {}, [(9, 1)], id="taken out of where it was not"),
    pytest.param(
        [("pack", 9, 1, 2), ("unpack", 8, 1, 2)],
        {1: 9, 2: 9},
        [(8, 1), (8, 2)],
        id="taken out of another one",
    ),
    pytest.param([("pack", 9, 1), ("pack", 1, 9)], {1: 9}, [(1, 9)], id="into what it holds"),
    pytest.param(
        [("pack", 9, 1), ("pack", 8, 9), ("pack", 1, 2, 8)],
        {1: 9, 9: 8, 2: 1},
        [(1, 8)],
        id="into what it holds further in; the others are packed",
    ),
    pytest.param(
        [*TOWER, ("pack", 20, DEPTH_MAX - 1)],
        {number: number + 1 for number in range(DEPTH_MAX - 1)},
        [(20, DEPTH_MAX - 1)],
        id="one too many above",
    ),
    pytest.param(
        [*TOWER, ("pack", 0, 20)],
        {number: number + 1 for number in range(DEPTH_MAX - 1)},
        [(0, 20)],
        id="one too many below",
    ),
    pytest.param(
        [*TOWER, ("unpack", DEPTH_MAX - 1, DEPTH_MAX - 2), ("pack", 20, DEPTH_MAX - 2)],
        {number: number + 1 for number in range(DEPTH_MAX - 2)} | {DEPTH_MAX - 2: 20},
        [],
        id="as many as may be",
    ),
]


@pytest.mark.parametrize(("story", "expected", "impossible"), STORIES)
@pytest.mark.parametrize("at_once", [True, False])
def test_units_are_where_they_were_packed_last(database, story, expected, impossible, at_once):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    for action, parent, *children in story:
        gateway.pack(sscc(parent), *map(sscc, children), action=action)
    if at_once:
        inbox.accept([gateway.offer()])
    else:
        for number in range(1, len(story) + 1):
            inbox.accept([gateway.offer(number, number)])
    assert packed(database) == expected
    assert told(database) == sorted(impossible)
    assert {kind for kind, *_ in discrepancies(database)} <= {"packing_impossible"}
    assert rows(database, tables.lines) == []
    assert verify_ledger(database).faults == ()


def test_warehouses_have_units_of_their_own(database):
    here, there = Gateway("here"), Gateway("there", warehouse="BJ1")
    inbox = furnished(database, here, there)
    here.pack(sscc(9), sscc(1))
    there.pack(sscc(1), sscc(9))
    there.pack(sscc(3), sscc(4), warehouse="SH1")
    inbox.accept([here.offer(), there.offer()])
    assert rows(database, tables.handling_units) == [
        ("BJ1", sscc(9), sscc(1), 2),
        ("SH1", sscc(1), sscc(9), 1),
    ]
    assert [kind for kind, *_ in discrepancies(database)] == ["wrong_warehouse"]
    assert verify_ledger(database).faults == ()


DAMAGE = [
    pytest.param("UPDATE handling_units SET parent = ''", id="taken out by nobody"),
    pytest.param("UPDATE handling_units SET record_no = 7", id="by another fact"),
    pytest.param("DELETE FROM handling_units", id="forgotten"),
    pytest.param("UPDATE handling_units SET warehouse = 'X'", id="of another warehouse"),
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_units_are_found(database, damage):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    gateway.pack(sscc(9), sscc(1))
    inbox.accept([gateway.offer()])
    with database.write() as connection:
        connection.execute(text(damage))
    assert {fault.check for fault in verify_ledger(database).faults} == {"handling_unit"}
