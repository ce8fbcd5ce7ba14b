"""The gateway's package, installed in the lab's guest: `python -m tests.hardware package`.

For a guest with another kind of processor this is what a Raspberry Pi gets: its package is built
here, and everything that the package does is done by the guest.
"""

import json
import shutil
import sys
import time
from pathlib import Path

import pytest

from tests.hardware.compiled import wheels_folder
from tests.hardware.freezing import freeze
from tests.hardware.host import MACHINES, find_host
from tests.hardware.image import image_for
from tests.hardware.in_guest.first_reference import REFERENCE
from tests.hardware.machine import Machine
from tests.hardware.tools import tool

HERE = Path(__file__).parent
HAND = "/usr/local/lib/lab/hand.py"
SETTINGS = "/etc/dockledger-gateway"
GATEWAY_TOML = f"""
[gateway]
code = "sh1-dock-1"
warehouse = "SH1"
data_directory = "/var/lib/dockledger-gateway"
reference_file = "{SETTINGS}/reference.toml"
[station]
code = "dock-1"
receive_location = "DOCK-1"
[mqtt]
host = "127.0.0.1"
port = 1
"""
EAN = "4006381333931"
INSTALL_S_MAX, START_S_MAX, LOOK_S = 1800, 600, 0.5
SITE = "/opt/dockledger-gateway/current/lib/python3.*/site-packages"

pytestmark = pytest.mark.timeout(3600)


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """Return the folder with the package for the guest's kind of processor."""
    host, folder = find_host(), tmp_path_factory.mktemp("dist")
    target = f"{sys.version_info.major}.{sys.version_info.minor}:{MACHINES[host.architecture]}"
    words = ["deb", "gateway", "--to", str(folder), "--target", target]
    if host.is_foreign:
        words += ["--wheels", str(wheels_folder(host))]
    tool(sys.executable, "-m", "provisioning", *words, what="building the package")
    shutil.rmtree(folder / "gateway.wheels")
    return folder


@pytest.fixture(scope="module")
def guest():
    image = image_for(find_host(), print)
    freeze(image, print)
    with Machine(image) as machine:
        machine.put(HAND, (HERE / "in_guest/hand.py").read_bytes())
        yield machine


def until(asked, what, seconds_max=START_S_MAX):
    """Return the first answer that is something."""
    deadline = time.monotonic() + seconds_max
    while not (found := asked()):
        assert time.monotonic() < deadline, f"no {what}"
        time.sleep(LOOK_S)
    return found


def hand(guest, *words):
    """Ask the station what it shows, or type at it."""
    return json.loads(guest.run(f"python3 {HAND} {' '.join(words)}", timeout_s=120))


def test_the_package_is_installed_and_its_program_is_of_the_guests_kind(guest, package):
    begin = time.monotonic()
    guest.send_folder(package, "/root/dist")
    apt = "DEBIAN_FRONTEND=noninteractive apt-get install -y /root/dist/*.deb"
    print(guest.run(f"cd /root; {apt}", timeout_s=INSTALL_S_MAX)[-600:])
    print(f"installed after {time.monotonic() - begin:.0f} s")
    said = guest.run(
        f"dpkg-query -W -f '${{Status}} ${{Architecture}}' dockledger-gateway; uname -m;"
        f" ls {SITE}/evdev/_input*"
    )
    print(said)
    assert said.startswith(f"install ok installed {guest.image.architecture}")
    assert said.count(MACHINES[guest.image.architecture]) == 2


def test_its_service_starts_and_takes_a_scan(guest):
    guest.put(f"{SETTINGS}/gateway.toml", GATEWAY_TOML.encode())
    guest.put(f"{SETTINGS}/reference.toml", REFERENCE.encode())
    begin = time.monotonic()
    guest.run("systemctl restart dockledger-gateway", timeout_s=START_S_MAX)
    until(lambda: hand(guest, "health").get("status") == "ok", "gateway")
    print(f"it works {time.monotonic() - begin:.0f} s after its start")
    hand(guest, "scan", "CMD-RECEIVE")
    until(lambda: hand(guest, "state").get("step", {}).get("workflow"), "workflow")
    hand(guest, "scan", EAN)
    until(lambda: hand(guest, "health").get("unsent_count") == 1, "movement")
    said = guest.run("sudo -u dockledger-gateway dockledger-gateway journal verify", timeout_s=300)
    print(said)
