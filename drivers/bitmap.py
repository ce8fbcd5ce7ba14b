"""A black and white picture of dots: what raster printers take. Pure."""

from dataclasses import dataclass

BITMAP_BYTES_MAX = 8 * 1024 * 1024  # An A4 page at 600 dpi has 4.4 million bytes.


@dataclass(frozen=True, slots=True)
class Bitmap:
    """Rows of dots, top to bottom.

    width, height: in dots.
    rows: height * row_bytes bytes; in each row the leftmost dot is the highest bit of the first
        byte, 1 is black, the bits beyond `width` are 0.
    """

    width: int
    height: int
    rows: bytes

    def __post_init__(self) -> None:
        """Assert that the bytes fit the size; whoever makes a bitmap sees to it."""
        assert self.width > 0 and self.height > 0
        assert len(self.rows) == self.row_bytes * self.height <= BITMAP_BYTES_MAX

    @property
    def row_bytes(self) -> int:
        """Return the bytes of one row."""
        return (self.width + 7) // 8
