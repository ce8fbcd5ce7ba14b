"""A machine with a gateway, its supervisor and the update agent. Edge of processes."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from provisioning.updating.clock import SystemClock
from provisioning.updating.health import ask_health
from provisioning.updating.settings import load_settings
from tests.ports import steady_port
from tests.provisioning.updating.releases import make_keys, make_release
from tests.provisioning.updating.supervisor import Supervisor
from tests.waiting import until

REPOSITORY = Path(__file__).resolve().parents[3]


class Site:
    """Everything below one folder. `install` first."""

    def __init__(self, folder, **limits):
        self.folder, self.mirror = folder, folder / "mirror"
        self.root, self.state = folder / "opt", folder / "state"
        for one in (self.mirror, self.root, self.state):
            one.mkdir(parents=True)
        self.key, public = make_keys(folder / "keys")
        self.port = steady_port()
        self.config = folder / "update.toml"
        settings = {
            "source": str(self.mirror),
            "key_file": str(public),
            "name": "gateway-1",
            "health_url": f"http://127.0.0.1:{self.port}/health",
            "releases_folder": str(self.root),
            "state_folder": str(self.state),
            "restart_file": str(folder / "restart"),
            "check_interval_s": 0.2,
            "health_interval_s": 0.1,
            "health_timeout_s": 0.4,
            "start_limit_s": 3.0,
            "probation_s": 3.0,
            **limits,
        }
        lines = [f"{key} = {json.dumps(value)}\n" for key, value in settings.items()]
        self.config.write_text("".join(lines), encoding="utf-8")
        self.settings = load_settings(self.config)
        self.clock = SystemClock()
        self.supervisor = Supervisor(self.root, folder, port=self.port)

    def release(self, version, behaviour="good", **changes):
        """Put a release onto the mirror."""
        staged = self.folder / "next"
        make_release(staged, version, self.key, behaviour=behaviour, **changes)
        # The manifest last: what a mirror that is being filled shows must not be half a release.
        names = sorted(staged.iterdir(), key=lambda path: path.name.startswith("manifest"))
        for path in names:
            path.replace(self.mirror / path.name)

    def install(self, version):
        """Install a first release as the package does."""
        self.release(version)
        return self.command("install", "--release", str(self.mirror))

    def command(self, *words):
        """Run `dockledger-update`; return what it says."""
        done = subprocess.run(self._words(*words), capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    def agent(self, program=("-m", "provisioning.updating"), **environment):
        """Start the agent."""
        return subprocess.Popen(
            self._words("run", program=program),
            env=os.environ | environment,
            start_new_session=True,
            stderr=subprocess.DEVNULL,
        )

    def kill(self, agent):
        """Kill the agent and what it started, as systemd does with a service."""
        with suppress(ProcessLookupError):  # It is gone, and so is what it started.
            os.killpg(agent.pid, signal.SIGKILL)
        agent.wait()

    def report(self):
        """Return what the agent tells the gateway."""
        try:
            return json.loads((self.state / "report.json").read_bytes())
        except FileNotFoundError:
            return {"said": "", "failed_version": "", "phase": "", "current": ""}

    def version(self):
        """Return the version that answers, "" if none does."""
        health = ask_health(self.settings.health_url, timeout_s=0.4)
        return health.version if health else ""

    def until_answers(self, version, *, seconds_max=20.0):
        until(lambda: self.version() == version, f"an answer of {version}", seconds_max=seconds_max)

    def _words(self, command, *words, program=("-m", "provisioning.updating")):
        return [sys.executable, *program, command, "--config", str(self.config), *words]
