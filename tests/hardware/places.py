"""Where story and services are played: a Debian booted in namespaces, or a guest. Edge of both.

The story begins with a fresh Debian at the speed of this machine. Services are tried there as well,
and in a guest, whose kernel has devices and a clock of its own: what is installed at the speed of
this machine becomes the disk of that guest, which is booted.
"""

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from tests.hardware.booted_root import BootedRoot
from tests.hardware.built_packages import Packages, build_debs, built_packages, source_key
from tests.hardware.cache import building_alone, in_use, remove_unused
from tests.hardware.host import Host, find_host, refuse_foreign
from tests.hardware.image import Say, base_for
from tests.hardware.installed_guest import Settled, guest_with
from tests.hardware.machine import Machine

HERE = Path(__file__).parent
HAND = "/usr/local/lib/lab/hand.py"
LOOK_S = 0.3
# Not what a package writes, but what a Debian that ran is. The wheels, of which 110 MB remain after
# they were installed, are read again only if a package is configured anew.
OF_THE_MACHINE = (
    "old",
    "root/*",
    "etc/hostname",
    "etc/hosts",
    "etc/machine-id",
    "var/cache/*",
    "var/lib/systemd/*",
    "var/log/*",
    "var/tmp/*",
    "usr/lib/dockledger-*/release/*.whl",
)
SETTLING = "mosquitto dockledger-gateway dockledger-central"
SLOWER = 6  # What waits has so many times the patience in a guest.


class Debian(Protocol):
    """A Debian with systemd as process 1 in which commands are run as root."""

    def run(self, command: str, *, timeout_s: float = ..., checked: bool = ...) -> str: ...
    def put(self, path: str, data: bytes, *, mode: int = ...) -> None: ...
    def send_folder(self, source: Path, target: str) -> None: ...


class Place:
    """One Debian, and what a person does there.

    packages: what is to be installed there. kernel: whether it has one of its own, with devices
    and a clock.
    """

    def __init__(
        self, debian: Debian, *, packages: Packages | None = None, kernel: bool = False
    ) -> None:
        self._debian = debian
        self.packages, self.kernel = packages, kernel
        self.slower = SLOWER if kernel else 1
        self.put(HAND, (HERE / "in_guest/hand.py").read_text())

    def type(self, command: str, *, timeout_s: float = 300.0) -> str:
        """Type a command as root in the home folder, return what it says. Raises GuestFailed."""
        return self._debian.run(f"cd /root; {command}", timeout_s=timeout_s * self.slower)

    def type_boldly(self, command: str) -> str:
        """Type a command that may fail."""
        return self._debian.run(
            f"cd /root; {command}", timeout_s=120.0 * self.slower, checked=False
        )

    def send(self, source: Path, target: str) -> None:
        """Copy a folder in."""
        self._debian.send_folder(source, target)

    def put(self, path: str, text: str) -> None:
        """Write a small file."""
        self._debian.put(path, text.encode())

    def until(self, asked: Callable[[], Any], what: str, *, seconds_max: float = 120.0) -> Any:
        """Return the first answer that is something. Raises AssertionError that names `what`."""
        deadline = time.monotonic() + seconds_max * self.slower
        while not (found := asked()):
            assert time.monotonic() < deadline, f"no {what}\n{self.logs()}"
            time.sleep(LOOK_S)
        return found

    def hand(self, *words: str) -> Any:
        """Ask the station or central; what they answer, `refused` in it if they do not."""
        return json.loads(self.type(f"python3 {HAND} {' '.join(words)}"))

    def health(self) -> Any:
        """Return the gateway's health, with `refused` if it does not answer."""
        return self.hand("health")

    def workflow(self) -> str:
        """Return what the station is about to do, "" if nothing."""
        return str(self.hand("state").get("step", {}).get("workflow", ""))

    def scan(self, code: str) -> None:
        """Type a code at the station and wait until the page says what became of it."""
        before = self.until(self._shown, "page of the station")
        self.hand("scan", code)
        self.until(lambda: self._shown() not in {"", before}, f"answer to {code}")

    def _shown(self) -> str:
        state = self.hand("state")
        return "" if "refused" in state else json.dumps([state["scans"], state["signal"]])

    def logs(self) -> str:
        """Return what the services said last."""
        units = "-u dockledger-gateway -u dockledger-central -u dockledger-update -u mosquitto"
        return self.type_boldly(f"journalctl --no-pager -o cat -n 40 {units}")[-6000:]

    def field(self, unit: str, name: str) -> str:
        """Return a property of a unit, as `systemctl show` says it."""
        return self.type(f"systemctl show -P {name} {unit}").strip()


@contextmanager
def fresh_place(say: Say) -> Iterator[Place]:
    """Yield a Debian with nothing of ours but the packages in /root/dist. Raises LabUnusable."""
    host = find_host()
    refuse_foreign(host, "packages of story and services")
    named = os.environ.get("STORY_PACKAGES")  # A folder that was made before, taken as it is.
    made = Path(named) if named else None
    packages = built_packages(host.cache / "packages", say, made=made)
    with in_use(packages.folder), BootedRoot(base_for(host, say)) as root:
        place = Place(root, packages=packages)
        place.send(packages.folder / "dist", "/root/dist")
        yield place


@contextmanager
def installed_place(say: Say, settled: Settled) -> Iterator[Place]:
    """Yield a Debian with both packages, settled; a guest if SERVICES_IN is "guest".

    Raises LabUnusable.
    """
    host = find_host()
    refuse_foreign(host, "packages of story and services")
    installed = installed_tar(host, say)
    if os.environ.get("SERVICES_IN") == "guest":
        with (
            in_use(installed.parent),
            Machine(guest_with(installed, settled, host, say)) as machine,
        ):
            yield Place(machine, kernel=True)
    else:
        with BootedRoot(base_for(host, say), installed) as root:
            place = Place(root)
            for path, text in settled.files:
                place.put(path, text)
            place.type(settled.command)
            place.type(f"systemctl daemon-reload; systemctl restart {SETTLING}")
            yield place


def installed_tar(host: Host, say: Say) -> Path:
    """Return what installing both packages writes over Debian; made once, of what is checked out.

    Raises LabUnusable.
    """
    base = base_for(host, say)
    folder = host.cache / "packages" / f"installed-{source_key()}"
    made = folder / base.name.replace("base-", "installed-")
    if not made.exists():
        with building_alone(folder.parent, say):
            if not made.exists():  # Another run has made it in the meantime.
                _install(base, made, say)
    return made


def _install(base: Path, made: Path, say: Say) -> None:
    for old in made.parent.parent.glob("installed-*"):
        remove_unused(old)
    made.parent.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="dockledger-lab-") as built, BootedRoot(base) as root:
        say("building both packages")
        build_debs(Path(built))
        say("installing both packages")
        root.send_folder(Path(built), "/root/dist")
        install = "DEBIAN_FRONTEND=noninteractive apt-get install -y /root/dist/*.deb"
        root.run(install, timeout_s=1800)
        root.run("systemctl stop 'dockledger-*' mosquitto; rm -rf /root/dist; sync", timeout_s=120)
        root.pack_changes(made, without=OF_THE_MACHINE)
