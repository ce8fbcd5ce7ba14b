"""What a backup lets gateways forget; a restored ledger's new generation; on both databases."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import delete

from central.errors import DatabaseUnusable
from central.inbox.backups import (
    MARGIN_MS,
    Confirmed,
    Generations,
    begin_generation,
    confirm_backup,
)
from central.inbox.inbox import Inbox
from central.inbox.ledger_key import load_ledger_key
from central.storage import tables
from tests.central.scenery import NOW_MS, FixedClock, Gateway, enrol, load, rows

DAY_MS = 86_400_000


@pytest.fixture
def gateway(database):
    gateway = Gateway()
    for _ in range(9):
        gateway.move()
    load(database)
    enrol(database, gateway)
    return gateway


def taken(database, gateway, first, last, *, at_ms, stable_at_commit=False):
    """The acknowledgement of facts that the ledger takes at some time."""
    clock = FixedClock(at_ms)
    inbox = Inbox(database, clock=clock, stable_at_commit=stable_at_commit)
    (outcome,) = inbox.accept([gateway.offer(first, last)])
    return outcome.ack


def test_what_a_backup_holds_is_stable_and_every_further_acknowledgement_says_so(database, gateway):
    assert taken(database, gateway, 1, 4, at_ms=NOW_MS).stable == 0
    taken(database, gateway, 5, 7, at_ms=NOW_MS + DAY_MS)
    assert confirm_backup(database, taken_ms=NOW_MS + DAY_MS) == Confirmed(1, 4)
    assert taken(database, gateway, 6, 7, at_ms=NOW_MS + DAY_MS).stable == 4
    ack = taken(database, gateway, 8, 9, at_ms=NOW_MS + 2 * DAY_MS)
    assert (ack.acked, ack.stable) == (9, 4)
    assert confirm_backup(database, taken_ms=NOW_MS + 9 * DAY_MS) == Confirmed(1, 5)
    assert rows(database, tables.positions, "acked_seq", "stable_seq") == [(9, 9)]


def test_confirming_again_or_an_older_backup_changes_nothing(database, gateway):
    taken(database, gateway, 1, 4, at_ms=NOW_MS)
    assert confirm_backup(database, taken_ms=NOW_MS + DAY_MS) == Confirmed(1, 4)
    for taken_ms in (NOW_MS + DAY_MS, NOW_MS - DAY_MS):
        assert confirm_backup(database, taken_ms=taken_ms) == Confirmed(0, 0)


@pytest.mark.parametrize(("early_ms", "facts_count"), [(0, 0), (MARGIN_MS - 1, 0), (MARGIN_MS, 4)])
def test_what_was_recorded_just_before_a_backup_may_be_missing_in_it(
    database, gateway, early_ms, facts_count
):
    taken(database, gateway, 1, 4, at_ms=NOW_MS)
    assert confirm_backup(database, taken_ms=NOW_MS + early_ms).facts_count == facts_count


def test_after_a_clock_that_went_back_nothing_behind_a_later_time_is_stable(database, gateway):
    taken(database, gateway, 1, 2, at_ms=NOW_MS)
    taken(database, gateway, 3, 4, at_ms=NOW_MS + 2 * DAY_MS)
    taken(database, gateway, 5, 6, at_ms=NOW_MS)
    assert confirm_backup(database, taken_ms=NOW_MS + DAY_MS) == Confirmed(1, 2)


def test_with_a_synchronous_standby_all_that_is_committed_is_stable(database, gateway):
    taken(database, gateway, 1, 4, at_ms=NOW_MS)
    again = taken(database, gateway, 1, 4, at_ms=NOW_MS, stable_at_commit=True)
    assert (again.acked, again.stable) == (4, 4)
    assert taken(database, gateway, 5, 6, at_ms=NOW_MS, stable_at_commit=True).stable == 6


def test_a_new_generation_is_in_every_acknowledgement_from_then_on(database, gateway):
    before = taken(database, gateway, 1, 4, at_ms=NOW_MS)
    assert begin_generation(database, generation="g-2") == Generations("generation-1", "g-2")
    after = taken(database, gateway, 1, 4, at_ms=NOW_MS)
    assert (before.ledger_generation, after.ledger_generation) == ("generation-1", "g-2")
    assert (after.acked, after.head_digest) == (before.acked, before.head_digest)


def test_the_ledger_signs_with_the_key_of_its_database(own_database):
    key = load_ledger_key(own_database)
    assert load_ledger_key(own_database).public_key_hex == key.public_key_hex
    public_key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.public_key_hex))
    public_key.verify(key.sign(b"word"), b"word")


def test_a_database_that_has_lost_its_key_says_what_to_do(own_database):
    with own_database.write() as connection:
        connection.execute(
            delete(tables.ledger_state).where(tables.ledger_state.c.key == "signing_key")
        )
    with pytest.raises(DatabaseUnusable) as caught:
        load_ledger_key(own_database)
    assert "migrate" in caught.value.hint
