"""The one thread that thinks: observations in, facts to the journal, then the signal. Loop.

    queue --drain--> interpret --> advance --> drafts --ONE commit for all that waited--> journal
                                                                  |
                                             board (green, sound) <-- only now

A commit that fails takes everything back that waited for it: session and screen are as before, and
the operator is told to scan again. Live weights go to the board, five a second; they become facts
only through CONFIRM.
"""

import logging
import queue
from threading import Event, Thread

from central.contract.errors import ContractError
from central.contract.facts import Reversal
from drivers.readings import DeviceFault, InputChanged, TagRead, WeightMeasured
from gateway.clock import Clock
from gateway.errors import JournalFull
from gateway.health import Health
from gateway.journal.journal import Journal
from gateway.journal.session_keeper import SessionKeeper
from gateway.journal.step_sources import StepSources
from gateway.station.board import Board
from gateway.station.book import PendingBook
from gateway.station.catalogue import Catalogue
from gateway.station.claiming import Claims, binding_code
from gateway.station.commands import Command, ScannedCommand
from gateway.station.commit_group import CommitGroup
from gateway.station.drafts import check_draft
from gateway.station.effects import (
    Effect,
    Message,
    QueuePrint,
    RecordFacts,
    ShowPrompt,
    Signal,
)
from gateway.station.enrolment import Enrolment, claim_code
from gateway.station.interpret import interpret
from gateway.station.meanings import Meaning
from gateway.station.messages import N_, say
from gateway.station.observations import Observation, scanned_text
from gateway.station.passage_queue import PassageQueue
from gateway.station.repairs import tell_broken_templates
from gateway.station.screen_state import ScanOutcome, outcome_of, shown_weight
from gateway.station.session import Known, ScaleView, Session, StationSetup, Surroundings
from gateway.station.workflows.dispatch import advance, prompt
from gateway.station.workflows.steps import guide, shown_step
from gateway.station.workflows.weigh import WEIGHT_AGE_MAX_NS

logger = logging.getLogger(__name__)

OBSERVATIONS_PER_COMMIT_MAX = 64
FACTS_PER_COMMIT_MAX = 500  # One more observation adds at most 200; the journal takes 1000.
IDLE_S = 0.2
WEIGHT_SHOWN_EVERY_NS = 200_000_000
NO_CLAIMS = N_("This station claims no devices: write them in its configuration.")
RESTART_HINT = N_("Restart the gateway; nothing is recorded now.")


class StationLoop:
    """Drives one station. `step` may be called instead of `start`, by one thread only."""

    def __init__(
        self,
        *,
        journal: Journal,
        catalogue: Catalogue,
        observations: queue.Queue[Observation],
        board: Board,
        health: Health,
        setup: StationSetup,
        clock: Clock,
        claims: Claims | None = None,
        enrolment: Enrolment | None = None,
    ) -> None:
        """claims: who takes binding codes; None refuses them. enrolment: who takes claims."""
        self._claims = claims
        self._enrolment = enrolment
        self._journal = journal
        self._catalogue = catalogue
        self._observations = observations
        self._board = board
        self._health = health
        self._clock = clock
        self.use_setup(setup)
        self._keeper = SessionKeeper(journal, station=setup.station, clock=clock, health=health)
        self._session = self._restored()
        self._scale: ScaleView | None = None
        self._weight_waits = self._news = False
        self._weight_shown_ns = self._turns = 0
        self._faults: dict[str, str] = {}
        self._sources = StepSources(journal)
        self._passages = PassageQueue(health)
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="station-loop")

    @staticmethod
    def new_board() -> Board:
        """Return a board that shows the prompt of a new session."""
        return Board(prompt(Session()))

    def use_catalogue(self, catalogue: Catalogue) -> None:
        """Interpret from now on by new reference data. Any thread may call."""
        self._catalogue = catalogue

    def use_setup(self, setup: StationSetup) -> None:
        """Work with these scales and printers from now on. Any thread may call."""
        self._setup = setup
        tell_broken_templates(setup.templates.faults, self._health, now_ms=self._clock.now_ms())

    def look_again(self) -> None:
        """Show anew what is left: others may have done some of it. Any thread may call."""
        self._news = True

    def start(self) -> None:
        """Begin to work in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End after the commit that is under way; what still waits in the queue stays there."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    @property
    def turns(self) -> int | None:
        """Return how often the thread went round, None after a mistake of ours has ended it."""
        return self._turns if self._thread.is_alive() else None

    def step(self, timeout_s: float) -> int:
        """Take all observations that wait, at least `timeout_s` for the first; return how many."""
        batch = self._drain(timeout_s)
        group = CommitGroup(self._session)
        for observation in batch:
            group = self._observe(group, observation)
        group = self._commit(group)
        if self._news:
            self._news = False
            self._session = guide(self._session, self._known())
            self._publish(CommitGroup(self._session), done=None, changed=True)
        self._show_weight()
        return len(batch)

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self.step(IDLE_S)
                self._turns += 1
        except Exception:
            # Our mistake, or a damaged journal: say so on the screen, then let the service restart.
            logger.exception("the station loop ended")
            self._health.set_journal_problem(RESTART_HINT)
            raise

    def _restored(self) -> Session:
        """Return the session to go on with, shown with what there is to tell of it."""
        restored = self._keeper.restore(self._catalogue)
        session = guide(restored.session, self._known())
        outcomes = []
        if restored.told is not None:
            signal = Signal("warning" if restored.dropped else "success", restored.told)
            outcomes = [ScanOutcome(self._clock.now_ms(), "", signal, recorded=False)]
        self._board.publish(
            outcomes,
            prompt=prompt(session),
            done=restored.told,
            operator=session.operator,
            touches=self._keeper.touches,
            step=shown_step(session, self._known()),
        )
        return session

    def _drain(self, timeout_s: float) -> list[Observation]:
        batch: list[Observation] = []
        try:
            batch.append(self._observations.get(timeout=timeout_s))
            while len(batch) < OBSERVATIONS_PER_COMMIT_MAX:
                batch.append(self._observations.get_nowait())
        except queue.Empty:
            pass
        return batch

    def _observe(self, group: CommitGroup, observation: Observation) -> CommitGroup:
        if self._repeated(group, observation):
            return group  # The page did not hear that it was done.
        self._health.count("observations_total")
        is_passage = self._passages.observe(observation, self._setup, self._catalogue)
        if is_passage or not self._worth_a_step(observation):
            return group
        told = self._without_step(observation)
        if told is not None:
            group.outcomes.append(outcome_of(observation, told, recorded=False))
            group.note(observation.touch)
            return group
        meaning = interpret(observation, self._catalogue)
        undo = isinstance(meaning, ScannedCommand) and meaning.command is Command.UNDO
        full = len(group.facts) >= FACTS_PER_COMMIT_MAX
        if group.refusal is None and (undo or full):
            group = self._commit(group)  # What is undone must have its number.
        group.note(observation.touch)
        if group.refusal is not None:
            if scanned_text(observation.reading) is not None:
                group.outcomes.append(outcome_of(observation, group.refusal, recorded=False))
            return group
        session, effects = self._advance(group, observation, meaning)
        self._collect(group, observation, session, effects)
        if undo and any(isinstance(fact, Reversal) for fact in group.facts):
            return self._commit(group)  # The book shows a reversal only once it is recorded.
        return group

    def _repeated(self, group: CommitGroup, observation: Observation) -> bool:
        touch = observation.touch
        return bool(touch) and (touch in group.touches or self._board.answered(touch))

    def _without_step(self, observation: Observation) -> Signal | None:
        """Return what became of a code that is for no workflow: it waits for no commit."""
        claim = claim_code(observation) if self._enrolment is not None else ""
        if self._enrolment and claim and (told := self._enrolment.scanned(claim)) is not None:
            return told
        code = binding_code(observation)
        if not code:
            return self._board.press(scanned_text(observation.reading) or "")
        if self._claims is None:
            return Signal("error", say(NO_CLAIMS))
        return self._claims.scanned(code, station=self._setup.station)

    def _worth_a_step(self, observation: Observation) -> bool:
        """Note what scales say; a scale that repeats its fault is told once."""
        device, reading = observation.device, observation.reading
        if isinstance(reading, InputChanged | TagRead):
            return scanned_text(reading) is not None
        if device in self._setup.scales[:1] and isinstance(reading, WeightMeasured | DeviceFault):
            self._scale = ScaleView(device, reading, observation.monotonic_ns)
            self._weight_waits = True
        if isinstance(reading, WeightMeasured):
            self._faults.pop(device, None)
            return device in self._setup.scales[:1]
        if isinstance(reading, DeviceFault) and device in self._setup.scales:
            before = self._faults.get(device)
            self._faults[device] = reading.code
            return before != reading.code
        return True

    def _advance(
        self, group: CommitGroup, observation: Observation, meaning: Meaning
    ) -> tuple[Session, tuple[Effect, ...]]:
        try:
            surroundings = Surroundings(
                catalogue=self._catalogue,
                book=PendingBook(self._journal, group.facts),
                setup=self._setup,
                observation=observation,
                scale=self._scale,
                sscc_reference=self._sources.sscc_reference(group.session, self._setup),
                last_label=self._sources.last_label(meaning, group.print_jobs, self._setup.station),
                known_ms=self._sources.known_ms(group.session),
            )
            session, effects = advance(group.session, meaning, surroundings)
            for effect in effects:
                for fact in effect.facts if isinstance(effect, RecordFacts) else ():
                    check_draft(fact)
        except ContractError as error:
            # A quantity beyond all bounds, say: refused alone; what waits beside it is kept.
            logger.warning("a step makes no fact", extra={"reason": str(error)})
            reply = say(N_("Not recorded: a value is out of bounds. Scan a smaller quantity."))
            return group.session, (Signal("error", reply),)
        except JournalFull as error:
            self._health.set_journal_problem(error.hint)
            reply = say(N_("Not recorded: {hint} Then scan again."), hint=error.hint)
            return group.session, (Signal("error", reply, critical=True),)
        return session, effects

    def _collect(
        self,
        group: CommitGroup,
        observation: Observation,
        session: Session,
        effects: tuple[Effect, ...],
    ) -> None:
        group.session = session
        recorded = any(isinstance(effect, RecordFacts | QueuePrint) for effect in effects)
        for effect in effects:
            if isinstance(effect, RecordFacts):
                group.facts.extend(effect.facts)
            elif isinstance(effect, QueuePrint):
                group.print_jobs.append(effect.job)
                self._sources.queued(effect.job)
            elif isinstance(effect, ShowPrompt):
                group.prompt_changed = True
                group.done = effect.done or group.done
            else:
                group.outcomes.append(outcome_of(observation, effect, recorded=recorded))

    def _commit(self, group: CommitGroup) -> CommitGroup:
        """Make a group durable, then show it; return the group that follows."""
        passages = self._passages.due(self._clock.monotonic_ns())
        if group.facts or group.print_jobs or passages:
            try:
                unsaved = self._keeper.unsaved(group.session, group.touches)
                self._journal.append([*group.facts, *passages], group.print_jobs, unsaved)
            except JournalFull as error:
                return CommitGroup(self._session, self._refuse(group, error))
            self._keeper.saved(group.session, group.touches)
            self._health.set_journal_problem("")
            self._health.count("facts_recorded_total", len(group.facts) + len(passages))
            self._board.show_passages(self._passages.recorded(len(passages)))
        else:
            self._keeper.save(group.session, group.touches)
        self._session = guide(group.session, self._known())
        self._publish(group, done=group.done, changed=group.prompt_changed)
        return CommitGroup(self._session)

    def _known(self) -> Known:
        return Known(self._catalogue, self._journal, self._setup)

    def _refuse(self, group: CommitGroup, error: JournalFull) -> Signal:
        logger.error("nothing can be recorded", extra={"reason": str(error)})
        self._health.set_journal_problem(error.hint)
        self._health.count("commits_failed_total")
        refusal = group.refuse(error.hint)
        self._publish(group, done=None, changed=True)
        return refusal

    def _publish(self, group: CommitGroup, *, done: Message | None, changed: bool) -> None:
        for outcome in group.outcomes:
            self._health.count(f"signals_{outcome.signal.kind}_total")
        if group.outcomes or changed or group.touches:
            self._board.publish(
                group.outcomes,
                prompt=prompt(self._session),
                done=done,
                operator=self._session.operator,
                touches=group.touches,
                step=shown_step(self._session, self._known()),
            )

    def _show_weight(self) -> None:
        now_ns = self._clock.monotonic_ns()
        view = self._scale
        if view is not None and now_ns - view.monotonic_ns > WEIGHT_AGE_MAX_NS:
            self._board.show_weight(None)  # A weight that is not live is none.
            return
        due = now_ns - self._weight_shown_ns >= WEIGHT_SHOWN_EVERY_NS
        if view is not None and self._weight_waits and due:
            self._board.show_weight(shown_weight(view))
            self._weight_shown_ns, self._weight_waits = now_ns, False
