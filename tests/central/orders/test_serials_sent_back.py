"""Serial numbers that go back to their supplier are compared with what came under the order."""

from central.storage import tables
from tests.central.orders.purchasing import Purchasing
from tests.central.orders.sales_scenes import policy
from tests.central.orders.test_returned_too_much import bodies, decide, opened, sent_back, told
from tests.central.scenery import rows


def serials(database, *numbers):
    """A warehouse that received serial numbers under an order, and others without one."""
    site = Purchasing(database)
    policy(database, serial_tracked=True)
    site.receive("1", serial="S9")
    order = site.order({"item": "BOLT", "quantity": "3", "unit": "C62"})
    for number in numbers:
        site.receive("1", document=order, line=1, serial=number)
    return site, order


def test_a_serial_number_that_the_order_did_not_receive_goes_back_and_is_told(database):
    site, order = serials(database, "S1", "S2", "S3")
    code = sent_back(site, order, "1", serial="S1")
    assert told(database) == []
    other = sent_back(site, order, "1", serial="S9")
    said = f"{order} received 0 of it, and 1 went back"
    assert told(database) == [(f"{other}/BOLT/S9", "open", 0, 1, said)]
    assert bodies(opened(database)) == [("reverse", None, 1), ("accept", None, 0)]
    decide(site.desk, opened(database))
    assert site.stock("BOLT") == {("BIN-1", "available"): 3_000_000}
    assert (site.faults(), code != other) == ([], True)


def test_what_came_of_no_serial_number_may_be_any(database):
    site, order = serials(database, "S1", "")
    sent_back(site, order, "1", serial="S9")
    assert [row for row in told_of(database) if row[0] == "over_returned"] == []


def test_a_number_that_is_taken_back_at_the_station_settles_itself(database):
    site, order = serials(database, "S1")
    sent_back(site, order, "1", serial="S9")
    assert [row[:2] for row in told(database)] == [(told(database)[0][0], "open")]
    site.gateway.reverse(len(site.gateway.bodies))
    site.send()
    assert [row[1] for row in told(database)] == ["settled"]
    assert site.faults() == []


def told_of(database):
    return rows(database, tables.discrepancies, "kind", "subject")
