"""A folder that the first boot takes for a machine; it can be cut off at any command. Edge.

Every program that the script calls stands first in PATH as a small one that counts, kills the whole
boot at the wanted count, and else does the real thing, or what stands for it here.
"""

import os
import shutil
import signal
import subprocess

REAL = ("cat", "chmod", "cp", "date", "dirname", "grep", "mkdir", "mv", "rm", "sync")
COUNT = """#!/bin/sh
echo >> "$STEPS"
if [ "$(wc -l < "$STEPS")" -eq "$CUT_AT" ]; then kill -9 "-$BOOT"; fi
"""
STANDING_FOR = {
    "apt-get": 'for word; do case "$word" in *.deb)'
    ' mkdir -p "$DOCKLEDGER_ROOT/etc/dockledger-gateway" "$DOCKLEDGER_ROOT/opt";'
    ' echo half > "$DOCKLEDGER_ROOT/opt/installed"; echo >> "$STEPS";'
    ' echo installed > "$DOCKLEDGER_ROOT/opt/installed";; esac; done',
    "dpkg": ':',
    "dpkg-query": 'grep -q installed "$DOCKLEDGER_ROOT/opt/installed" && echo ok installed',
    "systemctl": 'echo "$@" >> "$DOCKLEDGER_ROOT/systemctl"',
    "id": '[ -d "$DOCKLEDGER_ROOT/home/$1" ]',
    "useradd": 'mkdir -p "$DOCKLEDGER_ROOT/home/keeper"',
    "chown": ':',
    "cloud-init": ':',
    "timeout": 'shift; "$@"',
}  # fmt: skip

# From then on the root is only read, for which a /usr that is away stands here.
SWITCH = (
    'if [ "$1" = status ]; then echo "next boot  writable"; exit 0; fi;'
    ' echo "$@" > "$DOCKLEDGER_ROOT/switched"; rm -r "$DOCKLEDGER_ROOT/usr"'
)
NO_ROOM = "echo no room; exit 1"
# It has switched, and then the disk, or systemd, does not answer.
FAILS_BEHIND = (
    'if [ "$1" != status ]; then : > "$DOCKLEDGER_ROOT/failed"; exit 1; fi;'
    ' if [ -e "$DOCKLEDGER_ROOT/failed" ]; then echo "next boot  read-only"; fi'
)


class Machine:
    """A card and a root below one folder."""

    def __init__(self, folder, files, *, switch=SWITCH):
        self.card, self.root = folder / "firmware", folder / "root"
        self._programs = folder / "programs"
        self._steps = folder / "steps"
        for one in (self.card, self.root / "usr/sbin", self._programs):
            one.mkdir(parents=True)
        for name, data in files.items():
            path = self.card / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        (self.card / "dockledger/debs").mkdir()
        (self.card / "dockledger/debs/dockledger-gateway.deb").write_bytes(b"a package")
        for name in REAL:
            self._program(name, f'exec {shutil.which(name)} "$@"')
        for name, lines in STANDING_FOR.items():
            self._program(name, lines)
        self._program("dockledger-root", switch)
        (self.root / "usr/sbin/dockledger-root").symlink_to(self._programs / "dockledger-root")

    def boot(self, *, cut_at=0):
        """Run the first boot; return False if it was cut off."""
        self._steps.write_text("", encoding="ascii")
        script = self.card / "dockledger/first-boot.sh"
        # As systemd starts it: with the card's folder as its argument.
        words = ["/bin/sh", "-c", 'export BOOT=$$; exec /bin/sh "$0" "$1"', script]
        done = subprocess.run(
            [*words, script.parent],
            start_new_session=True,
            capture_output=True,
            text=True,
            check=False,
            env={
                "PATH": f"{self._programs}:/usr/bin:/bin",
                "DOCKLEDGER_ROOT": str(self.root),
                "STEPS": str(self._steps),
                "CUT_AT": str(cut_at),
            },
        )
        if done.returncode == -signal.SIGKILL:
            return False
        assert done.returncode == 0, done.stderr
        return True

    @property
    def steps_count(self):
        """Return how many commands the last boot gave."""
        return len(self._steps.read_text("ascii").splitlines())

    def tree(self):
        """Return what is on the machine, apart from when and what was said to systemd."""
        return {
            str(path.relative_to(self.root)): path.read_bytes()
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and path.name not in {"done", "systemctl"}
        }

    def _program(self, name, lines):
        path = self._programs / name
        path.write_text(f"{COUNT}{lines}\n", encoding="utf-8")
        os.chmod(path, 0o755)  # noqa: PTH101 - the mode of a program
