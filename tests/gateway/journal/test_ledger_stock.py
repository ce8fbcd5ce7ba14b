"""Notices and snapshots in the journal: all or nothing, in parts, and nothing printed twice."""

from decimal import Decimal
from threading import Thread

import msgspec
import pytest

from central.contract.notices import (
    PrintRequested,
    ReferenceChanged,
    Setting,
    SettingsChanged,
    Settled,
    StockChanged,
    StockLevel,
    TemplateChanged,
    decode_notice,
)
from central.contract.reference import (
    DocumentLine,
    ExpectedDocument,
    Item,
    Location,
    Operator,
    Reference,
    Warehouse,
    known_kind,
)
from central.contract.snapshots import Snapshot
from central.contract.wire_types import EpochSeq
from drivers.labels import Label
from gateway.errors import JournalFull
from gateway.journal.records import Standing
from gateway.station.effects import NewPrintJob
from tests.gateway.journal.samples import (
    GATEWAY,
    WAREHOUSE,
    movement,
    open_journal,
    opened,
    reversal,
)

LABEL = Label(Decimal(50), Decimal(30), ())
REQUEST = PrintRequested(job="J-1", printer="", template="bin", fields=(), copies_count=2)
SETTLED = Settled(
    discrepancy="d-1",
    kind="unknown_item",
    subject="tea",
    item="tea",
    location="",
    document="",
    decided="accept",
    at_ms=1,
    epoch="00000001-0000000000000001",
    seq=1,
)


def item(code: str, name: str = "Tea") -> Item:
    return Item(code=code, name=name, name_zh=name, unit="C62")


def reference(revision: int, *, items=(), locations=(), documents=(), operators=()) -> Reference:
    places = tuple(Location(code=code, kind="bin") for code in locations)
    return Reference(
        revision=revision,
        warehouses=(Warehouse(code=WAREHOUSE, name="Sh", name_zh="沪", locations=places),),
        items=tuple(items),
        documents=tuple(documents),
        operators=tuple(operators),
    )


def snapshot(**fields) -> Snapshot:
    values = {
        "gateway": GATEWAY,
        "warehouse": WAREHOUSE,
        "stream": "s1",
        "number": 4,
        "generation": "g1",
        "revision": 10,
        "positions": (),
        "levels": (),
    }
    return Snapshot(**{**values, **fields})


def level(location: str, units: int, item_code: str = "rice") -> StockLevel:
    return StockLevel(location, item_code, "", "", "", "KGM", units * 1_000_000)


def stock_changed(revision: int, *levels: StockLevel, positions=(), final=True) -> StockChanged:
    return StockChanged(revision=revision, levels=levels, positions=positions, final=final)


def shown(journal) -> dict[tuple[str, str], Decimal]:
    return {(row.location, row.item): row.on_hand for row in journal.stock()}


def position(journal, seq: int) -> EpochSeq:
    epoch = journal.epoch
    return EpochSeq(start_count=epoch.start_count, nonce=epoch.nonce, seq=seq)


@pytest.fixture
def journal(tmp_path):
    with opened(tmp_path / "journal.db") as journal:
        yield journal


def test_a_new_gateway_knows_nothing_and_counts_its_own_movements(journal):
    journal.append([movement(quantity="2")])
    assert journal.knowledge.known() is None
    assert journal.knowledge.standing() == Standing("", 0)
    assert journal.knowledge.stock_report() is None
    assert shown(journal) == {("dock-1", "rice"): 2}


def test_a_snapshot_is_shown_with_the_own_facts_that_it_lacks(journal):
    journal.append([movement(quantity="2"), movement(quantity="3"), movement(quantity="4")])
    held = (position(journal, 1),)
    journal.knowledge.apply_snapshot(snapshot(levels=(level("dock-1", 9),), positions=held))
    assert shown(journal) == {("dock-1", "rice"): 9 + 3 + 4}
    assert journal.knowledge.standing() == Standing("s1", 4)


def test_a_fact_that_comes_back_from_the_ledger_is_counted_once(journal):
    journal.knowledge.apply_snapshot(snapshot(levels=(level("dock-1", 9),)))
    journal.append([movement(quantity="2")])
    news = stock_changed(11, level("dock-1", 11), positions=(position(journal, 1),))
    journal.knowledge.apply_notices("s1", 5, [news])
    assert shown(journal) == {("dock-1", "rice"): 11}


def test_what_another_gateway_moved_shows_beside_the_own_work(journal):
    journal.knowledge.apply_snapshot(snapshot(levels=(level("A-1", 9), level("A-2", 1))))
    journal.append([movement(from_location="A-1", to_location="B-1", quantity="2", document="")])
    news = stock_changed(11, level("A-1", 4), level("A-2", 0))
    journal.knowledge.apply_notices("s1", 5, [news])
    assert shown(journal) == {("A-1", "rice"): 2, ("B-1", "rice"): 2}


def test_levels_in_parts_are_shown_with_the_last_part_alone(journal):
    journal.knowledge.apply_snapshot(snapshot(levels=(level("A-1", 9),)))
    journal.append([movement(to_location="A-1", quantity="1")])
    held = (position(journal, 1),)
    first = stock_changed(11, level("A-1", 10), positions=held, final=False)
    journal.knowledge.apply_notices("s1", 5, [first])
    assert shown(journal) == {("A-1", "rice"): 10}  # 9 and the own one.
    assert journal.knowledge.known().revision == 10
    last = stock_changed(11, level("B-1", 5), positions=held)
    journal.knowledge.apply_notices("s1", 6, [last])
    assert shown(journal) == {("A-1", "rice"): 10, ("B-1", "rice"): 5}
    assert journal.knowledge.known().revision == 11


def test_a_snapshot_throws_away_parts_that_waited(journal):
    journal.knowledge.apply_snapshot(snapshot())
    begun = stock_changed(11, level("A-1", 5), final=False)
    part = ReferenceChanged(revision=5, items=(item("tea"),), final=False)
    journal.knowledge.apply_notices("s1", 5, [begun, part])
    journal.knowledge.apply_snapshot(snapshot(stream="s2", number=0))
    rest = ReferenceChanged(revision=6, items=(item("rice"),))
    journal.knowledge.apply_notices("s2", 1, [stock_changed(12, level("B-1", 1)), rest])
    assert shown(journal) == {("B-1", "rice"): 1}
    assert [one.code for one in journal.reference().items] == ["rice"]


def test_an_undo_of_what_the_ledger_has_shows_at_once_and_counts_once(journal):
    (fact_id,) = journal.append([movement(quantity="2")]).fact_ids
    held = (position(journal, 1),)
    journal.knowledge.apply_snapshot(snapshot(levels=(level("dock-1", 2),), positions=held))
    journal.append([reversal(fact_id)])
    assert shown(journal) == {}
    news = stock_changed(11, level("dock-1", 0), positions=(position(journal, 2),))
    journal.knowledge.apply_notices("s1", 5, [news])
    assert shown(journal) == {}


def test_what_documents_have_received_follows_the_own_facts_alone(journal):
    journal.append([movement(quantity="2")])
    held = (position(journal, 1),)
    journal.knowledge.apply_snapshot(snapshot(levels=(level("dock-1", 2),), positions=held))
    assert journal.received("PO-1") == {1: Decimal(2)}


def test_a_ledger_of_another_generation_may_hold_less_than_before(journal):
    journal.append([movement(quantity="2"), movement(quantity="3")])
    held = (position(journal, 2),)
    journal.knowledge.apply_snapshot(snapshot(levels=(level("dock-1", 5),), positions=held))
    journal.knowledge.apply_snapshot(snapshot(stream="s2", generation="g2", revision=1))
    assert shown(journal) == {("dock-1", "rice"): 5}


def test_an_epoch_that_a_snapshot_no_longer_names_stays_held(tmp_path):
    path = tmp_path / "journal.db"
    with opened(path) as journal:
        journal.append([movement(quantity="2")])
        held = (position(journal, 1),)
        journal.knowledge.apply_snapshot(snapshot(levels=(level("dock-1", 2),), positions=held))
    with opened(path, nonce=8) as journal:
        again = snapshot(stream="s2", revision=20, levels=(level("dock-1", 2),))
        journal.knowledge.apply_snapshot(again)
        assert shown(journal) == {("dock-1", "rice"): 2}


def test_positions_of_an_older_card_of_this_gateway_change_nothing(journal):
    journal.append([movement(quantity="2")])
    alien = (EpochSeq(start_count=journal.epoch.start_count, nonce=12345, seq=1),)
    journal.knowledge.apply_snapshot(snapshot(levels=(level("dock-1", 7),), positions=alien))
    assert shown(journal) == {("dock-1", "rice"): 9}


def test_reference_data_follows_item_by_item(journal):
    line = DocumentLine(line=1, item="tea", quantity="5")
    document = ExpectedDocument(code="PO-9", warehouse=WAREHOUSE, partner="Li", lines=(line,))
    before = reference(3, items=[item("tea"), item("rice")], locations=["A-1", "A-2"])
    journal.knowledge.apply_snapshot(snapshot(reference=before))
    change = ReferenceChanged(
        revision=5,
        items=(item("tea", "Green tea"), item("salt")),
        gone_items=("rice",),
        locations=(Location(code="B-1", kind="staging"),),
        gone_locations=("A-2",),
        documents=(document,),
        operators=(Operator(code="ann", name="Ann"),),
    )
    applied = journal.knowledge.apply_notices("s1", 5, [change])
    assert applied.reference
    kept = journal.reference()
    assert kept.revision == 5
    assert [(one.code, one.name) for one in kept.items] == [("tea", "Green tea"), ("salt", "Tea")]
    assert [one.code for one in kept.warehouses[0].locations] == ["A-1", "B-1"]
    assert kept.documents == (document,)
    assert kept.operators == (Operator(code="ann", name="Ann"),)


def test_a_document_of_a_kind_of_the_future_does_not_stop_what_central_says(journal):
    line = {"line": 1, "item": "tea", "quantity": "5", "colour": "green"}
    newer = {"code": "R-1", "warehouse": WAREHOUSE, "partner": "", "kind": "rental", "due": 7}
    change = [2, 4, [], [], [], [], [{**newer, "lines": [line]}], [], [], [], True]
    journal.knowledge.apply_snapshot(snapshot(reference=reference(3)))
    notice = decode_notice(msgspec.msgpack.encode(change))
    assert journal.knowledge.apply_notices("s1", 5, [notice]).reference
    (kept,) = journal.reference().documents
    assert (kept.code, kept.kind, kept.lines[0].item) == ("R-1", "rental", "tea")
    assert known_kind(kept) is None
    assert journal.knowledge.apply_notices("s1", 6, [ReferenceChanged(revision=5)]).reference
    assert journal.reference().documents == (kept,)


def test_reference_data_in_parts_counts_with_the_last_part(journal):
    journal.knowledge.apply_snapshot(snapshot(reference=reference(3)))
    part = ReferenceChanged(revision=4, items=(item("tea"),), final=False)
    assert not journal.knowledge.apply_notices("s1", 5, [part]).reference
    assert journal.reference().items == ()
    last = ReferenceChanged(revision=4, items=(item("rice"),))
    assert journal.knowledge.apply_notices("s1", 6, [last]).reference
    assert [one.code for one in journal.reference().items] == ["tea", "rice"]


@pytest.mark.parametrize(
    ("of_file", "of_central", "kept_items"),
    [
        pytest.param(3, 3, ["central"], id="the same revision is central's"),
        pytest.param(2, 3, ["central"], id="an older file gives way"),
        pytest.param(4, 3, ["file"], id="a newer file stays until central has more"),
    ],
)
def test_a_file_and_central_count_by_their_revision(journal, of_file, of_central, kept_items):
    journal.store_reference(reference(of_file, items=[item("file")]))
    journal.knowledge.apply_snapshot(
        snapshot(reference=reference(of_central, items=[item("central")]))
    )
    assert [one.code for one in journal.reference().items] == kept_items
    newer = ReferenceChanged(revision=9, items=(item("more"),))
    standing = journal.knowledge.apply_notices("s1", 5, [newer]).standing
    if kept_items == ["central"]:
        assert [one.code for one in journal.reference().items] == ["central", "more"]
        return
    # What changed at central fits nothing that is here: all of it is asked for.
    assert standing == journal.knowledge.standing() == Standing("", 0)
    assert [one.code for one in journal.reference().items] == ["file"]
    whole = reference(9, items=[item("central"), item("more")])
    journal.knowledge.apply_snapshot(snapshot(stream="s2", reference=whole))
    assert [one.code for one in journal.reference().items] == ["central", "more"]


def test_a_new_central_whose_revisions_begin_anew_is_followed(journal):
    journal.knowledge.apply_snapshot(snapshot(reference=reference(40, items=[item("old")])))
    journal.knowledge.apply_snapshot(
        snapshot(stream="s2", reference=reference(1, items=[item("new")]))
    )
    assert [one.code for one in journal.reference().items] == ["new"]


def test_templates_and_settings_are_those_that_central_said_last(journal):
    knowledge = journal.knowledge
    knowledge.apply_snapshot(
        snapshot(
            templates=(TemplateChanged(name="bin", text="a"), TemplateChanged(name="x", text="b")),
            settings=(Setting("language", "zh"),),
        )
    )
    gone = TemplateChanged(name="bin", text="")
    settings = SettingsChanged(settings=(Setting("place_template", "x"),))
    applied = knowledge.apply_notices("s1", 5, [gone, settings])
    assert applied.templates
    assert applied.settings
    assert knowledge.templates() == (TemplateChanged(name="x", text="b"),)
    assert knowledge.settings() == (Setting("place_template", "x"),)


def test_what_central_wants_printed_is_queued_once(journal):
    journal.knowledge.apply_snapshot(snapshot())
    job = NewPrintJob(printer="p1", template="bin", content="J-1: A-1", label=LABEL)
    for number in (5, 7):
        journal.knowledge.apply_notices("s1", number, [REQUEST, REQUEST])
        for request in journal.knowledge.open_print_requests(10):
            assert request == REQUEST
            journal.end_requested(request, job, refused="")
    journal.end_requested(REQUEST, job, refused="")
    assert [one.content for one in journal.print_jobs(10)] == ["J-1: A-1"]
    assert journal.recent(10) == []
    assert journal.claim_print_job("p1").label == LABEL


def test_what_cannot_be_printed_is_a_fact_that_says_so(journal):
    journal.knowledge.apply_snapshot(snapshot())
    journal.knowledge.apply_notices("s1", 5, [REQUEST])
    job = NewPrintJob(
        printer="", template="bin", content="J-1: ", label=LABEL, copies_count=2, station="dock-2"
    )
    for _ in range(2):
        journal.end_requested(REQUEST, job, refused="No printer here.")
    ((_, fact),) = journal.recent(10)
    assert (fact.outcome, fact.detail, fact.content) == ("failed", "No printer here.", "J-1: ")
    assert (fact.copies_count, fact.station) == (2, "dock-2")
    assert journal.knowledge.open_print_requests(10) == []
    assert [one.state for one in journal.print_jobs(10)] == ["failed"]


def test_a_print_that_waits_survives_a_restart(tmp_path):
    path = tmp_path / "journal.db"
    with opened(path) as journal:
        journal.knowledge.apply_snapshot(snapshot())
        journal.knowledge.apply_notices("s1", 5, [REQUEST])
    with opened(path, nonce=8) as journal:
        assert journal.knowledge.open_print_requests(10) == [REQUEST]
        assert journal.knowledge.standing() == Standing("s1", 5)


def test_a_report_names_what_it_stands_on(journal):
    levels = (level("A-1", 1), level("A-2", 2), level("B-1", 3))
    held = (position(journal, 0),)
    journal.knowledge.apply_snapshot(snapshot(levels=levels, positions=held))
    assert journal.knowledge.stock_report().heads == ()
    journal.append([movement(to_location="A-2", quantity="1")])
    report = journal.knowledge.stock_report()
    assert (report.stream, report.revision) == ("s1", 10)
    assert report.heads == (position(journal, 1),)
    assert [micro for _, micro in report.levels] == [1_000_000, 3_000_000, 3_000_000]
    assert (report.after, report.to) == ("", "")


def test_a_report_can_be_made_of_a_few_places_at_a_time(journal):
    levels = tuple(level(f"A-{n}", n, code) for n in range(1, 6) for code in ("rice", "tea"))
    journal.knowledge.apply_snapshot(snapshot(levels=levels))
    found, after, bounds = [], "", []
    while True:
        report = journal.knowledge.stock_report(after=after, places_max=2)
        found += report.levels
        bounds.append((report.after, report.to))
        if not report.to:
            break
        after = report.to
    assert bounds == [("", "A-2"), ("A-2", "A-4"), ("A-4", "")]
    assert len(found) == len(levels)


def test_a_disk_that_takes_no_more_leaves_everything_as_it_was(tmp_path):
    path = tmp_path / "journal.db"
    journal = open_journal(path)
    journal.append([movement(quantity="2")])
    journal.knowledge.apply_snapshot(snapshot(levels=(level("dock-1", 1),)))
    before = shown(journal), journal.knowledge.known()
    journal._connection.execute("VACUUM")
    journal._connection.execute("PRAGMA max_page_count = 1")  # SQLite: then the file may not grow.
    levels = tuple(level(f"A-{n}", n + 1) for n in range(2000))
    with pytest.raises(JournalFull):
        journal.knowledge.apply_notices("s1", 5, [stock_changed(11, *levels)])
    with pytest.raises(JournalFull):
        journal.knowledge.apply_snapshot(snapshot(stream="s2", levels=levels))
    assert (shown(journal), journal.knowledge.known()) == before
    journal._connection.execute("PRAGMA max_page_count = 1073741823")
    journal.knowledge.apply_notices("s1", 5, [stock_changed(11, *levels)])
    assert len(shown(journal)) == 2001
    journal.close()


class Stop:
    """Stops SQLite once, after so many instructions; the rollback must run.

    After the commit nothing can be lost any more.
    """

    def __init__(self, connection, after: int) -> None:
        self.connection, self.left, self.began = connection, after, False

    def __call__(self) -> bool:
        self.began = self.began or self.connection.in_transaction
        if self.began and not self.connection.in_transaction:
            return False
        self.left -= 1
        return self.left == 0


def test_no_instruction_of_an_application_can_be_the_last_one_and_leave_half(tmp_path):
    path = tmp_path / "journal.db"
    journal = open_journal(path)
    journal.append([movement(quantity="2"), movement(quantity="3")])
    journal.knowledge.apply_snapshot(snapshot(levels=(level("dock-1", 1),)))
    held = (position(journal, 2),)
    stock = stock_changed(11, level("dock-1", 6), level("A-1", 4), positions=held)
    news = [stock, REQUEST, SETTLED]
    before = (shown(journal), journal.knowledge.known(), 0, ())
    after = {("dock-1", "rice"): Decimal(6), ("A-1", "rice"): Decimal(4)}
    stops = 0
    while True:
        stops += 1
        stop = Stop(journal._connection, after=stops)
        journal._connection.set_progress_handler(stop, 1)
        try:
            journal.knowledge.apply_notices("s1", 5, news)
            break
        except JournalFull:
            journal._connection.set_progress_handler(None, 0)
            open_prints = len(journal.knowledge.open_print_requests(10))
            settled = journal.knowledge.settlements()
            assert (shown(journal), journal.knowledge.known(), open_prints, settled) == before
        finally:
            journal._connection.set_progress_handler(None, 0)
    assert shown(journal) == after
    assert journal.knowledge.settlements() == (SETTLED,)
    assert stops > 100
    journal.close()


def test_scans_are_recorded_while_a_large_change_is_worked_out(tmp_path):
    with opened(tmp_path / "journal.db") as journal:
        for _ in range(20):
            journal.append([movement(quantity="1") for _ in range(1000)])
        count = 20_000
        journal.knowledge.apply_snapshot(snapshot())
        held = (position(journal, count),)
        news = stock_changed(11, level("dock-1", count), positions=held)
        worker = Thread(target=journal.knowledge.apply_notices, args=("s1", 5, [news]))
        worker.start()
        scans_count = 0
        while worker.is_alive():
            journal.append([movement(quantity="1")])
            scans_count += 1
        worker.join()
        assert scans_count >= 2
        assert shown(journal) == {("dock-1", "rice"): count + scans_count}


def test_scans_that_come_while_a_snapshot_is_worked_out_stay_in_stock(tmp_path):
    with opened(tmp_path / "journal.db") as journal:
        for _ in range(20):
            journal.append([movement(quantity="1") for _ in range(1000)])
        worker = Thread(target=journal.knowledge.apply_snapshot, args=(snapshot(),))
        worker.start()
        scans_count = 0
        while worker.is_alive():
            journal.append([movement(quantity="1")])
            scans_count += 1
        worker.join()
        assert scans_count >= 2
        assert shown(journal) == {("dock-1", "rice"): 20_000 + scans_count}


def test_the_first_part_of_the_next_revision_may_come_with_the_last_of_this_one(journal):
    journal.knowledge.apply_snapshot(snapshot())
    whole = stock_changed(11, level("A-1", 1))
    begun = stock_changed(12, level("A-2", 2), final=False)
    journal.knowledge.apply_notices("s1", 5, [whole, begun])
    assert shown(journal) == {("A-1", "rice"): 1}
    journal.knowledge.apply_notices("s1", 7, [stock_changed(12, level("A-3", 3))])
    assert shown(journal) == {(f"A-{n}", "rice"): n for n in (1, 2, 3)}
    staged = journal._connection.execute("SELECT count(*) FROM staged_stock").fetchone()
    assert staged == (0,)
