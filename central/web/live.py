"""Tells every open page what changed: one event stream a page, made once for all. Loop.

    intake commits -> notify() --.
                                  wake -> read marks -> changed? -> read once -> render once for
    or look (other processes) ---'                                 each language -> all pages

It runs only while a page is open. 200 ms between two events keep browsers at rest: measured,
painting costs more than anything else.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from central.errors import CentralError

CLIENTS_MAX = 200
EVENTS_PER_CLIENT_MAX = 16
POLL_S = 2.0
POLL_OF_MANY_S = 0.2  # Where other processes take facts.
COALESCE_S = 0.2
KEEP_ALIVE_S = 15.0
RETRY_MS = 1000

Event = bytes
_END = b""
# An event, not a comment: pages hear that nothing is lost, and of a dead connection nothing.
_STILL_HERE = b"event: still\ndata: 1\n\n"

ChangeT = TypeVar("ChangeT")
SinceT = TypeVar("SinceT")
ChangeT_co = TypeVar("ChangeT_co", covariant=True)


class Changed(Protocol[ChangeT_co]):
    """What is told to pages: it knows how far everything was when it was read."""

    @property
    def change(self) -> ChangeT_co:
        """Return the marks."""
        ...


UpdateT = TypeVar("UpdateT", bound=Changed[Any])


@dataclass(frozen=True, slots=True, eq=False)
class _Client:
    language: str
    within: str
    events: asyncio.Queue[Event] = field(
        default_factory=lambda: asyncio.Queue(EVENTS_PER_CLIENT_MAX)
    )


async def always() -> bool:
    """Let a stream go on."""
    return True


class Live(Generic[ChangeT, SinceT, UpdateT]):
    """The open pages. `notify` may be called from any thread, everything else in the event loop.

    read_change: returns the marks of what pages show. read_update: returns what changed after
    where a page is (None: everything), in a warehouse ("": in all of them). since: returns where
    pages are that know one mark, when another one is there; None if they have to read everything.
    render: returns an update as one event in a language.
    """

    def __init__(
        self,
        *,
        read_change: Callable[[], ChangeT],
        read_update: Callable[[SinceT | None, str], UpdateT],
        since: Callable[[ChangeT, ChangeT], SinceT | None],
        render: Callable[[UpdateT, str], Event],
        clients_max: int = CLIENTS_MAX,
        poll_s: float = POLL_S,
    ) -> None:
        self._read_change = read_change
        self._read_update = read_update
        self._since = since
        self._render = render
        self._clients_max = clients_max
        self._poll_s = poll_s
        self._clients: set[_Client] = set()
        self._change: ChangeT | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def client_count(self) -> int:
        """Return how many pages are open."""
        return len(self._clients)

    @property
    def full(self) -> bool:
        """Return True if no further page may open a stream."""
        return len(self._clients) >= self._clients_max

    def notify(self) -> None:
        """Say that something was committed; cheap, from any thread, before and after the loop."""
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # The loop has been closed: nobody is left to be told.
                loop.call_soon_threadsafe(self._wake.set)

    async def open(
        self,
        *,
        language: str,
        since: SinceT | None,
        within: str = "",
        may_go_on: Callable[[], Awaitable[bool]] = always,
    ) -> AsyncIterator[Event]:
        """Return the events for one page: first what it missed after `since`, then what comes.

        within: the only warehouse that it shows, "" for all. may_go_on: asked before each event;
        the stream ends at the first False. It ends, too, if the page does not keep up; its browser
        then comes back with the last number that it got. Raises LedgerUnavailable before anything
        is sent.
        """
        client = _Client(language, within)
        self._clients.add(client)
        try:
            change = await asyncio.to_thread(self._read_change) if within else None
            missed = await asyncio.to_thread(self._read_update, since, within)
        except BaseException:
            self._clients.discard(client)
            raise
        self._start(missed.change if change is None else change)
        return self._events(client, self._render(missed, language), may_go_on)

    def close(self) -> None:
        """End every stream."""
        for client in self._clients:
            _end(client)

    async def _events(
        self, client: _Client, first: Event, may_go_on: Callable[[], Awaitable[bool]]
    ) -> AsyncIterator[Event]:
        try:
            yield f"retry: {RETRY_MS}\n\n".encode()
            yield first
            while True:
                try:
                    event = await asyncio.wait_for(client.events.get(), KEEP_ALIVE_S)
                except TimeoutError:
                    event = _STILL_HERE
                if event == _END or not await may_go_on():
                    return
                yield event
        finally:
            self._clients.discard(client)
            if not self._clients:
                self._wake.set()

    def _start(self, change: ChangeT) -> None:
        if self._task is None or self._task.done():
            self._loop = asyncio.get_running_loop()
            self._wake = asyncio.Event()
            self._change = change
            self._task = self._loop.create_task(self._run())

    async def _run(self) -> None:
        try:
            while self._clients:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), self._poll_s)
                self._wake.clear()
                if not self._clients:
                    return
                try:
                    await self._publish()
                except CentralError:
                    return  # The pages say that the connection is lost, and come back.
                await asyncio.sleep(COALESCE_S)
        finally:
            self.close()

    async def _publish(self) -> None:
        before, asked = self._change, self._asked()
        read = await asyncio.to_thread(self._read_news, before, asked)
        if read is None:
            return
        change, updates = read
        # Whoever came meanwhile may have read before those marks, and would miss what is between.
        if late := [within for within in self._asked() if within not in updates]:
            since = None if before is None else self._since(before, change)
            updates |= await asyncio.to_thread(self._read_updates, since, late)
        # What is newer than the marks and was read already comes again, which is harmless.
        self._change = updates[""].change if "" in asked else change
        events: dict[tuple[str, str], Event] = {}
        for client in list(self._clients):
            update, key = updates.get(client.within), (client.language, client.within)
            if update is None:
                continue  # It came after the marks were read, and has read all this.
            if key not in events:
                events[key] = self._render(update, client.language)
            try:
                client.events.put_nowait(events[key])
            except asyncio.QueueFull:
                _end(client)

    def _read_news(
        self, before: ChangeT | None, asked: list[str]
    ) -> tuple[ChangeT, dict[str, UpdateT]] | None:
        """Return the marks and what changed after others, by warehouse; None if nothing did.

        In one thread: on a busy machine each way there and back costs more than the reading.
        """
        change = self._read_change()
        if change == before:
            return None
        since = None if before is None else self._since(before, change)
        return change, self._read_updates(since, asked)

    def _read_updates(self, since: SinceT | None, asked: list[str]) -> dict[str, UpdateT]:
        return {within: self._read_update(since, within) for within in asked}

    def _asked(self) -> list[str]:
        return sorted({client.within for client in self._clients})


def _end(client: _Client) -> None:
    while not client.events.empty():
        client.events.get_nowait()
    client.events.put_nowait(_END)
