"""Takes apart what Debian packs as its kernel: modules and the bootable image. Edge of files."""

import gzip
import lzma
import os
import shutil
import subprocess
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

from tests.hardware.errors import LabUnusable

ELF, ARM64_IMAGE = b"\x7fELF", b"ARMd"  # At 0, and at 0x38 (Documentation/arm64/booting.rst).
PACKERS: tuple[tuple[bytes, Callable[[bytes], bytes]], ...] = (
    (b"\x1f\x8b\x08", lambda data: zlib.decompressobj(31).decompress(data)),
    (b"\xfd7zXZ\0", lambda data: lzma.LZMADecompressor().decompress(data)),
)


def unpacked_kernel(packed: bytes) -> bytes:
    """Return the kernel inside a self-unpacking image: under emulation unpacking takes seconds.

    Returns what was given if nothing known is inside.
    """
    if packed[0x38:0x3C] == ARM64_IMAGE:  # Debian 12 packs the kernel of arm64 like this.
        return packed
    for mark, unpack in PACKERS:
        at = packed.find(mark)
        while at >= 0:
            try:
                found = unpack(packed[at:])
            except (OSError, zlib.error, lzma.LZMAError, EOFError, gzip.BadGzipFile):
                found = b""
            if found.startswith(ELF) or found[0x38:0x3C] == ARM64_IMAGE:
                return found
            at = packed.find(mark, at + 1)
    return packed


def wanted_modules(listing: Path) -> list[str]:
    """Return the names in a list with comments."""
    lines = (line.partition("#")[0].strip() for line in listing.read_text().splitlines())
    return [line for line in lines if line]


def prune_modules(root: Path, names: Iterable[str]) -> None:
    """Leave of a root's kernel modules the named ones and what they need."""
    tree = module_tree(root)
    subprocess.run(["/sbin/depmod", "-b", str(root), tree.name], check=True)
    kept = set(_with_needs(tree, names))
    for path in sorted((tree / "kernel").rglob("*.ko*")):
        if str(path.relative_to(tree)) not in kept:
            path.unlink()
    for folder, _, _ in os.walk(tree / "kernel", topdown=False):
        if not any(Path(folder).iterdir()):
            Path(folder).rmdir()
    subprocess.run(["/sbin/depmod", "-b", str(root), tree.name], check=True)


def copy_modules(root: Path, target: Path, names: Iterable[str]) -> list[str]:
    """Copy modules and what they need into one flat folder; return the order to load them in."""
    tree = module_tree(root)
    order = _with_needs(tree, names)
    for module in order:
        shutil.copy(tree / module, target)
    return [Path(module).name for module in order]


def module_tree(root: Path) -> Path:
    """Return the folder of a root's only kernel. Raises LabUnusable."""
    trees = sorted((root / "usr/lib/modules").glob("*"))
    if len(trees) != 1:
        raise LabUnusable(
            f"the guest has {len(trees)} kernels", hint="Run the lab again with --rebuild."
        )
    return trees[0]


def _with_needs(tree: Path, names: Iterable[str]) -> list[str]:
    needs: dict[str, list[str]] = {}
    paths: dict[str, str] = {}
    for line in (tree / "modules.dep").read_text().splitlines():
        path, _, needed = line.partition(":")
        needs[path] = needed.split()
        paths[Path(path).name.split(".ko")[0].replace("-", "_")] = path
    order: list[str] = []
    for name in names:
        path = paths.get(name.replace("-", "_"))
        if path is None:  # Built into the kernel, or not shipped for this machine.
            continue
        # modules.dep names the nearest need first; the farthest is loaded first.
        order += [one for one in (*reversed(needs[path]), path) if one not in order]
    return order
