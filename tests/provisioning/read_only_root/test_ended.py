"""A switch that is ended in its middle leaves a gateway that works. Edge of processes."""

import signal
import subprocess
import sys

import pytest

# The switch, with its programs told and not started, standing still while it copies.
PROGRAM = """
import os, sys, time
from pathlib import Path
from provisioning.read_only_root import __main__ as command, switching

def copying(given, say):
    with switching._stopped_writers():
        print("copying", flush=True)
        time.sleep(60)

switching.TABLE = Path(sys.argv.pop())
switching.run = lambda *words: print(*words, flush=True)
switching._is_active = lambda unit: unit == "dockledger-gateway.service"
command.make_read_only = copying
os.geteuid = lambda: 0
command.main()
"""


@pytest.mark.parametrize("ends", [signal.SIGTERM, signal.SIGHUP])
def test_a_gateway_is_started_again_when_the_switch_is_ended_before_the_switch(tmp_path, ends):
    table = tmp_path / "fstab"
    table.write_text("UUID=1 / ext4 defaults 0 1\n", encoding="utf-8")
    words = [sys.executable, "-c", PROGRAM, "read-only", str(table)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as child:
        stopped = [child.stdout.readline(), child.stdout.readline()]
        child.send_signal(ends)
        rest = child.stdout.read()
    assert stopped[0].startswith("systemctl stop ") and stopped[1] == "copying\n"
    assert rest == "systemctl start dockledger-gateway.service\n"
    assert child.returncode == 1
