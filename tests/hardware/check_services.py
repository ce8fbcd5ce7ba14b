"""The packages and the shipped units under a real systemd; `python -m tests.hardware services`.

Each refusal of a sandbox is shown beside a control run of the same program without the sandbox.
What needs a kernel of its own (devices, the clock) is tried in the guest alone.
"""

import json
import re
import time
from pathlib import Path

import pytest

from tests.hardware.in_guest.first_reference import REFERENCE
from tests.hardware.installed_guest import Settled
from tests.hardware.places import installed_place

HERE = Path(__file__).parent
PROBE = "/usr/local/lib/lab/probe.py"
EXPOSURE_MAX = {
    "dockledger-gateway.service": 1.3,
    "dockledger-central.service": 1.5,
    "dockledger-clock.service": 1.3,
    "dockledger-update.service": 1.3,
    "mosquitto.service": 3.0,
}
# What a unit may do of what the probe tries; all else has to be refused.
ALLOWED = {
    "dockledger-gateway": {
        "write its state",
        "read the journal",
        "reach a private address",
        "hear the kernel",
    },
    "dockledger-central": {
        "write its state",
        "read the ledger",
        "reach a private address",
        "reach a foreign address",
    },
    "dockledger-update": {
        "write its state",
        "write releases",
        "reach a private address",
        "reach a foreign address",
    },
}
# These would reach the machine that runs the tests: there even root in its namespaces may not.
OF_A_KERNEL = {"set the clock", "load a module", "change the kernel"}
GATEWAY_TOML = """
[gateway]
code = "sh1-dock-1"
warehouse = "SH1"
data_directory = "/var/lib/dockledger-gateway"
reference_file = "/etc/dockledger-gateway/reference.toml"
[station]
code = "dock-1"
receive_location = "DOCK-1"
[mqtt]
host = "127.0.0.1"
port = 1
"""
EAN = "4006381333931"
DATA = "/var/lib/dockledger-gateway"
# The kernel lets nobody set a time at which it was not running yet.
IN_1970 = "date -s @$(($(cut -d. -f1 /proc/uptime) + 60))"
# Programs and how long they may stand still. Central's own two minutes are shortened here.
STALLED = {"dockledger-gateway": 30, "dockledger-central": 40}
SHORTER = f"[Service]\nWatchdogSec={STALLED['dockledger-central']}\n"
EXAMPLE = "/usr/share/doc/dockledger-central/examples/mosquitto.service.d/dockledger.conf"
SETTLED = Settled(
    name="services",
    files=(
        ("/etc/dockledger-gateway/gateway.toml", GATEWAY_TOML),
        ("/etc/dockledger-gateway/reference.toml", REFERENCE),
        ("/etc/systemd/system/dockledger-central.service.d/lab.conf", SHORTER),
    ),
    command=f"install -D -m 644 {EXAMPLE} -t /etc/systemd/system/mosquitto.service.d",
)

pytestmark = pytest.mark.timeout(3600)


@pytest.fixture(scope="module")
def place():
    with installed_place(print, SETTLED) as opened:
        opened.put(PROBE, (HERE / "in_guest/probe.py").read_text())
        opened.until(lambda: "run" in opened.health(), "gateway")
        yield opened


@pytest.fixture(scope="module")
def stalled(place):
    """How often each program was started again before it was stopped, as it stands still now."""
    before = {unit: place.field(unit, "NRestarts") for unit in STALLED}
    place.type(f"systemctl kill --kill-whom=main --signal=STOP {' '.join(STALLED)}")
    return before, time.monotonic()


def test_what_must_be_denied_is_denied_and_without_the_sandbox_all_of_it_works(place, stalled):
    del stalled  # It waits for its watchdog meanwhile.
    place.type("ip address add 203.0.113.7/32 dev lo; ip address add 10.99.0.7/32 dev lo")
    listener = "import socket,time; s=socket.create_server(('',7997)); time.sleep(9999)"
    place.type(f'systemd-run --unit lab-listener python3 -c "{listener}"')
    free = "[Service]\nType=oneshot\nExecStart=/usr/bin/python3 " + PROBE + "\n"
    place.put("/etc/systemd/system/lab-control.service", free)
    for unit in ALLOWED:
        shipped = place.type(f"cat /usr/lib/systemd/system/{unit}.service")
        place.put(f"/etc/systemd/system/lab-{unit}.service", confined(shipped))
    place.type("systemctl daemon-reload")
    control = probed(place, "lab-control")
    known = set(control) - (set() if place.kernel else OF_A_KERNEL)
    assert {name: said for name, said in control.items() if name in known and said != "done"} == {}
    for unit, allowed in ALLOWED.items():
        found = probed(place, f"lab-{unit}")
        done = {name for name, said in found.items() if said == "done"}
        print(f"{unit}: {len(found) - len(done)} denied of {len(found)}")
        assert done == allowed, found


def confined(unit):
    """Return a shipped unit that runs the probe in the place of its program."""
    ours = r"(ExecStart|Type|NotifyAccess|WatchdogSec|Restart|Runtime|Wants|After|Condition)\w*="
    kept = [line for line in unit.splitlines() if not re.match(ours, line)]
    at = kept.index("[Service]") + 1
    return "\n".join(
        [*kept[:at], "Type=oneshot", f"ExecStart=/usr/bin/python3 {PROBE}", *kept[at:], ""]
    )


def probed(place, unit):
    """Run the probe as a unit and return what it found."""
    say = f"systemctl start {unit}; journalctl -o cat -u {unit} | grep PROBED | tail -1"
    return json.loads(place.type(say).partition("PROBED ")[2])


@pytest.mark.parametrize("unit", EXPOSURE_MAX)
def test_a_unit_runs_and_is_exposed_as_little_as_is_said(place, unit):
    place.until(lambda: place.field(unit, "ActiveState") == "active", unit)
    said = place.type(f"systemd-analyze security --no-pager {unit} | tail -1")
    found = re.search(r"([0-9.]+) (OK|SAFE|MEDIUM|EXPOSED|UNSAFE)", said)
    print(f"{unit}: {found[0]}")
    assert float(found[1]) <= EXPOSURE_MAX[unit]


def test_the_log_has_a_level_and_fields(place):
    units = {"dockledger-gateway": "gateway running", "dockledger-central": "serving"}
    for unit, event in units.items():
        said = place.type(f"journalctl -o json -u {unit}")
        entries = [json.loads(line) for line in said.splitlines() if '"_PID"' in line]
        lines = [one for one in entries if one.get("MESSAGE", "").startswith("{")]
        found = {json.loads(one["MESSAGE"])["event"]: one for one in lines}
        assert found[event]["PRIORITY"] == "6"  # Information, as journald counts.
        assert found[event]["SYSLOG_IDENTIFIER"] == unit
    wrong = [one for one in lines if json.loads(one["MESSAGE"])["level"] == "warning"]
    assert all(one["PRIORITY"] == "4" for one in wrong)


@pytest.mark.parametrize("unit", STALLED)
def test_a_service_that_stands_still_is_started_again(place, stalled, unit):
    before, begin_s = stalled
    place.until(
        lambda: place.field(unit, "NRestarts") != before[unit], unit, seconds_max=STALLED[unit] + 90
    )
    print(f"{unit}: seen started again after {time.monotonic() - begin_s:.0f} s")
    assert "Watchdog timeout" in place.type(f"journalctl -o cat -u {unit} | tail -50")
    place.until(lambda: place.field(unit, "ActiveState") == "active", unit)
    place.until(lambda: "run" in place.health(), "gateway")


def facts(place):
    """Return how many facts the journal has: there is no broker, so none has left."""
    return place.health()["unsent_count"]


def test_a_root_that_cannot_be_written_and_a_full_disk_are_survived(place):
    others = "dockledger-central dockledger-update mosquitto"
    # Whoever has a file open for writing keeps a root from becoming read only.
    place.type(f"systemctl stop dockledger-gateway {others}; journalctl --relinquish-var")
    place.type(f"mount -t tmpfs -o size=48m,mode=700 tmpfs {DATA}")
    place.type(f"chown dockledger-gateway: {DATA}; mount -o remount,ro,bind /")
    place.type("! touch /lab-probe 2>/dev/null")
    place.type("systemctl start dockledger-gateway", timeout_s=120)
    place.until(lambda: place.health().get("status") == "ok", "gateway on a root that is read only")
    place.hand("scan", "CMD-RECEIVE")
    place.until(place.workflow, "workflow")
    place.scan(EAN)
    assert facts(place) == 1
    place.type(f"dd if=/dev/zero of={DATA}/filler bs=64k 2>/dev/null; df {DATA}", timeout_s=60)
    place.until(lambda: place.health().get("status") == "failing", "word of the full disk")
    print(place.health()["problem"])
    place.scan(EAN)
    assert facts(place) == 1  # And it was not green.
    place.type(f"rm {DATA}/filler")
    place.until(lambda: place.health().get("status") == "ok", "gateway with room again")
    count = facts(place)
    place.scan(EAN)
    assert facts(place) == count + 1
    said = place.type("sudo -u dockledger-gateway dockledger-gateway journal verify")
    print(said)
    place.type("systemctl stop dockledger-gateway; mount -o remount,rw,bind /")
    # The others stay away: nothing after this needs them.
    place.type(f"umount {DATA}; systemctl start dockledger-gateway; journalctl --flush")
    place.until(lambda: place.health().get("status") == "ok", "gateway on its own disk again")


def test_a_clock_that_begins_in_1970_and_jumps_changes_no_order(place):
    if not place.kernel:
        pytest.skip("the clock here is the machine's: in the guest alone")
    now = place.type("date +%s").strip()
    place.type(f"systemctl stop dockledger-gateway && {IN_1970}")
    place.type("systemctl start dockledger-gateway")
    place.until(lambda: place.health().get("status") == "ok", "gateway in 1970")
    before, starts = facts(place), place.field("dockledger-gateway", "NRestarts")
    place.hand("scan", "CMD-RECEIVE")
    place.until(place.workflow, "workflow")
    place.scan(EAN)
    place.type(f"date -s @{now}")
    place.scan(EAN)
    place.type(IN_1970)  # Back again.
    place.scan(EAN)
    place.type(f"date -s @{int(now) + 600}")
    place.scan(EAN)
    assert facts(place) == before + 4
    assert place.field("dockledger-gateway", "NRestarts") == starts
    place.type("sudo -u dockledger-gateway dockledger-gateway journal verify")


def test_devices_get_names_and_groups_and_the_confined_gateway_reads_them(place):
    if not place.kernel:
        pytest.skip("there are no devices here: in the guest alone")
    place.send(HERE / "in_guest", "/opt/lab/tests/hardware/in_guest")
    place.type("touch /opt/lab/tests/__init__.py /opt/lab/tests/hardware/__init__.py")
    packages = place.type("ls -d /opt/dockledger-gateway/current/lib/python3.*/site-packages")
    environment = f"-E PYTHONPATH=/opt/lab:{packages.strip()}"
    module = "python3 -m tests.hardware.in_guest.plugged"
    place.type(
        f"systemd-run --unit lab-plugged --working-directory /opt/lab {environment} {module}"
    )
    names = "ls /dev/dockledger/ 2>/dev/null"
    place.until(lambda: len(place.type_boldly(names).split()) == 2, "names of devices")
    print(place.type(names))
    shown = place.type("stat -L -c '%G %a' /dev/dockledger/scanner-* /dev/hidraw0")
    assert shown.split() == ["dockledger-hid", "640", "dockledger-hid", "660"]
    assert place.type("stat -L -c %G /dev/dockledger/serial-*").strip() == "dialout"

    def offered():
        found = place.hand("devices").get("found", [])
        return next(
            (one for one in found if "Lab Scanner" in one["title"] and one["choices"]), None
        )

    offer = place.until(offered, "offer of the scanner")
    place.hand("scan", offer["code"])  # As a scanner that works already would read it.
    name = offer["name"]
    place.until(lambda: place.health()["devices"].get(name) == "ready", "scanner in service")
    before = facts(place)
    place.hand("scan", "CMD-RECEIVE")
    place.until(place.workflow, "workflow")
    place.type(f"echo {EAN} > /run/lab-type")
    place.until(lambda: facts(place) == before + 1, "scan of the real keyboard")
