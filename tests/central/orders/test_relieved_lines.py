"""A line that has too much again after it had not is settled by nobody."""

import pytest

from tests.central.orders.settling import Settling


@pytest.fixture
def site(database):
    made = Settling(database)
    yield made
    made.proved()


def came(site, quantity):
    return site.dock.move(quantity=quantity, document="PO-1", document_line=1)


def test_what_is_taken_back_and_comes_again_in_one_report_is_still_too_much(site):
    first = came(site, "110")
    site.send()
    assert site.found("over_received")["actual"] == "110"
    site.dock.reverse(first)
    second = came(site, "108")
    site.send()
    found = site.found("over_received")
    assert (found["actual"], found["settlement"]) == ("108", "")
    # What ends with less settles itself, whatever came on the way.
    third = came(site, "2")
    site.dock.reverse(second)
    site.dock.reverse(third)
    site.send()
    assert site.found("over_received", "settled")["settlement"].endswith("brought it to 2 C62")
