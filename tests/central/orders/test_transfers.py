"""What a transfer may become, how far it is, and what closes it exactly; without a database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from central.errors import Conflict, Unusable
from central.orders.document_progress import CountedKey
from central.orders.transfers.transfer_closing import (
    AtPlace,
    Closing,
    Thing,
    closing_moves,
    remainders_of,
)
from central.orders.transfers.transfer_picks import source_lines
from central.orders.transfers.transfers import (
    ACTIONS,
    ENDED,
    Figures,
    LineFigures,
    Transfer,
    TransferLine,
    documents_of,
    figures_of,
    phase_of,
    state_after,
)

BOLT = Thing("BOLT", "", "", "C62")
LOT_A = Thing("RICE", "A", "", "KGM")
LOT_B = Thing("RICE", "B", "", "KGM")
SHOWN = [
    *("draft", "requested", "approved", "released", "shipping", "in_transit", "receiving"),
    *("received", "closed", "rejected", "cancelled", "reopened", "returning"),
]
PHASES = {
    "shipping": "released",
    "in_transit": "released",
    "receiving": "released",
    "received": "released",
    "reopened": "closed",
    "returning": "cancelled",
}


def transfer(shown="draft", **fields):
    phase = shown if shown in PHASES else ""
    values = {
        "code": "TR-000001",
        "source": "SH1",
        "destination": "BJ1",
        "state": PHASES.get(shown, shown),
        "phase": phase,
        "version": 1,
        "note": "",
        "second_person": False,
        "created_by": "li.na",
        "created_ms": 1,
    }
    return Transfer(**(values | fields))


@pytest.mark.parametrize(
    ("action", "allowed"),
    [
        ("edit", {"draft"}),
        ("request", {"draft"}),
        ("revise", {"requested", "approved"}),
        ("approve", {"requested"}),
        ("reject", {"requested"}),
        ("release", {"approved"}),
        ("reserve", {"released", "shipping", "receiving"}),
        ("cancel", {"draft", "requested", "approved", "released", "shipping", "in_transit"}),
        (
            "close",
            {"shipping", "in_transit", "receiving", "received", "reopened", "returning"},
        ),
    ],
)
def test_an_action_is_refused_in_every_state_that_does_not_name_it(action, allowed):
    assert set(ACTIONS[action]) == allowed
    for shown in SHOWN:
        present = transfer(shown)
        if shown in allowed:
            assert state_after(present, action, actor="x") == ACTIONS[action][shown]
            continue
        with pytest.raises(Conflict, match=f"is {shown}") as caught:
            state_after(present, action, actor="x")
        assert caught.value.fields["possible"] == list(present.possible)


def test_a_second_person_approves_where_that_is_asked_for():
    own = transfer("requested", second_person=True, requested_by="li.na")
    with pytest.raises(Conflict, match="second person"):
        state_after(own, "approve", actor="li.na")
    assert state_after(own, "approve", actor="wang.wei") == "approved"
    assert state_after(replace(own, second_person=False), "approve", actor="li.na") == "approved"


def figures(*lines):
    return Figures({number: LineFigures(*line) for number, line in enumerate(lines, 1)})


@pytest.mark.parametrize(
    ("state", "lines", "under_way", "phase"),
    [
        pytest.param("released", [(10, 0, 0)], False, "", id="nothing moved"),
        pytest.param("released", [(10, 4, 0)], True, "shipping", id="part has left"),
        pytest.param("released", [(10, 10, 0), (5, 0, 0)], True, "shipping", id="one line left"),
        pytest.param("released", [(10, 10, 0)], True, "in_transit", id="all has left"),
        pytest.param("released", [(10, 12, 0)], True, "in_transit", id="more has left"),
        pytest.param("released", [(10, 10, 4)], True, "receiving", id="part has come"),
        pytest.param("released", [(10, 4, 4)], False, "receiving", id="all that left has come"),
        pytest.param("released", [(10, 0, 10)], True, "receiving", id="came before it left"),
        pytest.param("released", [(10, 10, 10)], False, "received", id="all has come"),
        pytest.param("released", [(10, 10, 11)], True, "receiving", id="more came than left"),
        pytest.param("released", [(10, 0, 0)], True, "shipping", id="only what nobody asked for"),
        pytest.param("draft", [(10, 4, 0)], True, "", id="moved before it was released"),
        pytest.param("closed", [(10, 10, 8)], False, "", id="closed"),
        pytest.param("closed", [(10, 10, 8)], True, "reopened", id="moved after it was closed"),
        pytest.param("rejected", [(10, 10, 8)], True, "reopened", id="moved after rejection"),
        pytest.param("cancelled", [(10, 10, 0)], True, "returning", id="cancelled in transit"),
        pytest.param("cancelled", [(10, 0, 0)], False, "", id="cancelled"),
    ],
)
def test_the_phase_follows_from_progress_and_place(state, lines, under_way, phase):
    assert phase_of(state, figures(*lines), under_way=under_way) == phase
    assert (phase in {"reopened", "returning"}) == (state in ENDED and under_way)


def test_what_a_station_counts_without_a_line_fills_the_lines_of_its_item():
    lines = [
        TransferLine(1, "BOLT", "C62", 10),
        TransferLine(2, "NUT", "C62", 5),
        TransferLine(3, "BOLT", "C62", 10),
    ]
    found = figures_of(
        lines,
        shipped={CountedKey(0, "BOLT", "C62"): 12, CountedKey(0, "GUM", "C62"): 3},
        received={CountedKey(2, "NUT", "C62"): 6},
    )
    assert found.lines == {
        1: LineFigures(10, 10, 0),
        2: LineFigures(5, 0, 6),
        3: LineFigures(10, 2, 0),
    }
    assert found.unasked_shipped == ((CountedKey(0, "GUM", "C62"), 3),)
    assert (found.lines[3].to_ship_micro, found.lines[2].remainder_micro) == (8, -6)


def test_both_warehouses_are_told_the_other_and_where_to_take_and_put_it():
    line = TransferLine(1, "RICE", "KGM", 2_500_000, 5_000_000, "A", "BIN-1", "BIN-9")
    names = {"SH1": "Shanghai 1", "BJ1": "Beijing 1"}
    picks = source_lines([line], (), {})
    out, into = documents_of(transfer("released"), [line], picks=picks, names=names)
    assert (out.warehouse, out.kind, out.counterpart) == ("SH1", "transfer_out", "BJ1")
    assert (out.partner, out.lines[0].location) == ("Beijing 1", "BIN-1")
    assert (into.warehouse, into.kind, into.counterpart) == ("BJ1", "transfer_in", "SH1")
    assert (into.partner, into.lines[0].location) == ("Shanghai 1", "BIN-9")
    (told,) = {without_location(one.lines[0]) for one in (out, into)}
    assert told == (1, "RICE", "2.5", "5", "A")


def without_location(line):
    return (line.line, line.item, line.quantity, line.tolerance_percent, line.lot)


def at(warehouse, thing, quantity, *, sscc="", status="available", weight=0):
    return AtPlace(warehouse, thing, sscc, status, quantity, weight)


def closed(places, *closings):
    return [
        (move.warehouse, move.from_location, move.to_location, move.quantity_micro)
        for move in closing_moves(places, closings, source="SH1", destination="BJ1")
    ]


SHORT = [at("SH1", BOLT, 10), at("BJ1", BOLT, -7)]
OVER = [at("SH1", BOLT, 10), at("BJ1", BOLT, -12)]
SWAPPED = [at("SH1", LOT_A, 10), at("BJ1", LOT_B, -10)]


@pytest.mark.parametrize(
    ("places", "closings", "moves"),
    [
        pytest.param([], [], [], id="nothing under way"),
        pytest.param(
            SHORT,
            [Closing(BOLT, 3, "lost")],
            [("SH1", "in_transit", "adjustment", 3)],
            id="short: lost",
        ),
        pytest.param(
            SHORT,
            [Closing(BOLT, 1, "damaged"), Closing(BOLT, 2, "sent_back", "BIN-1")],
            [("SH1", "in_transit", "scrap", 1), ("SH1", "in_transit", "BIN-1", 2)],
            id="short: damaged and sent back",
        ),
        pytest.param(
            OVER,
            [Closing(BOLT, 2, "found")],
            [("BJ1", "adjustment", "in_transit", 2)],
            id="over: found",
        ),
        pytest.param(
            SWAPPED,
            [Closing(LOT_B, 10, "found"), Closing(LOT_A, 10, "lost")],
            [("SH1", "in_transit", "adjustment", 10), ("BJ1", "adjustment", "in_transit", 10)],
            id="another lot came",
        ),
        pytest.param(
            [at("SH1", BOLT, 10, sscc="1"), at("BJ1", BOLT, -4), at("CQ1", BOLT, -5)],
            [Closing(BOLT, 1, "lost")],
            [("SH1", "in_transit", "adjustment", 1)],
            id="a pallet was opened, and a third warehouse has some",
        ),
        pytest.param(
            [at("SH1", BOLT, 3), at("SH1", BOLT, 4, status="held")],
            [Closing(BOLT, 5, "sent_back", "BIN-1"), Closing(BOLT, 2, "lost")],
            [
                ("SH1", "in_transit", "BIN-1", 3),
                ("SH1", "in_transit", "BIN-1", 2),
                ("SH1", "in_transit", "adjustment", 2),
            ],
            id="goods keep their status",
        ),
    ],
)
def test_every_remainder_becomes_a_movement_for_its_reason(places, closings, moves):
    assert closed(places, *closings) == moves


@pytest.mark.parametrize(
    ("places", "closings", "error", "told"),
    [
        pytest.param(SHORT, [], Conflict, "3", id="nothing said"),
        pytest.param(SHORT, [Closing(BOLT, 2, "lost")], Conflict, "3", id="too little"),
        pytest.param(SHORT, [Closing(BOLT, 4, "lost")], Conflict, "3", id="too much"),
        pytest.param(SHORT, [Closing(BOLT, 3, "found")], Conflict, "does not explain", id="wrong"),
        pytest.param(OVER, [Closing(BOLT, 2, "lost")], Conflict, "does not explain", id="wrong 2"),
        pytest.param([], [Closing(BOLT, 1, "lost")], Conflict, "closed", id="nothing under way"),
        pytest.param([], [Closing(BOLT, 1, "found")], Conflict, "closed", id="nothing under way 2"),
        pytest.param(SHORT, [Closing(BOLT, 0, "lost")], Unusable, "0", id="zero"),
        pytest.param(SHORT, [Closing(BOLT, -3, "lost")], Unusable, "-", id="below zero"),
        pytest.param(SHORT, [Closing(BOLT, 3, "sent_back")], Unusable, "place", id="no place"),
        pytest.param(SHORT, [Closing(BOLT, 3, "lost", "BIN-1")], Unusable, "place", id="a place"),
        pytest.param(
            SWAPPED, [Closing(LOT_A, 10, "lost")], Conflict, "RICE: -", id="one of two things"
        ),
    ],
)
def test_what_does_not_close_exactly_is_refused_and_named(places, closings, error, told):
    with pytest.raises(error) as caught:
        closed(places, *closings)
    assert told in str(caught.value) or told in str(caught.value.fields)
    assert caught.value.hint


def test_what_is_lost_was_in_the_package_and_status_that_lacks_it():
    places = [
        *(at("SH1", BOLT, 4, sscc="1"), at("SH1", BOLT, 6, sscc="2", status="held")),
        *(at("BJ1", BOLT, -5), at("BJ1", BOLT, -4, sscc="1")),
    ]
    moves = closing_moves(places, [Closing(BOLT, 1, "lost")], source="SH1", destination="BJ1")
    assert [(move.sscc, move.status) for move in moves] == [("2", "held")]


def test_weight_goes_with_the_goods_to_the_last_gram():
    places = [at("SH1", LOT_A, 3, weight=10_001)]
    parts = [Closing(LOT_A, 1, "lost"), Closing(LOT_A, 2, "damaged")]
    moves = closing_moves(places, parts, source="SH1", destination="BJ1")
    assert [move.weight_micro for move in moves] == [3333, 6668]


amounts = st.integers(min_value=-50, max_value=50)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["SH1", "BJ1", "CQ1"]),
            st.sampled_from([BOLT, LOT_A, LOT_B]),
            amounts,
            st.sampled_from(["", "S1", "S2"]),
            st.sampled_from(["available", "held"]),
        ),
        max_size=12,
    )
)
def test_whatever_is_under_way_full_closing_leaves_nothing_of_any_thing(rows):
    places = [at(place, thing, n, sscc=s, status=t) for place, thing, n, s, t in rows if n]
    closings = [
        Closing(thing, abs(n), "found" if n < 0 else "lost")
        for thing, n in remainders_of(places).items()
    ]
    moves = closing_moves(places, closings, source="SH1", destination="BJ1")
    after = places + [
        at(
            move.warehouse,
            move.closing.thing,
            move.quantity_micro if move.closing.reason == "found" else -move.quantity_micro,
            sscc=move.sscc,
            status=move.status,
        )
        for move in moves
    ]
    assert remainders_of(after) == {}
    assert all(move.quantity_micro > 0 for move in moves)
