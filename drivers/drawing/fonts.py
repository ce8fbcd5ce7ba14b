"""The fonts that labels are drawn with, found on this machine. Edge of the font files (Pillow).

A text is drawn with the first font that has all of its characters: the configured one, else the
installed ones in the order of FONTS. One font for Chinese and Latin keeps a line even.
"""

import mmap
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

from drivers.drawing.font_coverage import Coverage, parse_coverage
from drivers.errors import LabelInvalid

OPEN_FONTS_MAX = 24  # A label has a handful of sizes; an open font costs some 100 kB.
# Debian package, file. Chinese ones first, for they have Latin letters too.
FONTS = (
    ("fonts-wqy-microhei", Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc")),
    ("fonts-noto-cjk", Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")),
    ("fonts-wqy-zenhei", Path("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc")),
    (
        "fonts-droid-fallback",
        Path("/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf"),
    ),
    ("fonts-dejavu-core", Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")),
    ("fonts-liberation", Path("/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf")),
)


def find_font(text: str, *, font_file: str = "") -> Path:
    """Return the font to draw all of `text` with.

    font_file: the one to prefer, "" for none. Raises LabelInvalid that names the package to
    install.
    """
    missing = ""
    for path in _installed(font_file):
        missing = _coverage(path).missing(text)
        if not missing:
            return path
    if missing:
        raise LabelInvalid(
            f"no installed font has {missing[:10]!r} of {text[:40]!r}",
            hint="Install the package fonts-noto-cjk, or set font_file to a font that has them.",
        )
    raise LabelInvalid(
        f"no font is installed to draw {text[:40]!r}",
        hint="Install the package fonts-wqy-microhei, or set font_file.",
    )


@lru_cache(maxsize=OPEN_FONTS_MAX)
def open_font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    """Return the font with an em of `size` dots. Raises LabelInvalid if it cannot be read."""
    try:
        # The basic layout: labels are written from left to right, and it is ten times as fast.
        return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)
    except OSError as error:
        raise LabelInvalid(
            f"the font {path} cannot be read: {error}", hint="Name another font in font_file."
        ) from error


def _installed(font_file: str) -> list[Path]:
    if font_file and not Path(font_file).is_file():
        raise LabelInvalid(
            f"the font {font_file} is not there",
            hint="Correct font_file, or remove it to use an installed font.",
        )
    paths = [path for _, path in FONTS if path.is_file()]
    return [Path(font_file), *paths] if font_file else paths


@lru_cache(maxsize=len(FONTS) + 1)
def _coverage(path: Path) -> Coverage:
    try:
        # Mapped, not read: of some megabytes only the table of characters is touched.
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data,
            memoryview(data) as view,
        ):
            return parse_coverage(view)
    except (OSError, ValueError) as error:  # ValueError: an empty file.
        raise LabelInvalid(
            f"the font {path} cannot be read: {error}", hint="Name another font in font_file."
        ) from error
