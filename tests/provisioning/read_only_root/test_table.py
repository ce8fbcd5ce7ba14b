"""The table says what a root that is only read needs, and gives back what was there. Pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning.read_only_root.errors import RootRefused
from provisioning.read_only_root.table import (
    DATA,
    IN_MEMORY,
    Plan,
    plain,
    plan_of,
    state_of,
    table_with,
)

UUID = "5b0f1c1e-0000-4000-8000-0123456789ab"
KEPT = ("/etc/dockledger-gateway", "/var/lib/dockledger-gateway")
PI = """proc            /proc           proc    defaults          0       0
PARTUUID=4c4e-01  /boot/firmware  vfat    defaults          0       2
PARTUUID=4c4e-02  /               ext4    defaults,noatime  0       1
# a swapfile is not a swap partition, no line here
"""
READ_ONLY, WRITABLE = Plan(UUID, KEPT, read_only=True), Plan(UUID, KEPT, read_only=False)


def options(table):
    """Return the options of each place that a table mounts, in its order."""
    lines = [line.split() for line in table.splitlines() if not line.startswith("#")]
    return {fields[1]: fields[3].split(",") for fields in lines if fields}


def test_root_and_boot_are_only_read_and_nothing_else_is():
    table = options(table_with(PI, READ_ONLY))
    assert {place for place, said in table.items() if "ro" in said} == {"/", "/boot/firmware"}
    assert "noatime" in table["/"]
    assert "ro" not in options(table_with(PI, WRITABLE))["/"]


def test_what_changes_beside_the_data_is_in_memory_and_the_data_lie_over_it():
    table = options(table_with(PI, READ_ONLY))
    places = list(table)
    for place in IN_MEMORY:
        assert f"lowerdir={place}" in table[place]
        assert "x-systemd.requires=dockledger-memory.service" in table[place]
    for kept in KEPT:
        assert "bind" in table[kept]
        assert places.index(kept) > max(places.index(one) for one in IN_MEMORY)
    assert not set(IN_MEMORY) & set(options(table_with(PI, WRITABLE)))


def test_every_mount_of_ours_is_waited_for_and_none_keeps_the_machine_from_booting():
    ours = options(table_with("/dev/vda / ext4 defaults 0 1\n", READ_ONLY))
    del ours["/"]
    for place, said in ours.items():
        assert {"nofail", "x-systemd.before=local-fs.target"} <= set(said), place


def test_a_partition_of_its_own_has_no_overlay_and_a_tmp_of_its_own_stays():
    lines = "/dev/sda3 /var ext4 defaults 0 2\ntmpfs /tmp tmpfs size=100m 0 0\n"
    table = table_with(PI + lines, READ_ONLY)
    assert "overlay /var" not in table
    assert table.count(" /tmp ") == 1
    assert "overlay /etc" in table


def test_a_swap_file_on_the_root_is_not_used_and_a_partition_still_is():
    lines = "/swapfile none swap sw 0 0\n/dev/sda2 none swap sw 0 0\n"
    table = table_with(PI + lines, READ_ONLY)
    assert "\n/swapfile" not in table
    assert "\n/dev/sda2 none swap" in table
    assert plain(table) == PI + lines


def test_a_table_says_what_it_was_made_of():
    for plan in (READ_ONLY, WRITABLE):
        table = table_with(PI, plan)
        assert plan_of(table) == plan
        assert state_of(table) == ("read-only" if plan.read_only else "writable")
    assert plan_of(PI) is None
    assert state_of(PI) == "plain"


def test_there_and_back_and_again_is_the_same():
    table = table_with(PI, READ_ONLY)
    assert table_with(table_with(table, WRITABLE), READ_ONLY) == table
    assert plain(table) == PI


def test_a_machine_without_a_line_for_its_root_is_refused():
    with pytest.raises(RootRefused, match="no line for /"):
        table_with("proc /proc proc defaults 0 0\n", READ_ONLY)


WORDS = st.sampled_from(
    ["/", "/boot", "/var", "/swap", "swap", "ext4", "rw", "ro,noatime", "#", "x", "0", "none"]
)
LINES = st.lists(WORDS, max_size=7).map(" ".join)


@given(st.lists(LINES, max_size=8), st.booleans())
def test_whatever_a_table_held_it_holds_again_afterwards(lines, read_only):
    table = "".join(f"{line}\n" for line in [*lines, "/dev/vda / ext4 defaults 0 1"])
    made = table_with(table, Plan(UUID, KEPT, read_only=read_only))
    assert plain(made) == table
    assert f"UUID={UUID} {DATA} " in made
