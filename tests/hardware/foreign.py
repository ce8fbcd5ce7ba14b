"""Lets programs of another kind of processor run here while an image is built. Edge of the kernel.

Debian's packages have scripts, and evdev is compiled. What runs them is QEMU's emulation of single
programs, which the kernel starts for files of that kind (binfmt_misc, Documentation/admin-guide/
binfmt-misc.rst). On a machine with systemd Debian's package has told the kernel so; elsewhere it is
told here and taken back afterwards.
"""

import platform
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.hardware.errors import LabUnusable
from tests.hardware.host import MACHINES
from tests.hardware.tools import tool

KINDS = Path("/proc/sys/fs/binfmt_misc")
RECIPES = Path("/usr/lib/binfmt.d")  # What Debian's package would tell the kernel.
HINT = (
    "Build on a machine whose kernel has binfmt_misc and lets root use it, and copy its cache"
    " here: a built guest needs none of this."
)


def runs_here(architecture: str) -> bool:
    """Return whether this machine runs programs of Debian's architecture, by itself or emulated."""
    if MACHINES[architecture] == platform.machine():
        return True
    done = subprocess.run(["arch-test", architecture], capture_output=True, check=False)
    return done.returncode == 0


@contextmanager
def programs_of(
    architecture: str,
    *,
    kinds: Path = KINDS,
    recipes: Path = RECIPES,
    runs: Callable[[str], bool] = runs_here,
) -> Iterator[None]:
    """Let programs of Debian's architecture run within the block. Raises LabUnusable."""
    if runs(architecture):
        yield
        return
    name = f"qemu-{MACHINES[architecture]}"
    with ExitStack() as given_back:
        try:
            recipe = (recipes / f"{name}.conf").read_text()
            if not (kinds / "register").exists():
                tool("mount", "-t", "binfmt_misc", "binfmt_misc", str(kinds), what="mounting")
                given_back.callback(tool, "umount", str(kinds), what="unmounting")
            (kinds / "register").write_text(recipe.strip())
            given_back.callback((kinds / name).write_text, "-1")
        except (OSError, LabUnusable) as error:
            raise LabUnusable(
                f"programs of {architecture} cannot be run here: {error}", hint=HINT
            ) from error
        yield
