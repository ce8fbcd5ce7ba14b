"""Where story and services are played: a Debian booted in namespaces, or a guest. Edge of both.

The story begins with a fresh Debian at the speed of this machine. Services are tried there as well,
and in a guest, whose kernel has devices and a clock of its own: what is installed at the speed of
this machine becomes the disk of that guest, which is booted.
"""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from tests.hardware.booted_root import BootedRoot
from tests.hardware.built_packages import Packages, built_packages
from tests.hardware.host import Host, find_host
from tests.hardware.image import Say, base_for, image_of
from tests.hardware.machine import Machine

HERE = Path(__file__).parent
HAND = "/usr/local/lib/lab/hand.py"
LOOK_S = 0.3
SLOWER = 6  # What waits has so many times the patience in a guest.


class Debian(Protocol):
    """A Debian with systemd as process 1 in which commands are run as root."""

    def run(self, command: str, *, timeout_s: float = ..., checked: bool = ...) -> str: ...
    def put(self, path: str, data: bytes, *, mode: int = ...) -> None: ...
    def send_folder(self, source: Path, target: str) -> None: ...


class Place:
    """One Debian, and what a person does there.

    kernel: whether it has one of its own, with devices and a clock.
    """

    def __init__(self, debian: Debian, packages: Packages, *, kernel: bool) -> None:
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
    packages = _packages(host, say)
    with BootedRoot(base_for(host, say)) as root:
        place = Place(root, packages, kernel=False)
        place.send(packages.folder / "dist", "/root/dist")
        yield place


@contextmanager
def installed_place(say: Say) -> Iterator[Place]:
    """Yield a Debian with both packages; a guest if SERVICES_IN is "guest". Raises LabUnusable."""
    host = find_host()
    packages = _packages(host, say)
    installed = _installed(host, packages, say)
    if os.environ.get("SERVICES_IN") == "guest":
        with Machine(image_of(installed, _guest_folder(installed), say), resumed=False) as machine:
            machine.run("systemctl is-system-running --wait || true", timeout_s=900)
            yield Place(machine, packages, kernel=True)
    else:
        with BootedRoot(installed) as root:
            yield Place(root, packages, kernel=False)


def _packages(host: Host, say: Say) -> Packages:
    named = os.environ.get("STORY_PACKAGES")  # A folder that was made before, taken as it is.
    return built_packages(host.cache / "packages", say, made=Path(named) if named else None)


def _installed(host: Host, packages: Packages, say: Say) -> Path:
    """Return a packed Debian with both packages, made once."""
    base = base_for(host, say)
    folder = host.cache / "packages" / f"installed-{packages.folder.name}"
    made = folder / base.name.replace("base-", "installed-")
    if made.exists():
        return made
    for old in folder.parent.glob("installed-*"):
        shutil.rmtree(old)
    folder.mkdir(parents=True)
    with BootedRoot(base) as root:
        say("installing both packages")
        root.send_folder(packages.folder / "dist", "/root/dist")
        root.run(
            "DEBIAN_FRONTEND=noninteractive apt-get install -y /root/dist/*.deb", timeout_s=1800
        )
        root.run("systemctl stop 'dockledger-*' mosquitto; rm -rf /root/dist; sync", timeout_s=120)
        root.pack(made)
    return made


def _guest_folder(installed: Path) -> Path:
    return installed.parent / "guest"
