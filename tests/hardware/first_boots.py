"""Cuts the power of gateways in their first boot, and counts who they are in the end. Loop.

Each gateway has a disk that loses its power: the card as `dockledger-provision image` writes it,
its settings, its data, the marker of the first boot. A guest with the package is resumed, the disk
takes its places, and what cloud-init calls at a boot is called. It is cut at a random moment, some
of them again, then boots until it is enrolled at a central on this machine, and is cut once more.
"""

import random
import shutil
import socket
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from central.trust import registry
from provisioning.first_boot.card import FOLDER, CardPlan, card_files
from provisioning.trust_commands import gateway_file
from tests.gateway.identity.https_central import Central, https_central
from tests.hardware.cut_disk import CutDisk
from tests.hardware.enrolled import Stage, look_at, stage_of
from tests.hardware.errors import GuestFailed
from tests.hardware.image import Image, Say, tool
from tests.hardware.in_guest.wire import Wire
from tests.hardware.installed_guest import Settled
from tests.hardware.machine import Machine

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SCRIPTS = ("dockledger-first-boot.service", "first-boot.sh", "start.sh")
DISK_BYTES = 64 * 1024**2  # Sparse.
BOOT_CPU_S = 45.0  # What an emulated first boot takes, until the gateway is enrolled.
ANSWER_CPU_S = 0.6  # From its question to central until it has kept the certificate.
NEAR = 0.5  # Of the cuts fall there.
LOOK_S = 0.02
ENROLLED_S_MAX = 900.0
AGAIN = 0.25  # Of the cut ones are cut a second time.
LAB = "/usr/local/lib/lab"
# What a machine does as it boots; the disk's folders stand for partitions and folders of the card.
BOOT = f"""
set -e
mkdir -p /data
/sbin/e2fsck -p /dev/disk/by-id/virtio-data || [ $? -lt 4 ]
mount /dev/disk/by-id/virtio-data /data
while read -r folder place; do
  mkdir -p "$place"
  mount --bind "/data/$folder" "$place"
done <<END
card /boot/firmware
etc /etc/dockledger-gateway
lib /var/lib/dockledger-gateway
done /var/lib/dockledger-first-boot
END
systemd-run --quiet --unit lab-wire python3 {LAB}/wire.py "$1"
sh /boot/firmware/{FOLDER}/start.sh
systemctl start --no-block dockledger-clock.service dockledger-gateway.service
"""
ENROLLED = (
    "[ -e /data/done/done ] && [ -e /data/lib/identity/identity.pem ]"
    f" && [ ! -e /data/card/{FOLDER}/dockledger-enrol.toml ]"
    " && systemctl -q is-active dockledger-gateway"
)
SETTLED = Settled(
    name="first-boot",
    files=(
        (f"{LAB}/wire.py", (HERE / "in_guest/wire.py").read_text()),
        (f"{LAB}/boot.sh", BOOT),
    ),
    # The package is there, its settings are not.
    command="systemctl mask -q mosquitto dockledger-central dockledger-update",
    warm="cd /; /opt/dockledger-gateway/current/bin/python"
    " -c 'import gateway.__main__, gateway.service, gateway.identity.child'",
)


@dataclass(slots=True)
class BootReport:
    """What a campaign found. at: how many cuts in the first boot came at which stage.

    unheard_count: cuts after which central had given a certificate that the gateway did not have.
    wrong: by gateway, what is not as it has to be.
    """

    cuts_count: int = 0
    enrolled_count: int = 0
    unheard_count: int = 0
    at: Counter[Stage] = field(default_factory=Counter)
    wrong: dict[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """Return it in a line."""
        stages = ", ".join(f"{count} {stage}" for stage, count in self.at.items())
        return (
            f"{self.cuts_count} cuts in the first boot ({stages}), {self.unheard_count} between"
            f" central's answer and its certificate; {self.enrolled_count} gateways enrolled with"
            f" one certificate each, {len(self.wrong)} wrong"
        )


def boot_gateways(image: Image, say: Say, *, cycles: int, seed: int) -> BootReport:
    """Cut so many gateways in their first boot. Raises GuestFailed if one never enrols."""
    report = BootReport()
    folder = Path(tempfile.mkdtemp(prefix="dockledger-lab-"))
    try:
        with https_central(folder) as central:
            for number in range(1, cycles + 1):
                begin = time.monotonic()
                chooser = random.Random(f"{seed}/{number}")
                gateway = _Gateway(f"lab-{number:03}", folder, central)
                try:
                    told = _cut_until_enrolled(gateway, image, chooser, report)
                finally:
                    gateway.close()
                say(f"{number} of {cycles}: cut {told}; {time.monotonic() - begin:.1f} s")
    finally:
        shutil.rmtree(folder)
    return report


class _Gateway:
    """One card, the disk that it is in, and the central at which it enrols."""

    def __init__(self, code: str, folder: Path, central: Central) -> None:
        self.code, self.central = code, central
        self.folder = folder / code
        content = self.folder / "content"
        for name, data in _card(code, central).items():
            path = content / "card" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        for name in ("etc", "lib", "done"):
            (content / name).mkdir()
        self.file = self.folder / "data.img"
        with self.file.open("wb") as file:
            file.truncate(DISK_BYTES)
        words = ("-q", "-t", "ext4", "-d", str(content), str(self.file))
        tool("mke2fs", *words, what="making a card")
        self.disk = CutDisk(self.file, self.folder / "disk")

    def boot(self, machine: Machine) -> None:
        """Put the disk into a guest and boot; returns at once."""
        port = int(self.central.url.rpartition(":")[2])
        machine.plug_disk("data", socket=self.disk.socket)
        _wire(machine, port)
        machine.run(f"sh {LAB}/boot.sh {port}", timeout_s=300)

    def serials(self) -> list[str]:
        """Return its certificates that are good at central."""
        with self.central.database.read() as connection:
            rows = registry.certificates_of(connection, self.code)
        return [one.serial for one in rows if not one.revoked_ms and not one.replaced_ms]

    def close(self) -> None:
        """Forget it."""
        self.disk.close()
        shutil.rmtree(self.folder)


def _card(code: str, central: Central) -> dict[str, bytes]:
    made = {
        "gateway": code,
        "site": "demo",
        "warehouse": "sh1",
        "broker_port": 8883,
        "ledger_public_key": "ab" * 32,
    }
    settings = gateway_file(
        made, central_url=central.url, broker_host="127.0.0.1", receive_location="DOCK-1"
    )
    claim = central.enrol_file(central.claim(code))
    plan = CardPlan(host_name=code, gateway_toml=settings, enrol_toml=claim)
    place = ROOT / "provisioning/first_boot"
    return card_files(plan, scripts={name: (place / name).read_bytes() for name in SCRIPTS})


def _cut_until_enrolled(
    gateway: _Gateway, image: Image, chooser: random.Random, report: BootReport
) -> str:
    stages: list[Stage] = []
    while not stages or chooser.random() < AGAIN:
        with Machine(image) as machine:
            _boot_and_cut(machine, gateway, chooser)
        gateway.disk.cut(chooser)
        stages.append(stage_of(gateway.file))
        report.cuts_count += 1
        report.at[stages[-1]] += 1
        report.unheard_count += bool(gateway.serials()) and stages[-1] != "enrolled"
    with Machine(image) as machine:
        gateway.boot(machine)
        try:
            machine.wait_in_guest(ENROLLED, timeout_s=int(ENROLLED_S_MAX / 4))
        except GuestFailed as error:
            said = machine.run("journalctl --no-pager -o cat -n 60", checked=False)
            raise GuestFailed(f"{gateway.code} does not enrol: {error}\n{said[-4000:]}") from error
        machine.cut()
    gateway.disk.cut(chooser)
    wrong = look_at(gateway.file, gateway.code, gateway.serials())
    if wrong:
        report.wrong[gateway.code] = wrong
    else:
        report.enrolled_count += 1
    return ", ".join(stages) + (f"; WRONG: {wrong}" if wrong else "")


def _boot_and_cut(machine: Machine, gateway: _Gateway, chooser: random.Random) -> None:
    """Cut after so much work of the emulator, which a busy machine does not change.

    Or, so that the worst moment is met often, only just after central has been asked.
    """
    near, work_s = chooser.random() < NEAR, chooser.uniform(0.0, BOOT_CPU_S)
    after_s = chooser.uniform(0.0, ANSWER_CPU_S)
    boots = threading.Thread(target=_boot_to_the_cut, args=(gateway, machine), daemon=True)
    boots.start()
    begin_s, asked_s, deadline = machine.cpu_s(), None, time.monotonic() + ENROLLED_S_MAX
    asked_count = len(gateway.central.requests)
    while time.monotonic() < deadline:
        now_s = machine.cpu_s()
        if asked_s is None and len(gateway.central.requests) > asked_count:
            asked_s = now_s
        if asked_s is not None and now_s - asked_s >= after_s:
            break
        if not near and now_s - begin_s >= work_s:
            break
        time.sleep(LOOK_S)
    machine.cut()
    boots.join()


def _boot_to_the_cut(gateway: _Gateway, machine: Machine) -> None:
    with suppress(GuestFailed, OSError):  # The cut came before it was booted.
        gateway.boot(machine)


def _wire(machine: Machine, port: int) -> None:
    """Let a guest reach a port of this machine."""
    path = machine.folder / "wire"
    address = {"type": "unix", "data": {"path": str(path)}}
    backend = {"type": "socket", "data": {"addr": address, "server": True, "wait": False}}
    machine.monitor.ask("chardev-add", id="wire", backend=backend)
    device = {"driver": "virtserialport", "chardev": "wire", "name": "dockledger.wire"}
    machine.monitor.ask("device_add", **device, id="wire")
    end = socket.socket(socket.AF_UNIX)
    end.connect(str(path))

    def take(count: int) -> bytes:
        data = b""
        while len(data) < count:
            piece = end.recv(count - len(data))
            if not piece:
                end.close()
                raise ConnectionError("the guest is gone")
            data += piece
        return data

    wire = Wire(take, end.sendall, answer=lambda: socket.create_connection(("127.0.0.1", port)))
    threading.Thread(target=wire.listen, name="wire", daemon=True).start()
