"""A gateway whose root is only read, in a guest: `python -m tests.hardware read-only-root`.

Each test is a chapter and goes on where the one before ended. Every start is one after a power cut:
of the data's disk is left what was flushed, and some of the rest.
"""

import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from provisioning.read_only_root.partitions import ENTRY_BYTES, FIRST_ENTRY, LINUX
from tests.hardware.built_packages import built_packages
from tests.hardware.check_services import DATA, EAN, GATEWAY_TOML
from tests.hardware.host import find_host, refuse_foreign
from tests.hardware.in_guest.first_reference import REFERENCE
from tests.hardware.installed_guest import Settled, guest_with
from tests.hardware.places import Place, installed_tar
from tests.hardware.restarted import Restarted
from tests.hardware.tools import tool

SETTINGS = "/etc/dockledger-gateway"
UPDATES = "/media/updates"
IN_MEMORY = "/run/dockledger-root/var/upper"  # What is written to /var since the boot.
PATIENT = ("probation_s = 30", "start_limit_s = 900", "check_interval_s = 20")
SETTLED = Settled(
    name="read-only-root",
    files=(
        (f"{SETTINGS}/gateway.toml", GATEWAY_TOML),
        (f"{SETTINGS}/reference.toml", REFERENCE),
        # As every installed Debian has it.
        ("/etc/fstab", "/dev/vda / ext4 defaults 0 1\n"),
    ),
    command="systemctl mask -q mosquitto dockledger-central",
)
CARD_BYTES = 6 * 1024**3  # Sparse.
# Of a card that was just written: the boot partition, and a root with nothing behind it.
BOOT, ROOT = (0x0C, 16384, 65536), (LINUX, 81920, 1048576)
PART = "/dev/disk/by-id/virtio-card-part"
SWITCH = "/usr/lib/dockledger-gateway/dockledger-root"
MAKE_ROOM = (
    f"PYTHONPATH={SWITCH} python3 -c 'from provisioning.read_only_root import disks;"
    f' print(disks.made_beside(disks.place_of("{PART}2")))\''
)

pytestmark = pytest.mark.timeout(5400)


def write_card(path: Path) -> None:
    """Write a card with two partitions, the second with a file system."""
    record = bytearray(512)
    for number, (kind, first, count) in enumerate((BOOT, ROOT)):
        at = FIRST_ENTRY + number * ENTRY_BYTES
        sizes = first.to_bytes(4, "little") + count.to_bytes(4, "little")
        record[at : at + ENTRY_BYTES] = bytes(4) + bytes([kind]) + bytes(3) + sizes
    record[510:] = b"\x55\xaa"
    with path.open("wb") as file:
        file.truncate(CARD_BYTES)
        file.write(record)
    words = ("-q", "-t", "ext4", "-E", f"offset={ROOT[1] * 512}", str(path), f"{ROOT[2] // 2}k")
    tool("mke2fs", *words, what="making a card")


@pytest.fixture(scope="module")
def packages():
    return built_packages(find_host().cache / "packages", print)


def for_any_central(packages, folder):
    """Return a copy of the good release that waits for no central: there is none here."""
    shutil.copytree(packages.folder / "good", folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["central_min"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    key = str(packages.folder / "update.key")
    words = ("-m", "provisioning", "release", "sign", str(folder), "--key", key)
    tool(sys.executable, *words, what="signing a release")
    return folder


@pytest.fixture(scope="module")
def guest(tmp_path_factory, packages):
    host = find_host()
    refuse_foreign(host, "a root that is only read")
    image = guest_with(installed_tar(host, print), SETTLED, host, print)
    card = tmp_path_factory.mktemp("card") / "card.img"
    write_card(card)
    with Restarted(image, card, seed=7) as opened:
        release = for_any_central(packages, tmp_path_factory.mktemp("release") / "good")
        opened.send_folder(release, f"{UPDATES}/good")
        opened.put(f"{SETTINGS}/update.pub", (packages.folder / "update.key.pub").read_bytes())
        yield opened


@pytest.fixture(scope="module")
def place(guest):
    opened = Place(guest, kernel=True)
    works(opened)
    return opened


def works(place):
    """Wait until the gateway works."""
    place.until(lambda: place.health().get("status") == "ok", "gateway", seconds_max=180)


def facts(place):
    """Return how many facts the journal has: there is no broker, so none has left."""
    return place.health()["unsent_count"]


def has(place, count):
    """See so many facts; what the page has shown already is counted a moment later."""
    place.until(lambda: facts(place) == count, f"{count} facts", seconds_max=10)


def receive(place):
    """Scan one item and see it recorded."""
    if not place.workflow():
        place.hand("scan", "CMD-RECEIVE")
        place.until(place.workflow, "workflow")
    before = facts(place)
    place.scan(EAN)
    has(place, before + 1)


def status(place):
    """Return what the root is now and at the next boot."""
    return re.findall(r"(?:now|next boot) +(\S+)", place.type("dockledger-root status"))


def test_room_for_the_data_is_made_behind_the_root_of_a_card_that_is_in_use(place):
    place.type(f"mkdir /mnt/card; mount {PART}2 /mnt/card; echo kept > /mnt/card/file; sync")
    before = int(place.type("df --output=size -BM /mnt/card | tail -1").strip(" M\n"))
    for _ in range(2):  # Made again it is the same.
        assert place.type(MAKE_ROOM).strip().endswith("3")
    after = int(place.type("df --output=size -BM /mnt/card | tail -1").strip(" M\n"))
    print(f"the root grew from {before} to {after} MB")
    assert after > before + 1900
    assert place.type("cat /mnt/card/file; umount /mnt/card").strip() == "kept"


def test_the_switch_copies_what_is_kept_and_the_gateway_stands_still(place):
    receive(place)
    assert status(place) == ["writable", "writable"]
    receive(place)
    said = place.type(f"dockledger-root read-only --no-reboot --data {PART}3", timeout_s=300)
    print(said)
    assert "only read from the next boot on" in said
    assert status(place) == ["writable", "read-only"]
    # A fact between the copy and the next boot would be in nobody's journal.
    assert place.field("dockledger-gateway", "ActiveState") == "inactive"
    assert "already" in place.type(f"dockledger-root read-only --data {PART}3")


def test_after_a_power_cut_the_root_is_only_read_and_the_facts_are_there(place, guest):
    guest.cut_and_boot()
    works(place)
    assert status(place) == ["read-only", "read-only"]
    for path in ("/usr/lab", "/lab", "/opt/lab", "/boot/lab"):
        assert "Read-only file system" in place.type_boldly(f"touch {path}")
    assert place.type("systemctl --failed --no-legend --plain").strip() == ""
    has(place, 2)
    receive(place)
    place.type("sudo -u dockledger-gateway dockledger-gateway journal verify")


def test_what_is_changed_elsewhere_is_in_memory_and_settings_last(place, guest):
    place.type("echo now > /etc/lab-note; echo now > /var/lib/lab-note; echo now > /root/lab-note")
    lines = "\\n".join([f'source = "{UPDATES}/good"', *PATIENT])
    place.type(f"sed -i 's|^source = .*|{lines}|' {SETTINGS}/update.toml; sync")
    guest.cut_and_boot()
    works(place)
    left = place.type("ls /etc/lab-note /var/lib/lab-note /root/lab-note 2>/dev/null || true")
    assert left == ""
    assert f'source = "{UPDATES}/good"' in place.type(f"cat {SETTINGS}/update.toml")
    has(place, 3)
    assert "Read-only file system" in place.type_boldly("touch /usr/lab")


def test_a_signed_update_is_built_beside_a_root_that_is_only_read_and_lasts(place, guest, packages):
    stays = f"release {packages.good} stays"
    said = "journalctl -o cat -u dockledger-update"
    place.until(lambda: stays in place.type(said), f"release {packages.good}", seconds_max=400)
    receive(place)
    guest.cut_and_boot()
    works(place)
    assert place.health()["version"] == packages.good
    has(place, 4)
    place.type("sudo -u dockledger-gateway dockledger-gateway journal verify")


def test_without_its_data_a_gateway_records_nothing_and_the_machine_boots(place, guest):
    guest.cut_and_boot(has_card=False)
    for unit in ("dockledger-gateway", "dockledger-update"):
        assert place.field(unit, "ActiveState") == "inactive"
    assert "refused" in place.health()
    assert "Read-only file system" in place.type_boldly("touch /usr/lab")
    # The copy that the switch has left is there, and nothing was written above it: what is written
    # now is in memory, where the file that says so is the only one of ours.
    place.type(f"touch {DATA}/lab-note")
    assert place.type(f"find {IN_MEMORY}/lib/dockledger-* -type f") == (
        f"{IN_MEMORY}/lib/dockledger-gateway/lab-note\n"
    )


def test_the_way_back_leaves_the_data_where_they_are(place, guest):
    guest.cut_and_boot()
    works(place)
    assert "written from the next boot on" in place.type("dockledger-root writable")
    assert status(place) == ["read-only", "writable"]
    guest.cut_and_boot()
    works(place)
    assert status(place) == ["writable", "writable"]
    place.type("touch /usr/lab && rm /usr/lab")
    has(place, 4)
    assert "dockledger-gateway" in place.type(f"findmnt -no SOURCE {DATA}")
    receive(place)
