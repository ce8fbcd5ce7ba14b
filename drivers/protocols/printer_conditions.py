"""What every printer language has in common: conditions in order, limits of a job. Pure."""

from collections.abc import Collection

from drivers.bitmap import Bitmap
from drivers.errors import LabelInvalid
from drivers.readings import PrinterCondition

COPIES_COUNT_MAX = 999

# First what a person must mend first: a closed head is no use without paper, and so on.
GRAVEST_FIRST: tuple[PrinterCondition, ...] = (
    "head_open",
    "paper_out",
    "ribbon_out",
    "over_temperature",
    "error",
    "paused",
    "busy",
)
STOPPED: frozenset[PrinterCondition] = frozenset(
    {"head_open", "paper_out", "ribbon_out", "error", "paused"}
)

_INVERTED = bytes(value ^ 0xFF for value in range(256))


def gravest_first(found: Collection[PrinterCondition]) -> tuple[PrinterCondition, ...]:
    """Return the conditions of `found`, gravest first; ("ready",) if there are none."""
    return tuple(one for one in GRAVEST_FIRST if one in found) or ("ready",)


def check_job(bitmap: Bitmap, *, copies_count: int, width_max: int, height_max: int) -> None:
    """Raise LabelInvalid if a printer cannot take so many copies of so large a picture, in dots."""
    if not 1 <= copies_count <= COPIES_COUNT_MAX:
        raise LabelInvalid(
            f"{copies_count} copies of a label", hint=f"Print 1 to {COPIES_COUNT_MAX} copies."
        )
    if bitmap.width > width_max or bitmap.height > height_max:
        raise LabelInvalid(
            f"a label of {bitmap.width} x {bitmap.height} dots",
            hint=f"Make the label at most {width_max} x {height_max} dots, or correct `dots_per_mm`"
            " in the printer's settings.",
        )


def check_copies_bytes(copies_count: int, *, copy_bytes: int, job_bytes_max: int) -> None:
    """Raise LabelInvalid if the copies, each sent by itself, are more than a job may have."""
    if copies_count > 1 and copies_count * copy_bytes > job_bytes_max:
        count_max = max(job_bytes_max // copy_bytes, 1)
        raise LabelInvalid(
            f"{copies_count} copies of {copy_bytes} bytes each",
            hint=f"Print at most {count_max} copies of this label at once.",
        )


def inverted(rows: bytes) -> bytes:
    """Return the rows with 0 for black, as TSPL and EPL2 want them."""
    return rows.translate(_INVERTED)
