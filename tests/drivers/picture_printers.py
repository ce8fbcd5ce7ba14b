"""Every printer of pictures on every line that it can be on. Edge of the system."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import zxingcpp
from PIL import ImageChops

from drivers.api import LabelPrinter
from drivers.bitmap import Bitmap
from drivers.drawing.label import image_of
from drivers.labels import Gs1Code128, Gs1DataMatrix, Label, Qr, Text
from drivers.registry import load_driver
from drivers.simulators.printer_brother_ql import BrotherQlInterpreter
from drivers.simulators.printer_epl import EplInterpreter
from drivers.simulators.printer_escpos import EscPosInterpreter
from drivers.simulators.printer_language import Interpreter, MachineState
from drivers.simulators.printer_picture import VirtualPicturePrinter
from drivers.simulators.printer_tspl import TsplInterpreter

# Long where an answer must come, short where none comes.
TIMES = {"status_timeout_s": 3.0, "follow_timeout_s": 3.0, "follow_interval_s": 0.005}
SILENCE = {"status_timeout_s": 0.15, "follow_timeout_s": 0.2}

INTERPRETERS: dict[str, Callable[[], Interpreter]] = {
    "tspl": TsplInterpreter,
    "epl": EplInterpreter,
    "escpos": EscPosInterpreter,
    "brother-ql": BrotherQlInterpreter,
}
CONFIRMING = ("tspl", "escpos", "brother-ql")
DRIVERS = [
    f"{family}-{line}"
    for family in INTERPRETERS
    for line in ("tcp", "device", "serial")
    if (family, line) != ("brother-ql", "serial")
]

mm = Decimal
LABEL = Label(
    mm(62),
    mm(50),
    (
        Text(mm(5), mm(4), mm(4), "托盘 PALLET ^XZ"),
        Gs1Code128(mm(6), mm(10), mm(12), mm("0.25"), (("00", "106141412345678908"),)),
        Gs1DataMatrix(mm(10), mm(26), mm("0.5"), (("01", "09501101530003"), ("10", "A1"))),
        Qr(mm(36), mm(26), mm("0.5"), "https://x.example/托盘"),
    ),
)
CODES = {
    ("]C1", "00106141412345678908"),
    ("]d2", "010950110153000310A1"),
    ("]Q1", "https://x.example/托盘"),
}

WELL = MachineState(
    paper_out=False,
    paper_near_end=False,
    head_open=False,
    ribbon_out=False,
    paused=False,
    printing=False,
)


@dataclass
class Bench:
    """One virtual printer and the driver that is to print on it."""

    virtual: VirtualPicturePrinter
    driver_name: str
    settings: dict[str, object] = field(default_factory=dict)

    @property
    def family(self) -> str:
        return self.driver_name.rpartition("-")[0]

    @property
    def confirms(self) -> bool:
        return self.family in CONFIRMING

    def open(self, **changed: object) -> LabelPrinter:
        driver = load_driver(self.driver_name)
        return driver.open_device(driver.parse_settings({**self.settings, **changed}))


@contextlib.contextmanager
def bench_of(
    driver_name: str, folder: Path, interpreter: Interpreter | None = None
) -> Iterator[Bench]:
    family, _, line = driver_name.rpartition("-")
    interpreter = interpreter or INTERPRETERS[family]()
    settings: dict[str, object] = {"answers": True, **TIMES}
    if line == "tcp":
        with VirtualPicturePrinter.on_tcp(interpreter) as virtual:
            yield Bench(
                virtual, driver_name, {"host": "127.0.0.1", "port": virtual.port} | settings
            )
        return
    path = folder / "printer"
    node = {"path": str(path)} if line == "device" else {"port": str(path), "baud_rate": 115_200}
    with VirtualPicturePrinter.on_path(path, interpreter) as virtual:
        yield Bench(virtual, driver_name, node | settings)


def codes_on(picture: Bitmap) -> set[tuple[str, str]]:
    """Return (AIM symbology identifier, text with FNC1 as GS) of all codes that are read."""
    image = ImageChops.invert(image_of(picture).convert("L"))
    codes = zxingcpp.read_barcodes(image, text_mode=zxingcpp.TextMode.Plain)
    return {(code.symbology_identifier, code.text) for code in codes}


def understood(interpreter: Interpreter, job: bytes) -> tuple[list[str], list[Bitmap]]:
    """Return the commands and pictures that a printer sees in a job.

    Real-time commands are taken wherever they stand, and stand in the list as hexadecimal.
    """
    commands = [found[0].hex() for found in interpreter.real_time.finditer(job)]
    buffer = bytearray(interpreter.real_time.sub(b"", job))
    pictures = []
    while (command := interpreter.take(buffer, WELL)) is not None:
        commands.append(command.name)
        if command.picture is not None:
            pictures += [command.picture] * command.copies_count
    assert not buffer, "the job ends within a command"
    return commands, pictures
