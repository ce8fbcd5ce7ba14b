"""Passages are kept and shown, and move no stock. Edge of the database."""

import pytest
from sqlalchemy import text

from central.contract.facts import Evidence, Sighting
from central.ledger.verify import verify_ledger
from central.stock.feed import list_movements_after
from central.web.app import create_app
from tests.central.clients import ask
from tests.central.scenery import FixedClock, Gateway, discrepancies, furnished


@pytest.fixture
def dock(database):
    """A dock where goods came in and tags passed, known and unknown ones."""
    gateway = Gateway()
    inbox = furnished(database, gateway)
    gateway.move("BOLT", "12")
    gateway.pass_by(
        "in",
        evidence=(Evidence(device="dock-1-rfid", kind="tag", raw=b"\xbb\x02"),),
        sightings=(
            Sighting(group="inside", reads_count=7, first_seen_ms=1, last_seen_ms=2, rssi_cdbm=-1),
        ),
    )
    gateway.pass_by("out", gtin="", serial="", sscc="106141412345678908")
    gateway.pass_by("unknown", epc="E2801170", gtin="", serial="", flags=("tag_stays",))
    [outcome] = inbox.accept([gateway.offer()])
    assert (outcome.kind, outcome.accepted_count) == ("accepted", 4)
    return gateway


def page(database, path, language="en"):
    app = create_app(database=database, clock=FixedClock(), site="main")
    return ask(app, path, headers={"Accept-Language": language}).text


def test_passages_move_no_stock_open_no_discrepancy_and_the_ledger_stays_right(database, dock):
    report = verify_ledger(database)
    assert (report.facts_count, report.lines_count, report.faults_count) == (4, 2, 0)
    assert list(discrepancies(database)) == []


def test_passages_taken_in_before_they_were_known_are_no_fault_after_the_upgrade(database):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    gateway.pass_by("in")
    gateway.say(b"\xc1")
    inbox.accept([gateway.offer()])
    with database.write() as connection:
        # As a central without this kind has it: kept unread, with a finding that says so.
        connection.execute(text("UPDATE facts SET kind = 'unreadable' WHERE seq = 1"))
    assert verify_ledger(database).faults_count == 1
    with database.write() as connection:
        connection.execute(
            text("UPDATE discrepancies SET seq = 1, subject = :subject WHERE seq = 2"),
            {"subject": f"{gateway.code}/{gateway.epoch}/1"},
        )
    assert verify_ledger(database).faults == ()


def test_passages_are_in_the_feed_beside_movements(database, dock):
    with database.read() as connection:
        rows = list_movements_after(connection, record_no=0, limit=10)
    assert [type(row.fact).__name__ for row in rows] == ["Passage"] * 3 + ["Movement"]


def test_the_page_shows_passages_in_words_of_both_languages(database, dock):
    english, chinese = page(database, "/"), page(database, "/", "zh")
    for words in ("Passage in", "Passage out", "Passage, direction unknown", "stays at the door"):
        assert words in english
        assert words not in chinese
    for code in ("80614141123458", "106141412345678908", "E2801170"):
        assert code in english
    assert "not booked" not in english


def test_the_evidence_of_a_passage_names_tag_door_and_reads(database, dock):
    text = page(database, f"/fragments/evidence/{dock.code}/{dock.epoch}/2")
    for part in ("3074257BF7194E4000001A85", "DOCK-1", "-48.5 dBm", "12", "RFID tag", "6789"):
        assert part in text


def test_programs_read_passages_by_their_kind_and_whole(database, dock):
    app = create_app(database=database, clock=FixedClock(), site="main")
    listed = ask(app, "/api/v1/movements?kind=passage").json()["movements"]
    assert [row["business_step"] for row in listed] == [
        "passage_unknown",
        "passage_out",
        "passage_in",
    ]
    assert [(row["from_location"], row["to_location"]) for row in listed] == [
        ("DOCK-1", "DOCK-1"),
        ("DOCK-1", ""),
        ("", "DOCK-1"),
    ]
    assert not any(row["posted"] for row in listed)
    assert len(ask(app, "/api/v1/movements").json()["movements"]) == 1  # As before: stock alone.
    whole = ask(app, f"/api/v1/movements/{dock.code}/{dock.epoch}/2").json()
    assert whole["fact"]["sightings"][0]["group"] == "inside"
    assert whole["fact"]["direction"] == "in"


def test_a_reversal_that_names_a_passage_takes_nothing_back(database, dock):
    gateway = Gateway("gw-9")
    inbox = furnished(database, gateway)
    gateway.pass_by()
    gateway.reverse(1)
    inbox.accept([gateway.offer()])
    assert verify_ledger(database).faults_count == 0
    assert [kind for kind, *_ in discrepancies(database)] == ["reversal_unmatched"]
