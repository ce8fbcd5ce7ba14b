"""What was done: noted once, sealed, and found to be edited."""

import pytest
from sqlalchemy import text

from central.access.audit import audit_faults, last_seal, seal_events
from tests.central.access.people import People
from tests.central.access.test_reach import _transfer

EDITS = {
    "another-actor": "UPDATE object_events SET actor = 'li.na' WHERE event_no = 3",
    "another-time": "UPDATE object_events SET at_ms = at_ms + 1 WHERE event_no = 3",
    "other-fields": "UPDATE object_events SET fields_json = '{}' WHERE event_no = 2",
    "one-taken-out": "DELETE FROM object_events WHERE event_no = 3",
    "the-last-taken-out": "DELETE FROM object_events WHERE event_no ="
    " (SELECT MAX(event_no) FROM object_events)",
    "the-last-and-its-seal-taken-out": "DELETE FROM audit_seals WHERE seal_no = 2;"
    "DELETE FROM object_events WHERE event_no = (SELECT MAX(event_no) FROM object_events)",
    "all-taken-out": "DELETE FROM object_events",
    "a-seal-taken-out": "DELETE FROM audit_seals WHERE seal_no = 1",
    "a-seal-written-anew": "UPDATE audit_seals SET digest = '" + "0" * 64 + "' WHERE seal_no = 1",
}


def _faults(people):
    with people.database.read() as connection:
        return list(audit_faults(connection))


def _sealed(people):
    seal_events(people.database, clock=people.clock)
    _transfer(people)
    return seal_events(people.database, clock=people.clock)


def test_what_was_sealed_stays_true_while_more_is_done(people_on_both):
    people = people_on_both
    seal = _sealed(people)
    assert seal.seal_no == 2
    _transfer(people)
    assert _faults(people) == []
    assert seal_events(people.database, clock=people.clock).seal_no == 3
    assert seal_events(people.database, clock=people.clock).seal_no == 3


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_of_the_database_is_found(people_on_both, edit):
    people = people_on_both
    _sealed(people)
    with people.database.write() as connection:
        for statement in EDITS[edit].split(";"):
            connection.execute(text(statement))
    assert _faults(people)
    answer = people.browser("auditor").ask("GET", "/api/v1/audit/check").json()
    assert answer["faults"]


def test_an_event_slipped_in_is_found(people):
    _sealed(people)
    with people.database.write() as connection:
        connection.execute(text("UPDATE object_events SET event_no = -1 WHERE event_no = 1"))
    assert _faults(people)


def test_a_change_of_roles_stands_there_with_before_and_after(people_on_both):
    people = people_on_both
    administrator = people.browser("administrator")
    body = {"roles": [{"role": "auditor", "warehouse": ""}]}
    administrator.change("PUT", "/api/v1/users/viewer/roles", body)
    found = people.browser("auditor").ask("GET", "/api/v1/audit?kind=user&action=granted").json()
    (event,) = found["events"]
    assert (event["actor"], event["code"]) == ("administrator", "viewer")
    assert event["fields"]["before"]["roles"] == ["viewer"]
    assert event["fields"]["after"]["roles"] == ["auditor"]
    page = people.browser("auditor").ask("GET", "/audit?kind=user&action=granted", page=True)
    assert "Roles: Viewer → Auditor" in page.text


def test_no_secret_is_ever_noted(people):
    from tests.central.access.people import PASSWORD, kept_password

    people.browser().sign_in("viewer", "a very wrong password")
    people.browser("supervisor").change(
        "POST", "/api/v1/tokens", {"label": "ERP", "permissions": ["stock.read"]}
    )
    export = people.browser("auditor").ask("GET", "/api/v1/audit?limit=200").text
    for secret in (PASSWORD, "a very wrong password", kept_password(), "dlt_"):
        assert secret not in export


def test_what_was_done_is_exported_filtered_and_paged(people_on_both):
    people = people_on_both
    codes = [_transfer(people) for _ in range(3)]
    auditor = people.browser("auditor")
    first = auditor.ask("GET", "/api/v1/audit?kind=transfer&limit=2").json()
    assert [one["code"] for one in first["events"]] == codes[:0:-1]
    more = f"/api/v1/audit?kind=transfer&limit=2&cursor={first['next_cursor']}"
    assert [one["code"] for one in auditor.ask("GET", more).json()["events"]] == codes[:1]
    export = auditor.ask("GET", "/api/v1/audit/export.xlsx?kind=transfer")
    assert export.content.startswith(b"PK")


def test_a_new_ledger_has_nothing_to_seal(lite):
    people = People.__new__(People)
    people.database = lite
    with lite.read() as connection:
        assert last_seal(connection) is None
    assert _faults(people) == []
