"""The shipped timers back journal and ledger up, and drill, under a real systemd.

With `check_services.py` the part `services`. A timer is let find that its time was missed, as after
a night without power (Persistent=true); what it starts then is as shipped, sandbox and all.
"""

import re

import pytest

from tests.hardware.check_services import EAN, SETTLED
from tests.hardware.places import installed_place

SAFE = "/media/safe"  # As a stick that is there for a while.
PLACES = "/srv/dockledger-backup"
CREDENTIAL = "/etc/credstore/dockledger-central.drill-key"
STAMPS = "/var/lib/systemd/timers"
CENTRAL = "sudo -u dockledger-central dockledger-central"
GATEWAY = "sudo -u dockledger-gateway dockledger-gateway"

TIMERS = ("dockledger-gateway-backup", "dockledger-backup", "dockledger-drill")
# They are spread over minutes, at a boot as well: nobody waits for that here.
AT_ONCE = "[Timer]\nRandomizedDelaySec=0\n"

pytestmark = pytest.mark.timeout(3600)


@pytest.fixture(scope="module")
def place():
    with installed_place(print, SETTLED) as opened:
        opened.until(lambda: "run" in opened.health(), "gateway")
        for unit in TIMERS:
            opened.put(f"/etc/systemd/system/{unit}.timer.d/lab.conf", AT_ONCE)
        # What is enabled starts with its target at a boot; a guest that is resumed has had that.
        opened.type("systemctl daemon-reload; systemctl start timers.target")
        opened.type(f"install -d -o dockledger-central {SAFE}")
        said = opened.type(f"{CENTRAL} backup new-key --to {SAFE}/backup.key")
        (recipient,) = re.findall(r"\b[0-9a-f]{64}\b", said)
        for name, prepare in (
            ("gateway", f"{GATEWAY} journal prepare-place"),
            ("central", f"{CENTRAL} backup prepare-place"),
        ):
            folder = f"{PLACES}/{name}"
            opened.type(f"install -d {PLACES}; install -d -o dockledger-{name} {folder}")
            opened.type(f"{prepare} {folder}")
            settings = f"""'backup.recipients=["{recipient}"]' 'backup.places=["{folder}"]'"""
            config = f"/etc/dockledger-{name}/{name}.toml"
            opened.type(f"dockledger-provision set {settings} --config {config}")
        yield opened


def miss(place, unit):
    """Let a timer find that it was missed, and wait until what it starts has ended well."""
    begun = place.field(f"{unit}.service", "ExecMainStartTimestampMonotonic")
    stamp = f"{STAMPS}/stamp-{unit}.timer"
    place.type(f"systemctl stop {unit}.timer; touch -d '15 days ago' {stamp}")
    place.type(f"systemctl start {unit}.timer")

    def ended():
        now = place.field(f"{unit}.service", "ExecMainStartTimestampMonotonic")
        state = place.field(f"{unit}.service", "ActiveState")
        return now != begun and state in {"inactive", "failed"}

    place.until(ended, f"end of {unit}", seconds_max=60)
    result = place.field(f"{unit}.service", "Result")
    if result != "success":
        print(place.type(f"journalctl --no-pager -o cat -u {unit} | tail -20"))
    return result, place.field(f"{unit}.service", "ExecMainStatus")


def backups(place, name):
    """Return the backups that lie in a place, oldest first."""
    return place.type(f"ls {PLACES}/{name}/*.dlb 2>/dev/null || true").split()


def test_the_gateways_timer_is_on_and_backs_the_journal_up_once_it_is_due(place):
    assert place.field("dockledger-gateway-backup.timer", "ActiveState") == "active"
    assert place.field("dockledger-gateway-backup.timer", "UnitFileState") == "enabled"
    place.hand("scan", "CMD-RECEIVE")
    place.until(place.workflow, "workflow")
    place.scan(EAN)
    count = place.health()["unsent_count"]
    assert not backups(place, "gateway")
    assert miss(place, "dockledger-gateway-backup") == ("success", "0")
    (file,) = backups(place, "gateway")
    assert "SQLite format" not in place.type(f"strings -n 8 {file} | head -50 || true")
    said = place.type(
        f"dockledger-gateway journal check-backup {file} --identity {SAFE}/backup.key"
    )
    print(said)
    (facts,) = re.findall(r"(\d+) facts of", said)
    assert int(facts) >= count > 0
    assert "0 findings" in said
    key = place.type_boldly(
        f"{CENTRAL} backup new-key --to {SAFE}/other.key >/dev/null;"
        f" dockledger-gateway journal check-backup {file} --identity {SAFE}/other.key"
    )
    assert "facts of" not in key  # Nobody else reads it.


def test_a_place_that_is_away_ends_the_service_as_failed_and_nothing_is_written(place):
    place.type(
        f"mv {PLACES}/gateway {PLACES}/away; install -d -o dockledger-gateway {PLACES}/gateway"
    )
    assert miss(place, "dockledger-gateway-backup") == ("exit-code", "1")
    assert not backups(place, "gateway")
    assert "never prepared" in place.type("journalctl -o cat -u dockledger-gateway-backup")
    place.type(f"rm -r {PLACES}/gateway; mv {PLACES}/away {PLACES}/gateway")
    assert miss(place, "dockledger-gateway-backup") == ("success", "0")


def test_centrals_timer_backs_the_ledger_up_once_it_is_due(place):
    assert not backups(place, "central")
    place.type("systemctl enable --now dockledger-backup.timer")  # As the README has it.
    assert miss(place, "dockledger-backup") == ("success", "0")
    (file,) = backups(place, "central")
    said = place.type(f"{CENTRAL} backup verify --identity {SAFE}/backup.key")
    print(said)
    assert place.type(f"head -c 15 {file} | tr -d '\\0'") != "SQLite format 3"


def test_the_drill_restores_it_aside_once_it_is_due_and_the_key_is_there(place):
    if not place.kernel:
        pytest.skip(
            "no credentials in these namespaces: python -m tests.hardware services has them"
        )
    place.type("systemctl enable --now dockledger-drill.timer")
    assert place.field("dockledger-drill.service", "ConditionResult") != "yes"
    place.type(f"install -m 600 {SAFE}/backup.key {CREDENTIAL}")
    assert miss(place, "dockledger-drill") == ("success", "0")
    said = place.type("journalctl -o cat -u dockledger-drill | tail -20")
    print(said)
    assert not place.type("ls -A /var/cache/dockledger-drill").strip()  # Thrown away.
