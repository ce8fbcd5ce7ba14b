"""Open documents for the page: one touch begins one. Pure."""

from collections.abc import Callable

import msgspec

from central.contract.reference import DocumentKind, known_kind
from gateway.station.catalogue import Catalogue
from gateway.station.commands import DOCUMENT_PREFIX
from gateway.station.messages import N_, plain

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
    """code: of its bar code. kind: for the picture; word: the same for people."""

    code: str
    title: str
    kind: str
    word: str
    partner: str
    lines_count: int


class PageDocuments(msgspec.Struct, frozen=True):
    """The first DOCUMENTS_MAX by code. count: how many there are."""

    documents: tuple[PageDocument, ...]
    count: int


def documents_page(catalogue: Catalogue, *, translate: Callable[[str], str]) -> PageDocuments:
    """Return the documents that this warehouse expects; those of a newer central are left out."""
    known = [(one, kind) for one in catalogue.documents() if (kind := known_kind(one)) is not None]
    return PageDocuments(
        documents=tuple(
            PageDocument(
                code=DOCUMENT_PREFIX + one.code,
                title=plain(one.code),
                kind=kind,
                word=translate(KIND_WORDS[kind]),
                partner=plain(one.counterpart or one.partner),
                lines_count=len(one.lines),
            )
            for one, kind in known[:DOCUMENTS_MAX]
        ),
        count=len(known),
    )
