"""What single steps of a station want from the journal beside its book: read only then. Edge."""

from collections.abc import Sequence

from gateway.journal.journal import Journal
from gateway.station.commands import Command, ScannedCommand
from gateway.station.effects import NewPrintJob
from gateway.station.meanings import Meaning
from gateway.station.session import LookUp, PrintPallet, Session, StationSetup


class StepSources:
    """One thread uses it: the station's."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._sscc_reference: int | None = None

    def sscc_reference(self, session: Session, setup: StationSetup) -> int | None:
        """Return a serial reference, reserved durably, if the next step may need one."""
        if not isinstance(session.state, PrintPallet) or not setup.sscc_company_prefix:
            return None
        if self._sscc_reference is None:
            self._sscc_reference = self._journal.next_sscc_reference()
        return self._sscc_reference

    def queued(self, job: NewPrintJob) -> None:
        """Take note of a label that will be queued: its number is never offered again.

        Not even if the commit fails; a copy has used none.
        """
        if job.template == "pallet" and not job.is_copy:
            self._sscc_reference = None

    def last_label(
        self, meaning: Meaning, waiting: Sequence[NewPrintJob], station: str
    ) -> NewPrintJob | None:
        """Return the label that REPRINT repeats. waiting: labels of the commit to come."""
        if not isinstance(meaning, ScannedCommand) or meaning.command is not Command.REPRINT:
            return None
        return waiting[-1] if waiting else self._journal.stations.last_label(station)

    def known_ms(self, session: Session) -> int:
        """Return when central last told of changes, for a look-up; 0 if never."""
        known = self._journal.knowledge.known() if isinstance(session.state, LookUp) else None
        return known.known_ms if known else 0
