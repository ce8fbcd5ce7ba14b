"""Which open documents the page lists, in which order, and which of them are complete."""

from decimal import Decimal

from gateway.screen.documents import documents_page
from gateway.screen.translation import translator
from gateway.station.catalogue import Catalogue
from tests.gateway.station.bench import REFERENCE

CATALOGUE = Catalogue(REFERENCE, warehouse="sh1")


def listed(received):
    """Return the documents; received: quantity by line, by the name that the book has for it."""
    return documents_page(
        CATALOGUE,
        translate=translator("en"),
        received=lambda name: {
            line: Decimal(quantity) for line, quantity in received.get(name, {}).items()
        },
    ).documents


def test_what_is_complete_stands_last_and_says_so():
    every = {1: 1, 2: 1, 3: 1, 4: 1}
    shown = listed({"PO-7": {1: "24", 2: "100"}, "CNT-1#2": every, "SO-1": {1: "24"}})
    assert [one.title for one in shown if one.complete] == ["CNT-1", "PO-7"]
    assert [one.title for one in shown[-2:]] == ["CNT-1", "PO-7"]
    assert [one.title for one in shown[:-2]] == sorted(one.title for one in shown[:-2])


def test_more_than_expected_is_complete_and_one_line_that_is_not_keeps_it_open():
    assert "PO-7" in {one.title for one in listed({"PO-7": {1: "30", 2: "101"}}) if one.complete}
    assert not any(one.complete for one in listed({"PO-7": {1: "30", 2: "99"}, "CNT-1#1": {1: 1}}))


def test_each_document_is_listed_in_the_tasks_that_may_begin_it():
    begins = {one.kind: one.begins for one in listed({})}
    assert begins == {
        "receipt": ("CMD-RECEIVE", "CMD-WEIGH"),
        "transfer_in": ("CMD-RECEIVE",),
        "customer_return": ("CMD-RECEIVE", "CMD-RETURN"),
        "shipment": ("CMD-PICK", "CMD-SHIP"),
        "transfer_out": ("CMD-PICK", "CMD-SHIP"),
        "supplier_return": ("CMD-PICK", "CMD-SHIP"),
        "count": ("CMD-COUNT",),
    }
