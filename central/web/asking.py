"""Who asks for a page, in which language, and of what. Edge of HTTP."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request

from central.access.permissions import OPEN_PRINCIPAL, Principal
from central.api.at_once import at_once
from central.api.context import ReadSide, read_side_of
from central.web.drawing import Drawing, drawing_in
from central.web.languages import LANGUAGE_COOKIE, LANGUAGES, choose_language
from central.web.listing import Listing
from central.web.texts import Texts

# Addresses that only programs and scripts ask for.
NOBODY = Principal("", frozenset())  # Before anybody has signed in.
PROGRAMS = ("/api/", "/live", "/changes", "/static/", "/tables/", "/fragments/", "/openapi.json")


@dataclass(frozen=True, slots=True)
class Asking:
    """One request for a page. now_ms: of central's clock, once for the whole page.

    principal: who asks. csrf: what their scripts have to send, "" where nobody signs in.
    parameters: of the address, as they came. path: of the address. language_asked: it came in the
    address and is to be remembered. within: the only warehouse that is shown here, "" for all.
    money: whether it is shown.
    """

    reading: ReadSide
    drawing: Drawing
    now_ms: int
    path: str
    parameters: Mapping[str, str]
    language_asked: bool
    principal: Principal = OPEN_PRINCIPAL
    csrf: str = ""
    within: str = ""
    money: bool = True

    def read(self) -> AbstractContextManager[Any]:
        """Return a connection that knows what whoever asks is shown. Raises LedgerUnavailable."""
        return self.reading.database.read(within=self.within)

    @property
    def texts(self) -> Texts:
        """Return the words of the reader's language."""
        return self.drawing.texts


def asking_of(request: Request) -> Asking:
    """Return who asks."""
    reading = read_side_of(request)
    asked = request.query_params.get("lang", "")
    language = choose_language(
        asked=asked,
        cookie=request.cookies.get(LANGUAGE_COOKIE, ""),
        accept=request.headers.get("accept-language", ""),
    )
    return Asking(
        reading=reading,
        drawing=drawing_in(language),
        now_ms=reading.clock.now_ms(),
        path=request.url.path,
        parameters=dict(request.query_params),
        language_asked=asked in LANGUAGES,
        principal=getattr(request.state, "principal", None) or NOBODY,
        csrf=getattr(request.state, "csrf", ""),
        within=within_of(request),
        money=getattr(request.state, "money", True),
    )


def within_of(request: Request) -> str:
    """Return the only warehouse that a request is answered about, "" for all of them."""
    return str(getattr(request.state, "within", ""))


def wants_page(request: Request) -> bool:
    """Return True if a person opened an address, and no program or script asked."""
    accept = request.headers.get("accept", "*/*")
    return (
        request.method == "GET"
        and not request.url.path.startswith(PROGRAMS)
        and ("text/html" in accept or "*/*" in accept)
    )


Asked = Annotated[Asking, Depends(at_once(asking_of))]
Table = Listing[Asking]
