"""How the lab ends when something goes wrong: in words, and with nothing left behind. Edge."""

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from tests.hardware import pulse
from tests.hardware.cache import building_alone, in_use, remove_unused
from tests.hardware.errors import GuestFailed, LabUnusable
from tests.hardware.freezing import resumable
from tests.hardware.host import COMMANDS, Host
from tests.hardware.image import Image, image_for, places
from tests.hardware.lanes import worst_of
from tests.hardware.machine import Machine
from tests.hardware.packages import ROOT
from tests.hardware.pulse import Pulse
from tests.hardware.scratch import PREFIX, keep, scratch
from tests.waiting import until

PLAYED = Path(__file__).with_name("played_emulator.py")
EMULATOR = "qemu-system-x86_64"
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root builds a guest")


@pytest.mark.parametrize(
    ("statuses", "status"), [([0, 0], 0), ([0, 1], 1), ([0, -9], 1), ([-15, 0], 1), ([2, -9], 2)]
)
def test_a_lane_that_was_killed_is_no_success(statuses, status):
    assert worst_of(statuses) == status


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """Put programs before this machine's: the lab's tools, which do nothing, and the emulator."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in (*COMMANDS, EMULATOR):
        write_program(folder / name, "true")
    write_program(folder / EMULATOR, f'exec {sys.executable} {PLAYED} "$@"')
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def write_program(path, command):
    path.write_text(f"#!/bin/sh\n{command}\n")
    path.chmod(0o755)


def start_lab(tmp_path, **options):
    for name in ("cache", "temporary"):
        (tmp_path / name).mkdir()
    # However the tests were begun: in the background they would hand on that signals are ignored.
    as_from_a_terminal = ["env", "--default-signal=HUP,INT,TERM"]
    return subprocess.Popen(
        [*as_from_a_terminal, sys.executable, "-m", "tests.hardware"],
        env=os.environ
        | {
            "DOCKLEDGER_LAB": str(tmp_path / "cache"),
            "TMPDIR": str(tmp_path / "temporary"),
            "LAB_ARCHITECTURE": "amd64",
        },
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


def left_in(tmp_path):
    return [path.name for name in ("cache", "temporary") for path in (tmp_path / name).iterdir()]


@AS_ROOT
def test_without_the_archive_it_names_it_and_leaves_nothing(tmp_path, tools):
    write_program(tools / "mmdebstrap", "echo E: Could not connect to the archive >&2; exit 100")
    lab = start_lab(tmp_path)
    said, _ = lab.communicate(timeout=60)
    assert lab.returncode == 2, said
    assert "fetching Debian's packages failed: E: Could not connect" in said
    assert "can be reached" in said
    assert "Traceback" not in said
    assert left_in(tmp_path) == []


@AS_ROOT
@pytest.mark.parametrize("ends", [signal.SIGINT, signal.SIGTERM])
def test_ended_while_it_builds_it_says_so_and_leaves_nothing(tmp_path, tools, ends):
    begun = tmp_path / "begun"
    write_program(tools / "mmdebstrap", f"touch {begun}; sleep 60")
    lab = start_lab(tmp_path, process_group=0)
    until(begun.exists)
    assert left_in(tmp_path), "it builds, in a folder"
    os.killpg(lab.pid, ends)
    said, _ = lab.communicate(timeout=30)
    assert (lab.returncode, f"ended by {ends.name}" in said) == (1, True), said
    assert "Traceback" not in said
    assert left_in(tmp_path) == []


def test_what_a_killed_run_left_goes_with_the_next_and_a_living_one_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead, living = tmp_path / f"{PREFIX}dead", tmp_path / f"{PREFIX}living"
    for folder in (dead, living):
        folder.mkdir()
        (folder / "root.qcow2").touch()
        os.utime(folder, (0, 0))
    (young := tmp_path / f"{PREFIX}young").mkdir()
    held = os.open(living, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    with scratch() as own:
        assert {path.name for path in tmp_path.iterdir()} == {living.name, young.name, own.name}
        assert Path(tempfile.mkdtemp()).parent == own == Path(os.environ["TMPDIR"])
        with scratch() as same:
            assert same == own, "what a run starts works in its folder"
        (own / "data.img").touch()
        kept = keep(own / "data.img")
    os.close(held)
    assert kept.exists()
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {living.name, young.name, kept.parent.name}


def test_one_builds_in_the_cache_at_a_time_and_what_was_cut_off_goes(tmp_path):
    (tmp_path / "building-cut-off").mkdir()
    said, order = [], []

    def other():
        with building_alone(tmp_path, said.append):
            order.append("other")

    with building_alone(tmp_path, said.append):
        assert list(tmp_path.iterdir()) == []
        (tmp_path / "building-now").mkdir()
        with building_alone(tmp_path, said.append):
            assert (tmp_path / "building-now").exists(), "what builds may call what builds"
        thread = threading.Thread(target=other)
        thread.start()
        until(lambda: said)
        order.append("first")
        assert (tmp_path / "building-now").exists()
    thread.join()
    assert order == ["first", "other"]
    assert said == ["another run of the lab builds; waiting for it"]


def test_what_another_run_works_with_is_not_removed(tmp_path):
    guest = tmp_path / "guest"
    guest.mkdir()
    with in_use(guest):
        remove_unused(guest)
        assert guest.exists()
    remove_unused(guest)
    assert not guest.exists()
    remove_unused(guest)  # Another run was quicker.


def test_a_guest_that_another_run_works_with_is_not_rebuilt_under_it(tmp_path):
    host = Host("amd64", "bookworm", tmp_path, "http://127.0.0.1:9/debian")
    guest = places(host)[1]
    guest.mkdir()
    with in_use(guest), pytest.raises(LabUnusable, match="another run") as raised:
        image_for(host, print, rebuild=True)
    assert raised.value.hint.startswith("Wait until")
    assert guest.exists()


class Times:
    """A clock and an emulator's work, both set by hand."""

    def __init__(self):
        self.now_s = self.cpu_s = 0.0
        self.pulse = Pulse(lambda: self.now_s, lambda: self.cpu_s)

    def after(self, now_s, cpu_s):
        self.now_s, self.cpu_s = self.now_s + now_s, self.cpu_s + cpu_s
        return self.pulse.hung()


def test_a_guest_hangs_by_its_work_or_by_the_clock_when_it_does_none():
    times = Times()
    for _ in range(20):  # A busy machine: it is seldom its turn.
        assert times.after(50, 2.5) == ""
    assert "works and does not answer" in times.after(1, 11)
    times.pulse.heard()
    assert times.after(1, 59) == ""
    assert times.after(59, 0) == ""
    assert "stands still" in times.after(2, 0)
    times.pulse.heard()
    times.after(1, 500)
    assert times.pulse.hung(answers=False) == "", "it boots"


@pytest.fixture
def image(tmp_path, tools, monkeypatch):
    """Return an image whose guest is played; it is frozen."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = tmp_path / "guest"
    folder.mkdir()
    image = Image(folder, "amd64")
    image.ready_state.touch()
    return image


def test_a_guest_that_hangs_is_ended_with_words(image, monkeypatch):
    monkeypatch.setenv("PLAYED", "hangs")
    begin = time.monotonic()
    with Machine(image) as machine:
        monkeypatch.setattr(pulse, "STILL_S_MAX", 1.0)
        with pytest.raises(GuestFailed, match="stands still"):
            machine.run("true", timeout_s=600)
        folder = machine.folder
    assert time.monotonic() - begin < 60
    assert not folder.exists()


def test_an_emulator_that_ends_is_told_whatever_it_was_asked(image, monkeypatch):
    monkeypatch.setenv("PLAYED", "dies")
    with Machine(image) as machine, pytest.raises(GuestFailed, match="the guest is gone"):
        machine.run("true")


def test_a_guest_that_was_killed_fails_when_it_is_spoken_to(image, monkeypatch):
    monkeypatch.setenv("PLAYED", "hangs")
    with Machine(image) as machine:
        machine.cut()
        with pytest.raises(GuestFailed, match="QEMU has ended"):
            machine.monitor.ask("query-status")


def test_a_torn_state_says_why_and_is_frozen_anew(image, monkeypatch):
    monkeypatch.setenv("PLAYED", "torn")
    said = []
    with pytest.raises(GuestFailed, match="load of migration failed"):
        resumable(image, said.append)
    assert "cannot be resumed (" in said[0]
    assert "load of migration failed" in said[0]
    assert said[1].startswith("booting the guest once"), "and that is played as torn as well"
    assert not image.frozen
