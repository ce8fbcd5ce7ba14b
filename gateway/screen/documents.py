"""Open documents for the page: one touch begins one. Pure."""

from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec

from central.contract.reference import DocumentKind, ExpectedDocument, known_kind
from gateway.station.book import counted_under
from gateway.station.catalogue import Catalogue
from gateway.station.commands import DOCUMENT_PREFIX, Command
from gateway.station.messages import N_, plain
from gateway.station.workflows.documents import COMES_FROM, remaining

DOCUMENTS_MAX = 500

KIND_WORDS: dict[DocumentKind, str] = {
    "receipt": N_("Goods receipt"),
    "transfer_in": N_("Transfer in"),
    "customer_return": N_("Return from customer"),
    "shipment": N_("Shipment"),
    "transfer_out": N_("Transfer out"),
    "supplier_return": N_("Return to supplier"),
    "count": N_("Stock count"),
}


class PageDocument(msgspec.Struct, frozen=True):
    """code: of its bar code. kind: for the picture; word: the same for people.

    begins: commands of the tasks in which it may be begun. complete: nothing of it is left here.
    """

    code: str
    title: str
    kind: str
    word: str
    partner: str
    lines_count: int
    begins: tuple[str, ...] = ()
    complete: bool = False


class PageDocuments(msgspec.Struct, frozen=True):
    """The first DOCUMENTS_MAX by code, those that are complete last. count: how many there are."""

    documents: tuple[PageDocument, ...]
    count: int


Received = Callable[[str], Mapping[int, Decimal]]


def documents_page(
    catalogue: Catalogue, *, translate: Callable[[str], str], received: Received
) -> PageDocuments:
    """Return the documents that this warehouse expects; those of a newer central are left out.

    received: what this gateway has for each line of a document, as `Book.received`.
    """
    known = [(one, kind) for one in catalogue.documents() if (kind := known_kind(one)) is not None]
    shown = [
        PageDocument(
            code=DOCUMENT_PREFIX + one.code,
            title=plain(one.code),
            kind=kind,
            word=translate(KIND_WORDS[kind]),
            partner=plain(one.counterpart or one.partner),
            lines_count=len(one.lines),
            begins=_begins(one, kind, catalogue),
            complete=_is_complete(one, kind, received),
        )
        for one, kind in known[:DOCUMENTS_MAX]
    ]
    shown.sort(key=lambda one: one.complete)
    return PageDocuments(documents=tuple(shown), count=len(known))


def _begins(
    document: ExpectedDocument, kind: DocumentKind, catalogue: Catalogue
) -> tuple[str, ...]:
    if kind == "count":
        return (str(Command.COUNT),)
    if kind in COMES_FROM:
        items = (catalogue.item(line.item) for line in document.lines)
        weighed = any(item is not None and item.kind == "bulk" for item in items)
        also = [Command.WEIGH] if weighed else []
        also += [Command.RETURN] if kind == "customer_return" else []
        return (str(Command.RECEIVE), *map(str, also))
    return (str(Command.PICK), str(Command.SHIP))


def _is_complete(document: ExpectedDocument, kind: DocumentKind, received: Received) -> bool:
    if kind == "count":
        counted = received(counted_under(document.code, document.round))
        return bool(document.lines) and all(counted.get(line.line) for line in document.lines)
    done = received(document.code)
    return bool(document.lines) and not any(remaining(line, done) for line in document.lines)
