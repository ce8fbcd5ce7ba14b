"""New labels for what is there, and the last label once more. Pure.

    state      scanned        becomes        queues
    Relabel    place          Relabel        label of that place
    Relabel    item           Relabel        label of that item, with its lot
    Relabel    SSCC           Relabel        pallet label: the same SSCC, content as the book has it
    Relabel    CANCEL, DONE   Menu           -
    Relabel    UNDO           -              - (what is printed is destroyed by hand)
    any        REPRINT        as it was      the last label of this station, marked as a copy

The quantity command before the scan: copies. Nothing is a fact here; the print fact is written when
the printer has answered, with the flag "copy" if the label was printed before.
"""

from dataclasses import replace
from decimal import Decimal

from central.contract.gs1 import to_gtin14
from gateway.station.book import StockLine
from gateway.station.commands import Command, ScannedCommand
from gateway.station.copy_mark import marked_as_copy
from gateway.station.effects import Message, QueuePrint, Signal
from gateway.station.label_templates import (
    COUNT_MAX,
    ITEM_TEMPLATE,
    PalletContent,
    item_label,
    pallet_label,
)
from gateway.station.meanings import Meaning, ScannedBin, ScannedItem, ScannedSscc
from gateway.station.messages import N_, say
from gateway.station.session import Menu, Session, Step, Surroundings
from gateway.station.workflows.print_labels import (
    COPIES_MAX,
    NO_PRINTER,
    NO_UNDO,
    no_template,
    print_bin,
    queued,
)
from gateway.station.workflows.replies import changed, error, not_here, success

TOO_LONG = N_("{code} is too long for this label: give its template thinner bars.")


def prompt() -> Message:
    """Return what to do next."""
    return say(N_("New label: scan or type the place, item or pallet that needs one"))


def advance(session: Session, meaning: Meaning, surroundings: Surroundings) -> Step:
    """Return what a scan does while labels are printed anew."""
    if isinstance(meaning, ScannedCommand) and meaning.command in {Command.CANCEL, Command.DONE}:
        return success(changed(session, Menu()), say(N_("Back to the start.")))
    if isinstance(meaning, ScannedCommand) and meaning.command is Command.UNDO:
        return error(session, say(NO_UNDO))
    if not isinstance(meaning, ScannedBin | ScannedItem | ScannedSscc):
        return not_here(session)
    if not surroundings.setup.printers:
        return error(session, say(NO_PRINTER))
    copies = session.multiplier
    if copies != copies.to_integral_value() or copies > COPIES_MAX:
        text = N_("At most {count} whole copies: scan another quantity.")
        return error(session, say(text, count=str(COPIES_MAX)))
    if isinstance(meaning, ScannedBin):
        return print_bin(session, meaning, surroundings)
    if isinstance(meaning, ScannedSscc):
        return _pallet(session, meaning.sscc, surroundings, copies_count=int(copies))
    if meaning.sscc:  # The label of a pallet that names its content, too.
        return _pallet(session, meaning.sscc, surroundings, copies_count=int(copies))
    return _item(session, meaning, surroundings, copies_count=int(copies))


def reprint(session: Session, surroundings: Surroundings) -> Step:
    """Return the session after the last label was queued again, marked as a copy."""
    setup, last = surroundings.setup, surroundings.last_label
    if not setup.printers:
        return error(session, say(NO_PRINTER))
    if last is None:
        return error(session, say(N_("This station has printed no label that could be repeated.")))
    job = replace(
        last,
        printer=setup.printers[0],
        label=marked_as_copy(last.label),
        copies_count=1,
        station=setup.station,
        operator=session.operator,
        is_copy=True,
    )
    text = N_("Copy of label {content} goes to {printer}.")
    done = say(text, content=job.content, printer=job.printer)
    return Step(session, (QueuePrint(job), Signal("success", done)), done)


def _item(
    session: Session, scanned: ScannedItem, surroundings: Surroundings, *, copies_count: int
) -> Step:
    setup = surroundings.setup
    template = setup.templates.find(ITEM_TEMPLATE, use="item")
    if template is None:
        return no_template(session, ITEM_TEMPLATE)
    if scanned.item is None:
        text = N_("{code} is unknown here and gets no label: tell the office.")
        return error(session, say(text, code=scanned.code))
    gtin = scanned.gtin or _gtin_of_one(scanned)
    label = item_label(template, scanned, gtin=gtin, language=setup.language)
    if label is None:
        return error(session, say(TOO_LONG, code=scanned.code))
    content = f"{scanned.code} {scanned.lot}".strip()
    return queued(
        session,
        surroundings,
        label,
        template="item",
        content=content,
        copies_count=copies_count,
    )


def _pallet(session: Session, sscc: str, surroundings: Surroundings, *, copies_count: int) -> Step:
    setup = surroundings.setup
    template = setup.templates.find(setup.pallet_template, use="pallet")
    if template is None:
        return no_template(session, setup.pallet_template)
    rows = [row for row in surroundings.book.stock(sscc=sscc) if row.on_hand > 0]
    content = _content(rows[0], surroundings) if len(rows) == 1 else None
    label = pallet_label(template, sscc, content, language=setup.language)
    if label is None:
        return error(session, say(TOO_LONG, code=sscc))
    described = sscc
    if content is not None:
        described = f"{sscc} {content.count} x {content.gtin} {content.lot}".strip()
    return queued(
        session,
        surroundings,
        label,
        template="pallet",
        content=described,
        copies_count=copies_count,
    )


def _content(row: StockLine, surroundings: Surroundings) -> PalletContent | None:
    """Return what a label can say of a pallet's only goods: whole trade items with a GTIN."""
    item = surroundings.catalogue.item(row.item)
    if item is None or not 0 < row.on_hand <= COUNT_MAX:
        return None
    gtin = _gtin_of_one(ScannedItem(item, item.code, Decimal(1), item.unit))
    if not gtin or row.unit != item.unit or row.on_hand != row.on_hand.to_integral_value():
        return None
    return PalletContent(
        name=item.name, name_zh=item.name_zh, gtin=gtin, count=int(row.on_hand), lot=row.lot
    )


def _gtin_of_one(scanned: ScannedItem) -> str:
    """Return the GTIN that means one of an item's unit, 14 digits; "" if it has none."""
    barcodes = scanned.item.barcodes if scanned.item else ()
    return next((to_gtin14(one.gtin) for one in barcodes if one.quantity == "1"), "")
