"""One guest: started or resumed, spoken to, cut from the mains. Edge of QEMU.

The guest is emulated (TCG): it needs no KVM, no rights, and behaves the same everywhere, some
fifteen times slower than its host.
"""

import base64
import itertools
import os
import queue
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any, Literal

from tests.hardware.errors import GuestFailed
from tests.hardware.image import DISK_PORTS, MEMORY_MB, Image, tool
from tests.hardware.lines import JsonLines
from tests.hardware.monitor import Monitor

START_S_MAX = 600
END_S_MAX = 20
HELLO_S = 2.0
EMULATORS = {
    "amd64": ("qemu-system-x86_64", "q35", "qemu64,+ssse3,+sse4.1,+sse4.2,+popcnt,+cx16,+lahf-lm"),
    "arm64": ("qemu-system-aarch64", "virt,gic-version=3", "cortex-a72"),
}
PLUGGED, PLUGGED_PORT = "under-test", DISK_PORTS - 2  # The disk that a frozen guest may have.
# A run that is killed leaves no guest behind.
DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL", "--")
CONSOLES = {"amd64": "ttyS0", "arm64": "ttyAMA0"}
# What tests of devices do not look at, and an emulated boot takes seconds for.
KERNEL_WORDS = (
    "quiet loglevel=4 panic=-1 mitigations=off nokaslr audit=0 random.trust_cpu=on rootwait"
    " systemd.show_status=no systemd.default_timeout_start_sec=300"
)


@dataclass(frozen=True, slots=True)
class Running:
    """A command that runs in the guest. ended: gets its exit status. output: what it said."""

    ended: "queue.SimpleQueue[int]" = field(default_factory=queue.SimpleQueue)
    output: list[str] = field(default_factory=list)
    heard: Callable[[str], None] | None = None

    def text(self) -> str:
        """Return what it said so far."""
        return "".join(self.output)


class Machine:
    """A guest on an overlay of its own: nothing that happens in it outlives it."""

    def __init__(self, image: Image, *, resumed: bool = True, plugged: Path | None = None) -> None:
        """plugged: the disk that was plugged in at PLUGGED_PORT when this image was frozen."""
        self.image = image
        self._plugged = plugged
        self._resumed = resumed and image.frozen
        self.folder = Path(tempfile.mkdtemp(prefix="dockledger-lab-"))
        self._disk = self.folder / "root.qcow2"
        self._numbers = itertools.count(1)
        self._running: dict[int, Running] = {}
        self._ready = Event()
        self._child: subprocess.Popen[bytes] | None = None
        self.kernel = self.python = ""

    def __enter__(self) -> "Machine":
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def start(self) -> None:
        """Resume the frozen guest, or boot. Raises GuestFailed with the console's last words."""
        backing = (self.image.ready_disk, "qcow2") if self._resumed else (self.image.disk, "raw")
        create = (
            "qemu-img",
            "create",
            "-q",
            "-f",
            "qcow2",
            "-b",
            str(backing[0]),
            "-F",
            backing[1],
        )
        tool(*create, str(self._disk), what="making the guest's overlay")
        with (self.folder / "qemu.log").open("wb") as log:
            self._child = subprocess.Popen(
                self._words(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_S_MAX
        self._wait_for_file(self.folder / "monitor", deadline)
        self.monitor = Monitor(self.folder / "monitor")
        if self._resumed:
            while self.monitor.ask("query-status")["status"] == "inmigrate":
                time.sleep(0.02)
            self.monitor.ask("cont")
        self._lines = JsonLines(self.folder / "agent", self._hear)
        while not self._ready.wait(HELLO_S if self._resumed else 0.1):
            self._refuse_dead(deadline)
        if self._resumed:  # It has the clock and the random numbers of the day it was frozen.
            seed = os.urandom(32).hex()
            self.run(f"date -s @{time.time():.3f} >/dev/null; echo {seed} > /dev/urandom")

    def run(self, command: str, *, timeout_s: float = 120.0, checked: bool = True) -> str:
        """Run a shell command and return its output. Raises GuestFailed, also for a bad status."""
        running = self.begin(command, timeout_s=timeout_s)
        status = self.end_of(running, timeout_s=timeout_s)
        if checked and status:
            raise GuestFailed(f"status {status} of: {command}\n{running.text()}")
        return running.text()

    def begin(
        self, command: str, *, timeout_s: float, heard: Callable[[str], None] | None = None
    ) -> Running:
        """Begin a command. heard: called with what it says, as it says it, by another thread."""
        number, running = next(self._numbers), Running(heard=heard)
        self._running[number] = running
        self._lines.send({"id": number, "run": command, "timeout_s": timeout_s})
        return running

    def end_of(self, running: Running, *, timeout_s: float) -> int:
        """Wait for the end of a command and return its status. Raises GuestFailed."""
        try:
            return running.ended.get(timeout=timeout_s + END_S_MAX)
        except queue.Empty:
            raise GuestFailed(f"the guest is silent\n{self.console()[-1500:]}") from None

    def put(self, path: str, data: bytes, *, mode: int = 0o644) -> None:
        """Write a small file in the guest."""
        number, running = next(self._numbers), Running()
        self._running[number] = running
        text = base64.b64encode(data).decode()
        self._lines.send({"id": number, "put": path, "base64": text, "mode": mode})
        if self.end_of(running, timeout_s=60):
            raise GuestFailed(f"{path} was not written: {running.text()}")

    def send_folder(self, source: Path, target: str) -> None:
        """Copy a folder in, as a tar file that is plugged in as a disk."""
        packed = self.folder / "sent.tar"
        tool("tar", "-C", str(source), "-cf", str(packed), ".", what="packing a folder")
        number = next(self._numbers)
        name = f"sent{number}"
        self.plug_disk(name, path=packed, port=DISK_PORTS - 1)
        disk = f"/dev/disk/by-id/virtio-{name}"
        self.run(f"mkdir -p {target} && tar -C {target} --no-same-owner -xf {disk}", timeout_s=300)
        self.unplug(f"disk-{name}")
        self.monitor.ask("blockdev-del", **{"node-name": name})
        packed.unlink()

    def plug_disk(
        self, name: str, *, path: Path | None = None, socket: Path | None = None, port: int = 0
    ) -> None:
        """Plug in a disk: a raw file, to be read only, or a network block device at a socket."""
        node: dict[str, Any] = {"node-name": name}
        if socket is not None:
            node |= {"driver": "nbd", "server": {"type": "unix", "path": str(socket)}}
        else:
            node |= {"driver": "raw", "file": {"driver": "file", "filename": str(path)}}
            node |= {"read-only": True}
        self.monitor.ask("blockdev-add", **node)
        device = {"driver": "virtio-blk-pci", "drive": name, "id": f"disk-{name}", "serial": name}
        self.monitor.ask("device_add", **device, bus=f"port{port}")
        there = f"[ -e /dev/disk/by-id/virtio-{name} ]"
        self.wait_in_guest(there)

    def unplug(self, device: str) -> None:
        """Pull a device that was plugged in."""
        since = self.monitor.events_count()
        self.monitor.ask("device_del", id=device)
        self.monitor.wait_for("DEVICE_DELETED", since=since)

    def wait_in_guest(self, condition: str, *, timeout_s: int = 30) -> None:
        """Wait until a shell condition holds in the guest. Raises GuestFailed."""
        turns = timeout_s * 20
        loop = f"for turn in $(seq {turns}); do if {condition}; then exit 0; fi; sleep 0.05; done"
        self.run(
            f"{loop}; echo never: '{condition.replace(chr(39), '')}'; exit 1",
            timeout_s=timeout_s * 4,
        )

    def freeze(self, *, image: Image | None = None) -> None:
        """Write disk and memory of this moment beside the image, or another of it, and end."""
        self.image = image or self.image
        folder = self.image.folder
        state = folder / "ready.state.part"
        self.monitor.ask("stop")
        self.monitor.ask("migrate-set-parameters", **{"max-bandwidth": 4 << 30})
        self.monitor.ask("migrate", uri=f"exec:zstd -q -1 -f -o {state}")
        wanted: tuple[Literal["completed"], Literal["failed"]] = ("completed", "failed")
        while (status := self.monitor.ask("query-migrate")["status"]) not in wanted:
            time.sleep(0.05)
        if status == "failed":
            raise GuestFailed("the guest could not be frozen")
        self._quit()
        part = folder / "ready.qcow2.part"
        convert = ("qemu-img", "convert", "-f", "qcow2", "-O", "qcow2", "-B", str(self.image.disk))
        tool(*convert, "-F", "raw", str(self._disk), str(part), what="keeping the guest's disk")
        # Its path beside it, or a cache could not be copied to another place.
        beside = ("-u", "-f", "qcow2", "-F", "raw", "-b", self.image.disk.name, str(part))
        tool("qemu-img", "rebase", *beside, what="keeping the guest's disk")
        part.replace(self.image.ready_disk)
        state.replace(self.image.ready_state)  # The last: it says that both are whole.

    def cut(self) -> None:
        """Pull the plug: the guest is gone at once, with all that it had not given to its disk."""
        assert self._child is not None
        self._child.kill()
        self._child.wait()

    def cpu_s(self) -> float:
        """Return the processor seconds that the emulator has used: comparable on a busy machine."""
        assert self._child is not None
        fields = Path(f"/proc/{self._child.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def processor(self) -> Path:
        """Return where the kernel tells of the thread that is the guest's processor."""
        assert self._child is not None
        (one,) = self.monitor.ask("query-cpus-fast")
        return Path(f"/proc/{self._child.pid}/task/{one['thread-id']}")

    def console(self) -> str:
        """Return what the guest's console printed."""
        path = self.folder / "console.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def close(self) -> None:
        """End the guest and forget it; may be called twice."""
        if self._child is not None and self._child.poll() is None:
            self._quit()
        for name in ("_lines", "monitor"):
            connection = self.__dict__.pop(name, None)
            if connection is not None:
                connection.close()
        if "DOCKLEDGER_LAB_KEEP" not in os.environ:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _quit(self) -> None:
        assert self._child is not None
        try:
            self.monitor.ask("quit")
            self._child.wait(END_S_MAX)
        except (AttributeError, GuestFailed, OSError, subprocess.TimeoutExpired):
            self.cut()  # It did not even get so far as to listen, or does not any more.

    def _words(self) -> list[str]:
        image, folder = self.image, self.folder
        program, machine, processor = EMULATORS[image.architecture]
        words = f"console={CONSOLES[image.architecture]} {KERNEL_WORDS}"
        if image.architecture == "amd64":
            words += " tsc=reliable no_timer_check"
        chosen = [
            *DIES_WITH_US,
            program,
            "-M",
            machine,
            "-cpu",
            processor,
            "-accel",
            "tcg,thread=multi,tb-size=512",
        ]
        chosen += ["-smp", "1", "-m", str(MEMORY_MB), "-nodefaults", "-no-user-config"]
        chosen += ["-display", "none", "-no-reboot", "-serial", f"file:{folder}/console.log"]
        chosen += ["-kernel", str(image.kernel), "-initrd", str(image.initrd), "-append", words]
        drive = f"id=root,if=none,file={self._disk},format=qcow2,cache=unsafe"
        chosen += ["-drive", drive, "-device", "virtio-blk-pci,drive=root"]
        chosen += ["-qmp", f"unix:{folder}/monitor,server=on,wait=off"]
        chosen += ["-chardev", f"socket,id=agent,path={folder}/agent,server=on,wait=off"]
        chosen += ["-device", "virtio-serial-pci", "-device", "virtio-rng-pci"]
        chosen += ["-device", "virtserialport,chardev=agent,name=dockledger.lab"]
        chosen += ["-device", "qemu-xhci,id=usb,p2=8,p3=8"]
        chosen += ["-device", "i6300esb", "-watchdog-action", "reset"] if "q35" in machine else []
        for port in range(DISK_PORTS):
            chosen += [
                "-device",
                f"pcie-root-port,id=port{port},chassis={port + 1},slot={port + 1}",
            ]
        if self._plugged is not None:
            node = f"driver=raw,node-name={PLUGGED},read-only=on,file.driver=file"
            chosen += ["-blockdev", f"{node},file.filename={self._plugged}"]
            device = f"virtio-blk-pci,drive={PLUGGED},id=disk-{PLUGGED},serial={PLUGGED}"
            chosen += ["-device", f"{device},bus=port{PLUGGED_PORT}"]
        if self._resumed:
            chosen += ["-S", "-incoming", f"exec:zstd -q -d -c {image.ready_state}"]
        return chosen

    def _wait_for_file(self, path: Path, deadline: float) -> None:
        while not path.exists():
            self._refuse_dead(deadline)
            time.sleep(0.01)

    def _refuse_dead(self, deadline: float) -> None:
        assert self._child is not None
        log = (self.folder / "qemu.log").read_text(errors="replace")
        if self._child.poll() is not None:
            raise GuestFailed(f"QEMU ended: {log}\n{self.console()[-2000:]}")
        if time.monotonic() > deadline:
            raise GuestFailed(
                f"the guest did not start in {START_S_MAX} s\n{self.console()[-2000:]}"
            )
        if "_lines" in self.__dict__:
            self._lines.send({"hello": True})  # A resumed guest has said that it is ready before.

    def _hear(self, message: dict[str, Any] | None) -> None:
        if message is None:
            for running in list(self._running.values()):
                running.ended.put(-1)
        elif "ready" in message:
            self.kernel, self.python = message["ready"]["kernel"], message["ready"]["python"]
            self._ready.set()
        elif "output" in message:
            running = self._running[message["id"]]
            running.output.append(message["output"])
            if running.heard is not None:
                running.heard(message["output"])
        else:
            self._running.pop(message["id"]).ended.put(message["status"])
