"""Label sheets as PDF: into a folder and to an office printer, read back from rendered pages."""

import errno
import io
import os
import resource
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp

from drivers.api import LabelPrinter
from drivers.errors import DeviceLost, LabelInvalid, SettingsInvalid
from drivers.labels import Gs1DataMatrix, Label, Text
from drivers.registry import load_driver
from drivers.simulators.lines import VirtualTcpPort
from drivers.transports.folder import FileFolder
from tests.waiting import until

LABEL = Label(
    Decimal(70),
    Decimal(37),
    (
        Text(Decimal(5), Decimal(4), Decimal(4), "托盘"),
        Gs1DataMatrix(
            Decimal(10), Decimal(12), Decimal("0.6"), (("01", "09501101530003"), ("10", "A1"))
        ),
    ),
)
CODE = "010950110153000310A1"
DOTS_PER_MM = 4


def open_folder(path: Path, **settings: object) -> LabelPrinter:
    driver = load_driver("pdf-sheet-folder")
    return driver.open_device(driver.parse_settings({"path": str(path), **settings}))


def cells_with_code(pdf: bytes, *, columns: int = 3, rows: int = 8) -> list[tuple[int, int]]:
    """Return (page, position from 1) of every label that reads back, in order."""
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    found = []
    for number in range(len(document)):
        image = document[number].render(scale=DOTS_PER_MM * 25.4 / 72).to_pil().convert("L")
        for code in zxingcpp.read_barcodes(image, text_mode=zxingcpp.TextMode.Plain):
            assert code.text == CODE
            corner = code.position.top_left
            column = int(corner.x / (image.width / columns))
            row = int(corner.y / (image.height / rows))
            found.append((number + 1, row * columns + column + 1))
    document.close()
    return sorted(found)


@pytest.fixture
def office_printer() -> Iterator[VirtualTcpPort]:
    with VirtualTcpPort(clients_max=1) as port:
        yield port


def received(port: VirtualTcpPort) -> bytes:
    data = b""

    def all_of_it() -> bool:
        nonlocal data
        data += port.read(0.01)
        return data.rstrip().endswith(b"%%EOF")

    until(all_of_it, "the PDF is whole")
    return data


def test_a_job_becomes_a_whole_file_and_is_only_sent(tmp_path: Path) -> None:
    printer = open_folder(tmp_path)
    assert printer.status().ready
    result = printer.print_label(LABEL, 3)
    assert (result.outcome, result.condition) == ("sent", None)
    (file,) = tmp_path.iterdir()
    assert file.name == "labels-000001.pdf" and file.name in result.detail
    assert cells_with_code(file.read_bytes()) == [(1, 1), (1, 2), (1, 3)]


def test_a_started_sheet_is_used_up_by_the_first_job(tmp_path: Path) -> None:
    printer = open_folder(tmp_path, first_position=23)
    printer.print_label(LABEL, 3)
    printer.print_label(LABEL, 1)
    pdfs = [path.read_bytes() for path in sorted(tmp_path.iterdir())]
    assert [cells_with_code(pdf) for pdf in pdfs] == [[(1, 23), (1, 24), (2, 1)], [(1, 1)]]


def test_jobs_that_continue_share_a_sheet(tmp_path: Path) -> None:
    printer = open_folder(tmp_path, continues=True, first_position=22)
    for copies_count in (2, 1, 1):
        printer.print_label(LABEL, copies_count)
    pdfs = [path.read_bytes() for path in sorted(tmp_path.iterdir())]
    assert [cells_with_code(pdf) for pdf in pdfs] == [[(1, 22), (1, 23)], [(1, 24)], [(1, 1)]]


def test_a_letter_sheet_has_its_own_labels(tmp_path: Path) -> None:
    printer = open_folder(tmp_path, page="letter", columns=2, rows=5, first_position=10)
    printer.print_label(LABEL, 1)
    (file,) = tmp_path.iterdir()
    assert cells_with_code(file.read_bytes(), columns=2, rows=5) == [(1, 10)]
    width, height = pypdfium2.PdfDocument(file)[0].get_size()
    assert (round(width), round(height)) == (612, 792)


def test_a_label_larger_than_those_of_the_sheet_makes_no_file(tmp_path: Path) -> None:
    printer = open_folder(tmp_path, columns=4)
    with pytest.raises(LabelInvalid):
        printer.print_label(LABEL, 1)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_goes_away_fails_the_job_and_the_sheet_stays_as_it_was(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "sheets"
    with pytest.raises(DeviceLost) as lost:
        open_folder(folder)
    assert lost.value.hint
    folder.mkdir()
    printer = open_folder(folder, continues=True)
    folder.rmdir()
    with pytest.raises(DeviceLost):
        printer.status()
    result = printer.print_label(LABEL, 1)
    assert (result.outcome, result.condition) == ("failed", "error")
    folder.mkdir()
    printer.print_label(LABEL, 1)
    (file,) = folder.iterdir()
    assert cells_with_code(file.read_bytes()) == [(1, 1)]


def test_a_full_disk_leaves_no_half_file(tmp_path: Path) -> None:
    folder = FileFolder(tmp_path, stem="labels", suffix=".pdf")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2, limits[1]))
    try:
        with pytest.raises(DeviceLost, match="too large"):
            folder.add(b"%PDF")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.iterdir())
    assert folder.add(b"%PDF").read_bytes() == b"%PDF"


def test_a_link_in_the_place_of_a_half_file_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("kept")
    (tmp_path / f".labels-{os.getpid()}.part").symlink_to(other)
    FileFolder(tmp_path, stem="labels", suffix=".pdf").add(b"%PDF")
    assert other.read_text() == "kept"


def test_a_file_never_replaces_another_and_a_number_never_comes_back(tmp_path: Path) -> None:
    folders = [FileFolder(tmp_path, stem="labels", suffix=".pdf") for _ in range(2)]
    first, second = (folder.add(b"%PDF") for folder in folders)
    assert {first.name, second.name} == {"labels-000001.pdf", "labels-000002.pdf"}
    second.unlink()
    assert folders[1].add(b"%PDF").name == "labels-000003.pdf"


def test_a_folder_that_nobody_empties_is_full_in_the_end(tmp_path: Path) -> None:
    folder = FileFolder(tmp_path, stem="labels", suffix=".pdf", files_max=2)
    folder.add(b"%PDF")
    (tmp_path / "other").touch()
    for refused in (folder.check, lambda: folder.add(b"%PDF")):
        with pytest.raises(DeviceLost, match="2 files wait in it"):
            refused()


def test_an_office_printer_gets_the_whole_pdf(office_printer: VirtualTcpPort) -> None:
    driver = load_driver("pdf-sheet-tcp")
    settings = driver.parse_settings({"host": "127.0.0.1", "port": office_printer.port})
    printer = driver.open_device(settings)
    assert printer.status().ready
    pdfs: list[bytes] = []
    reader = threading.Thread(target=lambda: pdfs.append(received(office_printer)))
    reader.start()
    result = printer.print_label(LABEL, 2)
    reader.join(60)
    assert result.outcome == "sent"
    assert cells_with_code(pdfs[0]) == [(1, 1), (1, 2)]
    office_printer.refuse()
    assert printer.print_label(LABEL, 1).outcome == "failed"
    with pytest.raises(DeviceLost):
        printer.status()


@pytest.mark.parametrize(
    ("driver_name", "settings"),
    [
        ("pdf-sheet-folder", {}),
        ("pdf-sheet-folder", {"path": "/tmp", "page": "a3"}),
        ("pdf-sheet-folder", {"path": "/tmp", "columns": 0}),
        ("pdf-sheet-folder", {"path": "/tmp", "columns": 3, "rows": 8, "first_position": 25}),
        ("pdf-sheet-folder", {"path": "/tmp", "margin_x_mm": 200}),
        ("pdf-sheet-folder", {"path": "/tmp", "gap_x_mm": "NaN"}),
        ("pdf-sheet-tcp", {"path": "/tmp"}),
    ],
)
def test_wrong_settings_are_named(driver_name: str, settings: dict[str, object]) -> None:
    with pytest.raises(SettingsInvalid) as wrong:
        load_driver(driver_name).parse_settings(settings)
    assert driver_name in str(wrong.value)


def test_a_file_that_has_its_name_is_never_said_not_to_be_written(tmp_path: Path) -> None:
    def fail(_folder: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    folder = FileFolder(tmp_path, stem="labels", suffix=".pdf", sync_folder=fail)
    assert folder.add(b"%PDF").read_bytes() == b"%PDF"
