"""Starts the programs of Debian that know disks and services. Edge of processes."""

import subprocess
from collections.abc import Sequence

from provisioning.read_only_root.errors import RootRefused

LIMIT_S = 120.0
SAID_CHARACTERS_MAX = 400
PLACES = "/usr/sbin:/usr/bin:/sbin:/bin"


def run(*words: str, limit_s: float = LIMIT_S) -> None:
    """Run a program to its end. Raises RootRefused if it fails."""
    said(*words, limit_s=limit_s)


def said(*words: str, allowed: Sequence[int] = (0,), limit_s: float = LIMIT_S) -> str:
    """Run a program and return what it wrote. Raises RootRefused for another exit status."""
    try:
        done = subprocess.run(  # noqa: S603 - words of ours, no shell
            words,
            capture_output=True,
            timeout=limit_s,
            check=False,
            env={"PATH": PLACES, "LC_ALL": "C.UTF-8"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RootRefused(f"{words[0]}: {error}", hint="Look whether it is installed.") from error
    if done.returncode not in allowed:
        text = done.stderr.decode("utf-8", "replace").strip()[-SAID_CHARACTERS_MAX:]
        raise RootRefused(
            f"{' '.join(words)} ended with {done.returncode}: {text}",
            hint="Look at the disk and the journal; nothing was switched.",
        )
    return done.stdout.decode("utf-8", "replace")
