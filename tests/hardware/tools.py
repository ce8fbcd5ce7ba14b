"""Runs the programs that the lab is made with, and says what they said. Edge of processes."""

import os
import subprocess
from collections.abc import Mapping
from types import MappingProxyType

from tests.hardware.errors import LabUnusable

TOOL_S_MAX = 1200
SAID_CHARACTERS_MAX = 800


def tool(
    *words: str,
    what: str,
    hint: str = "Run the lab again with --rebuild.",
    environment: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Run a program and return what it printed. Raises LabUnusable with its last words.

    environment: variables besides those of this program.
    """
    variables = os.environ | {"PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"} | environment
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, check=False, timeout=TOOL_S_MAX, env=variables
        )
    except subprocess.TimeoutExpired as error:
        raise LabUnusable(f"{what} took over {TOOL_S_MAX} s", hint=hint) from error
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-SAID_CHARACTERS_MAX:]
        raise LabUnusable(f"{what} failed: {said}", hint=hint)
    return done.stdout
