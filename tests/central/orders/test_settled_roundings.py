"""Rounding what is settled by a factor makes nothing and loses nothing."""

from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from central.orders.settling.roundings import Roundings, Way
from central.orders.settling.settlement_proof import faults
from central.storage import bulk, tables
from central.storage.catalogue_tables import item_units
from central.storage.settlement_tables import settlement_rests
from tests.central.orders.settling import Settling
from tests.central.scenery import rows

M = 1_000_000
THIRD = Fraction(M, 3)


@pytest.fixture
def site(database):
    """One carton of bolts is a third of a piece, as far as the item says."""
    made = Settling(database)
    with made.desk.change(actor="x") as change:
        bulk.insert_rows(change.connection, item_units, [("BOLT", "CT", 1, 3, "")])
        change.touch(("all", "", ""))
    yield made
    made.proved()


def cartons(site, *ways, quantity="1", document="PO-1"):
    """Move a carton each way, and send it."""
    for source, target in ways:
        fields = {"document": document, "document_line": 1} if document else {}
        site.dock.move(
            quantity=quantity,
            unit="CT",
            source=source,
            target=target,
            business_step="storing",
            **fields,
        )
    site.send()


def settled(site, **body):
    """Settle the one unit that differs, as proposed but for this."""
    proposed = site.found("unit_differs")["proposals"][0]["body"]
    answer = site.settle("unit_differs", proposed | body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def micro(site):
    """{location: millionths of a piece, and of a carton if there are any}."""
    with site.database.read() as connection:
        found = bulk.select_by_key(connection, tables.balances, [("SH1",)], columns_count=1)
        return {(row[1], row[6]): row[8] for row in found if row[8]}


def rests(site):
    """The sum of all rests."""
    return sum(Fraction(row[-1]) for row in rows(site.database, settlement_rests))


IN_BIN = [("supplier", "BIN-1")] * 3


def test_three_thirds_that_come_are_one(site):
    cartons(site, *IN_BIN)
    assert micro(site) == {("supplier", "CT"): -3 * M, ("BIN-1", "CT"): 3 * M}
    settled(site)
    assert micro(site) == {("supplier", "C62"): -M, ("BIN-1", "C62"): M}
    assert site.received("PO-1") == {1: 1}
    assert rests(site) == 0


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_three_thirds_settled_one_by_one_are_one_in_any_order(site, order):
    cartons(site, *IN_BIN)
    names = [one["id"] for one in site.found("unit_differs")["facts"]]
    for number in order:
        settled(site, facts=[names[number]])
    assert micro(site) == {("supplier", "C62"): -M, ("BIN-1", "C62"): M}


def test_three_thirds_settled_each_by_a_discrepancy_of_its_own_are_one(site):
    for way in IN_BIN:
        cartons(site, way)
        settled(site)
    assert micro(site) == {("supplier", "C62"): -M, ("BIN-1", "C62"): M}
    assert len(rows(site.database, tables.discrepancies)) == 3


def test_three_thirds_that_leave_leave_nothing(site):
    cartons(site, ("supplier", "BIN-1"), quantity="3")
    cartons(site, *[("BIN-1", "customer")] * 3, document="")
    assert site.found("unit_differs")["facts_count"] == 3
    settled(site)
    assert micro(site) == {("supplier", "C62"): -M, ("customer", "C62"): M}


def test_thirds_over_three_bins_are_one_and_each_bin_is_emptied(site):
    bins = ("BIN-1", "BIN-2", "BIN-3")
    cartons(site, *(("supplier", one) for one in bins))
    settled(site)
    assert site.received("PO-1") == {1: 1}
    assert micro(site)["supplier", "C62"] == -M
    cartons(site, *((one, "customer") for one in bins), document="")
    settled(site)
    assert micro(site) == {("supplier", "C62"): -M, ("customer", "C62"): M}


def test_what_a_reopening_takes_back_is_forgotten_by_the_roundings(site):
    cartons(site, IN_BIN[0])
    settled(site)
    row = site.found("unit_differs", "settled")
    assert rests(site) == Fraction(-1, 3)
    path = f"/discrepancies/{row['id']}/reopen"
    assert site.ask("POST", path, {"reason": "wrong"}).status_code == 200
    assert rests(site) == 0
    assert micro(site) == {("supplier", "CT"): -M, ("BIN-1", "CT"): M}
    cartons(site, *IN_BIN[1:])
    settled(site)
    assert micro(site) == {("supplier", "C62"): -M, ("BIN-1", "C62"): M}


def test_a_third_of_a_millionth_is_kept_until_it_is_one(site):
    cartons(site, *IN_BIN[:2], quantity="0.000001")
    (first, second) = [one["id"] for one in site.found("unit_differs")["facts"]]
    body = {"action": "reassign", "factor": "1/3", "reason": "x", "facts": [first]}
    answer = site.settle("unit_differs", body)
    assert (answer.status_code, "nothing is left" in answer.text) == (422, True)
    settled(site)  # Two thirds are one, rounded.
    assert micro(site) == {("supplier", "C62"): -1, ("BIN-1", "C62"): 1}
    assert rests(site) == Fraction(1, 3)
    assert second != first


def test_only_facts_that_were_posted_in_the_unit_are_settled(site):
    cartons(site, IN_BIN[0])
    cartons(site, IN_BIN[0], quantity="3")  # Exactly one piece: posted as that.
    assert len(site.found("unit_differs")["facts"]) == 1
    assert settled(site)["state"] == "settled"
    assert micro(site)["BIN-1", "C62"] == M + 333_333


def test_no_factor_is_proposed_for_a_weight_that_does_not_convert(site):
    site.dock.move("RICE", "3", unit="KGM", net_weight="2", weight_unit="LTR")
    site.send()
    row = site.found("unit_differs")
    assert (row["subject"], row["state"]) == ("RICE/LTR", "open")
    assert [one["body"].get("factor") for one in row["proposals"] if "factor" in one["body"]] == []


def test_a_rest_of_no_settlement_is_a_fault(site):
    cartons(site, IN_BIN[0])
    settled(site)
    for seq in (99, 1):  # Lost and put right again.
        with site.database.write() as connection:
            connection.execute(text(f"UPDATE settlement_rests SET seq = {seq}"))
            found = [one.detail for one in faults(connection)]
        assert ["settled nothing" in one for one in found] == [True] * (seq == 99)


PLACES = ("BIN-1", "BIN-2", "BIN-3", "supplier", "customer", "in_transit/TR-1")
FACTORS = (Fraction(1, 3), Fraction(1, 7), Fraction(45359237, 10**8), Fraction(5, 3))
MOVES = st.lists(
    st.tuples(
        st.permutations(PLACES).map(lambda places: places[:2]),
        st.integers(1, 5),
        st.sampled_from(("", "PO-1", "PO-2")),
    ),
    max_size=40,
)


def posted(moves, factor, cuts):
    """What stands at each place and document, exactly and as posted, over several settlements."""
    exact, whole, earlier, roundings = {}, {}, [], Roundings()
    for number, ((source, target), quantity, document) in enumerate(moves):
        if number in cuts:
            roundings = Roundings(earlier)
        way = Way(source, target, document=document)
        amount = quantity * M * factor
        given = roundings.whole(way, amount)
        assert given >= 0
        earlier.append((way, given - amount))
        for key, sign in ((source, -1), (target, 1)):
            exact[key] = exact.get(key, 0) + sign * amount
            whole[key] = whole.get(key, 0) + sign * given
    return exact, whole


@given(moves=MOVES, factor=st.sampled_from(FACTORS), cuts=st.sets(st.integers(0, 40)))
def test_a_bin_that_others_fill_and_empty_is_as_exact_as_can_be(moves, factor, cuts):
    outside = [one for one in moves if any(not end.startswith("BIN") for end in one[0])]
    exact, whole = posted(outside, factor, cuts)
    for place, amount in exact.items():
        if place.startswith("BIN"):
            assert whole[place] in {floor(amount), ceil(amount)}


def is_bin(place):
    return place.startswith("BIN")


def emptying(moves, factor):
    """What takes out of each bin what is there, or brings what it is below zero."""
    exact, _ = posted(moves, factor, ())
    amounts = {place: exact.get(place, 0) / (M * factor) for place in PLACES if is_bin(place)}
    return [
        ((place, "customer"), amount, "") if amount > 0 else (("supplier", place), -amount, "")
        for place, amount in amounts.items()
        if amount
    ]


def filled_by_bins(moves):
    """The bins whose last movement brought goods of another bin."""
    last = {}
    for (source, target), _, _ in moves:
        last |= {source: "", target: source}
    return {place for place, source in last.items() if is_bin(place) and is_bin(source)}


def through(bins):
    """One more comes to each bin, and leaves it."""
    ways = [way for one in sorted(bins) for way in (("supplier", one), (one, "customer"))]
    return [(way, 1, "") for way in ways]


@given(moves=MOVES, factor=st.sampled_from(FACTORS), cuts=st.sets(st.integers(0, 40)))
def test_nothing_is_left_in_bins_that_are_emptied_in_the_end(moves, factor, cuts):
    moves = [*moves, *emptying(moves, factor)]
    filled = filled_by_bins(moves)  # From below zero: nothing left them, nothing came from outside.
    exact, whole = posted(moves, factor, cuts)
    for place in exact:
        if is_bin(place):
            assert exact[place] == 0
            assert whole[place] == 0 or place in filled
    assert sum(whole.values()) == 0
    _, whole = posted([*moves, *through(filled)], factor, cuts)
    assert [place for place in whole if is_bin(place) and whole[place]] == []
    assert sum(whole.values()) == 0


@given(moves=MOVES, factor=st.sampled_from(FACTORS), cuts=st.sets(st.integers(0, 40)))
def test_nothing_is_left_in_an_empty_bin_that_was_never_below_zero(moves, factor, cuts):
    there, possible = dict.fromkeys(PLACES, 0), []
    for (source, target), wanted, document in moves:
        quantity = min(wanted, there[source]) if is_bin(source) else wanted
        if quantity:
            possible.append(((source, target), quantity, document))
            there[source] -= quantity
            there[target] += quantity
    _, whole = posted(possible, factor, cuts)
    assert [place for place in whole if is_bin(place) and not there[place] and whole[place]] == []


# BIN-2 is below zero, and BIN-3 fills it to nothing with the last that it has itself.
FILLED_FROM_BELOW = [
    (("BIN-1", "BIN-2"), 3, ""),
    (("BIN-1", "supplier"), 2, ""),
    (("BIN-2", "BIN-1"), 5, "PO-2"),
    (("BIN-3", "BIN-2"), 1, ""),
    (("BIN-1", "BIN-3"), 2, "PO-2"),
    (("BIN-3", "BIN-2"), 1, ""),
]


@pytest.mark.parametrize("cuts", [(), (1,), (5,), (6,), range(9)])
def test_a_bin_filled_from_below_zero_by_another_is_exact_when_goods_go_through(cuts):
    moves = [*FILLED_FROM_BELOW, *emptying(FILLED_FROM_BELOW, Fraction(1, 3))]
    exact, whole = posted(moves, Fraction(1, 3), cuts)
    assert set(exact.values()) == {0}
    assert whole == {"BIN-1": 0, "BIN-2": -1, "BIN-3": 0, "supplier": 1}
    assert filled_by_bins(moves) == {"BIN-2"}
    _, whole = posted([*moves, *through({"BIN-2"})], Fraction(1, 3), cuts)
    assert (whole["BIN-1"], whole["BIN-2"], whole["BIN-3"]) == (0, 0, 0)
    assert sum(whole.values()) == 0


def test_a_millionth_that_a_bin_is_below_zero_is_told_until_goods_go_through(site):
    moves = [*FILLED_FROM_BELOW, *emptying(FILLED_FROM_BELOW, Fraction(1, 3))]
    for way, quantity, document in moves:
        cartons(site, way, quantity=str(quantity), document=document)
    settled(site)
    assert micro(site) == {("BIN-2", "C62"): -1, ("supplier", "C62"): 1}
    told = site.found("negative_balance")
    assert (told["location"], told["item"]) == ("BIN-2", "BOLT")
    cartons(site, ("supplier", "BIN-2"), ("BIN-2", "customer"), document="")
    settled(site)
    assert [place for place, _ in micro(site) if is_bin(place)] == []
    assert site.get(f"/discrepancies/{told['id']}")["state"] == "settled"
