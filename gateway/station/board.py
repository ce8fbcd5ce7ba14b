"""Hands what the operator sees from the station loop to the screen. Edge (shared memory)."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Condition

from gateway.station.effects import Message, Signal
from gateway.station.messages import N_, say
from gateway.station.screen_state import (
    ALARMS_SHOWN_MAX,
    PASSAGES_SHOWN_MAX,
    SCANS_SHOWN_MAX,
    NumberedOutcome,
    ScanOutcome,
    ScreenState,
    ShownPassage,
    ShownWeight,
    gravest,
)
from gateway.station.step import ShownStep

TOUCHES_KEPT_MAX = 256  # A page repeats a touch for some seconds, not for hundreds of others.


class Board:
    """Holds the latest ScreenState. Any thread may call anything."""

    def __init__(self, prompt: Message) -> None:
        self._changed = Condition()
        self._state = ScreenState(revision=1, prompt=prompt)
        self._outcomes_count = 0
        self._touches: dict[str, None] = {}
        self._listeners: list[Callable[[], object]] = []

    def state(self) -> ScreenState:
        """Return what the screen shows now."""
        with self._changed:
            return self._state

    def wait(self, seen_revision: int, timeout_s: float) -> ScreenState:
        """Return the state once its revision differs from `seen_revision`, or at the timeout."""
        with self._changed:
            self._changed.wait_for(lambda: self._state.revision != seen_revision, timeout_s)
            return self._state

    def listen(self, listener: Callable[[], object]) -> None:
        """Call `listener` after each change, until `forget`; it only wakes somebody up."""
        with self._changed:
            self._listeners.append(listener)

    def forget(self, listener: Callable[[], object]) -> None:
        """Call `listener` no more; on return no call of it is under way."""
        with self._changed:
            self._listeners.remove(listener)

    def answered(self, touch: str) -> bool:
        """Return whether the touch of this identity has led to what it leads to."""
        with self._changed:
            return touch in self._touches

    def publish(
        self,
        outcomes: Sequence[ScanOutcome],
        *,
        prompt: Message,
        done: Message | None,
        operator: str,
        touches: Sequence[str] = (),
        step: ShownStep | None = None,
    ) -> None:
        """Show what became of scans, oldest first; `done` None keeps what was done before.

        touches: identities of those among them that came from the page. step: None keeps it.
        """
        with self._changed:
            state = self._state
            numbered = list(state.scans)
            alarms = list(state.alarms)
            for outcome in outcomes:
                self._outcomes_count += 1
                numbered.insert(0, NumberedOutcome(self._outcomes_count, outcome))
                if outcome.signal.critical:
                    alarms.append(numbered[0])
            self._note(touches)
            signal = gravest([outcome.signal for outcome in outcomes])
            told = [outcome.recorded for outcome in outcomes if outcome.signal is signal]
            self._replace(
                replace(
                    state,
                    prompt=prompt,
                    done=done or state.done,
                    signal=signal or state.signal,
                    recorded=any(told) if signal else state.recorded,
                    operator=operator,
                    scans=tuple(numbered[:SCANS_SHOWN_MAX]),
                    alarms=tuple(alarms[-ALARMS_SHOWN_MAX:]),
                    step=step or state.step,
                )
            )

    def press(self, code: str) -> Signal | None:
        """Do what a command for the page itself says; None if the code is no such command."""
        command = code.strip(" ").upper()
        with self._changed:
            if command == "CMD-LANGUAGE":
                count = self._state.language_switches + 1
                self._replace(replace(self._state, language_switches=count))
                return Signal("success", say(N_("The language is changed.")))
            if command == "CMD-OK":
                self._replace(replace(self._state, alarms=()))
                return Signal("success", say(N_("Read.")))
        return None

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

    def _note(self, touches: Sequence[str]) -> None:
        for touch in touches:
            self._touches[touch] = None
        for oldest in list(self._touches)[: max(0, len(self._touches) - TOUCHES_KEPT_MAX)]:
            del self._touches[oldest]

    def _replace(self, state: ScreenState) -> None:
        self._state = replace(state, revision=self._state.revision + 1)
        self._changed.notify_all()
        for listener in self._listeners:
            listener()
