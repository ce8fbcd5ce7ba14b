"""Passages on their way into the journal: none is lost because a commit failed. Pure.

A scan that could not be recorded is scanned again; a pallet does not drive through the door again.
So passages wait here, in order, until a commit has taken them.
"""

from collections import deque
from dataclasses import dataclass

from central.contract.errors import ContractError
from central.contract.facts import Passage
from gateway.health import Health
from gateway.station.catalogue import Catalogue
from gateway.station.drafts import check_draft
from gateway.station.observations import Observation
from gateway.station.passage_facts import passage_fact, passage_message
from gateway.station.passages import TagPassage
from gateway.station.screen_state import ShownPassage
from gateway.station.session import StationSetup

PASSAGES_MAX = 5_000  # Some 8 MB, hours of a busy door with a full disk; then the oldest go.
PASSAGES_PER_COMMIT_MAX = 200
RETRY_NS = 10_000_000_000


@dataclass(frozen=True, slots=True)
class _Waiting:
    fact: Passage
    shown: ShownPassage


class PassageQueue:
    """One station's passages. One thread uses it. What it must drop it counts in `health`."""

    def __init__(self, health: Health) -> None:
        self._health = health
        self._waiting: deque[_Waiting] = deque()
        self._due_ns = 0

    def observe(self, observation: Observation, setup: StationSetup, catalogue: Catalogue) -> bool:
        """Take in a passage; return False for any other observation."""
        passage = observation.reading
        if not isinstance(passage, TagPassage):
            return False
        if self._health.storage().sheds_passages:
            # What is left of the disk is for scans, which a person waits for.
            self._health.count("passages_shed_total")
            return True
        fact = passage_fact(observation, passage, setup)
        try:
            check_draft(fact)
        except ContractError:
            # A driver made an EPC that cannot be.
            self._health.count("passages_lost_total")
            return True
        shown = ShownPassage(fact.event_time_ms, passage_message(fact, catalogue))
        if len(self._waiting) >= PASSAGES_MAX:
            self._waiting.popleft()
            self._health.count("passages_lost_total")
        self._waiting.append(_Waiting(fact, shown))
        return True

    def due(self, now_ns: int) -> list[Passage]:
        """Return what the next commit should take, oldest first.

        They stay until `recorded` is called; if that commit fails, nothing is due for RETRY_NS.
        """
        count = min(len(self._waiting), PASSAGES_PER_COMMIT_MAX)
        if now_ns < self._due_ns or not count:
            return []
        self._due_ns = now_ns + RETRY_NS
        return [self._waiting[index].fact for index in range(count)]

    def recorded(self, count: int) -> list[ShownPassage]:
        """Tell that the first `count` are durable; return what the screen shows of them."""
        if count:
            self._due_ns = 0
        return [self._waiting.popleft().shown for _ in range(count)]
