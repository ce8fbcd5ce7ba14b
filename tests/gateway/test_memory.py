"""The gateway's core stays small, and what it defers is there when it is asked for. Root."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.memory import MALLOC_SETTINGS, thrifty

CORE_MB_MAX = 40
# Another process, because what the tests import stays imported. It prints its resident memory.
CORE = """
import sys, time
from pathlib import Path
from gateway.clock import SystemClock
from gateway.config_sections import MqttSection
from gateway.health import Health
from gateway.journal.journal import Journal
from gateway.replication.known_ledger import KnownLedger
from gateway.replication.replicator import Replicator
from gateway.replication.signing import load_or_create_key

folder, clock, health = Path(sys.argv[1]), SystemClock(), Health()
journal = Journal.open(folder / "journal.db", gateway="g", warehouse="W", clock=clock, nonce=2)
replicator = Replicator(
    journal=journal, key=load_or_create_key(folder / "key"),
    ledger=KnownLedger(folder / "ledger.json"), mqtt=MqttSection(host="127.0.0.1", port=1),
    site="demo", clock=clock, health=health, jitter=lambda: 0.5,
)
replicator.start()
status = Path("/proc/self/status").read_text()
print(next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")))
replicator.stop()
journal.close()
print(*(name for name in ("http.client", "email", "tempfile", "asyncio", "uvicorn", "pydantic",
    "cryptography.hazmat.primitives.serialization", "sqlite_utils") if name in sys.modules))
"""
DEFERRED = """
import sys
from gateway.memory import defer
defer("urllib.request")
defer("urllib.request")
import urllib.request
assert "http.client" not in sys.modules
asked = urllib.request.getproxies
from urllib.request import getproxies, Request
import urllib.request as again
assert asked is getproxies is again.getproxies is urllib.request.getproxies
assert "http.client" in sys.modules and type(again) is type(sys)
defer("urllib.request")
assert urllib.request is again
try:
    again.nobody
except AttributeError as error:
    print(error)
"""

# What a service is begun with, as far as the process that it becomes.
BEGUN = """
import os, sys
def become(program, words, environment):
    print(*words[1:4])
    print(*(name for name in ("gateway.compose", "gateway.commands", "starlette", "uvicorn", "paho",
        "gateway.journal") if name in sys.modules))
    sys.exit(0)
os.execve = become
from gateway.__main__ import main
sys.argv[0] = "dockledger-gateway"
main()
"""


def printed(code: str, *words: str) -> list[str]:
    """Return the lines that a Python of its own printed, with the gateway's environment."""
    command = [sys.executable, "-P", "-c", code, *words]
    ran = subprocess.run(
        command,
        env=thrifty(os.environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()


def test_journal_and_replicator_keep_below_the_memory_of_the_core(tmp_path: Path) -> None:
    kib, loaded = printed(CORE, str(tmp_path))
    assert loaded == ""
    assert int(kib) * 1024 / 1e6 < CORE_MB_MAX


def test_a_deferred_module_is_loaded_when_somebody_uses_it() -> None:
    assert printed(DEFERRED) == ["module 'urllib.request' has no attribute 'nobody'"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({}, MALLOC_SETTINGS, id="ours where nobody set any"),
        pytest.param(
            {"MALLOC_ARENA_MAX": "4", "HOME": "/h"},
            MALLOC_SETTINGS | {"MALLOC_ARENA_MAX": "4", "HOME": "/h"},
            id="what somebody set stays",
        ),
    ],
)
def test_the_allocator_is_set_for_one_who_has_little(
    given: dict[str, str], expected: dict[str, str]
) -> None:
    assert thrifty(given) == expected


@pytest.mark.parametrize(
    ("command", "program"), [("run", "gateway.service"), ("watch-clock", "gateway.clock_witness")]
)
def test_what_begins_a_service_loads_nothing_of_it(command: str, program: str) -> None:
    assert printed(BEGUN, command) == [f"-P -m {program}", ""]
