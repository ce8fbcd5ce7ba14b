"""The gateway's commands as people and systemd use them. Edge of processes."""

import json
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from drivers.simulators.lines import VirtualTcpPort
from gateway import __main__ as command_line
from gateway import service
from gateway.journal.journal import Journal
from gateway.station.templates.files import SHIPPED_FOLDER
from tests.drivers.label_pictures import read_codes
from tests.gateway.journal.samples import (
    StillClock,
    count,
    movement,
    packing,
    passage,
    weighing,
)
from tests.programs import started
from tests.waiting import wait_for, within

README = Path(command_line.__file__).with_name("README.md")
STOP_S_MAX = 5


def write_config(tmp_path, *, devices="", screen_port=0, extra=""):
    path = tmp_path / "gateway.toml"
    path.write_text(
        f"""
[gateway]
code = "g1"
warehouse = "sh1"
data_directory = "data"
{extra}
[station]
code = "dock-2"
receive_location = "dock-1"
[mqtt]
host = "127.0.0.1"
port = 9
[screen]
port = {screen_port}
{devices}
""",
        encoding="utf-8",
    )
    return path


def device(name, driver, port):
    return (
        f'[[device]]\nname = "{name}"\ndriver = "{driver}"\n'
        f'settings = {{ host = "127.0.0.1", port = {port} }}\n'
    )


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@dataclass(frozen=True)
class Shown:
    """What a command answered."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def command(capsys, monkeypatch):
    """Return a function that runs a command in this process, as `main` would."""

    def run(config, *words):
        monkeypatch.setattr(sys, "argv", ["dockledger-gateway", *words, "--config", str(config)])
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        captured = capsys.readouterr()
        return Shown(int(ended.value.code or 0), captured.out, captured.err)

    return run


def run_process(config):
    """Run `run`, which configures logs and signals, in a process of its own to its end."""
    return subprocess.run(
        [sys.executable, "-m", "gateway", "run", "--config", str(config)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def write_journal(tmp_path, *drafts):
    journal = Journal.open(
        tmp_path / "data" / "journal.db",
        gateway="g1",
        warehouse="sh1",
        clock=StillClock(),
        nonce=7,
    )
    journal.append(drafts)
    journal.close()


def test_a_configuration_error_is_one_sentence_with_line_key_and_remedy(tmp_path):
    config = write_config(tmp_path, extra='language = "de"')
    shown = run_process(config)
    assert shown.returncode == 2
    assert shown.stdout == ""
    (line,) = shown.stderr.splitlines()
    assert line.startswith("gateway.toml line 6, gateway.language: invalid enum value 'de': write")


@pytest.mark.parametrize(
    ("devices", "message"),
    [
        (
            device("scanner", "scanner-tpc", 1),
            "gateway.toml line 17, device[0].driver: no driver is called 'scanner-tpc'",
        ),
        (
            device("scanner", "scanner-tcp", '"x"'),
            "gateway.toml line 18, device[0].settings.port: driver scanner-tcp: Expected `int`",
        ),
    ],
    ids=["unknown driver", "wrong setting"],
)
def test_a_wrong_device_section_is_named_before_anything_is_opened(
    tmp_path, command, devices, message
):
    shown = command(write_config(tmp_path, devices=devices), "check-devices")
    assert shown.returncode == 2
    assert shown.stderr.startswith(message), shown.stderr
    assert not (tmp_path / "data").exists()


def test_check_devices_tells_each_device_and_fails_if_one_is_not_ready(tmp_path, command):
    with VirtualTcpPort() as line:
        line.listen()
        config = write_config(
            tmp_path,
            devices=device("scanner", "scanner-tcp", line.port)
            + device("printer", "zpl-tcp", closed_port()),
        )
        shown = command(config, "check-devices", "--json")
        for_people = command(config, "check-devices")
    assert shown.returncode == for_people.returncode == 1
    scanner, printer = [json.loads(text) for text in shown.stdout.splitlines()]
    assert (scanner["name"], scanner["ready"], scanner["detail"]) == ("scanner", True, "")
    assert (printer["name"], printer["ready"]) == ("printer", False)
    assert printer["detail"]
    assert printer["hint"]
    assert for_people.stdout == ""
    assert "scanner (scanner-tcp): ready" in for_people.stderr
    assert "printer (zpl-tcp): NOT READY" in for_people.stderr


def test_check_devices_is_content_when_every_device_is_ready(tmp_path, command):
    with VirtualTcpPort() as line:
        line.listen()
        config = write_config(tmp_path, devices=device("scanner", "scanner-tcp", line.port))
        assert command(config, "check-devices").returncode == 0


def test_check_devices_does_not_call_a_scale_ready_that_says_nothing(tmp_path, command):
    with VirtualTcpPort() as line:
        config = write_config(tmp_path, devices=device("scale", "cas-tcp", line.port))
        shown = command(config, "check-devices", "--json")
    (scale,) = [json.loads(text) for text in shown.stdout.splitlines()]
    assert (shown.returncode, scale["ready"]) == (1, False)
    assert scale["detail"] and scale["hint"]


def test_identity_shows_the_same_key_each_time_and_keeps_it_private(tmp_path, command):
    config = write_config(tmp_path)
    first, second = [json.loads(command(config, "identity", "--json").stdout) for _ in range(2)]
    assert first == second
    assert first["gateway"] == "g1"
    assert re.fullmatch(r"[0-9a-f]{64}", first["public_key"])
    assert (tmp_path / "data" / "gateway.key").stat().st_mode & 0o777 == 0o600


def test_journal_tail_shows_the_newest_facts_oldest_first(tmp_path, command):
    write_journal(tmp_path, movement(), weighing(), movement(item="flour"))
    config = write_config(tmp_path)
    shown = command(config, "journal", "tail", "--count", "2", "--json")
    facts = [json.loads(line) for line in shown.stdout.splitlines()]
    assert [(fact["kind"], fact["item"]) for fact in facts] == [
        ("weighing", "rice"),
        ("movement", "flour"),
    ]
    assert facts[1]["fact"] == "g1/00000001-0000000000000007/3"
    assert facts[1]["quantity"] == "2.5"
    for_people = command(config, "journal", "tail")
    assert for_people.stdout == ""
    assert "receiving: 2.5 KGM flour supplier -> dock-1" in for_people.stderr


def test_journal_tail_tells_which_tag_passed_which_way(tmp_path, command):
    write_journal(tmp_path, passage(), passage(epc="E280", gtin="", serial="", direction="unknown"))
    shown = command(write_config(tmp_path), "journal", "tail").stderr
    assert (
        "passage in at dock-1: 3074257BF7194E4000001A85 gtin 80614141123458 serial 6789, 12 reads"
        in shown
    )
    assert "passage unknown at dock-1: E280, 12 reads" in shown


def test_journal_tail_tells_what_was_counted_and_packed(tmp_path, command):
    write_journal(tmp_path, count(lot="L1"), packing())
    shown = command(write_config(tmp_path), "journal", "tail").stderr
    assert "count at dock-1: 3 KGM rice lot L1" in shown
    assert "packing pack 106141412345678908: 006141411234567890" in shown


def test_journal_verify_fails_when_something_is_off(tmp_path, command):
    write_journal(tmp_path, movement())
    config = write_config(tmp_path)
    whole = command(config, "journal", "verify", "--json")
    assert whole.returncode == 0
    assert json.loads(whole.stdout)["findings"] == []
    connection = sqlite3.connect(tmp_path / "data" / "journal.db")
    connection.execute("UPDATE stock SET on_hand_micro = 1")
    connection.commit()
    connection.close()
    broken = command(config, "journal", "verify")
    assert broken.returncode == 1
    assert "WRONG: local stock dock-1/rice" in broken.stderr


@pytest.mark.parametrize("words", ["journal tail", "journal verify", "run"])
def test_a_journal_that_is_not_ours_is_exit_status_3_and_keeps_every_byte(tmp_path, command, words):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "journal.db").write_text("shopping list" * 100)
    config = write_config(tmp_path)
    shown = run_process(config) if words == "run" else command(config, *words.split())
    assert shown.returncode == 3
    assert "journal.db is not a journal: Move" in shown.stderr
    assert (tmp_path / "data" / "journal.db").read_text() == "shopping list" * 100


def test_run_tells_systemd_serves_its_page_and_stops_in_time(tmp_path, command):
    config = write_config(tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(60)
        with started(
            [sys.executable, "-m", "gateway", "run", "--config", str(config)],
            stderr=subprocess.PIPE,
            text=True,
            env={"NOTIFY_SOCKET": str(tmp_path / "notify"), "PATH": "/usr/bin:/bin"},
        ) as gateway:
            assert systemd.recv(100) == b"READY=1"
            running = _event(gateway, "gateway running")
            assert urllib.request.urlopen(running["screen"], timeout=60).status == 200
            assert command(config, "journal", "verify").returncode == 0
            second = run_process(config)
            assert second.returncode == 3
            assert f"pid {gateway.pid}" in second.stderr
            assert systemd.recv(100) == b"WATCHDOG=1"
            _fill(systemd)  # Nobody reads: it ends none the later.
            with within(STOP_S_MAX, what="the end", also=gateway.pid):
                gateway.send_signal(signal.SIGTERM)
                assert gateway.wait(60) == 0
            assert _event(gateway, "gateway stopped")


def _fill(listening):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other, suppress(BlockingIOError):
        other.setblocking(False)
        while True:
            other.sendto(b"WATCHDOG=1", listening.getsockname())


def test_a_scan_on_a_real_line_becomes_a_fact_in_the_journal(tmp_path, command):
    with VirtualTcpPort() as line:
        line.listen()
        config = write_config(tmp_path, devices=device("scanner", "scanner-tcp", line.port))
        with started(
            [sys.executable, "-m", "gateway", "run", "--config", str(config)],
            stderr=subprocess.PIPE,
            text=True,
        ) as gateway:
            assert line.wait_for_client(60)
            line.write(b"]C0CMD-RECEIVE\r\n]E09501101530003\r\n")
            tail = wait_for(
                lambda: command(config, "journal", "tail", "--json").stdout, what="a fact"
            )
            gateway.send_signal(signal.SIGTERM)
            assert gateway.wait(60) == 0
    (fact,) = [json.loads(text) for text in tail.splitlines()]
    assert fact["business_step"] == "receiving"
    assert fact["to_location"] == "dock-1"
    assert fact["evidence"][0]["device"] == "scanner"


def test_run_keeps_the_reference_data_for_the_day_when_its_file_is_gone(tmp_path):
    config = write_config(tmp_path, extra='reference_file = "reference.toml"')
    missing = run_process(config)
    assert missing.returncode == 2
    assert "gateway.reference_file" in missing.stderr
    reference = tmp_path / "reference.toml"
    reference.write_text(
        'revision = 3\n[[warehouses]]\ncode = "sh1"\nname = "S"\nname_zh = "S"\n'
        'locations = [{ code = "dock-1", kind = "dock_door" }]\n'
        '[[items]]\ncode = "rice"\nname = "Rice"\nname_zh = "R"\nunit = "KGM"\n'
    )
    revisions = []
    for present in (True, False):
        if not present:
            reference.unlink()
        with started(
            [sys.executable, "-m", "gateway", "run", "--config", str(config)],
            stderr=subprocess.PIPE,
            text=True,
        ) as gateway:
            revisions.append(_event(gateway, "gateway running")["reference_revision"])
            gateway.send_signal(signal.SIGINT)
            assert gateway.wait(60) == 0
    assert revisions == [3, 3]


def test_run_names_a_wrong_setting_before_it_opens_anything(tmp_path):
    shown = run_process(write_config(tmp_path, devices=device("scanner", "scanner-tcp", '"x"')))
    assert shown.returncode == 2
    assert "device[0].settings.port" in shown.stderr
    assert not (tmp_path / "data").exists()


def test_preview_label_draws_the_users_template_with_the_given_values(tmp_path, command):
    config = write_config(tmp_path)
    folder = tmp_path / "data" / "labels"
    folder.mkdir(parents=True)
    shipped = SHIPPED_FOLDER / "bin.toml"
    (folder / "bin.toml").write_text(shipped.read_text("utf-8").replace("LOC-{", "SHELF-{"))
    (folder / "broken.toml").write_text("[label]")
    to = tmp_path / "label.png"
    words = ["preview-label", "bin", "--field", "place=B-07", "--to", str(to)]
    shown = command(config, *words)
    assert shown.returncode == 0
    assert "NOT USED: broken.toml" in shown.stderr
    picture = Image.open(to)
    assert (picture.size, picture.info["dpi"]) == ((800, 400), pytest.approx((203.2, 203.2), 0.01))
    assert read_codes(picture.convert("L")) == [("]C0", "SHELF-B-07")]


PREVIEW_MISTAKES = {
    "unknown template": (
        ["bim"],
        "there is no template bim: Name one of these: bin, item, pallet.",
    ),
    "unknown field": (["bin", "--field", "item=x"], "there is no field item: Give one of these"),
    "not on the label": (["bin", "--field", "place=国"], "Code 128 cannot hold"),
    "nothing to write to": (["bin", "--to", "/nowhere/label.png"], "Name another file with --to."),
}


@pytest.mark.parametrize(("words", "said"), PREVIEW_MISTAKES.values(), ids=PREVIEW_MISTAKES)
def test_preview_label_says_what_to_write_instead(tmp_path, command, words, said, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = command(write_config(tmp_path), "preview-label", *words)
    assert shown.returncode == 2
    assert said in shown.stderr


@pytest.mark.parametrize(
    "words", ["run", "check-devices", "identity", "preview-label", "journal tail", "journal verify"]
)
def test_the_readme_names_every_command(words, capsys, monkeypatch):
    assert f"dockledger-gateway {words}" in README.read_text("utf-8")
    monkeypatch.setattr(sys, "argv", ["dockledger-gateway", *words.split(), "--help"])
    with pytest.raises(SystemExit, match="0"):
        command_line.main()
    assert "--config" in capsys.readouterr().out


@pytest.mark.parametrize("status", ["FINDING", "CONFIGURATION", "JOURNAL"])
def test_the_readme_names_every_exit_status(status):
    assert f"| {getattr(service, f'EXIT_{status}')} |" in README.read_text("utf-8")


def _event(gateway, name):
    """Return the log line of that event; the test ends if the log does."""
    seen = []
    for text in gateway.stderr:
        seen.append(text)
        line = json.loads(text)
        if line["event"] == name:
            return line
    raise AssertionError(f"no event {name!r} in {seen}")
