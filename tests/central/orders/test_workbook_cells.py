"""A cell means what the sheet shows of it; where it holds another thing, its row is told."""

import io
from datetime import date

import pytest
import xlsxwriter

from central.errors import Unusable
from central.orders.spreadsheets import workbook_reading
from central.orders.spreadsheets.imports import check_import, read_upload
from tests.central.orders.catalogue import furnished_desk


@pytest.fixture
def desk(database):
    return furnished_desk(database)


def workbook(*rows, formats=None, merged=()):
    """An .xlsx file of rows of cells. formats: by (row, column) from 0. merged: as xlsxwriter's."""
    packed = io.BytesIO()
    with xlsxwriter.Workbook(packed, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        styles = {
            place: book.add_format({"num_format": code}) for place, code in (formats or {}).items()
        }
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                sheet.write(row, column, cell, styles.get((row, column)))
        for one in merged:
            sheet.merge_range(*one)
    return packed.getvalue()


def values(table, data):
    """The rows that can be read, as dictionaries."""
    return [row.values for row in read_upload(table, data).read.rows]


def faults(table, data):
    found = read_upload(table, data).read.faults
    assert all(one.hint for one in found)
    return [(one.row, one.column, one.message) for one in found]


BALANCES = ("warehouse", "location", "item", "lot", "quantity")


def test_a_lot_merged_over_three_rows_is_told_of_each(database, desk):
    data = workbook(
        BALANCES,
        ("SH1", "BIN-1", "BOLT", "A", 5),
        ("SH1", "BIN-2", "BOLT", "", 6),
        ("SH1", "BIN-3", "BOLT", "", 7),
        ("SH1", "BIN-4", "BOLT", "B", 8),
        merged=[(1, 3, 3, 3, "A")],
    )
    said = "is merged with others (D2 to D4)"
    assert faults("balances", data) == [(row, "lot", said) for row in (2, 3, 4)]
    with database.read() as connection:
        assert check_import(connection, read_upload("balances", data)).sound_count <= 1


def test_what_is_merged_beside_the_table_or_over_its_heading_is_nothing_to_it():
    data = workbook(
        ("item", "name", "unit"),
        ("A", "a", "C62"),
        ("B", "b", "C62"),
        merged=[(0, 5, 2, 5, ""), (6, 0, 9, 2, "")],
    )
    assert [row["item"] for row in values("items", data)] == ["A", "B"]


@pytest.mark.parametrize("code", ["0%", "0.00%", "0.0%;-0.0%", 9, 10])
def test_a_percentage_is_not_taken_for_a_hundredth_of_it(code):
    rows = (("item", "name", "unit", "over_tolerance_percent"), ("A", "a", "C62", 0.05))
    (fault,) = faults("items", workbook(*rows, formats={(1, 3): code}))
    assert fault == (2, "over_tolerance_percent", "holds 0.05 and shows it as a percentage")


@pytest.mark.parametrize("code", ["00000", "00000;-00000"])
def test_zeros_that_a_format_shows_belong_to_a_code_and_a_lot(code):
    formats = {(1, 2): code, (1, 3): code, (1, 4): code}
    data = workbook(BALANCES, ("SH1", "BIN-1", 123, 77, 5), formats=formats)
    (row,) = values("balances", data)
    assert (row["item"], row["lot"], row["quantity"]) == (
        "00123",
        "00077",
        5_000_000,
    )


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (77, '"L"000'),
        (77, "0000-000"),
        (77.5, "00000"),
        (77, "0.00"),
        (123_000, "0.00E+00"),
        (date(2026, 5, 1), "d-mmm"),
    ],
    ids=["letter", "dash", "part", "decimals", "powers", "day"],
)
def test_a_lot_that_is_shown_in_another_way_is_asked_for_as_text(cell, code):
    data = workbook(BALANCES, ("SH1", "BIN-1", "BOLT", cell, 5), formats={(1, 3): code})
    said = "holds a number or a day and shows it in another way"
    assert faults("balances", data) == [(2, "lot", said)]


@pytest.mark.parametrize("code", ["#,##0.00", '0.00" kg"', "0", "General", "@"])
def test_an_amount_is_what_it_is_in_whatever_format(code):
    data = workbook(BALANCES, ("SH1", "BIN-1", "BOLT", "A", 5.5), formats={(1, 4): code})
    assert [row["quantity"] for row in values("balances", data)] == [5_500_000]


def test_more_cells_than_can_be_told_are_not_read(monkeypatch):
    monkeypatch.setattr(workbook_reading, "TROUBLES_MAX", 2)
    rows = [("SH1", f"BIN-{n}", "BOLT", n, 5) for n in range(1, 4)]
    formats = {(n, 3): '"L"0' for n in range(1, 4)}
    with pytest.raises(Unusable, match="more than 2 of its cells"):
        read_upload("balances", workbook(BALANCES, *rows, formats=formats))


@pytest.mark.parametrize("lot", ["1.23E+05", "1e5", "6.90123E+12"])
def test_a_lot_that_a_sheet_has_shortened_is_no_lot(lot):
    data = f"warehouse,location,item,lot,quantity\nSH1,BIN-1,BOLT,{lot},5\n".encode()
    (fault,) = faults("balances", data)
    assert fault == (2, "lot", f"'{lot}' is a number that a sheet has shortened")
    (fault,) = faults("items", f"item,name,unit\n{lot},a,C62\n".encode())
    assert fault[1] == "item"


def test_wide_letters_of_a_lot_are_ordinary_ones_and_a_name_keeps_its_signs():
    data = "warehouse,location,item,lot,serial,quantity\nSH1,BIN-1,BOLT,Ａ１,Ｓ,5\n".encode()
    (row,) = values("balances", data)
    assert (row["lot"], row["serial"]) == ("A1", "S")
    (row,) = values("items", "item,name,unit\nＡ,螺栓（八）,C62\n".encode())
    assert (row["item"], row["name"]) == ("A", "螺栓（八）")
