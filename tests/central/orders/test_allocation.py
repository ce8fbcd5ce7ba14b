"""What is chosen for a demand: the right lots in the right order, never more than there is."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.contract.expiry import earliest_expiry
from central.orders.reserving.allocation import (
    Candidate,
    Demand,
    Pick,
    StockKey,
    allocate,
    remaining,
    usable_micro,
)

ONE = 1_000_000


def stock(location, pieces, *, lot="", sscc="", **fields):
    key = StockKey("SH1", "MILK", location, lot, "", sscc, "C62")
    return Candidate(key=key, available_micro=pieces * ONE, **fields)


def taken(candidates, pieces, **demand):
    """(location, lot, pieces) of what is chosen."""
    picks = allocate(candidates, Demand(quantity_micro=pieces * ONE, **demand))
    return [(pick.key.location, pick.key.lot, pick.quantity_micro // ONE) for pick in picks]


LOTS = [
    stock("A", 10, lot="L3", expiry_date="2027-03-01", first_record_no=1),
    stock("B", 10, lot="L1", expiry_date="2027-01-01", first_record_no=9),
    stock("C", 10, lot="L2", expiry_date="2027-02-01", first_record_no=5),
    stock("D", 10, lot="L0", expiry_date="", first_record_no=0),
]
PLACES = [
    stock("RESERVE-1", 50, walk_order=1),
    stock("FACE-1", 8, walk_order=9, pick_face=True),
    stock("RESERVE-2", 30, walk_order=2),
]
PALLETS = [
    stock("A", 40, sscc="006141411234567890", walk_order=1),
    stock("B", 40, walk_order=2),
    stock("C", 12, sscc="006141411234567906", walk_order=3),
]


@pytest.mark.parametrize(
    ("candidates", "pieces", "demand", "expected"),
    [
        (LOTS, 12, {}, [("B", "L1", 10), ("C", "L2", 2)]),
        (LOTS, 12, {"rotation": "fifo"}, [("D", "L0", 10), ("A", "L3", 2)]),
        (LOTS, 35, {}, [("B", "L1", 10), ("C", "L2", 10), ("A", "L3", 10), ("D", "L0", 5)]),
        (LOTS, 12, {"expires_from": "2027-01-02"}, [("C", "L2", 10), ("A", "L3", 2)]),
        (LOTS, 12, {"expires_from": "2028-01-01"}, [("D", "L0", 10)]),
        (LOTS, 12, {"lot": "L3"}, [("A", "L3", 10)]),
        (LOTS, 0, {}, []),
        ([], 3, {}, []),
        (PLACES, 8, {}, [("FACE-1", "", 8)]),
        (PLACES, 9, {}, [("RESERVE-1", "", 9)]),
        (PLACES, 57, {}, [("RESERVE-1", "", 50), ("FACE-1", "", 7)]),
        (PLACES, 60, {}, [("RESERVE-1", "", 50), ("RESERVE-2", "", 10)]),
        (PALLETS, 12, {}, [("C", "", 12)]),
        (PALLETS, 11, {}, [("B", "", 11)]),
        (PALLETS, 40, {}, [("A", "", 40)]),
        (PALLETS, 80, {}, [("A", "", 40), ("B", "", 40)]),
    ],
    ids=[
        "first expired first",
        "first come first",
        "what has no date goes last",
        "too near to its date",
        "all dates too near",
        "the customer's lot alone",
        "nothing wanted",
        "nothing there",
        "a pick face that covers it",
        "one pick from the reserve rather than two",
        "the largest, then the face for the rest",
        "the next reserve where the face is not enough",
        "a pallet that is just right",
        "no pallet is opened where loose goods do",
        "a whole pallet rather than loose goods",
        "a pallet and the loose goods",
    ],
)
def test_what_is_chosen(candidates, pieces, demand, expected):
    assert taken(candidates, pieces, **demand) == expected


def test_the_day_of_expiry_still_counts_as_good():
    today = date(2026, 11, 22)
    assert earliest_expiry(today, min_days_left=0) == "2026-11-22"
    assert earliest_expiry(today, min_days_left=30) == "2026-12-22"
    assert taken([stock("A", 1, expiry_date="2026-11-22")], 1, expires_from="2026-11-22")
    assert not taken([stock("A", 1, expiry_date="2026-11-21")], 1, expires_from="2026-11-22")


def test_what_is_left_is_less_by_what_was_picked():
    left = remaining(LOTS, [Pick(LOTS[1].key, 4 * ONE), Pick(LOTS[1].key, ONE)])
    assert [one.available_micro // ONE for one in left] == [10, 5, 10, 10]


DATES = ["", "2026-12-01", "2027-01-01", "2027-01-02", "2027-06-30"]


@st.composite
def stocks(draw):
    count = draw(st.integers(0, 8))
    return [
        Candidate(
            key=StockKey(
                "SH1",
                "MILK",
                f"BIN-{number}",
                draw(st.sampled_from(["", "L1", "L2", "L3"])),
                "",
                draw(st.sampled_from(["", f"00614141123456789{number}"])),
                "C62",
            ),
            available_micro=draw(st.integers(-5, 60)),
            expiry_date=draw(st.sampled_from(DATES)),
            first_record_no=draw(st.integers(0, 4)),
            walk_order=draw(st.integers(0, 3)),
            pick_face=draw(st.booleans()),
        )
        for number in range(count)
    ]


demands = st.builds(
    Demand,
    quantity_micro=st.integers(0, 200),
    rotation=st.sampled_from(["fefo", "fifo"]),
    expires_from=st.sampled_from(DATES),
    lot=st.sampled_from(["", "", "L1"]),
)


@given(stocks(), demands)
def test_all_that_is_wanted_or_all_that_will_do_and_never_more_than_is_there(candidates, demand):
    picks = allocate(candidates, demand)
    there = {one.key: one.available_micro for one in candidates}
    assert len({pick.key for pick in picks}) == len(picks)
    assert all(0 < pick.quantity_micro <= there[pick.key] for pick in picks)
    total = sum(pick.quantity_micro for pick in picks)
    assert total == min(demand.quantity_micro, usable_micro(candidates, demand))


@given(stocks(), demands)
def test_no_lot_is_taken_while_one_that_has_to_go_first_is_left(candidates, demand):
    picks = allocate(candidates, demand)
    by_key = {one.key: one for one in candidates}

    def order(one):
        if demand.rotation == "fifo":
            return one.first_record_no
        return one.expiry_date or "9999", 0 if one.expiry_date else one.first_record_no

    for one in (by_key[pick.key] for pick in picks):
        assert not demand.lot or one.key.lot == demand.lot
        assert not one.expiry_date or one.expiry_date >= demand.expires_from
    left = [one for one in remaining(candidates, picks) if usable_micro([one], demand)]
    if picks and left:
        assert max(order(by_key[pick.key]) for pick in picks) <= min(order(one) for one in left)


@given(stocks(), demands)
def test_no_other_choice_of_the_last_rank_needs_fewer_picks(candidates, demand):
    usable = [one for one in candidates if usable_micro([one], demand)]
    same = [Candidate(key=one.key, available_micro=one.available_micro) for one in usable]
    picks = allocate(same, demand)
    sizes = sorted((one.available_micro for one in same), reverse=True)
    assert sum(sizes[: max(len(picks) - 1, 0)]) < demand.quantity_micro or not picks
