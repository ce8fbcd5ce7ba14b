"""Reference data: one document, every mistake named. Pure."""

import msgspec
import pytest

from central.contract.errors import ContractError
from central.contract.reference import ExpectedDocument, Item, known_kind, parse_reference

GOOD = """
revision = 3

[[warehouses]]
code = "SH1"
name = "Shanghai 1"
name_zh = "上海一号仓"
locations = [{ code = "DOCK-1", kind = "dock_door" }, { code = "A-01-01", kind = "bin" }]

[[items]]
code = "BOLT-M8"
name = "Bolt M8"
name_zh = "螺栓 M8"
unit = "C62"
barcodes = [{ gtin = "09501101530003" }, { gtin = "19501101530000", quantity = "12" }]

[[items]]
code = "RESIN"
name = "Resin"
name_zh = "树脂"
unit = "KGM"
kind = "bulk"
lot_tracked = true

[[documents]]
code = "PO-1001"
warehouse = "SH1"
partner = "ACME"
lines = [{ line = 1, item = "BOLT-M8", quantity = "24" },
         { line = 2, item = "RESIN", quantity = "1200", tolerance_percent = "2.5" }]

[[operators]]
code = "OP7"
name = "Li"
language = "zh"
"""


def test_a_reference_document_is_read_whole():
    reference = parse_reference(GOOD.encode())
    assert reference.revision == 3
    assert reference.items[0].barcodes[1].quantity == "12"
    assert reference.documents[0].lines[1].tolerance_percent == "2.5"
    assert reference.operators[0].language == "zh"


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("revision = 3", "revision = 0", "revision"),
        ("revision = 3", "revision = ", "reference data"),
        ('code = "A-01-01"', 'code = "DOCK-1"', "location of SH1 'DOCK-1' is there twice"),
        ('code = "A-01-01"', 'code = "supplier"', "virtual place"),
        ('code = "RESIN"\n', 'code = "BOLT-M8"\n', "item 'BOLT-M8' is there twice"),
        ("09501101530003", "09501101530004", "check digit is 3"),
        ("19501101530000", "09501101530003", "GTIN '09501101530003' is there twice"),
        ('quantity = "12"', 'quantity = "0"', "greater than zero"),
        ('unit = "KGM"', 'unit = "kilo"', "UN/CEFACT"),
        ('warehouse = "SH1"', 'warehouse = "SH9"', "no warehouse is called 'SH9'"),
        ('item = "RESIN"', 'item = "RESINE"', "no item is called 'RESINE'"),
        ("line = 2", "line = 1", "line of PO-1001 '1' is there twice"),
        ('"2.5"', '"-1"', "tolerance < 0"),
        ("lot_tracked", "lot_tracking", "lot_tracking"),
        ("lot_tracked", "serial_tracked", "item RESIN: .* not asked for here"),
        ("lot_tracked = true", "min_days_left_to_ship = 5", "item RESIN: .* not asked for here"),
        ('"zh"', '"de"', "operator OP7: language 'de' is not known"),
    ],
)
def test_a_mistake_in_the_document_is_named(old, new, complaint):
    assert old in GOOD
    with pytest.raises(ContractError, match=complaint) as caught:
        parse_reference(GOOD.replace(old, new, 1).encode())
    assert caught.value.hint


def test_what_an_item_asks_for_is_told_only_if_it_does():
    plain = Item(code="BOLT-M8", name="Bolt", name_zh="螺栓", unit="C62")
    first_release = {
        "code": "BOLT-M8",
        "name": "Bolt",
        "name_zh": "螺栓",
        "unit": "C62",
        "kind": "piece",
        "lot_tracked": False,
        "barcodes": [],
    }
    assert msgspec.msgpack.encode(plain) == msgspec.msgpack.encode(first_release)
    asked = {"serial_tracked": True, "expiry_tracked": True, "min_days_left_to_ship": 5}
    told = msgspec.msgpack.encode(msgspec.structs.replace(plain, **asked))
    assert msgspec.msgpack.decode(told) == first_release | asked
    assert msgspec.msgpack.decode(told, type=Item) == msgspec.structs.replace(plain, **asked)


LINE = '{ line = 1, item = "BOLT-M8", quantity = "24" }'
KINDS = [
    ("shipment", LINE.replace("}", ', lot = "L-7", location = "A-01-01" }')),
    ("transfer_out", LINE.replace("}", ', sscc = "106141412345678908" }')),
    ("count", LINE.replace('"24"', '"0"')),
    ("count", LINE.replace("BOLT-M8", "").replace('"24"', '"0", location = "A-01-01"')),
]


def of_kind(kind, line):
    assert LINE in GOOD
    head = f'code = "PO-1001"\nkind = "{kind}"\ncounterpart = "BJ1"\nround = 2'
    return GOOD.replace('code = "PO-1001"', head).replace(LINE, line).encode()


@pytest.mark.parametrize(("kind", "line"), KINDS)
def test_a_document_of_each_kind_is_read(kind, line):
    document = parse_reference(of_kind(kind, line)).documents[0]
    assert (known_kind(document), document.counterpart, document.round) == (kind, "BJ1", 2)


@pytest.mark.parametrize(
    ("kind", "line", "complaint"),
    [
        ("rental", LINE, "kind 'rental' is not known"),
        ("shipment", LINE.replace('"24"', '"0"'), "greater than zero"),
        ("shipment", KINDS[3][1], "no item is called ''"),
        ("count", LINE.replace("BOLT-M8", ""), "no item is called ''"),
        ("shipment", KINDS[1][1].replace("908", "900"), "check digit is 8"),
        ("shipment", LINE.replace("}", ', sscc = "09501101530003" }'), "have 18 digits"),
        ("shipment", LINE.replace("}", ', location = "customer" }'), "no real place"),
        ("shipment", LINE.replace("}", ', bin = "A" }'), "unknown field `bin`.*lines.0"),
    ],
)
def test_a_document_that_its_kind_does_not_allow_is_refused(kind, line, complaint):
    with pytest.raises(ContractError, match=complaint) as caught:
        parse_reference(of_kind(kind, line))
    assert caught.value.hint


def test_a_document_may_bear_one_code_in_two_warehouses_and_no_code_twice_in_one():
    document = '[[documents]]\ncode = "PO-1001"\nwarehouse = "{}"\npartner = ""\nlines = []\n'
    warehouse = '[[warehouses]]\ncode = "BJ1"\nname = "B"\nname_zh = "B"\nlocations = []\n'
    both = parse_reference((GOOD + warehouse + document.format("BJ1")).encode())
    assert [(one.code, one.warehouse) for one in both.documents] == [
        ("PO-1001", "SH1"),
        ("PO-1001", "BJ1"),
    ]
    with pytest.raises(ContractError, match="document of SH1 'PO-1001' is there twice"):
        parse_reference((GOOD + document.format("SH1")).encode())


def test_a_notice_of_a_newer_central_is_read_as_far_as_it_is_known():
    newer = {"code": "R-1", "warehouse": "SH1", "partner": "A", "kind": "rental", "due": "today"}
    line = {"line": 1, "item": "BOLT-M8", "quantity": "1", "colour": "red"}
    document = msgspec.convert({**newer, "lines": [line]}, ExpectedDocument)
    assert known_kind(document) is None
    assert document.lines[0].item == "BOLT-M8"


def test_bytes_that_are_no_text_are_a_contract_error():
    with pytest.raises(ContractError):
        parse_reference(b"\xff\xfe\x00")
