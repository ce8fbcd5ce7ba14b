"""One guest: started or resumed, spoken to, cut from the mains. Edge of QEMU."""

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

from tests.hardware.emulator import emulator_words
from tests.hardware.errors import GuestFailed
from tests.hardware.image import DISK_PORTS, Image, tool
from tests.hardware.lines import JsonLines
from tests.hardware.monitor import Monitor
from tests.hardware.pulse import Pulse
from tests.hardware.scratch import KEEP

START_S_MAX = 600
END_S_MAX = 20
HELLO_S = 2.0
QUIT_S_MAX = 5.0
LOOK_S = 1.0  # Between two looks whether a guest that works still lives.
GONE = -1  # Status of what ran when the guest went.


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
        except GuestFailed as error:
            said = self._last_words()
            self.close()
            raise error if said in str(error) else GuestFailed(f"{error}: {said}") from error
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
        words = emulator_words(
            self.image, self.folder, self._disk, resumed=self._resumed, plugged=self._plugged
        )
        with (self.folder / "qemu.log").open("wb") as log:
            self._child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self._pulse = Pulse(time.monotonic, self.cpu_s)
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
        self._send({"id": number, "run": command, "timeout_s": timeout_s})
        return running

    def end_of(self, running: Running, *, timeout_s: float) -> int:
        """Wait for the end of a command and return its status. Raises GuestFailed."""
        self._pulse.heard()
        deadline = time.monotonic() + timeout_s + END_S_MAX
        while True:
            try:
                status = running.ended.get(timeout=LOOK_S)
            except queue.Empty:
                self._refuse_hung(deadline)
            else:
                if status == GONE:
                    raise GuestFailed(f"the guest is gone: {self._last_words()}")
                return status

    def put(self, path: str, data: bytes, *, mode: int = 0o644) -> None:
        """Write a small file in the guest."""
        number, running = next(self._numbers), Running()
        self._running[number] = running
        text = base64.b64encode(data).decode()
        self._send({"id": number, "put": path, "base64": text, "mode": mode})
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
        try:
            fields = Path(f"/proc/{self._child.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0  # It is gone, and was waited for.
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
        if KEEP not in os.environ:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _quit(self) -> None:
        assert self._child is not None
        try:
            self.monitor.ask("quit", answer_s_max=QUIT_S_MAX)
            self._child.wait(END_S_MAX)
        except (AttributeError, GuestFailed, OSError, subprocess.TimeoutExpired):
            self.cut()  # It did not even get so far as to listen, or does not any more.

    def _wait_for_file(self, path: Path, deadline: float) -> None:
        while not path.exists():
            self._refuse_dead(deadline)
            time.sleep(0.01)

    def _refuse_dead(self, deadline: float) -> None:
        assert self._child is not None
        if self._child.poll() is not None:
            raise GuestFailed(f"QEMU ended: {self._last_words()}")
        if time.monotonic() > deadline:
            raise GuestFailed(f"the guest did not start in {START_S_MAX} s\n{self._last_words()}")
        if hung := self._pulse.hung(answers=False):
            raise GuestFailed(f"{hung}\n{self._last_words()}")
        if "_lines" in self.__dict__:
            self._send({"hello": True})  # A resumed guest has said that it is ready before.

    def _refuse_hung(self, deadline: float) -> None:
        """Speak to a guest that works now and then. Raises GuestFailed if it does not live."""
        if time.monotonic() > deadline:
            raise GuestFailed(f"the guest is silent\n{self._last_words()}")
        if hung := self._pulse.hung():
            raise GuestFailed(f"{hung}\n{self._last_words()}")
        if self._pulse.is_to_be_asked():
            self._send({"hello": True})

    def _send(self, message: dict[str, Any]) -> None:
        try:
            self._lines.send(message)
        except OSError as error:
            raise GuestFailed(f"the guest is gone: {self._last_words()}") from error

    def _last_words(self) -> str:
        log = (self.folder / "qemu.log").read_text(errors="replace")
        return f"{log}\n{self.console()[-2000:]}".strip() or "it said nothing"

    def _hear(self, message: dict[str, Any] | None) -> None:
        self._pulse.heard()
        if message is None:
            for running in list(self._running.values()):
                running.ended.put(GONE)
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
