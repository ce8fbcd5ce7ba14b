"""Transfers at the desk: who may do what when, and what is refused whole."""

import pytest
from sqlalchemy import select

from central.errors import Conflict, NotThere, Outdated, Unusable
from central.orders.transfers.transfer_book import LineWanted, edit_transfer
from central.storage import tables, transfer_tables
from tests.central.orders.transferring import Scene
from tests.central.scenery import NOW_MS, rows


@pytest.fixture
def scene(database):
    return Scene(database)


def documents(scene):
    return rows(scene.database, tables.documents, "warehouse", "document", "kind")


def test_a_transfer_goes_from_draft_to_release_and_both_warehouses_work_on_it(scene):
    code = scene.draft(("BOLT", 10), ("RICE", 2.5))
    assert code == "TR-000001"
    before = documents(scene)
    for action, state in (
        ("request", "requested"),
        ("approve", "approved"),
        ("release", "released"),
    ):
        assert scene.act(code, action).shown_state == state
    assert sorted(set(documents(scene)) - set(before)) == [
        ("BJ1", code, "transfer_in"),
        ("SH1", code, "transfer_out"),
    ]
    asked = rows(
        scene.database, tables.document_lines, "warehouse", "document", "item", "expected_micro"
    )
    assert [row[2:] for row in asked if row[:2] == ("BJ1", code)] == [
        ("BOLT", 10_000_000),
        ("RICE", 2_500_000),
    ]
    events = rows(scene.database, tables.object_events, "event_no", "kind", "code", "action")
    assert [event[1:] for event in events] == [
        ("transfer", code, action) for action in ("drafted", "requested", "approved", "released")
    ]
    assert scene.faults() == []


def test_a_transfer_to_a_warehouse_that_is_gone_is_refused_by_name(scene):
    code = scene.draft(("BOLT", 10))
    for action in ("request", "approve"):
        scene.act(code, action)
    with scene.desk.change(actor="li.na") as change:
        transfers = transfer_tables.transfers
        gone = transfers.update().where(transfers.c.transfer == code)
        change.connection.execute(gone.values(destination_warehouse="GZ9"))
    with pytest.raises(Unusable, match="no warehouse is called 'GZ9'"):
        scene.act(code, "release")


def test_a_draft_can_be_changed_and_what_was_handed_in_made_a_draft_again(scene):
    code = scene.draft(("BOLT", 10))
    with scene.desk.change(actor="li.na") as change:
        edit_transfer(change, code, version=1, lines=[LineWanted("NUT", 3_000_000)], note="new")
    scene.act(code, "request", version=2)
    with (
        pytest.raises(Conflict, match="is requested"),
        scene.desk.change(actor="li.na") as change,
    ):
        edit_transfer(change, code, version=3, note="too late")
    revised = scene.act(code, "revise", version=3)
    assert (revised.state, revised.version, revised.requested_by) == ("draft", 4, "")
    assert rows(scene.database, transfer_tables.transfer_lines, "line", "item") == [(1, "NUT")]
    assert rows(scene.database, transfer_tables.transfers, "note") == [("new",)]


CANNOT_BE = {
    "to itself": ([("BOLT", 1)], {"destination": "SH1"}, "to itself"),
    "unknown destination": ([("BOLT", 1)], {"destination": "XX9"}, "XX9"),
    "unknown source": ([("BOLT", 1)], {"source": "XX9"}, "XX9"),
    "unknown item": ([("GUM", 1)], {}, "GUM"),
    "zero": ([("BOLT", 0)], {}, "0"),
    "below zero": ([("BOLT", 1), ("BOLT", -1)], {}, "line 2"),
    "no lines": ([], {}, "0 lines"),
    "too many lines": ([("BOLT", 1)] * 501, {}, "501 lines"),
}


def test_what_cannot_be_transferred_is_refused_and_nothing_is_left_of_it(scene):
    for lines, fields, told in CANNOT_BE.values():
        with pytest.raises(Unusable) as caught:
            scene.draft(*lines, **fields)
        assert told in str(caught.value)
        assert caught.value.hint
    for table in (transfer_tables.transfers, transfer_tables.transfer_lines, tables.object_numbers):
        assert rows(scene.database, table) == []


def test_a_place_that_the_warehouse_does_not_have_is_refused(scene):
    code = scene.draft(("BOLT", 1))
    for end in ("from_location", "to_location"):
        line = LineWanted("BOLT", 1_000_000, **{end: "NOWHERE"})
        with (
            pytest.raises(Unusable, match="NOWHERE"),
            scene.desk.change(actor="li.na") as change,
        ):
            edit_transfer(change, code, version=None, lines=[line])


def test_of_two_people_who_edit_one_transfer_the_second_is_told(scene):
    code = scene.draft(("BOLT", 10))
    scene.act(code, "request", version=1)
    with pytest.raises(Outdated) as caught:
        scene.act(code, "cancel", version=1)
    assert caught.value.fields == {"version": 2}
    assert scene.state(code) == "requested"


NOT_NOW = {
    "a draft": ([], "release"),
    "not approved": (["request"], "release"),
    "rejected": (["request", "reject"], "release"),
    "released already": (["request", "approve", "release"], "release"),
    "cancelled already": (["cancel"], "cancel"),
    "requested already": (["request"], "request"),
}


def test_what_the_state_does_not_allow_is_refused_and_tells_stations_nothing(scene):
    for actions, refused in NOT_NOW.values():
        code = scene.draft(("BOLT", 10))
        for action in actions:
            scene.act(code, action)
        before = (documents(scene), scene.state(code))
        with pytest.raises(Conflict) as caught:
            scene.act(code, refused)
        assert caught.value.fields["state"] == scene.state(code)
        assert (documents(scene), scene.state(code)) == before


def test_nothing_is_closed_that_has_not_moved_and_nothing_twice(scene):
    code = scene.released()
    with pytest.raises(Conflict, match="is released"):
        scene.close(code)
    scene.act(code, "cancel", reason="not needed")
    with pytest.raises(Conflict, match="is cancelled"):
        scene.close(code)
    with pytest.raises(NotThere):
        scene.close("TR-999999")


def test_a_cancelled_transfer_is_taken_from_the_stations_and_says_why(scene):
    before = documents(scene)
    code = scene.released()
    scene.clock.time_ms += 5000
    with pytest.raises(Unusable, match="reason"):
        scene.act(code, "cancel", reason="  ")
    ended = scene.act(code, "cancel", reason="the truck broke down")
    assert (ended.ended_reason, ended.ended_ms) == ("the truck broke down", NOW_MS + 5000)
    assert documents(scene) == before
    assert scene.faults() == []


def test_who_requested_does_not_approve_where_a_second_person_is_asked_for(scene):
    code = scene.draft(("BOLT", 1), second_person=True)
    scene.act(code, "request", actor="li.na")
    with pytest.raises(Conflict, match="second person"):
        scene.act(code, "approve", actor="li.na")
    assert scene.act(code, "approve", actor="wang.wei").approved_by == "wang.wei"


def test_a_code_of_a_document_that_is_there_is_not_given_again(scene):
    with scene.database.write() as connection:
        row = {"warehouse": "SH1", "document": "TR-000001", "kind": "receipt", "partner": "A"}
        connection.execute(tables.documents.insert().values(**row))
    assert scene.draft(("BOLT", 1)) == "TR-000002"
    with scene.database.read() as connection:
        last = connection.execute(select(tables.object_numbers.c.last_number)).scalar_one()
    assert last == 2
