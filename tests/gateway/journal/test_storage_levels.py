"""From room on the disk to what is recorded. Pure."""

import pytest

from gateway.journal.storage_levels import decide_level, disk_room, quota_room

GIB = 1024**3
MIB = 1024**2
CARD = 32 * GIB


def disk(free_bytes):
    return disk_room(total_bytes=CARD, free_bytes=free_bytes)


@pytest.mark.parametrize(
    ("room", "before", "level"),
    [
        (disk(CARD), "ok", "ok"),
        (disk(CARD * 16 // 100), "ok", "ok"),
        (disk(CARD * 15 // 100), "ok", "low"),
        (disk(CARD * 16 // 100), "low", "low"),
        (disk(CARD * 18 // 100), "low", "ok"),
        (disk(CARD * 5 // 100), "low", "shedding"),
        (disk(CARD * 6 // 100), "shedding", "shedding"),
        (disk(CARD * 8 // 100), "shedding", "low"),
        (disk(17 * MIB), "ok", "shedding"),
        (disk(15 * MIB), "ok", "full"),
        (disk(17 * MIB), "full", "full"),
        (disk(30 * MIB), "full", "shedding"),
        (disk(CARD), "full", "ok"),
        (disk(0), "ok", "full"),
        (disk_room(total_bytes=200 * MIB, free_bytes=60 * MIB), "ok", "shedding"),
        (quota_room(quota_bytes=100, used_bytes=84), "ok", "ok"),
        (quota_room(quota_bytes=100, used_bytes=85), "ok", "low"),
        (quota_room(quota_bytes=100, used_bytes=95), "low", "shedding"),
        (quota_room(quota_bytes=100, used_bytes=99), "shedding", "shedding"),
        (quota_room(quota_bytes=100, used_bytes=100), "shedding", "full"),
        (quota_room(quota_bytes=100, used_bytes=140), "full", "full"),
        (quota_room(quota_bytes=100, used_bytes=90), "full", "low"),
    ],
)
def test_a_level_follows_from_the_room_and_is_left_only_with_clearly_more(room, before, level):
    assert decide_level(room, before=before) == level


@pytest.mark.parametrize(
    ("room", "percent"),
    [
        (disk(CARD), 0),
        (disk(0), 100),
        (disk(CARD // 2), 50),
        (quota_room(quota_bytes=100, used_bytes=250), 100),
        (disk_room(total_bytes=0, free_bytes=0), 100),
    ],
)
def test_the_used_share_stays_between_nothing_and_all(room, percent):
    assert room.used_percent == percent
