"""Room for the data is made behind the root, and nothing else in the table is touched. Pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.read_only_root.errors import RootRefused
from provisioning.read_only_root.partitions import (
    ALIGNED_TO,
    DATA_MIN,
    ENTRY_BYTES,
    FIRST_ENTRY,
    LINUX,
    SECTORS_OF_A_GIB,
    partitions_of,
    with_data,
)

BOOT = (1, 0x0C, 16384, 1048576)
ROOT = (2, LINUX, 1064960, 5 * SECTORS_OF_A_GIB // 2)
CARD = 32 * SECTORS_OF_A_GIB


def sector(*partitions):
    """Return a first sector with these partitions: number, kind, first and how many."""
    record = bytearray(b"boot" * 128)
    record[FIRST_ENTRY:] = bytes(64) + b"\x55\xaa"
    for number, kind, first, count in partitions:
        at = FIRST_ENTRY + (number - 1) * ENTRY_BYTES
        sizes = first.to_bytes(4, "little") + count.to_bytes(4, "little")
        record[at : at + ENTRY_BYTES] = b"\0abc" + bytes([kind]) + b"def" + sizes
    return bytes(record)


def made(record, *, disk_sectors=CARD):
    """Return the table with the data's partition, and its number."""
    new, number = with_data(record, root_number=2, disk_sectors=disk_sectors)
    return {one.number: one for one in partitions_of(new)}, number


def test_the_root_grows_by_two_gib_and_the_data_get_the_rest_of_a_card():
    table, number = made(sector(BOOT, ROOT))
    assert number == 3
    grown = table[2].count - ROOT[3]
    assert 2 * SECTORS_OF_A_GIB <= grown < 2 * SECTORS_OF_A_GIB + ALIGNED_TO
    assert table[3].first == table[2].end
    assert table[3].count > 26 * SECTORS_OF_A_GIB
    assert table[1].first == BOOT[2]


def test_made_again_it_is_the_same():
    new, number = with_data(sector(BOOT, ROOT), root_number=2, disk_sectors=CARD)
    assert with_data(new, root_number=2, disk_sectors=CARD) == (new, number)


@given(st.integers(min_value=0, max_value=2**33), st.integers(min_value=1, max_value=2**31))
def test_nothing_overlaps_nothing_leaves_the_disk_and_nothing_shrinks(disk_sectors, root_count):
    record = sector(BOOT, (2, LINUX, ROOT[2], root_count))
    try:
        new, number = with_data(record, root_number=2, disk_sectors=disk_sectors)
    except RootRefused:
        return
    table = {one.number: one for one in partitions_of(new)}
    assert table[2].first == ROOT[2]
    assert table[2].count >= root_count
    assert table[number].first == table[2].end
    assert table[number].first % ALIGNED_TO == 0
    assert table[number].end <= disk_sectors
    assert table[number].count >= DATA_MIN
    first, last = FIRST_ENTRY + ENTRY_BYTES, FIRST_ENTRY + 3 * ENTRY_BYTES
    assert new[:first] == record[:first]
    assert new[last:] == record[last:]


REFUSED = {
    "a root that fills the card": (sector(BOOT, (2, LINUX, ROOT[2], CARD - ROOT[2])), "0 MiB"),
    "no table": (bytes(512), "no partition table"),
    "a GPT": (sector((1, 0xEE, 1, CARD - 1)), "a GPT"),
    "an extended partition": (sector(BOOT, ROOT, (3, 0x05, 9000000, 1000)), "extended"),
    "no such root": (sector(BOOT), "in no partition"),
    "somebody's partition with a gap": (sector(BOOT, ROOT, (3, LINUX, CARD // 2, 900)), "other"),
    "somebody's swap": (sector(BOOT, ROOT, (3, 0x82, ROOT[2] + ROOT[3], 900)), "other"),
    "a full table": (
        sector(BOOT, ROOT, (3, LINUX, 2048, 2048), (4, LINUX, 8192, 2048)),
        "full",
    ),
}


@pytest.mark.parametrize(("record", "said"), REFUSED.values(), ids=REFUSED)
def test_what_would_cost_somebody_something_is_refused(record, said):
    with pytest.raises(RootRefused, match=said):
        with_data(record, root_number=2, disk_sectors=CARD)
