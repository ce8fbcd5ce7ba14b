"""The names that udev gives to devices by the shipped rules, as a configuration has them. Root."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.hardware.in_guest.gadget import wait_until
from tests.hardware.in_guest.hid_gadgets import HidScale, KeyboardScanner
from tests.hardware.in_guest.line_gadgets import AcmScanner
from tests.hardware.in_guest.printer_gadget import LabelPrinter

RULES = Path(__file__).parents[3] / "rules/70-dockledger.rules"
NAMES = Path("/dev/dockledger")
GROUP = "dockledger-hid"
RULED_S_MAX = 60.0


@pytest.fixture(scope="module")
def rules():
    subprocess.run(["groupadd", "--system", GROUP], check=True)
    target = Path("/run/udev/rules.d", RULES.name)
    target.parent.mkdir(exist_ok=True)
    shutil.copy(RULES, target)
    subprocess.run(["udevadm", "control", "--reload"], check=True)
    yield
    target.unlink()
    subprocess.run(["udevadm", "control", "--reload"], check=True)
    subprocess.run(["groupdel", GROUP], check=True)


@pytest.mark.parametrize(
    ("gadget", "prefix", "node", "rights"),
    [
        pytest.param(KeyboardScanner, "scanner", "event", (GROUP, 0o640), id="scanner"),
        pytest.param(AcmScanner, "serial", "ttyACM", ("dialout", 0o660), id="serial line"),
        pytest.param(LabelPrinter, "printer", "lp", ("lp", 0o660), id="printer"),
    ],
)
def test_a_device_is_named_by_its_port_and_may_be_opened(rules, gadget, prefix, node, rights):
    with gadget(port=0) as device:
        path = device.node(node)
        first = name_of(path, prefix)
        assert rights_of(path) == rights
        device.unplug()
        device.gone()
        wait_until(lambda: not first.is_symlink(), f"end of {first}")
        device.plug(port=1)
        assert name_of(device.node(node), prefix) != first


def test_a_hid_scale_may_be_opened_by_the_gateways_group(rules):
    with HidScale() as scale:
        path = scale.node("hidraw")
        wait_until(lambda: rights_of(path) == (GROUP, 0o660), f"rights of {path}", RULED_S_MAX)


def rights_of(path):
    return path.group(), path.stat().st_mode & 0o777


def name_of(path, prefix):
    """Wait until a node has a name that begins so, and return it."""

    def look():
        found = [one for one in NAMES.glob(f"{prefix}-*") if one.resolve() == path]
        return found and found[0]

    return wait_until(look, f"/dev/dockledger/{prefix}-* of {path}", RULED_S_MAX)
