"""Hands what the operator sees from the station loop to the screen. Edge (shared memory)."""

from collections.abc import Sequence
from dataclasses import replace
from threading import Condition

from gateway.station.effects import Message
from gateway.station.screen_state import (
    PASSAGES_SHOWN_MAX,
    SCANS_SHOWN_MAX,
    NumberedOutcome,
    ScanOutcome,
    ScreenState,
    ShownPassage,
    ShownWeight,
    gravest,
)


class Board:
    """Holds the latest ScreenState. Any thread may call anything."""

    def __init__(self, prompt: Message) -> None:
        self._changed = Condition()
        self._state = ScreenState(revision=1, prompt=prompt)
        self._outcomes_count = 0

    def state(self) -> ScreenState:
        """Return what the screen shows now."""
        with self._changed:
            return self._state

    def wait(self, seen_revision: int, timeout_s: float) -> ScreenState:
        """Return the state once its revision differs from `seen_revision`, or at the timeout."""
        with self._changed:
            self._changed.wait_for(lambda: self._state.revision != seen_revision, timeout_s)
            return self._state

    def publish(
        self,
        outcomes: Sequence[ScanOutcome],
        *,
        prompt: Message,
        done: Message | None,
        operator: str,
    ) -> None:
        """Show what became of scans, oldest first; `done` None keeps what was done before."""
        with self._changed:
            state = self._state
            numbered = list(state.scans)
            for outcome in outcomes:
                self._outcomes_count += 1
                numbered.insert(0, NumberedOutcome(self._outcomes_count, outcome))
            self._replace(
                replace(
                    state,
                    prompt=prompt,
                    done=done or state.done,
                    signal=gravest([outcome.signal for outcome in outcomes]) or state.signal,
                    operator=operator,
                    scans=tuple(numbered[:SCANS_SHOWN_MAX]),
                )
            )

    def show_weight(self, weight: ShownWeight | None) -> None:
        """Show a live weight, or none."""
        with self._changed:
            if weight != self._state.weight:
                self._replace(replace(self._state, weight=weight))

    def show_passages(self, passages: Sequence[ShownPassage]) -> None:
        """Show tags that passed, oldest first. What the operator's last scan led to stays."""
        if not passages:
            return
        with self._changed:
            newest = (*reversed(passages), *self._state.passages)[:PASSAGES_SHOWN_MAX]
            self._replace(replace(self._state, passages=newest))

    def _replace(self, state: ScreenState) -> None:
        self._state = replace(state, revision=self._state.revision + 1)
        self._changed.notify_all()
