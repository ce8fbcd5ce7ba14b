"""What one append does, and that it does all of it or nothing. Edge of SQLite."""

from decimal import Decimal

import pytest

from central.contract.errors import ContractError
from central.contract.facts import chain_next, chain_start, decode_fact
from drivers.labels import Label
from gateway.errors import JournalFull
from gateway.journal.records import StockRow
from gateway.station.book import counted_under
from gateway.station.effects import WEIGHING_BEFORE, NewPrintJob
from tests.gateway.journal.samples import (
    GATEWAY,
    count,
    movement,
    open_journal,
    opened,
    packing,
    reversal,
    signature,
    weighing,
)

BLANK = Label(width_mm=Decimal(100), height_mm=Decimal(50), elements=())
ROOM_PAGES = 4000  # What a disk still takes: some thousands of facts.


@pytest.fixture
def journal(tmp_path):
    journal = open_journal(tmp_path / "journal.db")
    yield journal
    journal.close()


def sent(**fields):
    """A movement out of the dock under SO-1."""
    out = {"from_location": "dock-1", "to_location": "customer", "business_step": "shipping"}
    return movement(**{**out, "document": "SO-1", "document_line": 4, **fields})


def row(location, on_hand, **key):
    values = {"item": "rice", "lot": "", "serial": "", "sscc": "", "unit": "KGM", **key}
    return StockRow(location=location, on_hand=Decimal(on_hand), **values)


def test_facts_are_numbered_chained_and_stored_as_their_canonical_bytes(journal):
    appended = journal.append([movement(), movement(item="flour")])
    assert [str(fact_id) for fact_id in appended.fact_ids] == [
        f"{GATEWAY}/{journal.epoch}/1",
        f"{GATEWAY}/{journal.epoch}/2",
    ]
    run = journal.read_run(journal.epoch, first_seq=1, facts_max=10, bytes_max=10_000)
    assert [decode_fact(data).item for data in run.facts] == ["rice", "flour"]
    assert [decode_fact(data).seq for data in run.facts] == [1, 2]
    start = chain_start(gateway=GATEWAY, epoch=journal.epoch, previous_epoch_head=bytes(32))
    assert run.previous_digest == start
    assert journal.digest_at(journal.epoch, 2) == chain_next(
        chain_next(start, run.facts[0]), run.facts[1]
    )


def test_local_stock_keeps_physical_places_only(journal):
    journal.append([movement(), movement(from_location="dock-1", to_location="A-01", quantity="1")])
    assert journal.stock() == [row("A-01", "1"), row("dock-1", "1.5")]
    assert journal.stock(location="A-01") == [row("A-01", "1")]
    assert journal.stock(item="flour") == []


def test_stock_that_comes_to_nothing_leaves_no_row(journal):
    journal.append([movement()])
    journal.append([movement(from_location="dock-1", to_location="customer")])
    assert journal.stock() == []


def test_stock_may_become_negative_because_a_fact_is_never_refused(journal):
    journal.append([movement(from_location="A-01", to_location="customer", document="")])
    assert journal.stock() == [row("A-01", "-2.5")]


def test_a_sum_beyond_the_range_stays_at_its_end_instead_of_refusing_the_fact(journal):
    for _ in range(10):
        journal.append([movement(quantity="9999999999") for _ in range(100)])
    (stock,) = journal.stock()
    assert stock.on_hand == Decimal("9223372036854.775807")
    assert journal.unsent_count() == 1000


def test_what_was_received_is_kept_by_document_line(journal):
    journal.append(
        [
            movement(),
            movement(document_line=2, quantity="1"),
            movement(business_step="storing", from_location="dock-1", to_location="A-01"),
        ]
    )
    assert journal.received("PO-1") == {1: Decimal("2.5"), 2: Decimal(1)}
    assert journal.received("PO-2") == {}


def test_what_was_sent_is_kept_by_document_line_and_leaves_the_stock(journal):
    journal.append([movement(document=""), sent(quantity="1"), sent(quantity="0.5")])
    assert journal.received("SO-1") == {4: Decimal("1.5")}
    assert {row.location: row.on_hand for row in journal.stock()} == {"dock-1": Decimal(1)}


def test_a_count_moves_nothing_and_keeps_how_often_a_line_was_counted_in_a_round(journal):
    journal.append([movement(), count(), count(quantity="0"), count(round=2), count(document="")])
    assert {row.location: row.on_hand for row in journal.stock()} == {"dock-1": Decimal("2.5")}
    assert journal.received(counted_under("CNT-1", 1)) == {2: 2}
    assert journal.received(counted_under("CNT-1", 2)) == {2: 1}
    assert journal.received("CNT-1") == {}


@pytest.mark.parametrize("draft", [count, packing])
def test_a_count_or_packing_is_not_reversed(journal, draft):
    (fact_id,) = journal.append([draft()]).fact_ids
    with pytest.raises(ContractError, match="no movement"):
        journal.append([reversal(fact_id)])
    assert journal.last_reversible() is None


def test_a_reversal_takes_back_stock_and_document_progress(journal):
    (fact_id,) = journal.append([movement()]).fact_ids
    journal.append([reversal(fact_id)])
    assert journal.stock() == []
    assert journal.received("PO-1") == {1: Decimal(0)}
    assert journal.last_reversible() is None


def test_undo_goes_back_one_movement_at_a_time_also_over_a_restart(tmp_path):
    path = tmp_path / "journal.db"
    with opened(path) as journal:
        first, _, second = journal.append([movement(), weighing(), movement(item="flour")]).fact_ids
        assert journal.last_reversible()[0] == second
        journal.append([reversal(second)])
    with opened(path, nonce=8) as journal:
        fact_id, fact, _ = journal.last_reversible()
        assert (fact_id, fact.item) == (first, "rice")
        journal.append([reversal(fact_id)])
        assert journal.last_reversible() is None


@pytest.mark.parametrize("same_append", [True, False], ids=["one append", "two appends"])
def test_a_movement_is_taken_back_once(journal, same_append):
    (fact_id,) = journal.append([movement()]).fact_ids
    drafts = [reversal(fact_id), reversal(fact_id)]
    if not same_append:
        journal.append([drafts.pop()])
    with pytest.raises(ContractError, match="already reversed"):
        journal.append(drafts)
    assert journal.unsent_count() == (1 if same_append else 2)


def test_a_fact_that_is_no_movement_is_not_reversed(journal):
    (fact_id,) = journal.append([weighing()]).fact_ids
    with pytest.raises(ContractError, match="no movement"):
        journal.append([reversal(fact_id)])


def test_a_fact_that_cannot_be_true_takes_the_whole_append_with_it(journal):
    with pytest.raises(ContractError):
        journal.append([movement(), movement(quantity="0")])
    assert journal.recent(5) == []
    assert journal.append([movement()]).fact_ids[0].seq == 1


def test_weighings_of_a_scale_are_numbered_without_gaps_also_over_a_restart(tmp_path):
    path = tmp_path / "journal.db"
    with opened(path) as journal:
        journal.append([weighing(), weighing(scale="scale-2"), weighing()])
    with opened(path, nonce=8) as journal:
        journal.append([weighing()])
        facts = [fact for _, fact in reversed(journal.recent(9))]
    assert [(fact.scale, fact.alibi_number) for fact in facts] == [
        ("scale-1", 1),
        ("scale-2", 1),
        ("scale-1", 2),
        ("scale-1", 3),
    ]


def test_a_movement_names_the_weighing_drafted_before_it(journal):
    journal.append([movement()])
    journal.append([weighing(), movement(weighing_seq=WEIGHING_BEFORE)])
    assert journal.recent(1)[0][1].weighing_seq == 2


def test_waiting_for_an_append_ends_at_once_when_one_came(journal):
    seen = journal.wait_for_append(-1, 0)
    journal.append([movement()])
    assert journal.wait_for_append(seen, 30) == seen + 1


def test_an_append_that_fails_at_any_instruction_leaves_nothing(tmp_path):
    """SQLite's virtual machine is stopped before its 1st, 2nd, 3rd ... instruction of an append."""
    path = tmp_path / "journal.db"
    with opened(path) as journal:
        (target,) = journal.append([movement()]).fact_ids
        drafts = [weighing(), movement(weighing_seq=WEIGHING_BEFORE), reversal(target)]
        jobs = [NewPrintJob("printer-1", "bin", "A-01", BLANK)]
        before = signature(path)
        failures = 0
        while (appended := _append_stopped(journal, drafts, jobs, after=failures)) is None:
            failures += 1
            assert journal.unsent_count() == 1
            if failures % 8 == 1:  # Every row of every table, in every eighth case.
                assert signature(path) == before
        assert failures > 100
        assert [fact_id.seq for fact_id in appended.fact_ids] == [2, 3, 4]
        assert len(appended.print_jobs) == 1
        assert journal.last_reversible()[0].seq == 3


def _append_stopped(journal, drafts, jobs, *, after):
    """Return what append returned, None if it was stopped after so many instructions."""
    connection = journal._connection
    left = iter(range(after))
    stopped = []

    def stop():
        # Outside of the transaction nothing can be lost; and once: the rollback must run.
        if not connection.in_transaction or stopped or next(left, None) is not None:
            return 0
        stopped.append(True)
        return 1

    connection.set_progress_handler(stop, 1)
    try:
        return journal.append(drafts, jobs)
    except JournalFull:
        return None
    finally:
        connection.set_progress_handler(None, 1)


def test_a_full_disk_records_nothing_and_is_survived(tmp_path):
    path = tmp_path / "journal.db"
    with opened(path) as journal:
        journal.append([movement()])
        connection = journal._connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + ROOM_PAGES}")
        large = [movement(evidence=()) for _ in range(1000)]
        count = 1
        hint = ""
        while not hint and count < 1000 * ROOM_PAGES:
            try:
                journal.append(large)
                count += len(large)
            except JournalFull as error:
                hint = error.hint
        assert hint.startswith("Make space")
        assert journal.unsent_count() == count
        connection.execute("PRAGMA max_page_count = 1000000")
        assert journal.append([movement()]).fact_ids[0].seq == count + 1
