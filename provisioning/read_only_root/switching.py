"""Switches a machine between a root that is written and one that is only read. Edge of the disk.

    data's file system -> services masked -> kept folders copied, synced -> /etc/fstab replaced
                                                                             |
               the root is read-only from the next boot on, the data count from now on

/etc/fstab is replaced by rename: whatever is cut off before it leaves the machine as it was, and is
done again from its beginning. Nothing of the new table is mounted before the next boot, and nobody
writes until then: an overlay over /var in the middle of a session would hide what is kept.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from provisioning.read_only_root.disks import (
    MARK,
    formatted,
    made_beside,
    place_of,
    root_partition,
)
from provisioning.read_only_root.errors import RootRefused
from provisioning.read_only_root.places import refuse_places_on_the_root
from provisioning.read_only_root.programs import run, said
from provisioning.read_only_root.table import DATA, Plan, plan_of, state_of, table_with
from provisioning.updating.files import replace_file, sync_disk, sync_folder

TABLE = Path("/etc/fstab")
# Folders that are kept; made if they are not there.
KEPT = (
    "/etc/credstore",
    "/etc/dockledger-gateway",
    "/opt/dockledger-gateway",
    "/var/lib/dockledger-first-boot",
    "/var/lib/dockledger-gateway",
    "/var/lib/dockledger-update",
    "/var/lib/systemd/timers",  # When they were due last.
)
# These if they are there: networks that were joined, paired scanners, the clock's drift and last
# time, the seed of random numbers. One by one: what needs a folder that is away does not start.
KEPT_IF_THERE = (
    "/etc/NetworkManager",
    "/etc/fake-hwclock.data",
    "/var/lib/NetworkManager",
    "/var/lib/bluetooth",
    "/var/lib/chrony",
    "/var/lib/systemd/random-seed",
    "/var/lib/systemd/timesync",
)
# What writes facts, settings or releases: none of it may fall between a copy and the switch.
WRITERS = (
    "dockledger-gateway-backup.timer",
    "dockledger-gateway-backup.service",
    "dockledger-update.service",
    "dockledger-gateway.service",
)
STARTED_AGAIN = ("dockledger-update.service", "dockledger-gateway.service", WRITERS[0])
# Of Raspberry Pi OS, which else swaps into a file on the root.
SWAP_SETTINGS = Path("/etc/rpi/swap.conf.d/dockledger.conf")
SWAP_IN_MEMORY = "# While the root is only read (dockledger-root).\n[Main]\nMechanism=zram\n"
COPY_S_MAX = 3600.0
Say = Callable[[str], None]


def make_read_only(given: str, say: Say) -> bool:
    """Let the root be only read from the next boot on; return False if that was so already.

    given: device for the data; "" makes a partition behind the root's. The gateway stands still on
    return: only the next boot finds its data. Raises RootRefused, and then nothing is switched.
    """
    table = TABLE.read_text(encoding="utf-8")
    before = plan_of(table)
    wanted = _wanted()
    missing = [one for one in wanted if before is None or one not in before.kept]
    if before is not None and before.read_only and not missing:
        return False
    _refuse_what_would_not_boot()
    if before is not None:
        _refuse_other_data(given)
    refuse_places_on_the_root(wanted, say)
    if before is None:
        device = _data_device(given, say)
        uuid = formatted(device)
        kept = wanted
    else:
        uuid = before.data_uuid
        kept = sorted({*wanted, *before.kept})
    new = table_with(table, Plan(uuid, kept, read_only=True))
    _prepare_the_root()
    mark = Path(DATA, MARK)
    with _stopped_writers():
        if before is None:
            run("mount", "-t", "ext4", str(device), DATA)
        for path in missing:
            say(f"copying {path}")
            _copy(path)
        sync_disk(Path(DATA))
        try:
            # Before they count: data that do and bear no mark could be formatted.
            replace_file(mark, b"What a Dockledger gateway keeps.\n")
            replace_file(TABLE, new.encode())
        finally:
            if before is None and TABLE.read_text(encoding="utf-8") == table:
                mark.unlink(missing_ok=True)
    return True


def make_writable() -> bool:
    """Let the root be written from the next boot on; the data stay where they are.

    Return False if that was so already.
    """
    table = TABLE.read_text(encoding="utf-8")
    before = plan_of(table)
    if before is None or not before.read_only:
        return False
    view = Path("/run/dockledger-root-view")
    view.mkdir(exist_ok=True)
    # Without what lies over it: what is written there is on the disk.
    run("mount", "--bind", "/", str(view))
    try:
        run("mount", "-o", "remount,rw", str(view))
        (view / str(SWAP_SETTINGS).lstrip("/")).unlink(missing_ok=True)
        new = table_with(table, Plan(before.data_uuid, before.kept, read_only=False))
        replace_file(view / "etc/fstab", new.encode())
    finally:
        said("mount", "-o", "remount,ro", str(view), allowed=(0, 32))  # If nobody writes there.
        run("umount", str(view))
    # And in memory, so that the answer is the same until the next boot.
    replace_file(TABLE, new.encode())
    return True


def root_is_written() -> bool:
    """Return whether the root may be written at this moment."""
    options = said("findmnt", "--noheadings", "--output", "OPTIONS", "--target", "/").strip()
    return "rw" in options.split(",")


def next_boot() -> str:
    """Return what the next boot makes of the root: "plain", "writable" or "read-only"."""
    return state_of(TABLE.read_text(encoding="utf-8"))


def _wanted() -> list[str]:
    return sorted([*KEPT, *(one for one in KEPT_IF_THERE if Path(one).exists())])


def _refuse_what_would_not_boot() -> None:
    said("modprobe", "--quiet", "overlay", allowed=(0, 1))
    if "\toverlay\n" not in Path("/proc/filesystems").read_text(encoding="ascii"):
        raise RootRefused(
            "this kernel has no overlay file system", hint="Take the kernel of the distribution."
        )
    if not root_is_written():
        raise RootRefused(
            "the root cannot be written now", hint="dockledger-root writable, and start it anew."
        )


def _refuse_other_data(given: str) -> None:
    """Raise RootRefused unless the data of the table are there, and no others are wanted."""
    if given:
        raise RootRefused(
            f"the data lie apart already, on what is mounted at {DATA}",
            hint="Leave --data out; if those are lost, take our lines out of /etc/fstab before.",
        )
    if not Path(DATA).is_mount():
        raise RootRefused(
            f"the data are not mounted at {DATA}",
            hint="Look at their disk, and start the machine anew.",
        )


def _data_device(given: str, say: Say) -> Path:
    said("umount", DATA, allowed=(0, 1, 32))  # Of a run that was refused before.
    if given:
        return Path(given).resolve()
    root = place_of(root_partition())
    say(f"making a partition for the data on {root.disk}")
    return made_beside(root)


@contextmanager
def _stopped_writers() -> Iterator[None]:
    """Stop who writes into what is kept, and let nobody start it before the next boot.

    All is as it was before if it does not come to the switch. Who was masked already stays so: a
    switch of before waits for its boot.
    """
    active = [one for one in STARTED_AGAIN if _is_active(one)]
    free = [one for one in WRITERS if not _is_masked(one)]
    before = TABLE.read_bytes()
    try:
        run("systemctl", "stop", *WRITERS)
        if free:
            # After the stop, which needs the units' own words; it reads the table of before.
            run("systemctl", "mask", "--runtime", *free)
            run("systemctl", "stop", *free)  # Who was started in between.
        yield
    finally:
        if TABLE.read_bytes() == before:
            if free:
                run("systemctl", "unmask", "--runtime", *free)
            if active:
                run("systemctl", "start", *active)


def _is_active(unit: str) -> bool:
    return said("systemctl", "is-active", unit, allowed=(0, 3, 4)).strip() == "active"


def _is_masked(unit: str) -> bool:
    state = said("systemctl", "is-enabled", unit, allowed=(0, 1, 4)).strip()
    return state in {"masked", "masked-runtime"}


def _copy(path: str) -> None:
    """Copy a folder or a file with owners and modes; what a cut copy left is replaced."""
    source, target = Path(path), Path(DATA + path)
    if not source.exists():
        source.mkdir(mode=0o755, parents=True)
        sync_folder(source.parent)
    if target.is_dir():
        shutil.rmtree(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    run("cp", "--archive", str(source), str(target), limit_s=COPY_S_MAX)


def _prepare_the_root() -> None:
    """Write onto the root what is wanted there while it is only read; durable on return."""
    host_keys = Path("/etc/ssh")
    if host_keys.is_dir() and not list(host_keys.glob("ssh_host_*_key")):
        run("ssh-keygen", "-A")  # Or each boot would make others, and people be warned.
    if SWAP_SETTINGS.parent.parent.is_dir():
        SWAP_SETTINGS.parent.mkdir(exist_ok=True)
        replace_file(SWAP_SETTINGS, SWAP_IN_MEMORY.encode())
    Path(DATA).mkdir(parents=True, exist_ok=True)
    sync_disk(Path("/etc"))
