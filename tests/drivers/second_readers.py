"""Reads bar codes with zbar and libdmtx, as processes of their own. Edge of those programs.

zxing-cpp writes our Data Matrix and QR codes, so it must not be the only one that reads them.
"""

import subprocess
from pathlib import Path

GS = 29


def read_with_zbar(png: bytes, folder: Path) -> set[str]:
    """Return the text of all Code 128 and QR codes, FNC1 between elements as GS."""
    found = _run(["zbarimg", "-q", "--raw", "--nodbus", "-S*.test-inverted=0"], png, folder)
    return set(found.removesuffix("\n").split("\n"))


def read_with_dmtx(png: bytes, folder: Path) -> str:
    """Return the text of the first Data Matrix, FNC1 as GS, that of the first place too."""
    return _run(["dmtxread", "-N1", f"-G{GS}", "-m5000"], png, folder)


def _run(program: list[str], png: bytes, folder: Path) -> str:
    path = folder / "label.png"
    path.write_bytes(png)
    found = subprocess.run([*program, path], capture_output=True, check=False, timeout=300)
    return found.stdout.decode("utf-8")
