"""A gateway's card and data on a disk that loses its power, and how a guest boots it. Edge of QEMU.

The card is as `dockledger-provision image` writes it; the disk's other folders are its settings,
its data and the marker of the first boot. A guest with the package takes them in their places and
does what a machine does as it boots. It reaches central, on this machine, over a serial port.
"""

import shutil
import socket
import threading
from pathlib import Path

from central.trust import registry
from provisioning.first_boot.card import FOLDER, CardPlan, card_files
from provisioning.trust_commands import gateway_file
from tests.gateway.identity.https_central import Central
from tests.hardware.cut_disk import CutDisk
from tests.hardware.image import tool
from tests.hardware.in_guest.wire import Wire
from tests.hardware.installed_guest import Settled
from tests.hardware.machine import Machine

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SCRIPTS = ("dockledger-first-boot.service", "first-boot.sh", "start.sh")
DISK_BYTES = 64 * 1024**2  # Sparse.
LAB = "/usr/local/lib/lab"
PORT = 8443  # Of central, in the guest.
CENTRAL_URL = f"https://127.0.0.1:{PORT}"
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
sh /boot/firmware/{FOLDER}/start.sh
systemctl start --no-block dockledger-clock.service dockledger-gateway.service
"""
ENROLLED = (
    "[ -e /data/done/done ] && [ -e /data/lib/identity/identity.pem ]"
    f" && [ ! -e /data/card/{FOLDER}/dockledger-enrol.toml ]"
    " && systemctl -q is-active dockledger-gateway && echo yes"
)
SETTLED = Settled(
    name="first-boot",
    files=(
        (f"{LAB}/wire.py", (HERE / "in_guest/wire.py").read_text()),
        (f"{LAB}/boot.sh", BOOT),
    ),
    # The package is there, its settings are not.
    command="systemctl mask -q mosquitto dockledger-central dockledger-update",
    # The way to central is the lab's own, and waits before anything boots.
    warm="cd /; /opt/dockledger-gateway/current/bin/python"
    " -c 'import gateway.__main__, gateway.service, gateway.identity.child'"
    f"; systemd-run --quiet --unit lab-wire python3 {LAB}/wire.py {PORT}; sleep 3",
)


class CardedGateway:
    """One card, the disk that it is in, and the central at which it enrols; in a with-block."""

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

    def __enter__(self) -> "CardedGateway":
        return self

    def __exit__(self, *_exc: object) -> None:
        self.disk.close()
        shutil.rmtree(self.folder)

    def boot(self, machine: Machine) -> None:
        """Put the disk into a guest and boot; returns at once."""
        machine.plug_disk("data", socket=self.disk.socket)
        _wire(machine, int(self.central.url.rpartition(":")[2]))
        machine.run(f"sh {LAB}/boot.sh", timeout_s=300)

    def is_enrolled(self, machine: Machine) -> bool:
        """Return whether its first boot has come to its end in a guest."""
        return bool(self.serials()) and machine.run(ENROLLED, checked=False) == "yes\n"

    def serials(self) -> list[str]:
        """Return its certificates that are good at central."""
        with self.central.database.read() as connection:
            rows = registry.certificates_of(connection, self.code)
        return [one.serial for one in rows if not one.revoked_ms and not one.replaced_ms]


def _card(code: str, central: Central) -> dict[str, bytes]:
    made = {
        "gateway": code,
        "site": "demo",
        "warehouse": "sh1",
        "broker_port": 8883,
        "ledger_public_key": "ab" * 32,
    }
    settings = gateway_file(
        made, central_url=CENTRAL_URL, broker_host="127.0.0.1", receive_location="DOCK-1"
    )
    claim = central.enrol_file(central.claim(code)).replace(central.url, CENTRAL_URL)
    plan = CardPlan(host_name=code, gateway_toml=settings, enrol_toml=claim)
    place = ROOT / "provisioning/first_boot"
    return card_files(plan, scripts={name: (place / name).read_bytes() for name in SCRIPTS})


def _wire(machine: Machine, port: int) -> None:
    """Let a guest reach a port of this machine at its own PORT."""
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
