"""What a station records by its workflows is taken by the ledger as it is, and adds up there."""

from collections import Counter
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from central.contract.envelope import encode_batch
from central.contract.facts import Count, Packing
from central.contract.quantities import to_micro
from central.inbox.inbox import Inbox
from central.ledger.reference_book import load_reference
from central.ledger.verify import verify_ledger
from central.orders.following import FOLLOWERS
from central.orders.proofs import PROOFS
from central.outbox.changes import read_levels
from central.storage import count_tables, tables
from tests.central.scenery import FixedClock, Gateway, enrol, rows
from tests.gateway.station.bench import REFERENCE, bench_at
from tests.gateway.station.conftest import MEMORY_FOLDER

TEA, CASE, SALT = "6901234567892", "16901234567899", "96385074"
MILK, MILK_L1, MILK_L2 = "0109501101530003", "010950110153000310L1", "010950110153000310L2"
PALLET, OTHER, OUTER = "006141411234567890", "106141412345678908", "306141411234567891"
ARRIVED = ["DOC-TI-1", f"00{PALLET}", "CMD-DONE", "CMD-RECEIVE", CASE, CASE, MILK_L1, MILK_L2]
DAYS = [
    pytest.param([*ARRIVED, "CMD-SHIP", "DOC-SO-1", CASE, MILK_L1, "CMD-DONE"], id="shipment"),
    pytest.param([*ARRIVED, "DOC-TO-1", f"00{PALLET}", "DOC-RS-1", TEA], id="out"),
    pytest.param([*ARRIVED, "CMD-SHIP", "LOC-NOWHERE", TEA, "HELLO", "CMD-UNDO"], id="flags"),
    pytest.param(
        [*ARRIVED, "DOC-CNT-1", "LOC-DOCK-1", TEA, f"00{PALLET}", "CMD-CONFIRM", MILK, "CMD-EMPTY"],
        id="counted",
    ),
    pytest.param(["CMD-COUNT", "LOC-A-01-03", "CMD-EMPTY"], id="nothing at all is there"),
    pytest.param(
        ["CMD-COUNT", "DOC-NONE", "LOC-Z-9", "HELLO", "CMD-CONFIRM", "CMD-EMPTY"], id="unknown"
    ),
    pytest.param(
        ["CMD-PACK", OUTER, PALLET, OTHER, "CMD-DONE", "CMD-UNPACK", OUTER, OTHER, "CMD-DONE"],
        id="packed",
    ),
]


def recorded(scans, tmp_path):
    """Scan all that at a station; return what it sends, its facts and its stock."""
    folder = MEMORY_FOLDER if MEMORY_FOLDER.is_dir() else tmp_path
    with TemporaryDirectory(dir=folder) as path, bench_at(Path(path)) as bench:
        for code in scans:
            seen = bench.scan(code)
            assert seen.kind != "error", (code, seen.text)
        facts = [fact for _, fact in bench.journal.recent(1000)]
        run = bench.journal.read_run(
            bench.journal.epoch, first_seq=1, facts_max=1000, bytes_max=200_000
        )
        assert len(run.facts) == len(facts)
        return run, facts, bench.stock()


def posted(database, run):
    """Post a run of the station's journal with all that follows the ledger."""
    gateway = Gateway("sh1-dock-1", warehouse="sh1")
    with database.write() as connection:
        load_reference(connection, REFERENCE)
    enrol(database, gateway)
    payload = encode_batch(
        gateway=gateway.code,
        epoch=run.epoch,
        first_seq=run.first_seq,
        previous_epoch_head=run.previous_epoch_head,
        previous_digest=run.previous_digest,
        facts=run.facts,
        sign=gateway.key.sign,
    )
    inbox = Inbox(database, clock=FixedClock(), followers=FOLLOWERS)
    (outcome,) = inbox.accept([(gateway.code, payload)])
    assert outcome.kind == "accepted", outcome


@pytest.mark.parametrize("scans", DAYS)
def test_what_a_station_records_is_posted_and_adds_up(database, tmp_path, scans):
    run, facts, stock = recorded(scans, tmp_path)
    posted(database, run)
    verified = verify_ledger(database, proofs=PROOFS)
    assert (verified.facts_count, verified.faults) == (len(facts), ())
    assert not rows(database, tables.quarantine, "reason")
    with database.read() as connection:
        levels = read_levels(connection, "sh1")
    told = Counter()
    for level in levels:
        told[level.location, level.item] += level.on_hand_micro
    assert told == {key: int(Decimal(text) * 10**6) for key, text in stock.items()}
    counts = sorted((one.seq, to_micro(Decimal(one.quantity))) for one in facts if is_count(one))
    assert rows(database, count_tables.count_observations, "seq", "quantity_micro") == counts
    packings = [one for one in facts if isinstance(one, Packing)]
    inside = {child for one in packings for child in one.children if one.action == "pack"}
    inside -= {child for one in packings for child in one.children if one.action == "unpack"}
    parents = rows(database, tables.handling_units, "sscc", "parent")
    assert {unit for unit, parent in parents if parent} == inside


def is_count(fact):
    return isinstance(fact, Count)
