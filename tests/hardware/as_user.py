"""Builds the guest for whoever is not root, in a namespace of users of his own. Edge of unshare(1).

Debian's packages have files of many users: there they are users of the range that /etc/subuid gives
to this one. What is built belongs to him, as if root had built it for him.
"""

import os
import subprocess
import sys

from tests.hardware.errors import LabUnusable
from tests.hardware.host import Host
from tests.hardware.image import Image, Say, image_for, places

# util-linux 2.38, uidmap: user 0 is this user, users from 1 on are those of his range.
AS_ROOT = ("unshare", "--user", "--map-auto", "--map-root-user", "--mount", "--pid", "--fork")
ENDS_WITH_US = ("--kill-child",)
BUILD, REBUILD = "--build", "--rebuild"  # Words of the lab's own program.
HINT = (
    "Install uidmap and give yourself users with `sudo usermod --add-subuids 100000-165535"
    " --add-subgids 100000-165535 NAME`, or run `sudo DOCKLEDGER_LAB=/path make lab` once; guests"
    " need no rights after that."
)


def built_image(host: Host, say: Say, *, rebuild: bool = False) -> Image:
    """Return the image of what is checked out here, built if need be, whoever this user is.

    Raises LabUnusable where it cannot be built.
    """
    built = build_as_user(host, rebuild=rebuild)
    return image_for(host, say, rebuild=rebuild and not built)


def build_as_user(host: Host, *, rebuild: bool) -> bool:
    """Build the guest of what is checked out here, unless it is there; False if this is root.

    Raises LabUnusable where this machine gives its users no namespaces, or when building fails.
    """
    if os.geteuid() == 0:
        return False
    if not rebuild and places(host)[1].is_dir():
        return True
    tried = subprocess.run([*AS_ROOT, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        said = tried.stderr.strip().splitlines()[-1:] or ["unshare failed"]
        raise LabUnusable(
            f"only root can build the guest, whose files belong to many users ({said[0]})",
            hint=HINT,
        )
    words = (*AS_ROOT, *ENDS_WITH_US, sys.executable, "-m", "tests.hardware", BUILD)
    if rebuild:
        words = (*words, REBUILD)
    if subprocess.run(words, check=False).returncode:
        raise LabUnusable("the guest was not built", hint="See what was said before this.")
    return True
