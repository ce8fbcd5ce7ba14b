"""Count sheets that are typed in at the desk: what they may say, and what is told of what they
find."""

import pytest
from sqlalchemy import select

from central.storage import tables
from tests.central.orders.counting import Counting
from tests.central.scenery import set_policy

LOTS = {"lot_tracked": True, "expiry_tracked": True}


def counted(counting, *entries, status=200, **planned):
    """The code of a count of BIN-1 whose sheet says these entries; a problem, if it is refused."""
    code = counting.planned({"location": "BIN-1"}, **planned)
    body = {"counted_by": "an", "entries": [{"location": "BIN-1", **one} for one in entries]}
    answer = counting.act(code, "entries", body, status=status)
    return code if status == 200 else answer


def test_what_a_sheet_finds_without_what_its_item_asks_for_is_told_and_corrected(database):
    counting = Counting(database)
    set_policy(database, "BOLT", **LOTS)
    set_policy(database, "NUT", serial_tracked=True)
    entries = [
        {"item": "BOLT", "quantity": "3"},
        {"item": "BOLT", "lot": "NEW", "quantity": "2"},
        {"item": "NUT", "quantity": "1"},
    ]
    counting.settle(counted(counting, *entries))
    assert (counting.stock(), counting.stock("NUT")) == (5, 1), "a count is never refused"
    assert counting.discrepancies() == [
        ("expiry_missing", "BOLT/NEW"),
        ("lot_missing", "BOLT"),
        ("serial_missing", "NUT"),
    ]
    rows = counting.get("/discrepancies?kind=lot_missing")["discrepancies"]
    row = counting.get(f"/discrepancies/{rows[0]['id']}")
    assert (len(row["facts"]), bool(row["proposals"])) == (1, True)
    named = {"action": "reassign", "lot": "OLD", "reason": "looked"}
    counting.post(f"/discrepancies/{row['id']}/settle", named)
    balances = tables.balances.c
    with database.read() as connection:
        lots = connection.execute(
            select(balances.lot, balances.on_hand_micro)
            .where(balances.item == "BOLT", balances.location == "BIN-1")
            .where(balances.on_hand_micro != 0)
            .order_by(balances.lot)
        )
        assert [tuple(one) for one in lots] == [("NEW", 2_000_000), ("OLD", 3_000_000)]
    assert counting.faults() == []


def test_what_a_count_misses_is_not_asked_which_it_was(database):
    counting = Counting(database)
    counting.put(counting.counter, 5, at=1)
    counting.send()
    set_policy(database, "BOLT", **LOTS)
    counting.settle(counted(counting, {"item": "BOLT", "quantity": "4"}))
    assert counting.stock() == 4
    assert counting.discrepancies() == []


IMPOSSIBLE = [
    pytest.param(
        [{"item": "BOLT", "serial": "S2", "quantity": "2"}],
        "2 C62 of item BOLT cannot all bear the serial number 'S2'",
        id="two of one serial number",
    ),
    pytest.param(
        [{"item": "BOLT", "serial": "S2", "quantity": "1", "unit": "DZN"}],
        "1 DZN of item BOLT cannot all bear the serial number 'S2'",
        id="a dozen of one serial number",
    ),
    pytest.param(
        [{"item": "NEW", "serial": "S2", "quantity": "2", "unit": "C62"}],
        "2 C62 of item NEW cannot all bear the serial number 'S2'",
        id="two of one serial number of what nobody knows",
    ),
    pytest.param(
        [{"item": "BOLT", "quantity": "3"}, {"item": "BOLT", "quantity": "4"}],
        "BOLT at BIN-1 is entered twice: 3 C62 and 4 C62",
        id="the same goods twice",
    ),
    pytest.param(
        [{"item": "BOLT", "quantity": "3"}, {"item": "BOLT", "quantity": "1", "unit": "DZN"}],
        "BOLT at BIN-1 is entered twice: 3 C62 and 1 DZN",
        id="the same goods twice, in two units",
    ),
    pytest.param(
        [{"item": "BOLT", "quantity": "2", "location": "BIN-9"}],
        "SH1 has no place 'BIN-9'",
        id="a place that nobody knows",
    ),
    pytest.param(
        [{"item": "BOLT", "quantity": "1", "unit": "KGM"}],
        "item BOLT is not stated in 'KGM'",
        id="kilograms of a piece",
    ),
]


@pytest.mark.parametrize(("entries", "detail"), IMPOSSIBLE)
def test_what_cannot_have_been_counted_is_refused_whole(database, entries, detail):
    counting = Counting(database)
    refused = counted(counting, {"item": "NUT", "quantity": "1"}, *entries, status=422)
    assert refused["detail"] == detail
    assert refused["hint"]
    (code,) = [one["code"] for one in counting.get("/counts")["counts"]]
    assert counting.get(f"/counts/{code}/observations")["observations"] == []


def test_what_the_book_has_can_be_counted_wherever_and_in_whatever_it_is(database):
    counting = Counting(database)
    counting.put(counting.counter, 3, at=1, location="BIN-9")
    counting.put(counting.counter, 5, at=1, unit="KGM")
    counting.send()
    entries = [
        {"item": "BOLT", "quantity": "2", "location": "BIN-9"},
        {"item": "BOLT", "quantity": "4", "unit": "KGM"},
        {"item": "BOLT", "quantity": "7"},
        {"item": "BOLT", "quantity": "1", "serial": "S1"},
        {"item": "BOLT", "quantity": "1", "serial": "S2"},
        {"item": "RICE", "quantity": "2.5", "serial": "SACK-1"},
    ]
    counting.settle(counted(counting, *entries))
    assert (counting.stock(location="BIN-9"), counting.stock()) == (2, 4 + 7 + 2)
    assert counting.faults() == []


def test_two_parts_of_a_place_are_counted_apart(database):
    counting = Counting(database)
    lines = [{"location": "BIN-1", "item": "BOLT", "part": part} for part in (1, 2)]
    code = counting.planned(*lines)
    entries = [one | {"quantity": "3"} for one in lines]
    counting.act(code, "entries", {"counted_by": "an", "entries": entries})
    counting.act(code, "entries", {"counted_by": "an", "entries": [entries[0] | {"quantity": "4"}]})
    assert counting.variance(code)["counted"] == "7", "another sheet corrects the one before"


def test_a_station_counts_two_of_one_serial_number_and_is_told_of(database):
    counting = Counting(database)
    code = counting.planned()
    counting.count(counting.counter, 2, at=2, document=code, document_line=1, serial="S2")
    counting.send()
    counting.settle(code)
    assert counting.stock() == 2
    assert counting.discrepancies() == [("serial_twice", "BOLT/S2")]
