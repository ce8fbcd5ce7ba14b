"""`dockledger-gateway device ...` beside a running gateway and without one. Edge of processes."""

import json
import signal
import subprocess
import sys
import urllib.request
import zipfile
from contextlib import contextmanager
from decimal import Decimal

import pytest

from drivers.simulators.lines import VirtualTcpPort
from drivers.simulators.scale_mt_sics import VirtualMtSicsScale
from gateway import __main__ as command_line
from tests.gateway.test_command_line import Shown, closed_port, device, write_config
from tests.programs import started
from tests.waiting import until


@pytest.fixture
def command(capsys, monkeypatch):
    """Return a function that runs a command in this process, as `main` would."""

    def run(config, *words):
        words = ("dockledger-gateway", "device", *words, "--config", str(config))
        monkeypatch.setattr(sys, "argv", list(words))
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        captured = capsys.readouterr()
        return Shown(int(ended.value.code or 0), captured.out, captured.err)

    return run


@contextmanager
def running(config):
    """Run a gateway as a process of its own; give its address."""
    with started(
        [sys.executable, "-m", "gateway", "run", "--config", str(config)],
        stderr=subprocess.PIPE,
        text=True,
    ) as gateway:
        try:
            for text in gateway.stderr:
                line = json.loads(text)
                if line["event"] == "gateway running":
                    yield line["screen"]
                    break
            else:
                pytest.fail("the gateway did not run")
        finally:
            gateway.send_signal(signal.SIGTERM)
            assert gateway.wait(60) == 0


def state_of(url, name):
    with urllib.request.urlopen(f"{url}api/v1/state", timeout=60) as answer:
        devices = json.load(answer)["devices"]
    return next(one["state"] for one in devices if one["name"] == name)


def test_a_scale_of_a_running_gateway_is_zeroed_diagnosed_locked_and_unlocked(tmp_path, command):
    with VirtualTcpPort() as line:
        line.listen()
        with VirtualMtSicsScale(line) as scale:
            scale.put(Decimal("0.010"))
            devices = device("scale", "mt-sics-tcp", line.port)
            config = write_config(tmp_path, devices=devices, screen_port=closed_port())
            with running(config) as url:
                until(lambda: state_of(url, "scale") == "ready", "ready")
                zeroed = command(config, "command", "scale", "zero")
                assert (zeroed.returncode, zeroed.stderr.split()[0]) == (0, "done")
                refused = command(config, "command", "scale", "trigger_on")
                assert refused.returncode == 1 and "refused" in refused.stderr
                unknown = command(config, "command", "scale", "fly")
                assert unknown.returncode == 2 and "Use zero, tare" in unknown.stderr
                nobody = command(config, "lock", "nobody")
                assert nobody.returncode == 2 and "scale" in nobody.stderr
                bundle = tmp_path / "scale.zip"
                assert command(config, "diagnose", "scale", "--to", str(bundle)).returncode == 0
                assert bundle.stat().st_mode & 0o777 == 0o600
                with zipfile.ZipFile(bundle) as archive:
                    assert b"weight 0.0" in archive.read("scale/frames.txt")
                    assert b'"opening","to_state":"ready"' in archive.read("scale/history.jsonl")
                assert command(config, "lock", "scale").returncode == 0
                until(lambda: state_of(url, "scale") == "configured", "closed")
            with running(config) as url:
                assert state_of(url, "scale") == "configured"
                assert command(config, "unlock", "scale").returncode == 0
                until(lambda: state_of(url, "scale") == "ready", "ready")


def test_without_a_gateway_a_lock_waits_for_the_next_start(tmp_path, command):
    config = write_config(tmp_path, screen_port=closed_port())
    shown = command(config, "lock", "scale")
    assert shown.returncode == 0 and "from the next start on" in shown.stderr
    assert (tmp_path / "data" / "locked-devices" / "scale").exists()
    assert command(config, "unlock", "scale").returncode == 0
    assert list((tmp_path / "data" / "locked-devices").iterdir()) == []
    assert command(config, "lock", "../x").returncode == 2


def test_without_a_gateway_no_device_takes_a_command(tmp_path, command):
    shown = command(write_config(tmp_path, screen_port=closed_port()), "command", "scale", "zero")
    assert shown.returncode == 2 and "no gateway runs" in shown.stderr


def test_without_a_gateway_a_bundle_holds_what_the_configuration_knows(tmp_path, command):
    devices = device("scale", "mt-sics-tcp", 4001)
    config = write_config(tmp_path, devices=devices, screen_port=closed_port())
    bundle = tmp_path / "scale.zip"
    shown = command(config, "diagnose", "scale", "--to", str(bundle))
    assert shown.returncode == 0 and "no gateway runs" in shown.stdout
    with zipfile.ZipFile(bundle) as archive:
        assert json.loads(archive.read("scale/device.json"))["settings"]["port"] == 4001
    assert command(config, "diagnose", "other", "--to", str(bundle)).returncode == 2
    unwritable = command(config, "diagnose", "scale", "--to", str(tmp_path / "no" / "x.zip"))
    assert unwritable.returncode == 2 and "cannot be written" in unwritable.stderr
