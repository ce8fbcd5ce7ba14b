"""Runs `dockledger-central` and reads what it says. Edge of a process.

Private keys of authorities, claims and the database are central's: provisioning asks for what it
needs over central's own command line, and never opens those files.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

PROGRAM = (sys.executable, "-m", "central")
ANSWER_S_MAX = 120.0


class CentralFailed(Exception):
    """Central did not do it. hint: what a person can do."""

    def __init__(self, message: str, *, hint: str, status: int) -> None:
        super().__init__(message)
        self.hint = hint
        self.status = status


def ask_central(
    *words: str, config: Path, findings: bool = False, user: str | None = None
) -> dict[str, Any]:
    """Return the JSON object that a command answers. Raises CentralFailed.

    findings: an answer with exit status 1 is one, too. user: who does it, where root asks; its
    files then belong to that user.
    """
    command = [*PROGRAM, *words, "--config", str(config), "--json"]
    try:
        ended = subprocess.run(  # noqa: S603 - our own program, no shell
            command,
            capture_output=True,
            text=True,
            timeout=ANSWER_S_MAX,
            check=False,
            cwd="/" if user else None,  # Not every folder of root's is another's.
            user=user,
            group=user,
            extra_groups=[] if user else None,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CentralFailed(
            f"dockledger-central did not run: {error}",
            hint="Install central on this machine.",
            status=2,
        ) from error
    if ended.returncode and not (findings and ended.returncode == 1):
        lines = ended.stderr.strip().splitlines() or ["dockledger-central failed"]
        hint = lines[-1].removeprefix("hint: ")
        text = next((one for one in lines if one.startswith("error: ")), lines[-1])
        raise CentralFailed(text.removeprefix("error: "), hint=hint, status=ended.returncode)
    answer = json.loads(ended.stdout)
    assert isinstance(answer, dict)
    return answer
