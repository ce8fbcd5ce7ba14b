"""Tries what a service must not do and says what became of each try, as one JSON object. Root.

Run unconfined by root it does all of them: that run shows that a refusal is the sandbox's.
"""

import ctypes
import errno
import json
import mmap
import os
import socket
import sys
import tempfile
import time
from pathlib import Path

CLONE_NEWNS = 0x20000  # linux/sched.h
PER_LINUX32 = 0x0008  # linux/personality.h
INIT_MODULE = {"x86_64": 175, "aarch64": 105}
LISTENING = 7997
FOREIGN, PRIVATE = "203.0.113.7", "10.99.0.7"
CONNECT_S_MAX = 5.0

libc = ctypes.CDLL(None, use_errno=True)


def checked(result):
    """Raise the error of a call of libc."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def write_into(folder):
    path = Path(folder, f"lab-probe-{os.getpid()}")
    path.write_text("x")
    path.unlink()


def connect_to(address):
    socket.create_connection((address, LISTENING), CONNECT_S_MAX).close()


def open_device():
    path = next(one for one in ("/dev/vda", "/dev/kmsg") if Path(one).exists())
    os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))


def make_device():
    with tempfile.TemporaryDirectory() as folder:
        os.mknod(f"{folder}/null", 0o20600, os.makedev(1, 3))


def set_user_bit():
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "program")
        path.touch()
        path.chmod(0o4755)


def load_module():
    try:
        checked(libc.syscall(INIT_MODULE[os.uname().machine], b"no module", 9, b""))
    except OSError as error:
        if error.errno != errno.ENOEXEC:  # It was looked at: who asked may load modules.
            raise


def make_group():
    path = Path(f"/sys/fs/cgroup/lab-probe-{os.getpid()}")
    path.mkdir()
    path.rmdir()


def mount():
    checked(libc.mount(b"none", b"/mnt", b"tmpfs", 0, None))
    checked(libc.umount(b"/mnt"))


ATTEMPTS = {
    "write its state": lambda: write_into(os.environ.get("STATE_DIRECTORY", "/var/tmp")),
    "reach a private address": lambda: connect_to(PRIVATE),
    "hear the kernel": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15).close(),
    "write releases": lambda: write_into("/opt/dockledger-gateway"),
    "reach a foreign address": lambda: connect_to(FOREIGN),
    "write /etc": lambda: write_into("/etc"),
    "write /usr": lambda: write_into("/usr"),
    "read passwords": lambda: Path("/etc/shadow").read_bytes(),
    "read credentials": lambda: sorted(Path("/etc/credstore").iterdir()),
    "read homes": lambda: sorted(Path("/root").iterdir()),
    "read the ledger": lambda: sorted(Path("/var/lib/dockledger-central").iterdir()),
    "read the journal": lambda: sorted(Path("/var/lib/dockledger-gateway").iterdir()),
    "open a device": open_device,
    "make a device": make_device,
    "send raw packets": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).close(),
    "hear all packets": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close(),
    "leave its namespace": lambda: checked(libc.unshare(CLONE_NEWNS)),
    "mount": mount,
    "name the machine": lambda: socket.sethostname(socket.gethostname()),
    "set the clock": lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()),
    "load a module": load_module,
    "write and run memory": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC),
    "make a program of root's": set_user_bit,
    "go before all others": lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)),
    "see other processes": lambda: Path("/proc/1/comm").read_text(),
    "signal other processes": lambda: os.kill(1, 0),
    "be another system": lambda: checked(libc.personality(PER_LINUX32)),
    "change control groups": make_group,
    "change the kernel": lambda: Path("/proc/sys/vm/swappiness").open("r+").close(),
}


def main(*names):
    """Try all, or those that are named; print by name "done" or why not."""
    found = {}
    for name in names or ATTEMPTS:
        try:
            ATTEMPTS[name]()
            found[name] = "done"
        except (OSError, StopIteration) as error:
            found[name] = f"{type(error).__name__}: {error}"
    print(f"PROBED {json.dumps(found)}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
