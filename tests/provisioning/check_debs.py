"""The packages install, run, stay, go and are purged on plain Debian 12 and 13; `make deb-test`.

Edge of Debian. It needs root, mmdebstrap and a Debian mirror, and takes minutes: DEB_FOLDER names
the folder with both packages, ROOTS_FOLDER keeps the roots for the next time.
"""

import json
import os
import shutil
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.ports import steady_port
from tests.provisioning.debian_root import DebianRoot
from tests.waiting import until

DEBS = Path(os.environ.get("DEB_FOLDER", "dist")).absolute()
ROOTS = Path(os.environ.get("ROOTS_FOLDER", "/var/tmp/dockledger-roots"))
SUITES = ("bookworm", "trixie")
GATEWAY_TOML = """
[gateway]
code = "sh1-dock-1"
warehouse = "sh1"
data_directory = "/var/lib/dockledger-gateway"
[station]
code = "dock-1"
receive_location = "dock-1"
[mqtt]
host = "127.0.0.1"
port = 1
[screen]
port = {port}
"""

pytestmark = [
    pytest.mark.skipif(os.getuid() != 0, reason="only root may enter a root"),
    pytest.mark.timeout(900),
]


@pytest.fixture(scope="module", params=SUITES)
def root(request, tmp_path_factory):
    root = DebianRoot(request.param, cache=ROOTS, folder=tmp_path_factory.mktemp("roots"))
    root.open()
    try:
        for deb in DEBS.glob("*.deb"):
            shutil.copy(deb, root.path("/root"))
        root.run("apt-get update -qq")
        yield root
    finally:
        root.close()


def install(root, kind, *options):
    """Install a package of ours; what it depends on comes from Debian."""
    (deb,) = root.path("/root").glob(f"dockledger-{kind}_*.deb")
    words = " ".join(["apt-get install -y -qq --no-install-recommends", *options])
    return root.run(f"{words} /root/{deb.name}")


def answer(url):
    """Return the answer of a server, None if there is none."""
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return json.loads(response.read())
    except OSError:
        return None


def serves(url):
    """Return whether anything answers there, be it a refusal."""
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return True
    except OSError:
        return False


def test_the_gateway_installs_and_serves(root):
    assert "is current" in install(root, "gateway")
    assert "Usage: dockledger-gateway" in root.run("dockledger-gateway --help")
    port = steady_port()
    settings = root.path("/etc/dockledger-gateway/gateway.toml")
    settings.write_text(GATEWAY_TOML.format(port=port), encoding="utf-8")
    root.run("dockledger-gateway check-devices")
    user = "setpriv --reuid dockledger-gateway --regid dockledger-gateway --init-groups"
    gateway = root.start(f"{user} dockledger-gateway run")
    try:
        url = f"http://127.0.0.1:{port}/health"
        until(lambda: answer(url) is not None, "an answer of the gateway", seconds_max=60)
        assert answer(url)["status"] == "ok"
        assert answer(url)["version"]
    finally:
        gateway.terminate()
        gateway.wait(60)
    assert root.path("/var/lib/dockledger-gateway/journal.db").exists()


def test_nobody_but_the_agent_may_change_the_program(root):
    shown = root.run("stat -c '%U %a' /opt/dockledger-gateway/current/ /var/lib/dockledger-gateway")
    assert shown.split("\n")[:2] == ["dockledger-update 755", "dockledger-gateway 700"]


def test_units_are_enabled_and_understood(root):
    for unit in ("gateway.service", "clock.service", "update.service", "update-guard.service"):
        assert root.run(f"systemctl is-enabled dockledger-{unit}").strip() == "enabled"
    assert root.run("systemd-analyze verify --man=no dockledger-gateway.service") == ""


def test_the_agent_runs_on_the_python_of_debian_alone(root):
    said = root.run("/usr/lib/dockledger-gateway/dockledger-update status")
    assert said.startswith("current  0.")


def test_central_installs_and_serves(root):
    assert "is current" in install(root, "central")
    port = steady_port()
    settings = root.path("/etc/dockledger-central/central.toml")
    text = settings.read_text(encoding="utf-8").replace("port = 8000", f"port = {port}")
    settings.write_text(text, encoding="utf-8")
    user = "setpriv --reuid dockledger-central --regid dockledger-central --init-groups"
    assert "revision" in root.run(f"{user} dockledger-central migrate")
    central = root.start(f"{user} dockledger-central serve")
    try:
        url = f"http://127.0.0.1:{port}/api/v1/health"
        until(lambda: serves(url), "an answer of central", seconds_max=60)
    finally:
        central.terminate()
        central.wait(60)


def test_installing_again_changes_nothing_that_a_person_wrote(root):
    before = root.path("/etc/dockledger-gateway/gateway.toml").read_bytes()
    assert "is current" in install(root, "gateway", "--reinstall")
    assert root.path("/etc/dockledger-gateway/gateway.toml").read_bytes() == before


@pytest.mark.parametrize("kind", ["gateway", "central"])
def test_remove_keeps_data_and_settings_and_says_so(root, kind):
    said = root.run(f"apt-get remove -y dockledger-{kind}")
    assert f"Kept: /var/lib/dockledger-{kind}" in said
    assert not root.path(f"/opt/dockledger-{kind}").exists()
    assert list(root.path(f"/var/lib/dockledger-{kind}").glob("*.db"))
    assert root.path(f"/etc/dockledger-{kind}/{kind}.toml").exists()


@pytest.mark.parametrize("kind", ["gateway", "central"])
def test_purge_says_what_goes_and_keeps_the_data_unless_told_otherwise(root, kind):
    said = root.run(f"apt-get purge -y dockledger-{kind}")
    assert "removed settings" in said
    assert f"kept /var/lib/dockledger-{kind}" in said
    assert not root.path(f"/etc/dockledger-{kind}").exists()
    assert list(root.path(f"/var/lib/dockledger-{kind}").glob("*.db"))


@pytest.mark.parametrize("kind", ["gateway", "central"])
def test_purge_deletes_the_data_for_whoever_answers_yes(root, kind):
    install(root, kind)
    question = f"dockledger-{kind} dockledger-{kind}/purge-data boolean true"
    root.run(f"echo '{question}' | debconf-set-selections")
    said = root.run(f"apt-get purge -y dockledger-{kind}")
    assert f"removed /var/lib/dockledger-{kind}" in said
    assert not root.path(f"/var/lib/dockledger-{kind}").exists()
