"""What was open is told of any moment: by what the ledger knew then, or by what had happened."""

import pytest

from central.stock.times import utc_text
from tests.central.orders.settling import Settling
from tests.central.past_views import as_of, differing, present

HOUR_MS, DAY_MS = 3_600_000, 86_400_000


@pytest.fixture
def site(database):
    return Settling(database)


def looked(site, notes):
    """Note what is there, and let an hour pass."""
    with site.database.read() as connection:
        notes[site.clock.time_ms] = present(connection)
    site.clock.time_ms += HOUR_MS


def states(site, time_ms, **asked):
    """{kind: (state, settled)} as of a time, of everything that was known then."""
    query = "&".join(f"{name}={one}" for name, one in asked.items())
    rows = site.get(f"/discrepancies?as_of={utc_text(time_ms)}&{query}")["discrepancies"]
    return {one["kind"]: (one["state"], bool(one["settled_time"])) for one in rows}


def year(site, notes):
    """Something is opened, settled by somebody, opened again, and settles itself."""
    looked(site, notes)
    site.dock.move("GHOST", "2", event_time_ms=site.clock.time_ms - 2 * DAY_MS)
    site.send()
    looked(site, notes)
    site.dock.move(
        quantity="3", source="BIN-1", target="customer", event_time_ms=site.clock.time_ms
    )
    site.send()
    looked(site, notes)
    assert site.settle("unknown_item", {"action": "reverse"}).status_code == 200
    looked(site, notes)
    path = f"/discrepancies/{site.found('unknown_item', 'settled')['id']}/reopen"
    assert site.ask("POST", path, {"reason": "it was not"}).status_code == 200
    looked(site, notes)
    site.dock.move(quantity="5", target="BIN-1", event_time_ms=site.clock.time_ms)
    site.send()  # More is there than was taken: the negative balance has settled itself.
    looked(site, notes)
    path = f"/discrepancies/{site.found('negative_balance', 'settled')['id']}/reopen"
    assert site.ask("POST", path, {"reason": "look again"}).status_code == 200
    looked(site, notes)


def test_what_was_open_is_told_of_each_moment_as_it_was_then(site):
    notes = {}
    year(site, notes)
    assert len({str(sorted(one.items())) for one in notes.values()}) == 4
    with site.database.read() as connection:
        for time_ms, noted in notes.items():
            assert differing(noted, as_of(connection, time_ms + HOUR_MS // 2)) == []


def test_a_moment_tells_states_of_then_by_either_time(site):
    notes = {}
    year(site, notes)
    start_ms, opened_ms, _, settled_ms, _, covered_ms, last_ms = notes
    day_before = {"as_of_time": "event"}, {"as_of_time": "record"}
    known, recorded = (states(site, start_ms - DAY_MS, **one) for one in day_before)
    assert (known, recorded) == ({"unknown_item": ("open", False)}, {})
    assert states(site, start_ms - 3 * DAY_MS) == {}
    assert states(site, opened_ms) == {"unknown_item": ("open", False)}
    # Nothing is said of a settlement that was undone since, but that there was one.
    assert states(site, settled_ms)["unknown_item"] == ("settled", False)
    assert states(site, covered_ms)["negative_balance"] == ("settled", False)
    assert {state for state, _ in states(site, last_ms).values()} == {"open"}
    only = states(site, settled_ms, state="open", kind="unknown_item")
    assert only == {}
    assert states(site, settled_ms, state="settled") == {"unknown_item": ("settled", False)}


def test_a_settlement_that_stands_is_told_from_then_on(site):
    site.dock.move("GHOST", "2")
    site.send()
    before_ms = site.clock.time_ms
    site.clock.time_ms += HOUR_MS
    assert site.settle("unknown_item", {"action": "reverse"}).status_code == 200
    assert states(site, before_ms) == {"unknown_item": ("open", False)}
    assert states(site, site.clock.time_ms) == {"unknown_item": ("settled", True)}
    now = site.get("/discrepancies")["discrepancies"]
    (then,) = site.get(f"/discrepancies?as_of={utc_text(site.clock.time_ms)}")["discrepancies"]
    assert [then] == now
    (earlier,) = site.get(f"/discrepancies?as_of={utc_text(before_ms)}")["discrepancies"]
    assert (earlier["settlement"], earlier["age_s"]) == ("", 0)
