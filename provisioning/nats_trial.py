"""Lets nats-server read a configuration, to see that it takes it. Edge of nats-server."""

import shutil
import subprocess
from pathlib import Path

from provisioning.mosquitto_trial import TrialFailed

READ_S_MAX = 30.0


def try_nats(path: Path) -> bool:
    """Return whether there is a nats-server here that took the file. Raises TrialFailed."""
    program = shutil.which("nats-server")
    if program is None:
        return False
    done = subprocess.run(  # noqa: S603 - a program of the system
        [program, "-t", "-c", str(path)],
        capture_output=True,
        text=True,
        timeout=READ_S_MAX,
        check=False,
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise TrialFailed(
            f"nats-server does not take {path}: {said[-1] if said else 'it says nothing'}",
            hint="Correct what it says before a server is started with it.",
        )
    return True
