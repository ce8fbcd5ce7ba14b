"""How long a label of ten elements takes, as dots and as ZPL. Root.

Four texts, two of them Chinese, two GS1-128, Data Matrix, QR, a line and a box on 100 x 150 mm at
203 dpi, from the label model to the bytes that are sent. Drawn before the first measured one: fonts
are open.
"""

import time
from collections.abc import Callable
from decimal import Decimal
from statistics import median

from drivers.drawing.label import draw_label
from drivers.drawing.pictures import with_pictures
from drivers.labels import Box, Gs1Code128, Gs1DataMatrix, Label, Line, Qr, Text
from drivers.protocols.printer_zpl import prints_itself, render_label
from tests.bench.figures import Ratio, milliseconds

ROUNDS = 100
LIMIT_S = 0.005
DOTS_PER_MM = 8
ITEM = (("01", "09501101530003"), ("10", "L2607A"), ("21", "S/9"))
TEN_ELEMENTS = Label(
    Decimal(100),
    Decimal(150),
    (
        Text(Decimal(5), Decimal(4), Decimal(5), "SSCC"),
        Text(Decimal(5), Decimal(10), Decimal(8), "069012340000000012"),
        Line(Decimal(5), Decimal(21), Decimal(90), Decimal("0.5")),
        Text(Decimal(5), Decimal(24), Decimal(5), "明前龙井绿茶 250 克"),
        Text(Decimal(5), Decimal(31), Decimal(4), "内含 16901234567899  数量 40"),
        Gs1Code128(Decimal(7), Decimal(40), Decimal(20), Decimal("0.375"), ITEM[:2]),
        Gs1DataMatrix(Decimal(7), Decimal(65), Decimal("0.5"), ITEM),
        Qr(Decimal(40), Decimal(65), Decimal("0.5"), "https://x.example/01/09501101530003"),
        Box(Decimal(2), Decimal(2), Decimal(96), Decimal(146), Decimal("0.5")),
        Gs1Code128(
            Decimal(7), Decimal(108), Decimal(32), Decimal("0.5"), (("00", "069012340000000012"),)
        ),
    ),
)


def measure() -> list[Ratio]:
    """Return the median as a share of the five milliseconds that a label may take."""
    return [
        _measured("label_as_dots", lambda: draw_label(TEN_ELEMENTS, dots_per_mm=DOTS_PER_MM)),
        _measured("label_as_zpl", _as_zpl),
    ]


def _as_zpl() -> bytes:
    ready = with_pictures(
        TEN_ELEMENTS,
        prints_itself=lambda element: prints_itself(element, dots_per_mm=DOTS_PER_MM),
        dots_per_mm=DOTS_PER_MM,
    )
    return render_label(ready, dots_per_mm=DOTS_PER_MM, copies_count=1)


def _measured(name: str, draw: Callable[[], object]) -> Ratio:
    draw()
    taken_s: list[float] = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        draw()
        taken_s.append(time.perf_counter() - begin)
    return Ratio(name, median(taken_s) / LIMIT_S, milliseconds(taken_s), at_most=1)
