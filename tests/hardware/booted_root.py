"""A Debian of its own under its own systemd, in namespaces of this machine. Edge of the kernel.

    this machine  --unshare: mounts, processes, users of IPC, host name, network, control groups-->
        pivot_root into an unpacked Debian  -->  /sbin/init of that Debian is process 1

It runs at the speed of the machine, where a guest of the lab is some fifteen times slower, and has
the same systemd and packages. What it cannot have: a kernel of its own, so no devices, no clock of
its own. It may neither set the clock, load modules nor write kernel settings of the machine.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.hardware.errors import GuestFailed, LabUnusable

GROUPS = (Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup"))  # Beside version 1, and alone.
START_S_MAX = 120.0
END_S_MAX = 20.0
LOOK_S = 0.1
NAME = "lab"
MARK = "lab-begin"  # What is newer was written by whoever uses it.
NODES = "null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0 kmsg:1:11 mem:1:1"
# Everything that would reach the machine itself.
LEFT_OUT = "-sys_time,-sys_module,-sys_rawio,-sys_boot"
PATHS = "/usr/sbin:/usr/bin:/sbin:/bin"
# $1: a control group; $2: what to do in it and in namespaces of its own; $3: the root.
APART = """
echo $$ > "$1/cgroup.procs"
exec unshare -m -p -f -u -i -n -C --propagation private bash -c "$2" boot "$3"
"""
# By a shell, since each step is a command of util-linux. $1: the root.
BOOT = f"""
set -e
mount --bind "$1" "$1"
cd "$1"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,ro,bind proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs dev
for node in {NODES}; do
  IFS=: read -r name major minor <<< "$node"
  mknod -m 666 "dev/$name" c "$major" "$minor"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t tmpfs tmpfs dev/shm
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs tmpfs tmp
ip link set lo up
hostname {NAME}
mkdir -p old
pivot_root . old
umount -l /old
exec env -i container=lab PATH={PATHS} setpriv --bounding-set {LEFT_OUT} /sbin/init
"""


class BootedRoot:
    """One such Debian, unpacked from tar files, one over the other. It does not outlive its use."""

    def __init__(self, *tars: Path) -> None:
        self._tars = tars
        self.folder = Path(tempfile.mkdtemp(prefix="dockledger-root-", dir="/var/tmp"))
        self._root = self.folder / "root"
        self._group: Path | None = None
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "BootedRoot":
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def start(self) -> None:
        """Unpack and boot it. Raises LabUnusable where the machine cannot, GuestFailed."""
        if os.geteuid() != 0:
            raise LabUnusable("only root may boot a Debian here", hint="Run it as root.")
        self._root.mkdir()
        for tar in self._tars:
            words = ["tar", "-C", str(self._root), "--zstd", "-xpf", str(tar)]
            subprocess.run(words, check=True)
        self._configure()
        self._group = _new_group(self.folder.name)
        log = (self.folder / "boot.log").open("wb")
        with log:
            self._child = subprocess.Popen(
                ["bash", "-c", APART, "apart", str(self._group), BOOT, str(self._root)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_S_MAX
        while not self._works():
            if self._child.poll() is not None or time.monotonic() > deadline:
                said = (self.folder / "boot.log").read_text(errors="replace")[-2000:]
                raise GuestFailed(f"Debian did not boot:\n{said}")
            time.sleep(LOOK_S)

    def run(self, command: str, *, timeout_s: float = 120.0, checked: bool = True) -> str:
        """Run a shell command and return its output. Raises GuestFailed, also for a bad status."""
        words = [
            "nsenter",
            "-t",
            str(self._init()),
            "-m",
            "-p",
            "-u",
            "-i",
            "-n",
            "-C",
            "env",
            "-i",
        ]
        words += [f"PATH={PATHS}", "HOME=/root", "LC_ALL=C.UTF-8", "bash", "-c", f"cd; {command}"]
        try:
            done = subprocess.run(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=timeout_s,
                check=False,
                cwd="/",
            )
        except subprocess.TimeoutExpired as error:
            raise GuestFailed(f"over {timeout_s} s: {command}\n{error.output}") from error
        said = done.stdout.decode(errors="replace")
        if checked and done.returncode:
            raise GuestFailed(f"status {done.returncode} of: {command}\n{said}")
        return said

    def put(self, path: str, data: bytes, *, mode: int = 0o644) -> None:
        """Write a small file in it; not below /run, /tmp and /dev, which are its own."""
        target = self._root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        target.chmod(mode)

    def send_folder(self, source: Path, target: str) -> None:
        """Copy a folder in."""
        shutil.copytree(source, self._root / target.lstrip("/"), dirs_exist_ok=True)

    def pack_changes(self, tar: Path, *, without: Sequence[str]) -> None:
        """End it and pack what was written since it is there into a tar file of zstd.

        without: patterns of paths, as `find -path` has them. What was removed is not told.
        """
        self._end()
        part = tar.with_suffix(".part")
        # By the time at which a file was changed here: packages keep the other one of their files.
        left_out = " ".join(f"! -path './{one}'" for one in (MARK, *without))
        find = f"find . -xdev -mindepth 1 -cnewer {MARK} {left_out} -print0"
        command = f"{find} | tar --null --no-recursion -T - --zstd -cpf {part}"
        words = ["bash", "-c", f"set -o pipefail; {command}"]
        subprocess.run(words, check=True, cwd=self._root)
        part.replace(tar)

    def close(self) -> None:
        """End it and forget it; may be called twice."""
        self._end()
        if self._group is not None:
            _remove_group(self._group)
            self._group = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self) -> None:
        if self._child is not None and self._child.poll() is None:
            with suppress(GuestFailed, ProcessLookupError):
                os.kill(self._init(), signal.SIGKILL)  # With process 1 all of them end.
            try:
                self._child.wait(END_S_MAX)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()

    def _configure(self) -> None:
        etc = self._root / "etc"
        for path in (etc / "dpkg/dpkg.cfg.d").glob("*mmdebstrap*"):
            path.unlink()  # What was left out of Debian's packages is not left out of ours.
        (etc / "hostname").write_text(f"{NAME}\n")
        (etc / "hosts").write_text(f"127.0.0.1 localhost {NAME}\n")
        (etc / "fstab").write_text("")
        (etc / "resolv.conf").write_text("")
        (self._root / MARK).touch()

    def _init(self) -> int:
        assert self._child is not None
        path = Path(f"/proc/{self._child.pid}/task/{self._child.pid}/children")
        with suppress(OSError, ValueError, IndexError):
            return int(path.read_text().split()[0])
        raise GuestFailed("Debian has ended")

    def _works(self) -> bool:
        try:
            said = self.run(
                "[ -d /run/systemd/system ] && systemctl is-system-running", timeout_s=30
            )
        except GuestFailed as error:
            return "degraded" in str(error)
        return "running" in said


def _new_group(name: str) -> Path:
    for place in GROUPS:
        if (place / "cgroup.procs").exists() and (place / "cgroup.controllers").exists():
            group = place / name
            group.mkdir()
            return group
    raise LabUnusable(
        "this machine has no control groups of version 2",
        hint="Boot it with systemd.unified_cgroup_hierarchy=1, or take another machine.",
    )


def _remove_group(group: Path) -> None:
    deadline = time.monotonic() + END_S_MAX
    while group.exists():
        for folder, _, _ in os.walk(group, topdown=False):
            with suppress(OSError):
                Path(folder).rmdir()
        if time.monotonic() > deadline:
            return  # Something in it does not die; the kernel says what.
        time.sleep(LOOK_S)
