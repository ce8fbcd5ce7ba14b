"""A fresh Debian to install packages into, made by mmdebstrap, entered by chroot. Edge of Debian.

It has the system's network, for what the packages depend on. Nothing is started in it: a policy
forbids that, and there is no systemd that runs.
"""

import subprocess
import tarfile
from pathlib import Path

MIRROR = "http://deb.debian.org/debian"
INCLUDED = "systemd,udev,adduser,ca-certificates"


class DebianRoot:
    """One root. `open` first, `close` at the end; the tar file is kept for the next time."""

    def __init__(self, suite, *, cache, folder):
        self.folder = folder / suite
        self._tar = cache / f"{suite}.tar"
        self._suite = suite
        self._mounted = []

    def open(self):
        """Make the root, from the cache if it is there."""
        if not self._tar.exists():
            self._tar.parent.mkdir(parents=True, exist_ok=True)
            words = ["mmdebstrap", "--variant=minbase", f"--include={INCLUDED}", "--quiet"]
            subprocess.run([*words, self._suite, self._tar, MIRROR], check=True)
        self.folder.mkdir(parents=True)
        with tarfile.open(self._tar) as tar:
            tar.extractall(self.folder, filter="fully_trusted")
        (self.folder / "etc/resolv.conf").write_bytes(Path("/etc/resolv.conf").read_bytes())
        policy = self.folder / "usr/sbin/policy-rc.d"
        policy.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
        policy.chmod(0o755)
        for source, target in (("/dev", "dev"), ("/proc", "proc")):
            place = self.folder / target
            subprocess.run(["mount", "--bind", source, place], check=True)
            self._mounted.append(place)

    def close(self):
        """Let go of what is mounted."""
        for place in reversed(self._mounted):
            subprocess.run(["umount", place], check=True)

    def run(self, command, *, check=True):
        """Run a shell command in it; return what it says."""
        done = subprocess.run(
            ["chroot", self.folder, "sh", "-c", command],
            capture_output=True,
            text=True,
            check=False,
            env={
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                "DEBIAN_FRONTEND": "noninteractive",
                "LC_ALL": "C.UTF-8",
                "HOME": "/root",
            },
        )
        said = done.stdout + done.stderr
        assert not check or done.returncode == 0, said
        return said

    def start(self, command):
        """Start a program in it."""
        return subprocess.Popen(
            ["chroot", self.folder, "sh", "-c", f"exec {command}"],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"},
        )

    def path(self, name):
        """Return where a path of the root is."""
        return self.folder / name.lstrip("/")
