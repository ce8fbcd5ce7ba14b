"""The systemd files name real commands, systemd understands them, and they are tight. Edge."""

import re
import shutil
import subprocess
import sys

import pytest

from provisioning.secure_command import BROKER_LOG
from tests.house.commands import help_of
from tests.house.source_tree import ROOT

FOLDER = ROOT / "systemd"
UNITS = sorted(FOLDER.glob("*.service"))
KINDS = ("path", "timer", "mount")
OURS = [unit for unit in UNITS if "ExecStart=/usr/bin/" not in unit.read_text(encoding="utf-8")]
# `systemd-analyze security`: 0 is nothing to be had, 10 is everything.
EXPOSURE_MAX = {
    "dockledger-gateway.service": 1.3,
    "dockledger-central.service": 1.5,
    "dockledger-intake@.service": 1.5,
    "dockledger-backup.service": 1.5,
    "dockledger-drill.service": 1.5,
    "dockledger-gateway-backup.service": 1.3,
    "dockledger-clock.service": 1.3,
    "dockledger-update.service": 1.3,
    "dockledger-update-guard.service": 1.3,
    "dockledger-restart.service": 2.0,
    "dockledger-broker-reload.service": 2.0,
}
EXPOSURE_OF_OTHERS_MAX = 2.0
# What mosquitto_2.0 of Debian 12 and 13 ships, without its comments.
MOSQUITTO = """[Unit]
Description=Mosquitto MQTT Broker
After=network.target
[Service]
Type=notify
NotifyAccess=main
ExecStart=/usr/sbin/mosquitto -c /etc/mosquitto/mosquitto.conf
ExecReload=/bin/kill -HUP $MAINPID
Restart=on-failure
ExecStartPre=/bin/mkdir -m 740 -p /run/mosquitto
[Install]
WantedBy=multi-user.target
"""
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd is not installed"
)


def analyze(*words):
    """Return what systemd-analyze says."""
    return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True, check=False)


def exposure(path):
    """Return the exposure of a unit file as systemd counts it."""
    said = analyze("security", "--offline=yes", "--no-pager", str(path)).stdout
    return float(re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)[1])


@pytest.mark.parametrize("unit", OURS, ids=lambda unit: unit.stem)
def test_a_unit_starts_a_command_that_exists(unit):
    (command,) = re.findall(r"^ExecStart=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE)
    program, *words = command.split()
    name = program.rsplit("/", 1)[1]
    first_option = next((n for n, word in enumerate(words) if word.startswith("-")), len(words))
    subcommands, options = words[:first_option], words[first_option:]
    shown = help_of(name, *subcommands)
    for option in options:
        if option.startswith("--"):
            assert option in shown


@pytest.mark.parametrize("unit", OURS, ids=lambda unit: unit.stem)
def test_a_unit_starts_what_the_package_installs(unit):
    text = unit.read_text(encoding="utf-8")
    (program,) = re.findall(r"^ExecStart=(\S+)", text, re.MULTILINE)
    assert re.fullmatch(
        r"/opt/dockledger-(gateway|central)/current/bin/dockledger-(gateway|central)"
        r"|/usr/lib/dockledger-gateway/dockledger-update",
        program,
    )


@pytest.mark.parametrize(
    "unit", [*UNITS, *(one for kind in KINDS for one in sorted(FOLDER.glob(f"*.{kind}")))],
    ids=lambda unit: unit.name,
)  # fmt: skip
@needs_systemd
def test_systemd_understands_the_unit(unit, tmp_path):
    # The programs are not installed under /opt here; everything else is checked as it stands.
    for other in (*UNITS, *(one for kind in KINDS for one in FOLDER.glob(f"*.{kind}"))):
        text = other.read_text(encoding="utf-8")
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.MULTILINE)
        (tmp_path / other.name).write_text(text, encoding="utf-8")
    shown = analyze("verify", "--man=no", str(tmp_path / unit.name))
    complaints = [line for line in shown.stderr.splitlines() if unit.name in line]
    assert not complaints, "\n".join(complaints)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
@needs_systemd
def test_a_unit_is_no_more_exposed_than_promised(unit):
    assert exposure(unit) <= EXPOSURE_MAX.get(unit.name, EXPOSURE_OF_OTHERS_MAX)


@needs_systemd
def test_the_drop_in_tightens_the_broker(tmp_path):
    vendor, ours = tmp_path / "vendor/mosquitto.service", tmp_path / "ours/mosquitto.service"
    dropped = (FOLDER / "mosquitto.service.d/dockledger.conf").read_text(encoding="utf-8")
    for path, text in ((vendor, MOSQUITTO), (ours, MOSQUITTO + dropped)):
        path.parent.mkdir()
        path.write_text(text, encoding="utf-8")
    assert exposure(vendor) > 9
    assert exposure(ours) <= 3.0


@needs_systemd
def test_what_lets_central_hear_the_broker_loosens_nothing(tmp_path):
    names = ("dockledger.conf", "heard-by-dockledger.conf")
    assert sorted(names) == list(names)  # systemd's order; the first one takes back ExecStartPre.
    dropped = [(FOLDER / "mosquitto.service.d" / one).read_text(encoding="utf-8") for one in names]
    path = tmp_path / "mosquitto.service"
    path.write_text("\n".join([MOSQUITTO, *dropped]), encoding="utf-8")
    assert exposure(path) <= 3.0
    shown = analyze("verify", "--man=no", str(path)).stderr
    assert not [line for line in shown.splitlines() if "mosquitto.service:" in line], shown


def test_the_log_of_the_broker_is_where_central_may_empty_it():
    (log,) = settings("mosquitto.service.d/heard-by-dockledger.conf", "StandardError")
    (made,) = settings("mosquitto.service.d/heard-by-dockledger.conf", "ExecStartPre")
    (mount,) = settings("run-dockledger-broker.mount", "Where")
    assert log == f"append:{BROKER_LOG}"
    assert made.split()[-1] == BROKER_LOG
    assert BROKER_LOG.rpartition("/")[0] == mount
    assert f"-{mount}" in settings("dockledger-central.service", "ReadWritePaths")
    assert "size=" in settings("run-dockledger-broker.mount", "Options")[0]


def settings(unit, name):
    """Return the values of a setting of a unit, in their order."""
    text = (FOLDER / unit).read_text(encoding="utf-8")
    return re.findall(rf"^{name}=(.*)$", text, re.MULTILINE)


@pytest.mark.parametrize("unit", ["dockledger-gateway", "dockledger-central", "dockledger-intake@"])
def test_a_service_says_that_it_works_and_is_started_again_for_ever(unit):
    unit = f"{unit}.service"
    assert settings(unit, "Type") == ["notify"]
    assert 0 < int(settings(unit, "WatchdogSec")[0]) <= 120
    assert settings(unit, "Restart") == ["always"]
    assert settings(unit, "StartLimitIntervalSec") == ["0"]
    assert settings(unit, "LoadCredential")
    # A credential of an absolute path that is not there keeps the service from starting.
    assert not [one for one in settings(unit, "LoadCredential") if ":" in one]


def test_the_gateway_hears_the_kernel_and_may_open_what_it_can_claim():
    (families,) = settings("dockledger-gateway.service", "RestrictAddressFamilies")
    assert "AF_NETLINK" in families.split()
    allowed = {one.split()[0] for one in settings("dockledger-gateway.service", "DeviceAllow")}
    assert allowed >= {
        "char-ttyUSB",
        "char-ttyACM",
        "char-input",
        "char-hidraw",
        "char-gpiochip",
        "char-usb",
    }


def test_drivers_of_serial_adapters_are_loaded_before_their_numbers_are_looked_up():
    modules = (FOLDER / "dockledger-gateway.modules-load").read_text(encoding="utf-8").split()
    assert {"ftdi_sio", "cp210x", "pl2303", "ch341", "cdc_acm"} <= set(modules)
    assert "systemd-modules-load.service" in settings("dockledger-gateway.service", "After")[0]


def test_a_forbidden_call_is_refused_and_kills_nobody():
    # Reading the clock's state is forbidden to the gateway, and it asks once before it knows.
    assert settings("dockledger-gateway.service", "ProtectClock") == ["yes"]
    assert settings("dockledger-gateway.service", "SystemCallErrorNumber") == ["EPERM"]
    assert settings("dockledger-clock.service", "ProtectClock") == []
    assert settings("dockledger-clock.service", "SystemCallFilter")[-1] == "adjtimex clock_adjtime"


def test_the_readme_names_every_file_of_the_folder():
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    files = [path for path in FOLDER.rglob("*") if path.is_file() and path.name != "README.md"]
    missing = [str(path.relative_to(FOLDER)) for path in files if path.name not in readme]
    assert not missing


@pytest.mark.parametrize(
    "unit", ["dockledger-clock.service", "dockledger-gateway.service"], ids=["clock", "gateway"]
)
def test_the_command_line_that_begins_a_service_fits_into_its_memory(unit):
    """What stays needs less; at 32 MB the kernel killed the clock's service at each start."""
    text = (FOLDER / unit).read_text(encoding="utf-8")
    limit_kib = int(re.search(r"^MemoryMax=(\d+)M$", text, re.MULTILINE)[1]) * 1024
    command = re.search(r"^ExecStart=\S*/dockledger-gateway (\S+)", text, re.MULTILINE)[1]
    # Of the process itself: what rusage says of a child begins with its parent's.
    code = (
        "import atexit, pathlib, runpy, sys; status = pathlib.Path('/proc/self/status');"
        "atexit.register(lambda: sys.stderr.write(status.read_text()));"
        f"sys.argv = ['gateway', '{command}', '--help'];"
        "runpy.run_module('gateway', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    peak_kib = int(re.search(r"^VmHWM:\s+(\d+) kB$", done.stderr, re.MULTILINE)[1])
    assert peak_kib * 1.4 < limit_kib
