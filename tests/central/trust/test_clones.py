"""Two machines that speak as one gateway are seen; a machine that starts again is not one."""

import pytest

from central.contract.states import GatewayState
from central.trust.clones import CloneWatch
from central.trust.events import latest, note_clones

HISTORIES = {
    "one machine, started again": ("1 2 3 4", 0),
    "a card that was put back begins an epoch of its own": ("1 2 3 2b 3b", 0),
    "a retained state of before comes late, once": ("1 2 1 2 3 2 3", 0),
    "two machines throw each other out": ("1 2 1 2 1 2 1", 2),
    "the same again": ("1 1 1 1", 0),
}


def state(epoch, *, online=True):
    return GatewayState(
        gateway="dock-a",
        warehouse="SH1",
        epoch=epoch,
        online=online,
        time_ms=1,
        unsent_count=0,
        head_seq=0,
        software="1",
    )


@pytest.mark.parametrize(("epochs", "least"), HISTORIES.values(), ids=HISTORIES)
def test_an_epoch_that_was_over_and_speaks_again_is_another_machine(epochs, least):
    watch = CloneWatch()
    found = [watch.look([state(epoch)]) for epoch in epochs.split()]
    assert sum(one == ("dock-a",) for one in found) == least


def test_a_last_will_says_nothing():
    watch = CloneWatch()
    for epoch in ("1", "2", "1", "2", "1"):
        assert watch.look([state(epoch, online=False)]) == ()


def test_a_clone_is_noted_once_in_ten_minutes(database):
    for minutes in (0, 1, 9, 11):
        note_clones(database, ["dock-a"], now_ms=minutes * 60_000 + 1_000_000)
    with database.read() as connection:
        assert [one.kind for one in latest(connection, limit=9)] == ["card_cloned"] * 2
