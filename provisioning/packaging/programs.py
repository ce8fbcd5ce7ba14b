"""Runs pip, dpkg-deb and their like. Edge of processes."""

import subprocess
from collections.abc import Mapping, Sequence

from provisioning.packaging.errors import ToolFailed

LIMIT_S = 1800.0
OUTPUT_CHARACTERS_MAX = 2000


def run(words: Sequence[str], *, hint: str, environment: Mapping[str, str] | None = None) -> str:
    """Return what a program wrote on standard output. Raises ToolFailed if it did not succeed."""
    try:
        done = subprocess.run(  # noqa: S603 - words, no shell
            words, capture_output=True, text=True, timeout=LIMIT_S, check=False, env=environment
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolFailed(f"{words[0]}: {error}", hint=hint) from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-OUTPUT_CHARACTERS_MAX:]
        raise ToolFailed(f"{words[0]} ended with {done.returncode}: {said}", hint=hint)
    return done.stdout
