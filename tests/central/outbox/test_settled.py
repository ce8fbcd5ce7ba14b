"""A gateway is told what became of discrepancies of its own facts, and never who decided."""

from contextlib import suppress

import pytest
from sqlalchemy import select

from central.contract.notices import Settled, encode_notice
from central.ledger.discrepancies import settle_discrepancies
from central.ledger.settled_news import SETTLED_WAITING_MAX
from central.orders.settling.settlement_book import settle
from central.orders.settling.settlements import Decision
from central.outbox.notices import begin_stream, lock_stream
from central.storage import tables
from tests.central.orders.settling import Settling
from tests.central.outbox.scenes import Outbox, Told, new_name


class Site(Settling):
    """Both gateways are at their snapshots and hear what central says."""

    def __init__(self, database):
        super().__init__(database)
        self.told, self.others = Told(self.dock), Told(self.other)
        self.outbox = Outbox(database, self.told, self.others)
        for one in (self.told, self.others):
            self.outbox.load(one)
        self.outbox.settle()

    def settled(self, told=None):
        self.outbox.sending.refresh()
        self.outbox.settle()
        return [one for one in (told or self.told).applied if isinstance(one, Settled)]


@pytest.fixture
def site(database):
    made = Site(database)
    yield made
    made.proved()


def waiting(database):
    table = tables.notices.c
    with database.read() as connection:
        found = connection.execute(select(table.gateway).where(table.kind == "settled"))
        return list(found.scalars())


def test_a_decision_at_the_desk_is_told_once_without_whose_it_was(site):
    site.dock.move("NUT", quantity="4", source="BIN-3", target="customer")
    site.send()
    row = site.found("negative_balance")
    answer = site.settle(
        "negative_balance", {"action": "adjust", "counted": "0"}, Dockledger_Actor="li.na"
    )
    assert answer.status_code == 200, answer.text
    (told,) = site.settled()  # That the balance recovers by what is posted is no second notice.
    assert told == Settled(
        discrepancy=row["id"],
        kind="negative_balance",
        subject=row["subject"],
        item="NUT",
        location="BIN-3",
        document="",
        decided="adjust",
        at_ms=site.clock.now_ms(),
        epoch=str(site.dock.epoch),
        seq=1,
    )
    assert b"li.na" not in encode_notice(told)
    assert b"looked" not in encode_notice(told)
    assert site.settled(site.others) == []


def test_what_later_facts_explain_is_told_as_settled_by_itself(site):
    site.dock.move("NUT", quantity="4", source="BIN-3", target="customer")
    site.send()
    assert site.settled() == []
    site.dock.move("NUT", quantity="4", target="BIN-3")
    site.send()
    (told,) = site.settled()
    assert (told.kind, told.decided, told.seq) == ("negative_balance", "itself", 1)


def test_what_is_settled_in_part_is_not_told_until_it_is_whole(site):
    site.dock.move(quantity="5", document="PO-7", document_line=3)
    site.dock.move("RICE", "2", unit="KGM", document="PO-7")
    site.send()
    row = site.found("unknown_document")
    assert site.settle("unknown_document").json()["state"] == "open"
    assert site.settled() == []
    rice = {"action": "reassign", "document": "PO-1", "facts": [row["facts"][1]["id"]]}
    assert site.settle("unknown_document", rice).json()["state"] == "settled"
    (told,) = site.settled()
    assert (told.discrepancy, told.subject, told.decided) == (row["id"], "PO-7", "reassign")


def test_a_gateway_without_a_numbering_is_told_nothing(database):
    site = Settling(database)
    site.dock.move("NUT", quantity="4", source="BIN-3", target="customer")
    site.send()
    assert site.settle("negative_balance").status_code == 200
    assert waiting(database) == []


def test_a_settlement_that_is_not_committed_is_not_told(site):
    site.dock.move("NUT", quantity="4", source="BIN-3", target="customer")
    site.send()
    identity = site.found("negative_balance")["id"]
    decision = Decision(action="accept", reason="seen")
    with suppress(ZeroDivisionError), site.desk.change(actor="li.na") as change:
        settle(change, identity, decision)
        raise ZeroDivisionError
    assert waiting(site.database) == []
    assert site.found("negative_balance")["id"] == identity
    assert site.settled() == []


def test_of_a_gateway_that_is_away_so_many_wait_and_no_more(site):
    for number in range(SETTLED_WAITING_MAX + 5):
        site.dock.move(f"GEAR-{number}")
    site.send()
    table = tables.discrepancies.c
    with site.database.write() as connection:
        found = connection.execute(select(table.id).where(table.kind == "unknown_item"))
        settle_discrepancies(connection, list(found.scalars()), settlement="known", now_ms=1)
    assert waiting(site.database) == [site.dock.code] * SETTLED_WAITING_MAX
    assert len(site.settled()) == SETTLED_WAITING_MAX
    site.dock.move("GEAR-X")
    site.send()
    assert site.settle("unknown_item", {"action": "accept"}).status_code == 200
    assert [one.item for one in site.settled()[SETTLED_WAITING_MAX:]] == ["GEAR-X"]


def test_what_waits_goes_on_in_the_next_stream(site):
    site.dock.move("GEAR")
    site.send()
    assert site.settle("unknown_item", {"action": "accept"}).status_code == 200
    with site.database.write() as connection:
        row = lock_stream(connection, site.dock.code, new_name=new_name)
        begin_stream(connection, row, new_name=new_name, now_ms=site.clock.now_ms())
    site.outbox.clock.time_ms += 60_000  # Sooner it is given no second snapshot.
    for _ in range(4):
        site.outbox.turn(2.5, loads=True)
    assert [one.item for one in site.settled()] == ["GEAR"]
