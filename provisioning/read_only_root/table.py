"""What /etc/fstab says of a root that is only read, of one that is writable again. Pure.

    plain       as the machine had it
    writable    what is kept lies on the data's file system and is mounted in its old places
    read-only   so as well; / is only read, changes of IN_MEMORY last until the next boot

The whole switch is this one file. Lines of the machine that are changed stay as comments, so that
`plain` gives back what was there, byte for byte.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from provisioning.read_only_root.errors import RootRefused

State = Literal["plain", "writable", "read-only"]
DATA = "/mnt/dockledger-data"
MEMORY = "/run/dockledger-root"
MEMORY_UNIT = "dockledger-memory.service"  # Makes the folders in MEMORY, which overlays need.
# Changes of these are kept in memory; of the rest, /usr above all, there are none.
IN_MEMORY = ("/etc", "/home", "/root", "/var")
READ_ONLY = ("/", "/boot", "/boot/efi", "/boot/firmware")
BEGIN, END = "# dockledger: begin (dockledger-root)", "# dockledger: end"
CHANGED, OFF = "#dockledger-was ", "#dockledger-off "
# What fails leaves a machine that can be logged in to; services that need it do not start.
# With nofail alone a mount would not be waited for.
SOFT = "nofail,x-systemd.before=local-fs.target"
MEMORY_SHARE = "25%"
FIELDS_MIN = 4
HINT = "Correct /etc/fstab, or leave the root writable."


@dataclass(frozen=True, slots=True)
class Plan:
    """What a table is to say. kept: absolute paths, a parent before what lies in it.

    data_uuid: of the file system that holds them.
    """

    data_uuid: str
    kept: Sequence[str]
    read_only: bool


def state_of(table: str) -> State:
    """Return what a table makes of the machine at its next boot."""
    if BEGIN not in table.splitlines():
        return "plain"
    return "read-only" if MEMORY_UNIT in table else "writable"


def plan_of(table: str) -> Plan | None:
    """Return what was planned when this table was made, None if it is plain."""
    uuid, kept = "", []
    for fields in _ours(table):
        if fields[1] == DATA:
            uuid = fields[0].removeprefix("UUID=")
        elif fields[0].startswith(f"{DATA}/"):
            kept.append(fields[1])
    return Plan(uuid, tuple(kept), state_of(table) == "read-only") if uuid else None


def plain(table: str) -> str:
    """Return the table as it was before anything of ours was in it."""
    lines, ours, replaced = [], False, False
    for line in table.splitlines(keepends=True):
        text = line.rstrip("\n")
        if text in {BEGIN, END}:
            ours = text == BEGIN
        elif ours:
            continue
        elif replaced:
            replaced = False
        elif line.startswith(CHANGED):
            lines.append(line.removeprefix(CHANGED))
            replaced = True
        else:
            lines.append(line.removeprefix(OFF))
    return "".join(lines)


def table_with(table: str, plan: Plan) -> str:
    """Return the table of a plan, made of the plain one. Raises RootRefused."""
    lines = plain(table).splitlines()
    mounted = {fields[1] for line in lines if (fields := _fields(line))}
    if "/" not in mounted:
        raise RootRefused("/etc/fstab has no line for /", hint=HINT)
    if plan.read_only:
        lines = [one for line in lines for one in _only_read(line)]
    source = f"UUID={plan.data_uuid}"
    wait = "x-systemd.device-timeout=60s"
    ours = [f"{source} {DATA} ext4 noatime,{wait},{SOFT} 0 2"]
    if plan.read_only:
        ours += _memory_lines(mounted)
    # Beneath the overlays: what is kept is mounted over them.
    ours += [f"{DATA}{path} {path} none bind,{SOFT} 0 0" for path in plan.kept]
    return "\n".join([*lines, BEGIN, *ours, END, ""])


def _memory_lines(mounted: set[str]) -> list[str]:
    lines = [f"tmpfs {MEMORY} tmpfs mode=0700,size={MEMORY_SHARE},{SOFT} 0 0"]
    for path in IN_MEMORY:
        if path not in mounted:  # A partition of its own is no matter of the root.
            place = f"{MEMORY}{path}"
            layers = f"lowerdir={path},upperdir={place}/upper,workdir={place}/work"
            options = f"{layers},{SOFT},x-systemd.requires={MEMORY_UNIT}"
            lines.append(f"overlay {path} overlay {options} 0 0")
    if "/tmp" not in mounted:  # noqa: S108 - the folder itself
        options = f"mode=1777,nosuid,nodev,size={MEMORY_SHARE}"
        lines.append(f"tmpfs /tmp tmpfs {options},{SOFT} 0 0")
    return lines


def _only_read(line: str) -> list[str]:
    fields = _fields(line)
    if fields and fields[2] == "swap" and fields[0].startswith("/") and "/dev/" not in fields[0]:
        return [OFF + line]  # A file on the root.
    if not fields or fields[1] not in READ_ONLY:
        return [line]
    options = [one for one in fields[3].split(",") if one not in {"rw", "ro"}]
    return [CHANGED + line, " ".join([*fields[:3], ",".join([*options, "ro"]), *fields[4:]])]


def _ours(table: str) -> list[list[str]]:
    ours = table.partition(BEGIN)[2].partition(END)[0]
    return [fields for line in ours.splitlines() if (fields := _fields(line))]


def _fields(line: str) -> list[str]:
    """Return the fields of a line that mounts something, [] of any other. Source: fstab(5)."""
    fields = line.split()
    return fields if len(fields) >= FIELDS_MIN and not line.lstrip().startswith("#") else []
