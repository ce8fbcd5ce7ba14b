"""What was set aside at any moment is told of it, and what is not kept is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, update

from central.orders.reserving.reservation_history import ENTRIES_MAX, noted, quantity_at
from central.orders.sales.reservations_as_of import KNOWN_SINCE
from central.orders.sales.sales_book import cancel_order
from central.stock.times import utc_text
from central.storage import sales_tables, tables
from tests.central.clients import ask
from tests.central.one_app import application
from tests.central.orders.sales_scenes import Scene
from tests.central.past_views import as_of, differing, present

HOUR_MS = 3_600_000


@given(st.lists(st.tuples(st.integers(-2, 5), st.integers(0, 9)), max_size=12), st.integers(0, 9))
def test_a_row_tells_what_it_was_at_every_moment_since_its_first_change(changes, before):
    history, now_ms, told, micro = "", 1000, {}, before
    for wait_ms, after in changes:
        now_ms += wait_ms  # Less than 0: somebody has set the clock back.
        last_ms = max(told, default=0)
        history = noted(history, before_micro=micro, now_micro=after, now_ms=now_ms)
        micro = told[max(now_ms, last_ms)] = after
    times = sorted(told)
    for time_ms in [0, *(ms + off for ms in times for off in (-1, 0, 1))]:
        expected = [told[ms] for ms in times if ms <= time_ms]
        found = quantity_at(history, present_micro=micro, time_ms=time_ms)
        assert found == (expected[-1] if expected else before)


def test_a_row_that_changed_too_often_says_of_what_it_left_out_that_it_does_not_know():
    history = ""
    for time_ms in range(1, ENTRIES_MAX + 10):
        history = noted(history, before_micro=time_ms - 1, now_micro=time_ms, now_ms=time_ms)
    assert len(history.split()) == ENTRIES_MAX
    oldest_ms = 10
    assert quantity_at(history, present_micro=7, time_ms=oldest_ms) == oldest_ms
    assert quantity_at(history, present_micro=7, time_ms=oldest_ms - 1) is None
    again = noted(history, before_micro=0, now_micro=5, now_ms=10_000)
    assert quantity_at(again, present_micro=5, time_ms=oldest_ms) is None
    assert quantity_at(again, present_micro=5, time_ms=10_000) == 5


def looked(scene, notes):
    """Note what is there, and let an hour pass."""
    with scene.database.read() as connection:
        notes[scene.clock.time_ms] = present(connection)
    scene.clock.time_ms += HOUR_MS


def sold(scene, notes):
    """Orders that are set aside, put ready, shipped in parts, short of goods, and called off."""
    looked(scene, notes)
    first = scene.order(7, upto="released")
    looked(scene, notes)
    second = scene.order(3)
    looked(scene, notes)
    scene.move("BIN-1", "STAGE-1", 4, step="picking", document=first, document_line=1)
    looked(scene, notes)
    scene.ship(first, "STAGE-1", 3, line=1)
    looked(scene, notes)
    scene.move("BIN-2", "BIN-3", 5)  # Goods that were set aside are put elsewhere.
    looked(scene, notes)
    scene.change(cancel_order, second, reason="no more", version=None)
    looked(scene, notes)
    scene.ship(first, "STAGE-1", 1, line=1)
    looked(scene, notes)
    return first


def test_what_was_set_aside_is_told_of_each_moment_as_it_was_then(database):
    scene, notes = Scene(database, stock=[("BIN-1", 5), ("BIN-2", 6)]), {}
    sold(scene, notes)
    held = [
        {key: one for key, one in view.items() if key[0] == "set aside"} for view in notes.values()
    ]
    assert len({str(sorted(one.items())) for one in held}) > 5, "each step has changed something"
    with database.read() as connection:
        for time_ms, noted_then in notes.items():
            for kind in ("record", "event"):
                told = as_of(connection, time_ms + HOUR_MS // 2, kind=kind)
                only = {key: one for key, one in told.items() if key[0] != "open"}
                then = {key: one for key, one in noted_then.items() if key[0] != "open"}
                assert differing(then, only) == []
    scene.check()


@pytest.fixture
def followed(database):
    """An order of before the history began, of which a part went out since."""
    scene = Scene(database, stock=[("BIN-1", 9)])
    code, other = scene.order(7), scene.order(1)
    table = sales_tables.reservations
    began_ms = scene.clock.time_ms
    with database.write() as connection:
        connection.execute(update(table).values(changed_ms=0, history=""))
        since = {"key": KNOWN_SINCE, "value": str(began_ms)}
        connection.execute(insert(tables.ledger_state).values(since))
    scene.clock.time_ms += HOUR_MS
    scene.ship(code, "BIN-1", 5, line=1)
    app = application(database=database, clock=scene.clock)
    return (
        scene,
        began_ms,
        (code, other),
        lambda **asked: ask(app, "/api/v1/reservations", params=asked),
    )


def test_before_the_history_began_nobody_can_tell_and_that_is_said(followed):
    _, began_ms, (code, other), get = followed
    answer = get(as_of=utc_text(began_ms - 1))
    assert (answer.status_code, answer.json()["title"]) == (422, "Not known of then")
    assert utc_text(began_ms) in answer.json()["detail"]
    page = get(as_of=utc_text(began_ms)).json()
    assert page["known_since"] == utc_text(began_ms)
    told = [(one["order"], one["quantity"], one["state"]) for one in page["reservations"]]
    assert told == [(code, "7", "reserved"), (other, "1", "reserved")]
    later = get(as_of=utc_text(began_ms + HOUR_MS)).json()["reservations"]
    now = get().json()["reservations"]
    assert [one["quantity"] for one in later] == [one["quantity"] for one in now] == ["2", "1"]
    assert (later[0]["shipped"], now[0]["shipped"]) == (None, "5")
    refused = get(as_of=utc_text(began_ms), ended=True)
    assert (refused.status_code, "ended" in refused.json()["detail"]) == (422, True)


def test_what_was_set_aside_is_narrowed_and_paged_as_now(followed):
    scene, began_ms, (code, other), get = followed
    asked = {"as_of": utc_text(began_ms), "limit": 1}
    first = get(**asked).json()
    assert [one["order"] for one in first["reservations"]] == [code]
    rest = get(cursor=first["next_cursor"], **asked).json()
    assert [one["order"] for one in rest["reservations"]] == [other]
    assert get(order=other, **asked).json()["reservations"] == rest["reservations"]
    for narrowed in ({"item": "NUT"}, {"warehouse": "BJ1"}, {"location": "BIN-2"}):
        assert get(**asked, **narrowed).json()["reservations"] == []
    earlier = get(as_of=utc_text(scene.clock.time_ms - 2 * HOUR_MS))
    assert earlier.status_code == 422
