"""The command `dockledger-demo`, whole, as a real program. Edge."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.brokers import PASSWORD, USERNAME, mosquitto
from tests.programs import started
from tests.waiting import wait_for

COMMAND = (sys.executable, "-P", "-m", "provisioning.demo")
FAST = ("--pace", "0", "--cut-seconds", "0.5", "--http-port", "18080")
RUN_S_MAX = 280


@pytest.fixture
def place(tmp_path):
    """An environment in which everything temporary goes to a folder of this test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder, {**os.environ, "TMPDIR": str(folder), "COLUMNS": "200"}


def started_in(folder):
    """Return the numbers of running programs whose command line names the folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if os.fsencode(str(folder)) in line:
                found.append(int(entry.name))
    return found


def test_the_demo_ends_by_itself_with_every_figure_right_and_leaves_nothing(place):
    folder, environment = place
    with started(
        [*COMMAND, *FAST, "--seconds", "1", "--language", "zh"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as demo:
        lines = [demo.stdout.readline()]
        wait_for(lambda: started_in(folder), what="programs in the folder")
        rest, _ = demo.communicate(timeout=RUN_S_MAX)
    lines += rest.splitlines()
    assert demo.returncode == 0, rest
    assert "正在准备" in lines[0]
    assert any("http://127.0.0.1:" in line for line in lines)
    assert "项数字均相符" in lines[-1]
    assert "不符" not in rest.replace("均相符", "")
    assert started_in(folder) == []
    assert list(folder.iterdir()) == []


def test_the_demo_that_is_stopped_while_it_sets_up_leaves_nothing(place):
    folder, environment = place
    with started(
        [*COMMAND, *FAST], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as demo:
        assert demo.stdout.readline().startswith(b".. Setting up")
        wait_for(lambda: started_in(folder), what="programs in the folder")
        demo.send_signal(signal.SIGINT)
        output, _ = demo.communicate(timeout=60)
    assert demo.returncode == 0, output
    assert output.endswith(b"Stopped on request; nothing is left running.\n")
    assert started_in(folder) == []
    assert list(folder.iterdir()) == []


def test_the_demo_works_on_a_given_broker_and_leaves_nothing_when_it_is_terminated(place, tmp_path):
    folder, environment = place
    environment["DOCKLEDGER_BROKER_PASSWORD"] = PASSWORD
    with (
        mosquitto(tmp_path / "broker") as broker,
        subprocess.Popen(
            [
                *COMMAND,
                *FAST,
                *("--broker", f"127.0.0.1:{broker.port}", "--broker-username", USERNAME),
                *("--keep", str(folder / "kept")),
            ],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as demo,
    ):
        lines = iter(demo.stdout.readline, "")
        shown = []
        for line in lines:  # Until the first goods are received: everything is connected.
            shown.append(line)
            if line.startswith("ok Shanghai"):
                break
        demo.send_signal(signal.SIGTERM)
        shown += demo.communicate(timeout=60)[0].splitlines()
    assert demo.returncode == 0, shown
    assert any(line.startswith("Open http://127.0.0.1:") for line in shown)
    assert started_in(folder) == []
    kept = {path.name for path in (folder / "kept").iterdir()}
    assert {"ledger.db", "central.log", "sh1-dock-1", "hz1-dock-1"} <= kept
    assert "broker.password" not in kept


def test_a_broker_that_is_not_there_is_told_and_leaves_nothing(place):
    folder, environment = place
    ended = subprocess.run(
        [*COMMAND, *FAST, "--broker", "127.0.0.1:9"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=RUN_S_MAX,
        check=False,
    )
    assert ended.returncode == 1, ended.stdout
    assert "nobody answers at 127.0.0.1:9" in ended.stdout
    assert started_in(folder) == []
    assert list(folder.iterdir()) == []
