"""A gateway's program that a test starts, kills and starts again. Edge of processes."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.waiting import wait_for


class GatewayProgram:
    """Runs `gateway.service`. url: of its page, once it has started."""

    module = "gateway.service"
    more_arguments: tuple[str, ...] = ()

    def __init__(self, code: str, *, config: Path, log: Path) -> None:
        self.code, self.config, self.log = code, config, log
        self.program = None
        self.url = ""

    def start_anyhow(self) -> None:
        """Start it, whether it can run or not."""
        with self.log.open("ab") as log:
            arguments = [str(self.config), "info", *self.more_arguments]
            self.program = subprocess.Popen(
                [sys.executable, "-m", self.module, *arguments], stderr=log
            )

    def start(self) -> None:
        """Start it, and return when its page is there."""
        offset = self.log.stat().st_size if self.log.exists() else 0
        self.start_anyhow()

        def running():
            lines = self.log.read_bytes()[offset:].splitlines()
            found = [json.loads(line) for line in lines if b"gateway running" in line]
            return found[0]["screen"] if found else ""

        self.url = wait_for(running, what=f"{self.code} runs")

    def kill(self) -> None:
        """Kill it, if it runs."""
        if self.program is not None:
            os.kill(self.program.pid, signal.SIGKILL)
            self.program.wait()
            self.program = None
