"""One station's page as JSON, made once for all that watch. Edge (of board, health, journal)."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

import msgspec

from central.contract.facts import Fact
from central.contract.notices import Settled
from gateway.clock import Clock
from gateway.health import Health
from gateway.screen.languages import PageLanguages
from gateway.screen.page_knowledge import shown_knowledge
from gateway.screen.page_settled import shown_settled
from gateway.screen.page_state import PageSources, page_state
from gateway.screen.page_unsent import Moment, Unsent, unsent_at
from gateway.screen.stations import ScreenStation
from gateway.screen.translation import LANGUAGES, Language, translator
from gateway.station.catalogue import Catalogue

UNSENT_EVERY_S = 0.5


class Feed:
    """Used from the server's event loop only, but for `wake`, which that loop is told to call."""

    def __init__(
        self,
        station: ScreenStation,
        *,
        health: Health,
        languages: PageLanguages,
        catalogue: Callable[[], Catalogue],
        unsent_count: Callable[[], int],
        oldest_unsent: Callable[[], Fact | None],
        settlements: Callable[[], Sequence[Settled]],
        clock: Clock,
    ) -> None:
        """unsent_count, oldest_unsent, settlements (newest first): may wait for the journal; called
        in a worker thread."""
        self.station = station
        self._health = health
        self._languages = languages
        self._catalogue = catalogue
        self._unsent_count = unsent_count
        self._oldest_unsent = oldest_unsent
        self._settlements = settlements
        self._settled: Sequence[Settled] = ()
        self._clock = clock
        self._unsent_read: tuple[int, Fact | None] = (0, None)
        self._unsent_read_s = float("-inf")
        self._made: dict[Language, tuple[PageSources, bytes]] = {}
        self._switches = station.board.state().language_switches
        self._changes = 0
        self._changed = asyncio.Event()

    @property
    def changes(self) -> int:
        """Return how often the board has changed."""
        return self._changes

    def wake(self) -> None:
        """Let all that wait look again: the board has changed."""
        self._changes += 1
        self._changed.set()
        self._changed = asyncio.Event()

    async def wait(self, seen: int, timeout_s: float) -> None:
        """Return once `changes` differs from `seen`, or at the timeout."""
        if self._changes == seen:
            try:
                await asyncio.wait_for(self._changed.wait(), timeout_s)
            except TimeoutError:
                return

    async def language(self) -> Language:
        """Return the language of whoever stands at the station; switches that wait are done."""
        state = self.station.board.state()
        person = self._catalogue().operator(state.operator) if state.operator else None
        chosen = self._languages.of(
            station=self.station.code,
            operator=state.operator,
            named=person.language if person else "",
        )
        if state.language_switches != self._switches:
            is_other = (state.language_switches - self._switches) % 2 == 1
            self._switches = state.language_switches
            if is_other:
                chosen = LANGUAGES[1 - LANGUAGES.index(chosen)]
                await self.choose(chosen)
        return chosen

    async def choose(self, language: Language) -> None:
        """Keep a choice for whoever stands at the station."""
        operator = self.station.board.state().operator
        await asyncio.to_thread(
            self._languages.choose, language, station=self.station.code, operator=operator
        )

    async def sources(self) -> PageSources:
        """Return everything that the page shows, now."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._unsent_read_s >= UNSENT_EVERY_S:
            self._unsent_read_s = now_s
            self._unsent_read, self._settled = await asyncio.to_thread(self._read_journal)
        state, catalogue = self.station.board.state(), self._catalogue()
        operator = catalogue.operator(state.operator) if state.operator else None
        serves = self.station.serves
        return PageSources(
            state=state,
            devices=tuple(one for one in self._health.devices() if serves(one.name)),
            link=self._health.link(),
            journal_problem=self._health.journal_problem(),
            unsent=self._unsent(),
            troubles=self._health.troubles(),
            knowledge=shown_knowledge(
                self._health.knowledge(),
                now_ms=self._clock.now_ms(),
                clock_synced=self._clock.synced(),
            ),
            station=self.station.code,
            operator_name=operator.name if operator else "",
            clock_synced=self._clock.synced(),
            catalogue_revision=catalogue.revision,
            settled=shown_settled(self._settled, now_ms=self._clock.now_ms()),
        )

    async def data(self, language: Language) -> bytes:
        """Return the state in a language as JSON; the same object as long as nothing changed."""
        assert language in LANGUAGES
        sources = await self.sources()
        made = self._made.get(language)
        if made is not None and made[0] == sources:
            return made[1]
        shown = page_state(sources, language=language, translate=translator(language))
        data = msgspec.json.encode(shown)
        self._made[language] = (sources, data)
        return data

    def _read_journal(self) -> tuple[tuple[int, Fact | None], Sequence[Settled]]:
        count = self._unsent_count()
        return (count, self._oldest_unsent() if count else None), self._settlements()

    def _unsent(self) -> Unsent:
        count, oldest = self._unsent_read
        moment = Moment(
            time_ms=self._clock.now_ms(),
            clock_synced=self._clock.synced(),
            boot_id=self._clock.boot_id,
            monotonic_ns=self._clock.monotonic_ns(),
        )
        return unsent_at(moment, count=count, oldest=oldest)


class Feeds:
    """The feeds of all stations, in the order of the configuration."""

    def __init__(self, feeds: Sequence[Feed]) -> None:
        assert feeds
        self._feeds = tuple(feeds)

    @property
    def codes(self) -> tuple[str, ...]:
        """Return the codes of the stations."""
        return tuple(feed.station.code for feed in self._feeds)

    def feed(self, code: str = "") -> Feed | None:
        """Return the feed of a station, with "" the first's; None if there is no such station."""
        if not code:
            return self._feeds[0]
        return next((feed for feed in self._feeds if feed.station.code == code), None)

    def listen(self, loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
        """Let every change of a board wake its feed in `loop`; return what ends that."""
        listeners = [
            (feed.station.board, partial(loop.call_soon_threadsafe, feed.wake))
            for feed in self._feeds
        ]
        for board, listener in listeners:
            board.listen(listener)

        def end() -> None:
            for board, listener in listeners:
                board.forget(listener)

        return end
