"""A switch that is ended in its middle leaves a gateway that works. Edge of processes."""

import signal
import subprocess
import sys

import pytest

from provisioning.read_only_root import switching
from provisioning.read_only_root.disks import MARK
from provisioning.read_only_root.table import state_of

# The switch, with its programs told and not started, standing still while it copies.
PROGRAM = """
import os, signal, sys, time
from pathlib import Path
from provisioning.read_only_root import __main__ as command, switching

signal.signal(signal.SIGHUP, signal.SIG_DFL)  # Ignored if the tests were begun under nohup.

def copying(given, say):
    with switching._stopped_writers():
        print("copying", flush=True)
        time.sleep(60)

switching.TABLE = Path(sys.argv.pop())
switching.run = lambda *words: print(*words, flush=True)
switching._is_masked = lambda unit: unit == "dockledger-update.service"
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
        before = [child.stdout.readline() for _ in range(4)]
        child.send_signal(ends)
        rest = child.stdout.read()
    backups = "dockledger-gateway-backup.timer dockledger-gateway-backup.service"
    free = f"{backups} dockledger-gateway.service"
    assert before[0].startswith("systemctl stop ")
    assert before[1:] == [
        f"systemctl mask --runtime {free}\n",
        f"systemctl stop {free}\n",
        "copying\n",
    ]
    # Who was masked before stays so: by a switch that waits for its boot.
    assert rest == (
        f"systemctl unmask --runtime {free}\nsystemctl start dockledger-gateway.service\n"
    )
    assert child.returncode == 1


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A table, a root and data below one folder; what systemd is told, in order."""
    said = []
    table, data = tmp_path / "fstab", tmp_path / "data"
    table.write_text("UUID=1 / ext4 defaults 0 1\n", encoding="utf-8")
    data.mkdir()

    def told(*words):
        masked = any(one.startswith("systemctl mask") for one in said)
        assert words[:2] != ("systemctl", "start") or not masked or "unmask" in said[-1]
        said.append(" ".join(words))

    monkeypatch.setattr(switching, "TABLE", table)
    monkeypatch.setattr(switching, "DATA", str(data))
    monkeypatch.setattr(switching, "KEPT", ())
    monkeypatch.setattr(switching, "KEPT_IF_THERE", ())
    monkeypatch.setattr(switching, "run", told)
    monkeypatch.setattr(switching, "_is_masked", lambda _unit: False)
    monkeypatch.setattr(switching, "_is_active", lambda _unit: True)
    monkeypatch.setattr(switching, "_refuse_what_would_not_boot", lambda: None)
    monkeypatch.setattr(switching, "_prepare_the_root", lambda: None)
    monkeypatch.setattr(switching, "_data_device", lambda *_: tmp_path)
    monkeypatch.setattr(switching, "formatted", lambda *_, **__: "2-3")
    return table, data / MARK, said


def test_from_the_switch_to_the_boot_nobody_can_start_the_gateway(machine):
    table, mark, said = machine
    assert switching.make_read_only("", lambda _text: None)
    assert state_of(table.read_text("utf-8")) == "read-only"
    assert mark.exists()
    masks = [one for one in said if "mask" in one]
    assert len(masks) == 1 and masks[0].startswith("systemctl mask --runtime ")
    for unit in ("dockledger-gateway.service", "dockledger-update.service"):
        assert unit in masks[0].split()
    assert not [one for one in said if one.startswith("systemctl start")]


def test_the_data_bear_their_mark_before_they_count_and_not_if_they_never_do(machine, monkeypatch):
    table, mark, said = machine
    before = table.read_bytes()
    replace = switching.replace_file
    seen = []

    def full(path, data):
        if path == table:
            seen.append(mark.exists())
            raise OSError(28, "No space left on device")
        replace(path, data)

    monkeypatch.setattr(switching, "replace_file", full)
    with pytest.raises(OSError, match="No space"):
        switching.make_read_only("", lambda _text: None)
    assert seen == [True]
    assert not mark.exists() and table.read_bytes() == before
    assert said[-2].startswith("systemctl unmask --runtime ")
    assert said[-1].startswith("systemctl start ")
