"""Nothing that was tampered with is taken; honest messages in any order raise no alarm.

A short run of what `make trust` does with 10,000 and 100,000 messages.
"""

import pytest

from tests.central.migrated import open_migrated
from tests.trust.messages import FACTS_EACH, KINDS, deliver, tamper


@pytest.fixture
def ledger(tmp_path):
    opened = open_migrated(tmp_path / "ledger.db", generation="g")
    yield opened
    opened.close()


def test_no_tampered_or_replayed_message_is_taken(ledger):
    tally = tamper(ledger, count=420, seed=7)
    assert set(tally.tried) == set(KINDS)
    assert (dict(tally.accepted), tally.facts_added) == ({}, 0)


def test_honest_messages_in_any_order_and_number_raise_no_alarm(ledger):
    told = deliver(ledger, count=1500, seed=7, gateways_count=5, batches_each=20)
    assert told.alarms == 0
    assert set(told.outcomes) <= {"accepted", "duplicate", "gap"}
    assert told.outcomes["accepted"] == 100
    assert told.facts_count == 100 * FACTS_EACH
