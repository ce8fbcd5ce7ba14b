"""Whatever is scanned in whatever order: nothing raises, and nothing that was scanned is lost."""

from dataclasses import dataclass, field
from decimal import Decimal
from itertools import takewhile

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from central.contract.errors import ContractError
from central.contract.facts import Count, Movement, Packing, Reversal
from central.contract.identifiers import Epoch, FactId
from central.contract.quantities import from_micro
from central.contract.reference import DocumentLine
from drivers.readings import BarcodeScanned
from gateway.journal.local_stock import Changes, add_count, add_movement
from gateway.station.book import Reversible, StockView
from gateway.station.catalogue import Catalogue
from gateway.station.commands import Command
from gateway.station.drafts import check_draft
from gateway.station.effects import RecordFacts, Signal
from gateway.station.interpret import interpret
from gateway.station.observations import Observation
from gateway.station.saved_session import Whose, encode_session, kept_part, restore_session
from gateway.station.session import (
    Counting,
    Inspect,
    Known,
    Move,
    PackUnits,
    Putaway,
    Session,
    Surroundings,
)
from gateway.station.workflows.dispatch import advance
from gateway.station.workflows.steps import guide, shown_step
from tests.gateway.station.bench import REFERENCE, SETUP, english

EPOCH = Epoch(start_count=1, nonce=7)
PALLET, EMPTY_PALLET, OUTER = "006141411234567890", "106141412345678908", "106141419999999991"
ENDLESS = "CMD-QTY-9999999999"
GOODS = [
    "6901234567892",
    "16901234567899",
    "010950110153000310L1",
    "010950110153000310L2",
    "0109501101530003",
    "96385074",
    "HELLO",
    f"00{PALLET}",
    f"00{EMPTY_PALLET}",
    f"00{OUTER}",
    f"00{PALLET}0216901234567899372",
]
CODES = [
    *(str(command) for command in Command if command is not Command.QUANTITY),
    *(f"DOC-{document.code}" for document in REFERENCE.documents),
    *("DOC-NEW-1", "DOC-NONE"),
    *("LOC-A-01-03", "LOC-A-01-04", "LOC-DOCK-1", "LOC-STAGE-1", "LOC-NOWHERE"),
    *("CMD-QTY-3", "CMD-QTY-0.5", ENDLESS, "OPR-ann", "OPR-bob", "6901234567893"),
    *(GOODS * 3),
]
# What central may say of documents while somebody works on one.
NOTICES = ["all", "gone", "other kinds", "other lines", "a newer central"]
COUNT_CODES = ["CMD-COUNT", "DOC-CNT-1", "LOC-A-01-03", "LOC-DOCK-1", "LOC-A-01-03"]
COUNT_CODES += ["CMD-CONFIRM", "CMD-EMPTY", "CMD-CANCEL", "CMD-DONE", *GOODS]
PICK_CODES = ["CMD-PICK", "DOC-SO-1", "LOC-A-01-03", "LOC-A-01-04", "CMD-SHORT", "CMD-UNDO"]
PICK_CODES += ["CMD-REASON-MISSING", "CMD-REASON-DAMAGED", "CMD-REASON-OTHER", "CMD-DONE", *GOODS]
INSPECT_CODES = ["CMD-INSPECT", "LOC-A-01-03", "LOC-DOCK-1", "CMD-ACCEPT", "CMD-REJECT"]
INSPECT_CODES += ["CMD-HOLD", "CMD-SAMPLE", "CMD-REASON-DAMAGED", "CMD-CANCEL", *GOODS]
PACK_CODES = ["CMD-PACK", "CMD-UNPACK", "CMD-DONE", "CMD-CANCEL", "CMD-UNDO", *GOODS[-4:]]
STOCKED = ["CMD-RECEIVE", *GOODS[:5], f"00{PALLET}", *GOODS[:2], "CMD-PUTAWAY", f"00{PALLET}"]
STOCKED += ["LOC-A-01-03", "CMD-COUNT", "LOC-A-01-03"]
STEPS = st.one_of(
    [
        st.lists(st.sampled_from(codes * 3 + NOTICES), min_size=1, max_size=30)
        for codes in (
            *(CODES, COUNT_CODES, PACK_CODES, CODES + COUNT_CODES * 4),
            *(PICK_CODES, INSPECT_CODES, CODES + PICK_CODES * 4),
        )
    ]
)


def catalogue_after(notice):
    documents = REFERENCE.documents
    replaced = msgspec.structs.replace
    if notice == "gone":
        documents = ()
    elif notice == "other kinds":
        kinds = [document.kind for document in documents]
        documents = tuple(map(lambda one, kind: replaced(one, kind=kind), documents, kinds[1:]))
    elif notice == "other lines":
        line = DocumentLine(line=9, item="GONE", quantity="1", location="A-01-03", sscc=PALLET)
        documents = tuple(replaced(one, lines=(line, *one.lines[1:])) for one in documents)
    elif notice == "a newer central":
        documents = (replaced(documents[0], code="NEW-1", kind="kitting"), *documents[1:])
    return Catalogue(replaced(REFERENCE, documents=documents), warehouse="sh1")


CATALOGUES = {notice: catalogue_after(notice) for notice in NOTICES}


@dataclass
class MemoryBook:
    """The rules of the journal's derived tables over a list of facts."""

    facts: list = field(default_factory=list)
    changes: Changes = field(default_factory=Changes)
    reversed: set = field(default_factory=set)

    def append(self, facts):
        for fact in facts:
            self.facts.append(fact)
            if isinstance(fact, Movement):
                add_movement(self.changes, fact)
            elif isinstance(fact, Count):
                add_count(self.changes, fact)
            elif isinstance(fact, Reversal):
                assert fact.reverses_seq not in self.reversed
                self.reversed.add(fact.reverses_seq)
                add_movement(self.changes, self.facts[fact.reverses_seq - 1], sign=-1)

    def stock(self, *, location="", item="", sscc=""):
        return [
            StockView(*key, from_micro(micro))
            for key, micro in sorted(self.changes.stock.items())
            if micro
            and location in {"", key.location}
            and item in {"", key.item}
            and sscc in {"", key.sscc}
        ]

    def received(self, document):
        return {
            key.document_line: from_micro(micro)
            for key, micro in self.changes.received.items()
            if key.document == document
        }

    def inside(self, sscc):
        parents = {}
        for fact in self.facts:
            if isinstance(fact, Packing):
                for child in fact.children:
                    parents[child] = fact.parent if fact.action == "pack" else ""
        found = [sscc]
        for outer in found:
            found += [one for one, parent in parents.items() if parent == outer not in (one, "")]
            if len(found) > 100:
                break
        return list(dict.fromkeys(found))

    def last_reversible(self, station=""):
        assert station == "dock-1"
        for number in range(len(self.facts), 0, -1):
            if isinstance(self.facts[number - 1], Movement) and number not in self.reversed:
                fact_id, fact = FactId("sh1-dock-1", EPOCH, number), self.facts[number - 1]
                return Reversible(fact_id, fact, tuple(self.packed_with(number)))
        return None

    def packed_with(self, number):
        scanned = self.facts[number - 1].evidence
        of_scan = takewhile(lambda one: one.evidence == scanned, self.facts[number:])
        return (one for one in of_scan if isinstance(one, Packing))


def in_hand(state):
    if isinstance(state, Putaway | Move | Inspect):
        return sum(load.quantity for load in state.loads)
    if isinstance(state, Counting):
        return sum(load.quantity for load in state.tallies)
    return Decimal(len(state.children)) if isinstance(state, PackUnits) else Decimal(0)


def observed(code):
    reading = BarcodeScanned("", code, code.encode())
    return Observation("dock-1-scanner", reading, 1_795_000_000_000, True, "boot-1", 10_000_000_000)


def check_step(code, before, after, effects):
    facts = [f for effect in effects if isinstance(effect, RecordFacts) for f in effect.facts]
    signals = [effect for effect in effects if isinstance(effect, Signal)]
    assert len(signals) == 1, "each scan is answered once"
    (signal,) = signals
    english(signal.message)
    assert "{" not in english(signal.message)
    if signal.kind == "error":
        assert (after, facts) == (before, [])
    for effect in effects:
        assert not isinstance(effect, RecordFacts) or effect.facts
    for fact in facts:
        check_draft(fact)
    kept = in_hand(before.state) <= in_hand(after.state)
    taken_back = code in {"CMD-CANCEL", "CMD-UNDO"}
    assert kept or facts or taken_back or signal.kind == "warning"
    return facts


def check_restart(session, catalogue, book):
    """A session that was saved is the same one after a restart, and can be drawn."""
    whose = Whose("dock-1", "sh1", now_ms=1_795_000_000_000, clock_synced=True)
    restored = restore_session(encode_session(session, whose), whose, catalogue)
    assert not restored.dropped
    assert kept_part(restored.session) == kept_part(session)
    known = Known(catalogue, book, SETUP)
    drawn = shown_step(guide(restored.session, known), known)
    assert "{" not in english(drawn.prompt)
    assert drawn.buttons


def check_counts(facts, pallets_here):
    counts = [fact for fact in facts if isinstance(fact, Count)]
    keys = [(one.location, one.item, one.lot, one.serial, one.sscc, one.unit) for one in counts]
    assert len(set(keys)) == len(keys), "one step counts everything once"
    for count in counts:
        assert count.quantity != "0" or count.sscc not in pallets_here


def pallets_after(pallets_here, code, before, after):
    """Return the closed pallets scanned where it is counted now that nobody took back."""
    if not isinstance(after, Counting) or not isinstance(before, Counting):
        return frozenset()
    if before.place != after.place or code[:4] == "LOC-":
        return frozenset()
    if code in {"CMD-CANCEL", "CMD-UNDO"}:
        dropped = {load.sscc for load in set(before.tallies) - set(after.tallies)}
        return pallets_here - dropped - ({before.sscc} - {after.sscc})
    opened = {load.sscc for load in after.tallies}  # Its other goods may well be absent.
    return (pallets_here | {after.sscc}) - opened - {""}


@settings(max_examples=300)
@given(STEPS)
def test_any_scans_in_any_order_are_answered_and_nothing_is_lost(codes):
    book, session, catalogue = MemoryBook(), Session(), CATALOGUES["all"]
    pallets_here = frozenset()
    for code in STOCKED + codes:
        if code in CATALOGUES:
            catalogue = CATALOGUES[code]
            continue
        observation = observed(code)
        meaning = interpret(observation, catalogue)
        before = session
        surroundings = Surroundings(catalogue, book, SETUP, observation, sscc_reference=1)
        try:
            session, effects = advance(session, meaning, surroundings)
        except ContractError:  # A quantity beyond all bounds: the loop refuses it alone.
            assert ENDLESS in codes
            continue
        facts = check_step(code, before, session, effects)
        check_restart(session, catalogue, book)
        check_counts(facts, pallets_here)
        pallets_here = pallets_after(pallets_here, code, before.state, session.state)
        book.append(facts)
