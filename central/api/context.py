"""What the routes work with, handed over by whoever builds the application. Edge of HTTP."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import BoundedSemaphore
from typing import Annotated, Protocol

from fastapi import Depends, Request

from central.api.at_once import at_once
from central.api.problem_translations import CHINESE
from central.api.problems import ProblemRaised, language_asked
from central.clock import Clock
from central.inbox.inbox import Outcome
from central.orders.settling.periods import OpenPoint
from central.outbox.snapshot import Snapshots
from central.stock.alert_book import AlertBook
from central.stock.key_figures import FigureBook
from central.stock.strays import StrayItems
from central.storage.database import Database

INGESTS_AT_ONCE_MAX = 8  # Each holds a thread and waits for the ledger's lock.


class Words(Protocol):
    """What people read of discrepancies, and of what is open in a period, in one language."""

    def meaning(self, kind: str) -> str:
        """Return what a kind says."""
        ...

    def sentence(self, text: str) -> str:
        """Return why something is proposed, advised or settled."""
        ...

    def detail(self, text: str) -> str:
        """Return what is noted of one discrepancy."""
        ...

    def settlement(self, text: str) -> str:
        """Return why one is settled: what somebody decided, or how it settled itself."""
        ...

    def point(self, point: OpenPoint) -> str:
        """Return what is open before a period is closed."""
        ...


def _as_written(_language: str) -> None:
    return None


@dataclass(frozen=True, slots=True)
class ReadSide:
    """Everything that answers need.

    intake_connected: says whether the intake hears the broker; None where there is no intake.
    intake_alive: says whether the intake still works at all; None where there is no intake.
    software: version of this program, for people. epcis_base_uri: what URIs of things without a GS1
    key begin with, "" for a name that leads nowhere and ends with the site. words: what a language
    says of discrepancies, None for as the ledger writes it, in English.
    """

    database: Database
    clock: Clock
    site: str
    software: str
    intake_connected: Callable[[], bool] | None = None
    intake_alive: Callable[[], bool] | None = None
    epcis_base_uri: str = ""
    words: Callable[[str], Words | None] = _as_written
    strays: StrayItems = field(default_factory=StrayItems)
    alerts: AlertBook = field(default_factory=AlertBook)
    figures: FigureBook = field(default_factory=FigureBook)


class Accepting(Protocol):
    """What is needed of `central.inbox.inbox.Inbox`."""

    def accept(self, payloads: Sequence[tuple[str | None, bytes]]) -> list[Outcome]:
        """Return one outcome each, all durable. Raises LedgerUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Entrance:
    """Everything that taking facts over HTTP needs, and what the intake beside it counts.

    sign: returns the ledger's signature. counters: counts since the start, empty without an intake.
    credit: returns how many facts a gateway may have under way just now. places: one for each batch
    that is being taken over HTTP.
    """

    inbox: Accepting
    sign: Callable[[bytes], bytes]
    counters: Callable[[], dict[str, int]]
    credit: Callable[[], int]
    places: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(INGESTS_AT_ONCE_MAX))


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Everything that telling gateways something needs.

    told: called after a notice or a snapshot was written. new_name: makes random codes.
    """

    snapshots: Snapshots
    told: Callable[[], None]
    new_name: Callable[[], str]


def read_side_of(request: Request) -> ReadSide:
    """Return what the application was built with."""
    read_side = request.app.state.read_side
    assert isinstance(read_side, ReadSide)
    return read_side


Reading = Annotated[ReadSide, Depends(at_once(read_side_of))]


def words_of(request: Request) -> Words | None:
    """Return the words of whoever asks, None for as the ledger writes."""
    return read_side_of(request).words(language_asked(request))


Reader = Annotated[Words | None, Depends(at_once(words_of))]


def said_in(reader: Words | None) -> dict[str, str]:
    """Return the header that names the language of an answer, none for as the ledger writes."""
    return {} if reader is None else {"Content-Language": CHINESE}


def entrance_of(request: Request) -> Entrance | None:
    """Return the way in, None if the application only reads."""
    entrance = request.app.state.entrance
    assert entrance is None or isinstance(entrance, Entrance)
    return entrance


Entering = Annotated[Entrance | None, Depends(at_once(entrance_of))]


def outgoing_of(request: Request) -> Outgoing:
    """Return what gateways are told with. Raises ProblemRaised if the application only reads."""
    outgoing = request.app.state.outgoing
    if outgoing is None:
        raise ProblemRaised(
            status=404,
            title="Nothing is written here",
            detail="This server only reads the ledger.",
            hint="Ask a server that `dockledger-central serve` runs.",
        )
    assert isinstance(outgoing, Outgoing)
    return outgoing


Telling = Annotated[Outgoing, Depends(at_once(outgoing_of))]
