"""A file is judged whole, every fault named by row and column, and written whole or not at all."""

import csv
import io
from dataclasses import replace

import pytest
import xlsxwriter
from sqlalchemy import func, select

from central.errors import NotThere, Unusable
from central.ledger.verify import verify_ledger
from central.orders.catalogue.items import create_item, read_items
from central.orders.catalogue.partners import create_partner
from central.orders.catalogue.places import create_place, read_places
from central.orders.spreadsheets.exports import export_rows, to_csv, to_workbook
from central.orders.spreadsheets.imports import (
    BOOKS,
    apply_import,
    check_import,
    judge_import,
    read_upload,
)
from central.storage import tables
from tests.central.orders.catalogue import (
    CARTON_GTIN,
    GTIN,
    furnished_desk,
    item,
    partner,
    place,
    plain_item,
)
from tests.central.scenery import on_hand


@pytest.fixture
def desk(database):
    return furnished_desk(database)


def file_of(*lines, separator=","):
    """A CSV file of rows written as "a|b|c"."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=separator)
    writer.writerows(line.split("|") for line in lines)
    return text.getvalue().encode()


def workbook_of(*rows):
    """An .xlsx file of rows of cells."""
    packed = io.BytesIO()
    with xlsxwriter.Workbook(packed, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return packed.getvalue()


def checked(database, name, data):
    with database.read() as connection:
        return check_import(connection, read_upload(name, data))


def imported(desk, name, data, *, only_valid=False):
    upload = read_upload(name, data)
    with desk.change(actor="li.na") as change:
        return apply_import(change, upload, only_valid=only_valid)


def places_of_faults(report):
    return [(fault.row, fault.column) for fault in report.faults]


def exported(database, name, *, chinese=False):
    with database.read() as connection:
        return export_rows(connection, name, warehouse="", chinese=chinese)


BALANCE = "warehouse|location|item|quantity"
ITEMS = (
    "item|name|unit|kind|min|lot_tracked|abc",
    "GEAR|Gear|C62||20|yes|A",
    "COG|Cog|C62|piece|0|no|",
    "SAND|Sand|KGM|bulk|1.5|否|b",
)


@pytest.mark.parametrize(
    "encode",
    [
        pytest.param(lambda text: text.encode("utf-8-sig"), id="UTF-8 with a mark"),
        pytest.param(lambda text: text.encode("gb18030"), id="GB18030"),
        pytest.param(lambda text: text.encode("utf-16"), id="UTF-16"),
        pytest.param(lambda text: text.replace(",", ";").encode(), id="semicolons"),
        pytest.param(lambda text: text.replace(",", "\t").encode(), id="tabs"),
    ],
)
def test_a_csv_file_of_any_country_says_the_same(encode):
    text = "物料编码,名称,单位,最低库存\r\nGEAR,齿轮,C62,20\r\n\r\nＣＯＧ,嵌齿,C62,1.5\r\n"
    read = read_upload("items", encode(text)).read
    assert [(row.number, dict(row.values)) for row in read.rows] == [
        (2, {"item": "GEAR", "name": "齿轮", "unit": "C62", "min": 20_000_000}),
        (4, {"item": "COG", "name": "嵌齿", "unit": "C62", "min": 1_500_000}),
    ]
    assert read.faults == ()


def test_sound_rows_become_items_and_importing_them_again_changes_nothing(database, desk):
    data = file_of(*ITEMS)
    report = checked(database, "items", data)
    assert (report.rows_count, report.sound_count, report.faults) == (3, 3, ())
    with database.read() as connection:
        assert read_items(connection, ["GEAR"]) == {}
    report = imported(desk, "items", data)
    assert (report.counts.created, report.counts.changed, report.code) == (3, 0, "IM-000001")
    with database.read() as connection:
        gear, sand = (read_items(connection, ["GEAR", "SAND"])[code] for code in ("GEAR", "SAND"))
    assert (gear.card.policy.min_micro, gear.card.lot_tracked, gear.version) == (
        20_000_000,
        True,
        1,
    )
    assert (sand.card.kind, sand.card.policy.abc) == ("bulk", "B")
    again = imported(desk, "items", data)
    assert (again.counts.created, again.counts.changed, again.counts.unchanged) == (0, 0, 3)


def test_a_column_that_is_not_there_stays_and_an_empty_cell_is_none(database, desk):
    imported(desk, "items", file_of(*ITEMS))
    imported(desk, "items", file_of("item|abc", "GEAR|"))
    with database.read() as connection:
        card = read_items(connection, ["GEAR"])["GEAR"].card
    assert (card.name, card.policy.min_micro, card.policy.abc) == ("Gear", 20_000_000, "")


FAULTY = (
    "item|name|unit|min|max|shelf_life_days|lot_tracked|abc",
    "GEAR|Gear|C62|20|40|30|yes|A",
    "|Nameless|C62|||||",
    "B AD|Bad code|C62|||||",
    "COG||piece|1,5|x|3.5|maybe|D",
    "GEAR|Twice|C62|||||",
    "WHEEL|Wheel|C62|9|8|||",
    "AXLE|Axle\u200b|C62|||||",
    "PIN|=1+1|C62|||||",
    "RING|Ring|C62|1|2|3|no|C|more",
    "NAIL|Nail|C62|-1||||",
    "ROD|Rod|C62|0.0000001||||",
    "CAP|Cap|C62|||||",
)


def test_every_fault_is_named_by_row_and_column_and_nothing_is_written(database, desk):
    report = checked(database, "items", file_of(*FAULTY))
    assert (report.rows_count, report.sound_count) == (12, 2)
    assert places_of_faults(report) == [
        (3, "item"),
        (4, "item"),
        (5, "abc"),
        (5, "lot_tracked"),
        (5, "max"),
        (5, "min"),
        (5, "name"),
        (5, "shelf_life_days"),
        (6, "item"),
        (7, "max"),
        (8, "name"),
        (9, "name"),
        (10, ""),
        (11, "min"),
        (12, "min"),
    ]
    assert all(fault.hint for fault in report.faults)
    with pytest.raises(Unusable) as caught:
        imported(desk, "items", file_of(*FAULTY))
    assert caught.value.fields["faults_count"] == 15
    with database.read() as connection:
        assert read_items(connection, ["GEAR", "CAP"]) == {}


def test_of_a_file_with_bad_rows_the_others_are_imported_if_that_is_asked_for(database, desk):
    report = imported(desk, "items", file_of(*FAULTY), only_valid=True)
    assert (report.counts.created, report.rows_count, report.sound_count) == (2, 12, 2)
    assert len(report.faults) == 15
    with database.read() as connection:
        assert set(read_items(connection, ["GEAR", "CAP", "COG"])) == {"GEAR", "CAP"}


def test_a_file_of_which_two_rows_in_five_are_bad_is_told_apart(database, desk):
    lines = ["item|name|unit|min"]
    for number in range(500):
        bad = {0: "x", 1: "-1"}.get(number % 5)
        lines.append(f"I-{number}|Item {number}|C62|{bad or number}")
    report = imported(desk, "items", file_of(*lines), only_valid=True)
    assert (report.rows_count, report.sound_count, report.faults_count) == (500, 300, 200)
    assert {fault.column for fault in report.faults} == {"min"}
    with database.read() as connection:
        count = connection.execute(select(func.count()).select_from(tables.items)).scalar_one()
    assert count == 303


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        pytest.param("items", b"", "empty", id="nothing"),
        pytest.param("items", b"a,b\n1,2\n", "column 1 is called 'a'", id="heading"),
        pytest.param("items", b"name,unit\nx,y\n", "'item' is missing", id="no key"),
        pytest.param("items", b"item,item\nx,y\n", "twice", id="column twice"),
        pytest.param("items", b'item,name\nx,"y\n', "cannot be read at line", id="quotation mark"),
        pytest.param("items", b"\xff\xfe\x00", "not text in utf-16", id="odd bytes"),
        pytest.param(
            "items", b"item\n\x80\x81\xff", "not text in utf-8-sig or gb18030", id="bytes"
        ),
        pytest.param("items", b"item,name\n" + b"x,y\n" * 50_001, "50001 rows", id="rows"),
        pytest.param("items", b"item" + b",x" * 70, "71 columns", id="columns"),
        pytest.param(
            "items", b"item\n" + b"\n" * (17 * 1024 * 1024), "larger than", id="bytes max"
        ),
        pytest.param("items", b'item\n"' + b"x" * 200_000 + b'"', "field larger", id="cell"),
        pytest.param(
            "items", b"PK\x03\x04 no archive", "workbook cannot be read", id="no workbook"
        ),
    ],
)
def test_a_file_that_is_no_table_is_refused(name, data, words):
    with pytest.raises(Unusable, match=words):
        read_upload(name, data)


def test_an_unknown_table_is_not_there():
    with pytest.raises(NotThere, match="nothing is imported as 'sales'"):
        read_upload("sales", b"")


def test_a_long_cell_is_a_fault_of_its_row():
    read = read_upload("items", b"item,name,unit\nGEAR," + b"x" * 1001 + b",C62\n").read
    assert [(fault.row, fault.column) for fault in read.faults] == [(2, "name")]


def test_numbers_of_a_workbook_are_read_as_it_shows_them():
    rows = workbook_of(
        ("item", "name", "unit", "min", "lot_tracked", "shelf_life_days"),
        ("GEAR", 7, "C62", 0.1 + 0.2, True, 30.0),
        ("006", "Six", "C62", 1e3, False, 0),
    )
    read = read_upload("items", rows).read
    assert read.faults == ()
    assert [dict(row.values) for row in read.rows] == [
        {
            "item": "GEAR",
            "name": "7",
            "unit": "C62",
            "min": 300_000,
            "lot_tracked": True,
            "shelf_life_days": 30,
        },
        {
            "item": "006",
            "name": "Six",
            "unit": "C62",
            "min": 1_000_000_000,
            "lot_tracked": False,
            "shelf_life_days": 0,
        },
    ]


def test_packs_and_bar_codes_of_one_item_are_judged_together(database, desk):
    imported(desk, "items", file_of(*ITEMS))
    report = imported(
        desk,
        "packs",
        file_of(
            "item|unit|numerator|denominator|gtin", f"GEAR|CT|48|2|{CARTON_GTIN}", "GEAR|PF|960||"
        ),
    )
    assert (report.counts.changed, report.sound_count) == (1, 2)
    imported(desk, "barcodes", file_of("gtin|item", f"{GTIN}|GEAR"))
    with database.read() as connection:
        card = read_items(connection, ["GEAR"])["GEAR"].card
    assert [(pack.unit, pack.size, pack.gtin) for pack in card.packs] == [
        ("CT", 24, CARTON_GTIN),
        ("PF", 960, ""),
    ]
    report = checked(
        database,
        "packs",
        file_of(
            "item|unit|numerator|gtin",
            "GEAR|BX|6|",
            f"GEAR|TU|3|{GTIN}",
            f"COG|CT|10|{CARTON_GTIN}",
            "GONE|CT|10|",
            "COG|DZN|10|",
            "COG|BX|0|",
            "COG|TU|5|6901234567891",
        ),
    )
    assert places_of_faults(report) == [
        (3, "gtin"),
        (4, "gtin"),
        (5, "item"),
        (6, "numerator"),
        (7, "numerator"),
        (8, "gtin"),
    ]


def test_a_row_that_needs_a_bad_row_is_bad_itself(database, desk):
    data = file_of(
        "warehouse|location|kind|parent",
        "SH1|HALL|area|",
        "SH1|AISLE|area|HAL L",
        "SH1|SHELF|area|AISLE",
        "SH1|BIN-9|bin|SHELF",
        "SH1|BIN-8|bin|HALL",
        "XX1|BIN-8|bin|",
    )
    report = imported(desk, "locations", data, only_valid=True)
    assert places_of_faults(report) == [
        (3, "parent"),
        (4, "parent"),
        (5, "parent"),
        (7, "warehouse"),
    ]
    with database.read() as connection:
        found = read_places(connection, [("SH1", code) for code in ("HALL", "SHELF", "BIN-8")])
    assert sorted(code for _, code in found) == ["BIN-8", "HALL"]


def test_places_of_a_file_that_go_round_in_a_circle_are_refused(database, desk):
    data = file_of("warehouse|location|kind|parent", "SH1|A|area|B", "SH1|B|area|A", "SH1|C|bin|")
    report = checked(database, "locations", data)
    assert places_of_faults(report) == [(2, "parent"), (3, "parent")]
    assert "A in B in A" in report.faults[0].message


def test_opening_balances_are_facts_of_the_ledger_and_come_once(database, desk):
    with desk.change(actor="x") as change:
        create_item(change, item())
    data = file_of(
        "warehouse|location|item|lot|quantity|unit|status",
        "SH1|BIN-1|GEAR|L1|3|CT|",
        "SH1|BIN-2|GEAR||5||held",
        "BJ1|BIN-1|RICE||1500|GRM|available",
    )
    report = imported(desk, "balances", data)
    assert report.counts.created == 3
    assert on_hand(database, "GEAR") == {
        ("SH1", "BIN-1", "L1"): 72_000_000,
        ("SH1", "BIN-2", ""): 5_000_000,
        ("SH1", "adjustment", "L1"): -72_000_000,
        ("SH1", "adjustment", ""): -5_000_000,
    }
    assert on_hand(database, "RICE")["BJ1", "BIN-1", ""] == 1_500_000
    again = imported(desk, "balances", data)
    assert (again.counts.created, again.counts.unchanged) == (0, 3)
    changed = data.replace(b"L1,3,CT", b"L1,4,CT")
    report = checked(database, "balances", changed)
    assert places_of_faults(report) == [(2, "quantity")]
    assert "has 72 C62" in report.faults[0].message
    assert verify_ledger(database).faults == ()


def test_faults_of_opening_balances_are_named(database, desk):
    imported(
        desk,
        "items",
        file_of("item|name|unit|lot_tracked|serial_tracked", "L|L|C62|yes|", "S|S|C62||yes"),
    )
    data = file_of(
        "warehouse|location|item|lot|serial|sscc|quantity|unit|weight",
        "SH1|BIN-1|GONE||||1||",
        "SH1|BIN-77|BOLT||||1||",
        "SH1|BIN-1|BOLT||||0||",
        "SH1|BIN-1|NUT||||1|KGM|",
        "SH1|BIN-2|BOLT||||1|DZN|5",
        "SH1|BIN-1|L||||1||",
        "SH1|BIN-1|S||||1||",
        "SH1|BIN-1|S||A1||1||",
        "SH1|BIN-2|S||A1||1||",
        "SH1|BIN-3|S||A2||2||",
        "SH1|BIN-3|NUT|||106141412345678908|1||",
        "SH1|BIN-3|NUT|||1.06141412345679E+17|1||",
        "SH1|supplier|NUT||||1||",
    )
    report = checked(database, "balances", data)
    assert places_of_faults(report) == [
        (2, "item"),
        (3, "location"),
        (4, "quantity"),
        (5, "unit"),
        (6, "weight"),
        (7, "lot"),
        (8, "serial"),
        (10, "serial"),
        (11, "quantity"),
        (13, "sscc"),
        (14, "location"),
    ]


@pytest.mark.parametrize("shape", ["csv", "xlsx"])
@pytest.mark.parametrize("chinese", [False, True], ids=["English", "Chinese"])
def test_what_is_exported_and_imported_again_is_unchanged(database, desk, shape, chinese):
    with desk.change(actor="x") as change:
        create_item(change, item(name='=cmd|"/c calc"!A1', name_zh='\'=齿轮, "大"'))
        create_item(change, plain_item("0077", name="-5", unit="KGM", kind="bulk"))
        create_place(change, place("HALL", kind="area", name="@Hall"))
        create_place(change, place(parent="HALL", walk_order=7, capacity_micro=1_234_567))
        create_partner(change, partner(phone="+86 21 5555", contact="'quoted"))
    imported(desk, "homes", file_of("item|warehouse|location|min|max", "GEAR|SH1|BIN-9|5|50"))
    balances = "warehouse|location|item|lot|quantity|expiry_date"
    imported(desk, "balances", file_of(balances, "SH1|BIN-9|GEAR|L1|7|2027-01-31"))
    for name in BOOKS:
        rows = exported(database, name, chinese=chinese)
        data = to_csv(rows) if shape == "csv" else to_workbook(rows, name)
        report = imported(desk, name, data)
        assert (report.faults, report.rows_count) == ((), len(rows) - 1), name
        assert (report.counts.created, report.counts.changed) == (0, 0), name
        assert len(rows) > 1, name
        assert name != "balances" or len(rows) == 2  # What is at BIN-9, and no virtual place.


def test_an_exported_file_runs_nothing_where_it_is_opened(database, desk):
    with desk.change(actor="x") as change:
        create_item(change, item(name="=1+1", name_zh="@SUM(A1)"))
    rows = exported(database, "items")
    cells = [
        cell for row in csv.reader(io.StringIO(to_csv(rows).decode("utf-8-sig"))) for cell in row
    ]
    assert "'=1+1" in cells and "'@SUM(A1)" in cells
    assert not [cell for cell in cells if cell[:1] in "=+@\t" and cell]


def test_a_file_is_judged_again_if_something_was_changed_meanwhile(database, desk):
    items = read_upload("items", file_of("item|name|unit", "GEAR|Gear|C62"))
    stock = read_upload("balances", file_of(BALANCE, "SH1|BIN-1|BOLT|5"))
    with database.read() as connection:
        judged = judge_import(connection, items), judge_import(connection, stock)
    imported(desk, "items", file_of("item|name|unit", "GEAR|Cog|C62"))
    imported(desk, "balances", file_of(BALANCE, "SH1|BIN-1|BOLT|7"))
    with desk.change(actor="x") as change:
        report = apply_import(change, items, only_valid=False, judged=judged[0])
    assert (report.counts.created, report.counts.changed) == (0, 1)
    with pytest.raises(Unusable, match="has 7 C62"), desk.change(actor="x") as change:
        apply_import(change, stock, only_valid=False, judged=judged[1])


def test_what_was_judged_holds_while_nothing_but_stock_has_moved(database, desk):
    upload = read_upload("items", file_of("item|name|unit", "GEAR|Gear|C62"))
    with database.read() as connection:
        judged = judge_import(connection, upload)
    marked = replace(judged, sound_count=77)
    with desk.change(actor="x") as change:
        change.post(
            [
                change.movement(
                    warehouse="SH1",
                    business_step="storing",
                    from_location="adjustment",
                    to_location="BIN-1",
                    item="BOLT",
                    quantity_micro=1_000_000,
                    unit="C62",
                )
            ]
        )
        assert apply_import(change, upload, only_valid=False, judged=marked).sound_count == 77
