"""From a fresh Debian to a restored ledger, by the commands of the README alone; `make story`.

Each test is a chapter and goes on where the one before ended. Nothing is edited by hand.
"""

import re
from decimal import Decimal

import pytest

from tests.hardware.in_guest.first_reference import REFERENCE
from tests.hardware.places import fresh_place

EAN, ITEM, PLACE = "4006381333931", "BOLT", "DOCK-1"
CENTRAL = "sudo -u dockledger-central dockledger-central"
PROVISION = "sudo -u dockledger-central dockledger-provision"
GATEWAY = "sh1-dock-1"
REVOKED_S_MAX = 5.0
SAFE, BACKUPS, MIRROR = "/media/safe", "/srv/dockledger-backup", "/media/updates"
LEDGER = "/var/lib/dockledger-central/ledger.db"
ROWS = "import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).execute(sys.argv[2]), sep='\\n')"

pytestmark = pytest.mark.timeout(5400)


@pytest.fixture(scope="module")
def place():
    with fresh_place(print) as opened:
        opened.put("/root/reference.toml", REFERENCE)
        opened.type("echo '127.0.0.1 wms.example.com' >> /etc/hosts")  # A name server's work.
        yield opened


def stock(place):
    """Return how many pieces the ledger has at the dock; -1 while it does not answer."""
    token = place.type("cat /root/token").strip()
    said = place.hand("get", token, f"stock?warehouse=SH1\\&item={ITEM}")
    if "stock" not in said:
        return -1
    return sum(int(Decimal(row["on_hand"])) for row in said["stock"])


def receive(place, count):
    """Scan one item so often, each scan seen green."""
    for _ in range(count):
        place.scan(EAN)


def connected(place):
    """Return whether the gateway runs and reaches central."""
    return place.health().get("central_connected") is True


def all_sent(place):
    """Return whether nothing of the journal waits for the ledger."""
    health = place.health()
    return health.get("unsent_count") == 0 and health.get("central_connected") is True


def heard_refused(place):
    """Return whom the broker has refused, as far as central has heard it: one a line."""
    question = "select kind, subject, address from refusals where kind like 'broker_%'"
    return place.type(f"""python3 -c "{ROWS}" {LEDGER} "{question}" """).strip()


def package(place, *words):
    """Make a claim and give its files to the gateway, as the README does."""
    folder = f"/var/lib/dockledger-central/{GATEWAY}"
    options = f"--warehouse SH1 --receive-location {PLACE} --to {folder} {' '.join(words)}"
    place.type(f"{PROVISION} gateway-package {GATEWAY} {options}")
    place.type(f"rm -rf package; sudo cp -r {folder} package")
    to = "/etc/dockledger-gateway/"
    place.type(f"sudo install -m 640 -g dockledger-gateway package/gateway.toml {to}")
    place.type(f"sudo install -m 600 -o dockledger-gateway package/dockledger-enrol.toml {to}")
    if words:
        place.type(f"sudo install -m 644 package/update.toml package/update.pub {to}")
    place.type("sudo systemctl restart dockledger-gateway dockledger-update")


def test_central_installs_and_one_command_makes_it_safe(place):
    deb = f"./dist/dockledger-central_{place.packages.version}_amd64.deb"
    said = place.type(f"sudo apt-get install -y mosquitto {deb}", timeout_s=900)
    assert "is current" in said
    place.type("sudo install -m 644 reference.toml /etc/dockledger-central/")
    place.type(f"{CENTRAL} load-reference /etc/dockledger-central/reference.toml")
    for _ in range(2):  # It may be run again: authorities stay.
        place.type("sudo dockledger-provision secure --name 'Example Ltd' --host wms.example.com")
    place.type(
        "sudo systemctl daemon-reload && sudo systemctl restart dockledger-central mosquitto"
    )
    place.type("umask 077; printf 'a long enough password' > /root/password")
    place.type(
        "install -m 600 -o dockledger-central /root/password /etc/dockledger-central/password;"
        f" {CENTRAL} user add head --role administrator"
        " --password-file /etc/dockledger-central/password; rm /etc/dockledger-central/password"
    )
    said = place.type(f"{CENTRAL} token add head --label story --permission stock.read --json")
    (token,) = re.findall(r"dlt_[A-Za-z0-9_-]+", said)
    place.put("/root/token", token)
    place.until(lambda: stock(place) == 0, "answer of central over TLS")
    assert place.field("mosquitto", "User") == "mosquitto"
    assert place.field("run-dockledger-broker.mount", "ActiveState") == "active"


def test_a_gateway_installs_and_claims_itself(place):
    deb = f"./dist/dockledger-gateway_{place.packages.version}_amd64.deb"
    assert "is current" in place.type(f"sudo apt-get install -y {deb}", timeout_s=900)
    assert place.field("dockledger-gateway", "ConditionResult") == "no"  # Not set up: no fault.
    place.send(place.packages.folder / "good", f"{MIRROR}/good")
    place.send(place.packages.folder / "bad", f"{MIRROR}/bad")
    place.put("/root/update.key.pub", (place.packages.folder / "update.key.pub").read_text())
    place.type("sudo install -m 644 update.key.pub /etc/dockledger-central/")
    package(
        place,
        f"--updates {MIRROR}/now",
        "--update-key /etc/dockledger-central/update.key.pub",
    )
    place.until(lambda: connected(place), "connection by certificate", seconds_max=120)
    said = place.type("journalctl -o cat -u dockledger-gateway")
    assert '"event":"enrolled"' in said


def test_the_first_scan_is_in_the_ledger(place):
    place.until(lambda: place.hand("state").get("step"), "page of the station")
    place.hand("scan", "CMD-RECEIVE")
    place.until(place.workflow, "workflow")
    receive(place, 1)
    place.until(lambda: stock(place) == 1, "first scan in the ledger")


def test_a_signed_update_is_switched_in(place):
    options = "probation_s=15 start_limit_s=45 check_interval_s=10"
    file = "/etc/dockledger-gateway/update.toml"
    place.type(f"sudo dockledger-provision set {options} --config {file}")
    place.type(f"ln -s good {MIRROR}/now; sudo systemctl restart dockledger-update")
    good = place.packages.good

    def stays():
        return f"release {good} stays" in place.type("journalctl -o cat -u dockledger-update")

    place.until(stays, f"release {good}", seconds_max=600)
    assert place.health()["version"] == good
    receive(place, 1)
    place.until(lambda: stock(place) == 2, "scan of the new release in the ledger")


def test_an_update_that_does_not_start_goes_back_by_itself(place):
    bad, good = place.packages.bad, place.packages.good
    place.type(f"ln -sfn bad {MIRROR}/now; sudo systemctl restart dockledger-update")
    status = "/usr/lib/dockledger-gateway/dockledger-update status"
    place.until(
        lambda: f"failed   {bad}" in place.type_boldly(status), "end of it", seconds_max=600
    )
    place.until(lambda: place.health().get("version") == good, f"release {good}")
    place.until(lambda: connected(place), "connection")
    receive(place, 1)
    place.until(lambda: stock(place) == 3, "scan after the way back in the ledger")


def test_revocation_ends_a_live_session_within_5_s_and_a_new_claim_begins_another(place):
    assert all_sent(place)
    began_s = float(place.type("date +%s.%N"))
    place.type(f"{CENTRAL} trust revoke {GATEWAY} --reason stolen")
    revoked_s = float(place.type("date +%s.%N"))
    receive(place, 1)

    def refused():
        lines = place.type("journalctl -o short-unix -u dockledger-gateway | tail -40").splitlines()
        found = [float(one.split()[0]) for one in lines if "Not authorized" in one]
        return [moment for moment in found if moment >= began_s]

    moments = place.until(refused, "refusal by the broker")
    refused_s = moments[0] - revoked_s
    print(f"revoked after {revoked_s - began_s:.1f} s, refused {refused_s:.1f} s later")
    assert refused_s <= REVOKED_S_MAX
    place.until(lambda: GATEWAY in heard_refused(place), "refusal that central has heard of")
    print(heard_refused(place))
    assert stock(place) == 3  # It is in the journal of the gateway alone.
    package(place)
    # By itself a gateway uses a claim only while it has no certificate.
    file = "/etc/dockledger-gateway/dockledger-enrol.toml"
    place.type(f"sudo -u dockledger-gateway dockledger-gateway enrol --file {file}")
    place.until(lambda: all_sent(place), "session by the new claim", seconds_max=150)
    place.until(lambda: stock(place) == 4, "what was scanned while it was revoked")


def test_a_ledger_that_is_lost_comes_back_and_the_gateway_refills_it(place):
    place.type(f"sudo install -d -o dockledger-central {SAFE} {BACKUPS}")
    said = place.type(f"{CENTRAL} backup new-key --to {SAFE}/backup.key")
    (recipient,) = re.findall(r"\b[0-9a-f]{64}\b", said)
    place.type(f"{CENTRAL} backup prepare-place {BACKUPS}")
    settings = f"""'backup.recipients=["{recipient}"]' 'backup.places=["{BACKUPS}"]'"""
    place.type(f"sudo dockledger-provision set {settings}")
    place.type("sudo systemctl restart dockledger-central && systemctl start dockledger-backup")
    place.until(lambda: all_sent(place), "connection after the restart")
    receive(place, 3)
    place.until(lambda: stock(place) == 7, "scans after the backup in the ledger")
    place.type(f"sudo systemctl stop dockledger-central && rm {LEDGER}*")
    receive(place, 2)  # It works alone meanwhile.
    place.type(f"{CENTRAL} backup verify --identity {SAFE}/backup.key")
    file = place.type(f"ls {BACKUPS}/*.dlb").split()[-1]
    place.type(f"{CENTRAL} restore {file} --identity {SAFE}/backup.key")
    place.type(f"{CENTRAL} verify-ledger")
    place.type("sudo systemctl start dockledger-central")
    place.until(lambda: stock(place) == 9, "what the gateway still held", seconds_max=150)
    place.until(lambda: all_sent(place), "acknowledgement of all")
    place.type(f"{CENTRAL} verify-ledger")
    place.type("sudo -u dockledger-gateway dockledger-gateway journal verify")
