"""The page's state as JSON, made once for all that watch. Edge (of board, health, journal)."""

import asyncio
from collections.abc import Callable

import msgspec

from gateway.clock import Clock
from gateway.health import Health
from gateway.screen.page_knowledge import shown_knowledge
from gateway.screen.page_state import PageSources, page_state
from gateway.screen.translation import LANGUAGES, Language, translator
from gateway.station.board import Board

UNSENT_EVERY_S = 0.5


class Feed:
    """Used from the server's event loop only."""

    def __init__(
        self, *, board: Board, health: Health, unsent_count: Callable[[], int], clock: Clock
    ) -> None:
        """unsent_count: may wait for the journal; called in a worker thread, twice a second."""
        self._board = board
        self._health = health
        self._unsent_count = unsent_count
        self._clock = clock
        self._unsent = 0
        self._unsent_read_s = float("-inf")
        self._made: dict[Language, tuple[PageSources, bytes]] = {}

    async def sources(self) -> PageSources:
        """Return everything that the page shows, now."""
        now_s = asyncio.get_running_loop().time()
        if now_s - self._unsent_read_s >= UNSENT_EVERY_S:
            self._unsent_read_s = now_s
            self._unsent = await asyncio.to_thread(self._unsent_count)
        return PageSources(
            state=self._board.state(),
            devices=self._health.devices(),
            link=self._health.link(),
            journal_problem=self._health.journal_problem(),
            unsent_count=self._unsent,
            troubles=self._health.troubles(),
            knowledge=shown_knowledge(
                self._health.knowledge(),
                now_ms=self._clock.now_ms(),
                clock_synced=self._clock.synced(),
            ),
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
