"""Labels on demand: bins by their place, pallets with a new SSCC. Pure.

    state         scanned          becomes        queues
    PrintBin      place            PrintBin       bin label of that place
    PrintPallet   item             PrintPallet    pallet label: new SSCC, content and its count
    PrintPallet   CONFIRM          PrintPallet    pallet label: new SSCC alone
    either        CANCEL, DONE     Menu           -
    either        UNDO             -              - (what is printed is destroyed by hand)

The quantity command before the scan: copies of a bin label, count of trade items on a pallet.
Nothing is a fact here; the print fact is written when the printer has answered.
"""

from dataclasses import replace
from decimal import Decimal

from central.contract.errors import ContractError
from central.contract.gs1 import make_sscc
from drivers.labels import Label
from gateway.station.commands import Command, ScannedCommand
from gateway.station.effects import Message, NewPrintJob, QueuePrint, Signal
from gateway.station.label_templates import (
    COUNT_MAX,
    PalletContent,
    bin_label,
    pallet_label,
)
from gateway.station.meanings import Meaning, ScannedBin, ScannedItem
from gateway.station.messages import N_, item_words, say
from gateway.station.session import Menu, PrintBin, PrintPallet, Session, Step, Surroundings
from gateway.station.templates.fill import one_line
from gateway.station.workflows.replies import changed, error, not_here, success

COPIES_MAX = 100
NO_UNDO = N_("A label is not undone: destroy it if it is not wanted.")
NO_PRINTER = N_("This station has no label printer: add one to its configuration.")


def prompt(state: PrintBin | PrintPallet) -> Message:
    """Return what to do next."""
    if isinstance(state, PrintBin):
        return say(N_("Bin label: scan the bin, or type its code"))
    text = N_("Pallet label: × QUANTITY on it, then scan the item; the number alone: CONFIRM")
    return say(text)


def advance(
    session: Session, state: PrintBin | PrintPallet, meaning: Meaning, surroundings: Surroundings
) -> Step:
    """Return what a scan does while labels are printed."""
    if isinstance(meaning, ScannedCommand) and meaning.command in {Command.CANCEL, Command.DONE}:
        return success(changed(session, Menu()), say(N_("Back to the start.")))
    if isinstance(meaning, ScannedCommand) and meaning.command is Command.UNDO:
        return error(session, say(NO_UNDO))
    wanted = isinstance(meaning, ScannedBin if isinstance(state, PrintBin) else ScannedItem)
    confirmed = isinstance(meaning, ScannedCommand) and meaning.command is Command.CONFIRM
    if not wanted and (isinstance(state, PrintBin) or not confirmed):
        return not_here(session)
    if not surroundings.setup.printers:
        return error(session, say(NO_PRINTER))
    if isinstance(meaning, ScannedBin):
        return print_bin(session, meaning, surroundings)
    return _print_pallet(
        session, meaning if isinstance(meaning, ScannedItem) else None, surroundings
    )


def print_bin(session: Session, place: ScannedBin, surroundings: Surroundings) -> Step:
    """Return the session after the label of a place was queued, or why it cannot be."""
    copies = session.multiplier
    if copies != copies.to_integral_value() or copies > COPIES_MAX:
        return error(
            session,
            say(N_("At most {count} whole copies: scan another quantity."), count=str(COPIES_MAX)),
        )
    setup = surroundings.setup
    template = setup.templates.find(setup.place_template, use="place")
    if template is None:
        return no_template(session, setup.place_template)
    label = bin_label(template, place.code, language=setup.language)
    if label is None:
        return error(
            session,
            say(
                N_("{place} is too long for this label: give it a shorter code."), place=place.code
            ),
        )
    return queued(
        session,
        surroundings,
        label,
        template="bin",
        content=place.code,
        copies_count=int(copies),
        unknown=place.location is None,
    )


def _print_pallet(
    session: Session, scanned: ScannedItem | None, surroundings: Surroundings
) -> Step:
    setup, reference = surroundings.setup, surroundings.sscc_reference
    template = setup.templates.find(setup.pallet_template, use="pallet")
    if template is None:
        return no_template(session, setup.pallet_template)
    if not setup.sscc_company_prefix or reference is None:
        return error(
            session,
            say(
                N_("No SSCC can be given: set sscc_company_prefix in the station's configuration.")
            ),
        )
    content = None
    if scanned is not None:
        count = scanned.trade_count * session.multiplier
        if not scanned.gtin:
            return error(session, say(N_("This item has no GTIN here: scan its GTIN bar code.")))
        if count != count.to_integral_value() or count > COUNT_MAX:
            return error(
                session, say(N_("A pallet label counts whole items: scan another quantity."))
            )
        content = PalletContent(
            name=scanned.item.name if scanned.item else scanned.code,
            name_zh=scanned.item.name_zh if scanned.item else "",
            gtin=scanned.gtin,
            count=int(count),
            lot=scanned.lot,
        )
    try:
        sscc = make_sscc(
            extension_digit=setup.sscc_extension_digit,
            company_prefix=setup.sscc_company_prefix,
            serial_reference=reference,
        )
    except ContractError:
        return error(
            session,
            say(N_("All SSCC of this company prefix are used up: configure another prefix.")),
        )
    described = (
        f"{sscc} {content.count} x {content.gtin} {content.lot}".strip() if content else sscc
    )
    label = pallet_label(template, sscc, content, language=setup.language)
    if label is None:
        return error(
            session, say(N_("This does not fit the pallet label: give its template thinner bars."))
        )
    return queued(
        session,
        surroundings,
        label,
        template="pallet",
        content=described,
        copies_count=1,
        unknown=scanned is not None and scanned.item is None,
        done=_pallet_words(sscc, content, scanned, setup.printers[0]),
    )


def _pallet_words(
    sscc: str, content: PalletContent | None, scanned: ScannedItem | None, printer: str
) -> Message | None:
    if content is None or scanned is None:
        return None
    text = N_("Pallet label for {count} x {item} ({sscc}) goes to {printer}: stick it on.")
    words = item_words(scanned.item, scanned.code)
    return say(text, words, count=str(content.count), sscc=sscc, printer=printer)


def no_template(session: Session, name: str) -> Step:
    """Return the answer where a template is missing."""
    text = N_("There is no label template {name}: put it back, or name another one.")
    return error(session, say(text, name=name))


def queued(
    session: Session,
    surroundings: Surroundings,
    label: Label,
    *,
    template: str,
    content: str,
    copies_count: int,
    unknown: bool = False,
    done: Message | None = None,
) -> Step:
    """Return the session after a label was queued. unknown: nobody here knows what it names.

    done: what is said of it, None names its content.
    """
    printer = surroundings.setup.printers[0]
    job = NewPrintJob(
        printer=printer,
        template=template,
        content=one_line(content),
        label=label,
        copies_count=copies_count,
        station=surroundings.setup.station,
        operator=session.operator,
    )
    text = N_("Label {content} goes to {printer}: stick it on.")
    done = done or say(text, content=content, printer=printer)
    signal = Signal("success", done)
    if unknown:
        signal = Signal(
            "warning",
            say(
                N_("Label {content} is printed, but it is unknown here: check it."), content=content
            ),
        )
    return Step(replace(session, multiplier=Decimal(1)), (QueuePrint(job), signal), done)
