"""Count sheets that are typed in at the desk: what they may say, and what is told of what they
find."""

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
