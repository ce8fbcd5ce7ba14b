"""Which backups are kept: by day, week and month, and never none. Pure."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.backup.manifests import backup_name, taken_at
from central.backup.retention import Keeping, superfluous

START = datetime(2026, 11, 22, 2, tzinfo=UTC)


def name(moment, number=1):
    return backup_name("sqlite", taken_ms=int(moment.timestamp() * 1000), number=number)


def days(count, hour=0):
    """Names of backups of so many days, the newest first."""
    return [name(START - timedelta(days=day, hours=hour)) for day in range(count)]


def kept(names, keeping, made_now=None):
    made_now = made_now or max(names)
    gone = superfluous(names, keeping, made_now=made_now)
    return sorted(set(names) - set(gone), reverse=True)


def test_of_each_day_the_newest_is_kept():
    names = [*days(3), *days(3, hour=1)]
    assert kept(names, Keeping(2, 1, 1)) == days(2)


def test_of_weeks_and_months_the_newest_are_kept_beyond_the_days():
    found = kept(days(200), Keeping(daily=3, weekly=3, monthly=4))
    assert [taken_at(one).strftime("%m-%d") for one in found] == [
        *("11-22", "11-21", "11-20"),
        *("11-15", "11-08"),
        *("10-31", "09-30", "08-31"),
    ]


def test_days_without_a_backup_do_not_count():
    names = [name(START - timedelta(days=day)) for day in (0, 100, 200, 700)]
    assert kept(names, Keeping(daily=4, weekly=1, monthly=1)) == names


def test_the_one_just_made_is_kept_whatever_the_clock_said():
    names = days(5)
    old = name(START - timedelta(days=4000))
    assert old in kept([*names, old], Keeping(1, 1, 1), made_now=old)


def test_what_is_no_backup_of_ours_is_never_named():
    foreign = ["holiday-photos", "ledger-20269999T020000Z-00000000", "wal-000000010000000000000001"]
    assert superfluous(foreign, Keeping(1, 1, 1), made_now=name(START)) == []


@given(
    hours=st.lists(st.integers(0, 50_000), min_size=1, max_size=60, unique=True),
    counts=st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9)),
)
def test_the_newest_is_kept_and_no_more_than_asked_for(hours, counts):
    names = [name(START + timedelta(hours=hour)) for hour in hours]
    found = kept(names, Keeping(*counts))
    assert max(names) in found
    assert len(found) <= sum(counts)
    assert kept(found, Keeping(*counts)) == found  # Doing it again deletes nothing more.


@pytest.mark.parametrize("text", ["", "ledger", "ledger-2026", f"{name(START)}.dlb", "x" * 300])
def test_a_name_that_none_of_ours_has_has_no_time(text):
    assert taken_at(text) is None
