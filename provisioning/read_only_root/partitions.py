"""Makes room for the data behind the root of a card, in its partition table. Pure.

    sector 0        446           462           478           494           510
    | boot program  | partition 1 | partition 2 | partition 3 | partition 4 | 55 AA |
                    16 bytes each: at 4 the type, at 8 the first sector, at 12 how many

Raspberry Pi OS has its boot partition first and its root second, and nothing behind it: the root
grows by a part of the room that is left, the data get the rest. The table is one sector, so that
a power cut leaves the old one or the new one.
"""

from dataclasses import dataclass

from provisioning.read_only_root.errors import RootRefused

SECTOR_BYTES = 512
FIRST_ENTRY, ENTRY_BYTES, ENTRIES = 446, 16, 4
SIGNATURE = b"\x55\xaa"
LINUX, UNUSED = 0x83, 0x00
NOT_OURS = {0xEE: "a GPT", 0x05: "an extended partition", 0x0F: "an extended partition"}
ALIGNED_TO = 8192  # 4 MiB: what cards erase at once.
SECTORS_OF_A_GIB = 2 * 1024 * 1024
ROOT_GROWS_BY_MAX = 2 * SECTORS_OF_A_GIB  # Packages, and Debian's updates of some years.
DATA_MIN = SECTORS_OF_A_GIB
SECTORS_MAX = 0xFFFFFFFF
BY_HAND = "Name an empty partition for the data: dockledger-root read-only --data DEVICE."


@dataclass(frozen=True, slots=True)
class Partition:
    """One entry. number: 1 to 4. first, count: in sectors of 512 bytes."""

    number: int
    kind: int
    first: int
    count: int

    @property
    def end(self) -> int:
        """Return the first sector behind it."""
        return self.first + self.count


def partitions_of(record: bytes) -> tuple[Partition, ...]:
    """Return the partitions of a first sector by number. Raises RootRefused if it has no table."""
    if len(record) != SECTOR_BYTES or record[510:] != SIGNATURE:
        raise RootRefused("the disk of the root has no partition table", hint=BY_HAND)
    found = []
    for number in range(1, ENTRIES + 1):
        at = FIRST_ENTRY + (number - 1) * ENTRY_BYTES
        entry = record[at : at + ENTRY_BYTES]
        first, count = (int.from_bytes(entry[i : i + 4], "little") for i in (8, 12))
        if entry[4] in NOT_OURS:
            raise RootRefused(f"the disk of the root has {NOT_OURS[entry[4]]}", hint=BY_HAND)
        if entry[4] != UNUSED:
            found.append(Partition(number, entry[4], first, count))
    return tuple(found)


def with_data(record: bytes, *, root_number: int, disk_sectors: int) -> tuple[bytes, int]:
    """Return the first sector with a partition for the data, and its number.

    One that was made before, right behind the root, is taken as it is. Raises RootRefused.
    """
    partitions = partitions_of(record)
    root = next((one for one in partitions if one.number == root_number), None)
    if root is None:
        raise RootRefused("the root is in no partition of its disk", hint=BY_HAND)
    behind = [one for one in partitions if one.first >= root.end]
    if len(behind) == 1 and behind[0].first == root.end and behind[0].kind == LINUX:
        return record, behind[0].number
    if behind:
        raise RootRefused("there are other partitions behind the root", hint=BY_HAND)
    free = set(range(1, ENTRIES + 1)) - {one.number for one in partitions}
    if not free:
        raise RootRefused("the partition table is full", hint=BY_HAND)
    number, room = min(free), min(disk_sectors, SECTORS_MAX) - root.end
    grown_end = root.end + min(ROOT_GROWS_BY_MAX, room // 2)
    data_first = -(-grown_end // ALIGNED_TO) * ALIGNED_TO  # Rounded up.
    data_count = (min(disk_sectors, SECTORS_MAX) - data_first) // ALIGNED_TO * ALIGNED_TO
    if data_count < DATA_MIN:
        raise RootRefused(
            f"there are only {max(room, 0) // 2048} MiB behind the root",
            hint="Take a larger card, or prepare it anew: its root has grown to its end.",
        )
    made = bytearray(record)
    for one in (
        Partition(root.number, root.kind, root.first, data_first - root.first),
        Partition(number, LINUX, data_first, data_count),
    ):
        at = FIRST_ENTRY + (one.number - 1) * ENTRY_BYTES
        far = b"\xfe\xff\xff"  # Beyond what cylinders, heads and sectors can say.
        active = bytes(made[at : at + 1])
        sizes = one.first.to_bytes(4, "little") + one.count.to_bytes(4, "little")
        made[at : at + ENTRY_BYTES] = active + far + bytes([one.kind]) + far + sizes
    return bytes(made), number
