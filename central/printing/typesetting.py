"""Has sheets and labels set as PDF with embedded fonts. Edge of a child process.

What a page says is data for the child (`central.printing.child`), never part of a template.
"""

import json
import subprocess
import sys
from dataclasses import asdict
from threading import BoundedSemaphore
from typing import Any

from central.errors import CentralError
from central.printing.bar_codes import draw
from central.printing.sheets import BarCode, LabelPages, Sheet, printable

CHILD = "central.printing.child"
NO_FONT = 3
AT_ONCE_MAX = 2
WAITED_S = 20.0
CHILD_S_MAX = 30.0
MODULE_MM = 0.5  # Width of the narrowest bar: read by every scanner from a sheet of paper.
MODULE_MM_MIN = 0.2


class PrintingUnavailable(CentralError):
    """Nothing can be printed at the moment, or on this machine."""

    retriable = True


_places = BoundedSemaphore(AT_ONCE_MAX)


def sheet_pdf(sheet: Sheet, *, printed_ms: int) -> bytes:
    """Return a document as PDF. Raises PrintingUnavailable, Unusable."""
    content = asdict(sheet) | {
        "bar_code": _bar_code(sheet.bar_code, width_mm_max=90),
        "rows": [
            [
                {
                    "text": printable(cell.text),
                    "note": printable(cell.note),
                    "bar_code": _bar_code(cell.bar_code, width_mm_max=60),
                }
                for cell in row
            ]
            for row in sheet.rows
        ],
        "facts": [(printable(label), printable(value)) for label, value in sheet.facts],
        "notes": [printable(note) for note in sheet.notes],
        "code": printable(sheet.code),
        "title": printable(sheet.title),
        "foot": printable(sheet.foot),
    }
    return _compiled("sheet.typ", content, printed_ms=printed_ms)


def labels_pdf(pages: LabelPages, *, printed_ms: int) -> bytes:
    """Return labels as PDF, one a page. Raises PrintingUnavailable, Unusable."""
    content = asdict(pages) | {
        "labels": [
            {
                "text": printable(label.text),
                "said": printable(label.said),
                "lines": [printable(line) for line in label.lines],
                "bar_code": _bar_code(label.bar_code, width_mm_max=pages.width_mm - 6),
            }
            for label in pages.labels
        ]
    }
    return _compiled("labels.typ", content, printed_ms=printed_ms)


def _bar_code(code: BarCode | None, *, width_mm_max: int) -> dict[str, Any] | None:
    if code is None:
        return None
    drawn = draw(code)
    module_mm = min(MODULE_MM, width_mm_max / drawn.modules_count)
    if module_mm < MODULE_MM_MIN:
        return None  # No scanner would read it: the text beside it has to do.
    return {"svg": drawn.svg, "width_mm": f"{drawn.modules_count * module_mm:.2f}"}


def _compiled(template: str, content: dict[str, Any], *, printed_ms: int) -> bytes:
    asked = {"template": template, "content": content, "printed_ms": printed_ms}
    if not _places.acquire(timeout=WAITED_S):
        raise PrintingUnavailable(
            "too much is being printed just now", hint="Try again in a minute."
        )
    try:
        # The name of the module is ours; what is printed goes over standard input.
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", CHILD],
            input=json.dumps(asked).encode(),
            capture_output=True,
            timeout=CHILD_S_MAX,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PrintingUnavailable(
            f"setting the page took more than {CHILD_S_MAX:.0f} s", hint="Print fewer rows at once."
        ) from error
    finally:
        _places.release()
    if done.returncode == NO_FONT:
        raise PrintingUnavailable(
            "no Chinese font is installed on the server",
            hint="Install the Debian package fonts-wqy-microhei on the server.",
        )
    if done.returncode:
        last = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        raise PrintingUnavailable(
            f"the page could not be set: {last[:200]}",
            hint="Report it to support with the code of the document.",
        )
    return done.stdout
