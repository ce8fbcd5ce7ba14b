"""What becomes of labels that were ordered from afar is seen, order by order."""

from itertools import count

import pytest

from central.contract.notices import LabelField, PrintRequested
from central.outbox.notices import read_stream
from central.outbox.orders import Writing, request_print
from central.outbox.print_outcomes import list_print_orders
from central.storage import tables
from tests.central.scenery import NOW_MS, Gateway, furnished

NAMES = (f"name-{number}" for number in count())


@pytest.fixture
def dock(database):
    gateway = Gateway()
    gateway.inbox = furnished(database, gateway)
    return gateway


def order(database, job, *, gateway="sh1-dock-1", now_ms=NOW_MS):
    fields = (LabelField("place", "BIN-1"),)
    request = PrintRequested(
        job=job, printer="", template="bin", fields=fields, copies_count=1, requested_by=""
    )
    with database.write() as connection:
        writing = Writing(connection, now_ms=now_ms, new_name=lambda: next(NAMES))
        return request_print(writing, gateway, request)


def states(database, gateway="sh1-dock-1"):
    with database.read() as connection:
        found = list_print_orders(connection, gateway, limit=10)
    return [(one.job, one.state, one.detail) for one in found]


def test_an_order_waits_until_it_is_taken_and_then_until_it_is_printed(database, dock):
    order(database, "job-1", now_ms=NOW_MS - 2)
    order(database, "job-2", now_ms=NOW_MS - 1)
    assert states(database) == [("job-2", "waiting", ""), ("job-1", "waiting", "")]
    with database.write() as connection:
        row = read_stream(connection, "sh1-dock-1")
        table = tables.notice_streams
        connection.execute(table.update().values(acked=row.head - 1))
    assert states(database) == [("job-2", "waiting", ""), ("job-1", "taken", "")]
    dock.print_label(content="job-1: BIN-1", outcome="failed", detail="Paper is out.")
    dock.print_label(content="job-20: BIN-1")
    dock.print_label(content="BIN-1")
    dock.inbox.accept([dock.offer()])
    assert states(database) == [("job-2", "waiting", ""), ("job-1", "failed", "Paper is out.")]


def test_another_gateway_has_no_part_in_it(database, dock):
    order(database, "job-1")
    assert states(database, "bj1-dock-1") == []
