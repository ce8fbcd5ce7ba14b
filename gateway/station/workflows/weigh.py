"""Bulk goods come in by weight: item, empty container as tare, gross, confirm. Pure.

    state                scanned            becomes                  records
    Weigh                item, document     Weigh that               -
    Weigh                TARE               Weigh with tare          -
    Weigh, item          CONFIRM            Weigh that, no tare,     weighing, and its movement
                                            load recorded            supplier -> receive location
    load recorded        (stable gross,     load no longer recorded  -
                         less than half)
    Weigh                CANCEL             without tare, item;      -
                                            then Menu
    Weigh with tare      UNDO               without tare             -
    Weigh                DONE               document closed or Menu  -

Only a stable gross weight that the scale has just shown is taken. A load is recorded once: after
CONFIRM the scale must be unloaded, or the load tared, before CONFIRM counts again. The tare ends
with its weighing; the next container has its own. Over the document line's tolerance is a flag at
once; under it may be the first of several loads, so that is told when the document is closed. What
has no exact value in the item's unit answers no line: the sum of pounds and kilograms is neither.
"""

from dataclasses import replace
from decimal import Decimal

from central.contract.errors import ContractError
from central.contract.facts import Movement, Weighing
from central.contract.quantities import canonical_text, convert_mass, to_micro
from central.contract.reference import ExpectedDocument, known_kind
from drivers.readings import WeightMeasured
from gateway.station.commands import Command, ScannedCommand
from gateway.station.drafts import movement, weighing
from gateway.station.effects import WEIGHING_BEFORE, Message
from gateway.station.meanings import Meaning, ScannedDocument, ScannedItem
from gateway.station.messages import N_, Words, amount_words, item_words, say
from gateway.station.session import Load, Menu, Session, Step, Surroundings, Tare, Weigh
from gateway.station.trouble import fault_message
from gateway.station.workflows.documents import COMES_FROM, Progress, comes_from, progress
from gateway.station.workflows.opening import open_document
from gateway.station.workflows.receive import close_document
from gateway.station.workflows.replies import (
    changed,
    error,
    not_here,
    recorded,
    success,
    too_old,
)

NOT_WEIGHED = N_("{document} brings nothing in to weigh: scan another command first.")
WEIGHT_AGE_MAX_NS = 3_000_000_000


def prompt(session: Session, state: Weigh) -> Message:
    """Return what to do next."""
    if session.recorded_gross is not None:
        return say(N_("Recorded: take the load off the scale"))
    if state.scanned is None:
        return say(N_("Weighing: scan the item; if a document asks for it, choose that first"))
    words = item_words(state.scanned.item, state.scanned.code)
    if state.tare is None:
        return say(
            N_("{item}: empty container on, then TARE. No container: load on, then CONFIRM"), words
        )
    return say(
        N_("Weighing {item}, tare {tare}: put the full container on, then CONFIRM"),
        words,
        amount_words(state.tare.value, state.tare.unit, name="tare"),
    )


def watch_unloading(session: Session, weight: WeightMeasured) -> Session:
    """Return the session after a live weight: a load that is gone no longer blocks CONFIRM.

    A knock, the tare key or the unit key lowers the figure while the load stands there.
    """
    comparable = weight.stable and weight.kind == "gross" and weight.unit == session.recorded_unit
    if session.recorded_gross is None or not comparable:
        return session
    if weight.value * 2 >= session.recorded_gross:
        return session
    return replace(session, recorded_gross=None, recorded_unit="")


def advance(session: Session, state: Weigh, meaning: Meaning, surroundings: Surroundings) -> Step:
    """Return what a scan during weighing does."""
    if isinstance(meaning, ScannedItem):
        return success(
            changed(session, replace(state, scanned=meaning)),
            say(N_("Next is weighed: {item}"), item_words(meaning.item, meaning.code)),
        )
    if isinstance(meaning, ScannedDocument):
        return _open(session, state, meaning, surroundings)
    if not isinstance(meaning, ScannedCommand):
        return not_here(session)
    if meaning.command is Command.TARE:
        return _take_tare(session, state, surroundings)
    if meaning.command is Command.CONFIRM:
        return _confirm(session, state, surroundings)
    if meaning.command is Command.DONE:
        return close_document(session, state.document, Weigh(), surroundings)
    if meaning.command in {Command.CANCEL, Command.UNDO}:
        if state.tare is not None:
            return success(changed(session, replace(state, tare=None)), say(N_("Tare cleared.")))
        if state.scanned is not None:
            without = replace(state, scanned=None)
            return success(changed(session, without), say(N_("Scan the item again.")))
        return success(changed(session, Menu()), say(N_("Back to the start.")))
    return not_here(session)


def _open(
    session: Session, state: Weigh, scanned: ScannedDocument, surroundings: Surroundings
) -> Step:
    document = scanned.document
    if document is not None and known_kind(document) is None:
        return too_old(session, document)
    if document is not None and known_kind(document) not in COMES_FROM:
        return error(session, say(NOT_WEIGHED, document=scanned.code))
    step = open_document(session, scanned, surroundings)
    lines = document.lines if document else ()
    bulk = [item for line in lines if (item := surroundings.catalogue.item(line.item))]
    bulk = [item for item in bulk if item.kind == "bulk"]
    chosen = state.scanned
    if len(bulk) == 1 and chosen is None:  # One item to weigh: nobody has to choose it.
        chosen = ScannedItem(
            item=bulk[0], code=bulk[0].code, quantity=Decimal(1), unit=bulk[0].unit
        )
    source = comes_from(document, otherwise="supplier")
    following = replace(state, document=scanned.code, scanned=chosen, source=source)
    return replace(step, session=changed(session, following))


def _take_tare(session: Session, state: Weigh, surroundings: Surroundings) -> Step:
    weight = _usable_weight(surroundings)
    if isinstance(weight, Message):
        return error(session, weight)
    if weight.value < 0:
        return error(session, say(N_("The scale is below zero: clear it, zero it, then TARE.")))
    tare = Tare(weight.value, weight.unit, weight.raw)
    return success(
        replace(session, state=replace(state, tare=tare), recorded_gross=None, recorded_unit=""),
        say(N_("Tare {tare}"), amount_words(weight.value, weight.unit, name="tare")),
    )


def _confirm(session: Session, state: Weigh, surroundings: Surroundings) -> Step:
    if state.scanned is None:
        return error(session, say(N_("Scan the item first, then CONFIRM.")))
    weight = _usable_weight(surroundings)
    if session.recorded_gross is not None:
        if isinstance(weight, WeightMeasured) and weight.unit != session.recorded_unit:
            # The scale cannot show in this unit that the load is gone.
            changed_unit = N_("The scale's unit has changed: take the load off, then TARE.")
            return error(session, say(changed_unit))
        return error(
            session, say(N_("This load is recorded already: take it off, put the next one on."))
        )
    if isinstance(weight, Message):
        return error(session, weight)
    if state.tare is not None and state.tare.unit != weight.unit:
        return error(session, say(N_("The scale's unit has changed: TARE again.")))
    net = weight.value - (state.tare.value if state.tare else 0)
    if net <= 0:
        return error(session, say(N_("No net weight: put the full container on, then CONFIRM.")))
    facts, words = _facts(session, state, surroundings, scanned=state.scanned, gross=weight)
    following = replace(
        session,
        state=replace(state, tare=None),
        recorded_gross=weight.value,
        recorded_unit=weight.unit,
    )
    done = say(N_("Weighed {item}: gross {gross}, tare {tare}, net {net}. {progress}"), *words)
    return recorded(following, facts, done)


def _usable_weight(surroundings: Surroundings) -> WeightMeasured | Message:
    view = surroundings.scale
    if view is None:
        return say(N_("No scale answers: check that it is on and connected."))
    reading = view.reading
    if not isinstance(reading, WeightMeasured):
        return fault_message(view.device, reading.code)
    age_ns = surroundings.observation.monotonic_ns - view.monotonic_ns
    if age_ns > WEIGHT_AGE_MAX_NS:
        return say(N_("The scale is silent: check that it is on and connected, then scan again."))
    if not reading.stable:
        return say(N_("The load is moving: wait until the weight stands, then scan again."))
    if reading.kind == "net":
        return say(N_("The scale has a tare of its own: clear it at the scale, then scan again."))
    return reading


def _facts(
    session: Session,
    state: Weigh,
    surroundings: Surroundings,
    *,
    scanned: ScannedItem,
    gross: WeightMeasured,
) -> tuple[tuple[Weighing, Movement], tuple[Words, ...]]:
    tare = state.tare.value if state.tare else Decimal(0)
    net = gross.value - tare
    flags: list[str] = []
    item_unit = scanned.item.unit if scanned.item else scanned.unit  # Not a label's own unit.
    try:
        quantity, unit = convert_mass(net, from_unit=gross.unit, to_unit=item_unit), item_unit
        to_micro(quantity)
    except ContractError:
        quantity, unit = net, gross.unit
        flags.append("unit_differs")
    document = surroundings.catalogue.document(state.document) if state.document else None
    answered, flag = None, "unknown_document" if state.document else ""
    if document is not None:
        counts = quantity if unit == item_unit else None
        answered, flag = _answered(document, scanned, surroundings, counts=counts)
    flags += [flag] if flag else []
    line = answered.line if answered else 0
    assert surroundings.scale is not None
    proof = weighing(
        session,
        surroundings,
        scanned,
        gross,
        scale=surroundings.scale.device,
        tare=state.tare,
        document=state.document,
        line=line,
    )
    moved = movement(
        session,
        surroundings,
        Load(replace(scanned, unit=unit), quantity, sscc=scanned.sscc, flags=tuple(flags)),
        from_location=comes_from(document, otherwise=state.source),
        to_location=surroundings.setup.receive_location,
        step="receiving",
        document=state.document,
        line=line,
        weighing_seq=WEIGHING_BEFORE,
    )
    words = (
        item_words(scanned.item, scanned.code),
        (("gross", f"{gross.value:f}"), ("tare", f"{tare:f}")),
        amount_words(Decimal(canonical_text(quantity)), unit, name="net"),
        _progress_words(answered, quantity, unit),
    )
    return (proof, moved), words


def _answered(
    document: ExpectedDocument,
    scanned: ScannedItem,
    surroundings: Surroundings,
    *,
    counts: Decimal | None,
) -> tuple[Progress | None, str]:
    """Return the line that goods answer and a flag; counts: None if no line can count them."""
    if not scanned.item:
        return None, "unexpected"
    found = progress(document, scanned.code, surroundings.book, lot=scanned.lot, sscc=scanned.sscc)
    if found is None:
        return None, "unexpected"
    if counts is None:
        return None, ""  # Expected, but it cannot be added to what the line counts.
    return found, "outside_tolerance" if found.received + counts > found.at_most else ""


def _progress_words(answered: Progress | None, quantity: Decimal, unit: str) -> Words:
    if answered is None:
        return (("progress", ""),)
    total = canonical_text(answered.received + quantity)
    expected = amount_words(answered.expected, unit, name="progress")
    return tuple((name, f"{total} / {text}") for name, text in expected)
