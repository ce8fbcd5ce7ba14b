"""The systemd files name real commands, and systemd understands them. Edge of systemd."""

import re
import shutil
import subprocess

import pytest

from tests.house.source_tree import ROOT

UNITS = sorted((ROOT / "systemd").glob("*.service"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_starts_a_command_that_exists(unit):
    (command,) = re.findall(r"^ExecStart=(.*)$", unit.read_text(encoding="utf-8"), re.MULTILINE)
    program, subcommand, *options = command.split()
    name = program.rsplit("/", 1)[1]
    shown = subprocess.run(
        [ROOT / ".venv/bin" / name, subcommand, "--help"],
        capture_output=True,
        text=True,
        check=True,
        env={"COLUMNS": "200", "PATH": "/usr/bin:/bin", "TERM": "dumb"},
    ).stdout
    for option in options:
        if option.startswith("--"):
            assert option in shown


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_understands_the_unit(unit, tmp_path):
    copy = tmp_path / unit.name
    # The programs are not installed under /opt here; everything else is checked as it stands.
    text = unit.read_text(encoding="utf-8")
    text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", text, flags=re.MULTILINE)
    copy.write_text(text, encoding="utf-8")
    shown = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)],
        capture_output=True,
        text=True,
        check=False,
    )
    complaints = [line for line in shown.stderr.splitlines() if unit.name in line]
    assert not complaints, "\n".join(complaints)


def test_the_gateway_hears_the_kernel_and_may_open_what_it_can_claim():
    lines = (ROOT / "systemd/dockledger-gateway.service").read_text(encoding="utf-8").splitlines()
    (families,) = [line for line in lines if line.startswith("RestrictAddressFamilies=")]
    assert "AF_NETLINK" in families.split("=")[1].split()
    allowed = {line.split("=")[1].split()[0] for line in lines if line.startswith("DeviceAllow=")}
    assert allowed >= {
        "char-ttyUSB",
        "char-ttyACM",
        "char-input",
        "char-hidraw",
        "char-gpiochip",
        "char-usb",
    }
