"""A document bar code opens the workflow that its kind needs. Pure.

receipt, transfer_in, customer_return       Receive against it
shipment, transfer_out, supplier_return     Ship under it
count                                       Counting for it
a kind that only a newer gateway knows      an error; nothing else changes
a code that is unknown here                 Ship or Counting if that is open, else Receive
"""

from central.contract.reference import known_kind
from gateway.station.meanings import ScannedDocument
from gateway.station.messages import N_, say
from gateway.station.session import Counting, Receive, Session, Ship, State, Step, Surroundings
from gateway.station.workflows import counting, receive, ship
from gateway.station.workflows.documents import COMES_FROM, GOES_TO
from gateway.station.workflows.replies import changed, too_old, warning


def open_document(session: Session, scanned: ScannedDocument, surroundings: Surroundings) -> Step:
    """Return the session working on a document, with a warning if it is unknown here."""
    document = scanned.document
    if document is None:
        return warning(
            changed(session, _state_for_unknown(session.state, scanned.code)),
            say(
                N_("{document} is unknown here: what you scan is recorded, tell the office."),
                document=scanned.code,
            ),
        )
    kind = known_kind(document)
    if kind in COMES_FROM:
        return receive.open_receipt(session, document)
    if kind in GOES_TO:
        return ship.open_shipment(session, document, surroundings)
    if kind == "count":
        return counting.open_count(session, document, surroundings)
    return too_old(session, document)


def _state_for_unknown(state: State, code: str) -> State:
    if isinstance(state, Ship):
        return Ship(document=code, source=state.source)
    if isinstance(state, Counting):
        return Counting(document=code)
    return Receive(document=code)
