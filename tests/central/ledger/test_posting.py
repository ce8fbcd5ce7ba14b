"""What a fact means for the books."""

import gc
from weakref import ref

import pytest

from central.contract.errors import ContractError
from central.contract.facts import decode_fact
from central.ledger.entries import Entry, ExpectedLine, Known, ProgressKey
from central.ledger.posting import post
from central.ledger.reading import read_fact
from central.ledger.running import RunningBooks
from tests.central.scenery import Gateway

KNOWN = Known(
    item_units={"BOLT": "C62", "RICE": "KGM"},
    locations=frozenset({("SH1", "BIN-1"), ("SH1", "BIN-2")}),
    documents={("SH1", "PO-1"): {1: ExpectedLine("BOLT", 100_000_000, 5_000_000)}},
)


def entry_of(gateway, seq=1, warehouse="SH1"):
    return Entry(
        warehouse, gateway.code, str(gateway.epoch), seq, gateway.bodies[seq - 1], b"", seq
    )


def posting_of(warehouse="SH1", **movement):
    gateway = Gateway()
    gateway.move(**movement)
    entry = entry_of(gateway, warehouse=warehouse)
    return post(entry, read_fact(entry.body, seq=entry.seq), KNOWN, lambda _: None)


def kinds(posting):
    return [finding.kind for finding in posting.findings]


def test_the_books_of_a_call_go_with_it_and_do_not_wait_for_the_collector():
    gc.disable()
    try:
        books = RunningBooks(KNOWN, balances={}, progress={})
        opened = ref(books)
        del books
        assert opened() is None
    finally:
        gc.enable()


def test_a_movement_becomes_two_lines_that_sum_to_zero():
    posting = posting_of(
        quantity="2.5",
        source="BIN-1",
        target="BIN-2",
        lot="L1",
        serial="S1",
        sscc="0" * 18,
        expiry_date="2027-01-31",
    )
    what = ("BOLT", "L1", "S1", "0" * 18, "2027-01-31", "C62")
    assert [line[1:] for line in posting.lines] == [
        (1, 1, "BIN-1", *what, -2_500_000, "available", 0),
        (1, 2, "BIN-2", *what, 2_500_000, "available", 0),
    ]
    assert posting.findings == ()
    assert posting.progress is None


UNITS = [
    pytest.param("RICE", "12.5", "KGM", "KGM", 12_500_000, [], id="the item's own unit"),
    pytest.param("RICE", "1500", "GRM", "KGM", 1_500_000, [], id="grams of a kilogram item"),
    pytest.param("RICE", "2", "LBR", "KGM", None, ["unit_differs"], id="no exact kilograms"),
    pytest.param("RICE", "1", "LBR", "KGM", None, ["unit_differs"], id="more than six places"),
    pytest.param("RICE", "3", "C62", "KGM", None, ["unit_differs"], id="pieces of a mass item"),
    pytest.param("BOLT", "3", "KGM", "C62", None, ["unit_differs"], id="a mass of a piece item"),
    pytest.param("GHOST", "3", "KGM", "", None, ["unknown_item"], id="an unknown item"),
    pytest.param("BOLT", "٣", "C62", "", "refused", [], id="digits of another script"),
]


@pytest.mark.parametrize(("item", "quantity", "unit", "kept_in", "micro", "found"), UNITS)
def test_a_quantity_is_posted_in_the_items_unit_if_that_is_exact(
    item, quantity, unit, kept_in, micro, found
):
    if micro == "refused":
        with pytest.raises(ContractError):
            posting_of(item=item, quantity=quantity, unit=unit)
        return
    posting = posting_of(item=item, quantity=quantity, unit=unit)
    expected = (kept_in, micro) if micro else (unit, int(quantity) * 1_000_000)
    assert (posting.lines[1].unit, posting.lines[1].quantity_micro) == expected
    assert kinds(posting) == found


FINDINGS = [
    pytest.param({"target": "BIN-7"}, ["unknown_location"], id="a place nobody knows"),
    pytest.param({"source": "BIN-1", "target": "scrap"}, [], id="virtual places are known"),
    pytest.param({"document": "PO-9"}, ["unknown_document"], id="a document nobody knows"),
    pytest.param({"document": "PO-1", "document_line": 1}, [], id="as ordered"),
    pytest.param({"document": "PO-1"}, [], id="as ordered, line not said"),
    pytest.param(
        {"document": "PO-1", "item": "RICE", "unit": "KGM"}, ["unexpected"], id="not ordered"
    ),
    pytest.param({"document": "PO-1", "document_line": 2}, ["unexpected"], id="no such line"),
    pytest.param(
        {"document": "PO-1", "document_line": 1, "flags": ("outside_tolerance",)},
        ["outside_tolerance"],
        id="the edge saw it outside the tolerance",
    ),
    pytest.param({"warehouse": "BJ1"}, ["wrong_warehouse"], id="about another warehouse"),
]


@pytest.mark.parametrize(("movement", "found"), FINDINGS)
def test_what_does_not_add_up_is_found(movement, found):
    assert kinds(posting_of(**movement)) == found


@pytest.mark.parametrize(
    ("movement", "quantity"),
    [
        pytest.param({}, 3_000_000, id="in from the supplier"),
        pytest.param({"source": "BIN-1", "target": "supplier"}, -3_000_000, id="back to him"),
        pytest.param({"source": "BIN-1", "target": "BIN-2"}, None, id="moved inside"),
    ],
)
def test_only_what_comes_from_or_goes_to_the_supplier_counts_for_a_document(movement, quantity):
    progress = posting_of(quantity="3", document="PO-1", document_line=1, **movement).progress
    key = ProgressKey("SH1", "PO-1", 1, "BOLT", "C62")
    assert progress == (None if quantity is None else (key, quantity, "supplier"))


def test_weighings_and_prints_have_no_lines():
    gateway = Gateway()
    gateway.weigh()
    gateway.print_label()
    for seq in (1, 2):
        entry = entry_of(gateway, seq)
        posting = post(entry, read_fact(entry.body, seq=entry.seq), KNOWN, lambda _: None)
        assert (posting.lines, posting.findings) == ((), ())


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"seq": 2}, id="another number than its place"),
        pytest.param({"lot": "a\0"}, id="a character that no database keeps"),
    ],
)
def test_a_fact_that_cannot_be_kept_as_it_is_said_is_unreadable(fields):
    gateway = Gateway()
    gateway.move(**fields)
    assert decode_fact(gateway.bodies[0])
    with pytest.raises(ContractError):
        read_fact(gateway.bodies[0], seq=1)


@pytest.mark.parametrize(
    ("tolerance_percent_micro", "limit_micro"),
    [(0, 100_000_000), (5_000_000, 105_000_000), (500_000, 100_500_000)],
)
def test_tolerance_is_a_percentage_of_what_is_expected(tolerance_percent_micro, limit_micro):
    line = ExpectedLine("BOLT", 100_000_000, tolerance_percent_micro)
    assert line.limit_micro == limit_micro
