"""A guest that is cut and boots again from what its disks hold then. Edge of QEMU."""

import random
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from tests.hardware.cut_disk import CutDisk
from tests.hardware.image import Image
from tests.hardware.machine import Machine
from tests.hardware.tools import tool

PLUG_S_MAX, LOOK_S = 60.0, 0.01
LENT = ("kernel", "initrd")


class Restarted:
    """A guest with one more disk, whose cache is lost with each cut; `machine` is its present run.

    What its own disk had got of it is kept, as is what the other one had flushed.
    """

    def __init__(self, image: Image, card: Path, *, seed: int) -> None:
        self._image = image
        self._chooser = random.Random(seed)
        self._folder = Path(tempfile.mkdtemp(prefix="dockledger-lab-"))
        self._runs_count = 0
        self._disk = CutDisk(card, self._folder / "socket")
        self.machine = Machine(image)

    def __enter__(self) -> "Restarted":
        try:
            self.machine.start()
            self.machine.plug_disk("card", socket=self._disk.socket)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def cut_and_boot(self, *, has_card: bool = True) -> None:
        """Pull the plug and boot; it is ready for commands on return. Raises GuestFailed.

        has_card: whether the other disk is there; the data on it are as the cut has left them.
        """
        self.machine.cut()
        self._disk.cut(self._chooser)  # At once if the guest did not have it.
        self._runs_count += 1
        folder = self._folder / f"run-{self._runs_count}"
        folder.mkdir()
        for name in LENT:
            (folder / name).symlink_to((self._image.folder / name).resolve())
        kept = Image(folder, self._image.architecture)
        words = ("convert", "-f", "qcow2", "-O", "raw", str(self.machine.folder / "root.qcow2"))
        tool("qemu-img", *words, str(kept.disk), what="keeping a guest's disk")
        self.machine.close()
        self.machine = Machine(kept, resumed=False)
        # It is there from the beginning, as a partition of a card is.
        plugs = threading.Thread(target=self._plug, args=(self.machine,), daemon=True)
        if has_card:
            plugs.start()
        self.machine.start()
        if has_card:
            plugs.join()

    def run(self, command: str, *, timeout_s: float = 120.0, checked: bool = True) -> str:
        """Run a shell command, as Machine has it."""
        return self.machine.run(command, timeout_s=timeout_s, checked=checked)

    def put(self, path: str, data: bytes, *, mode: int = 0o644) -> None:
        """Write a small file, as Machine has it."""
        self.machine.put(path, data, mode=mode)

    def send_folder(self, source: Path, target: str) -> None:
        """Copy a folder in, as Machine has it."""
        self.machine.send_folder(source, target)

    def close(self) -> None:
        """End the guest and forget its disks."""
        self.machine.close()
        self._disk.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _plug(self, machine: Machine) -> None:
        deadline = time.monotonic() + PLUG_S_MAX
        while not hasattr(machine, "monitor"):
            if time.monotonic() > deadline:
                return  # Then it does not start either, and says why.
            time.sleep(LOOK_S)
        server = {"type": "unix", "path": str(self._disk.socket)}
        node: dict[str, Any] = {"node-name": "card", "driver": "nbd", "server": server}
        machine.monitor.ask("blockdev-add", **node)
        device: dict[str, Any] = {
            "driver": "virtio-blk-pci",
            "drive": "card",
            "id": "disk-card",
            "serial": "card",
        }
        machine.monitor.ask("device_add", **device, bus="port0")
