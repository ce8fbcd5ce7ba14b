"""The gateway's durable memory: what `append` returned from is on disk. Edge of SQLite."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from decimal import Decimal
from pathlib import Path
from threading import Condition, RLock
from typing import BinaryIO, Self

from central.contract.facts import Fact, PrintOutcome
from central.contract.identifiers import Epoch, FactId
from central.contract.notices import PrintRequested
from central.contract.reference import Reference
from gateway.clock import Clock
from gateway.errors import JournalFull
from gateway.journal import print_jobs, queries, reference_store, request_jobs
from gateway.journal.append import Head, append_facts
from gateway.journal.epochs import mint_epoch
from gateway.journal.knowledge import Knowledge
from gateway.journal.opening import open_writer, reserve_log, take_lock
from gateway.journal.outbox import Outbox
from gateway.journal.print_jobs import insert_jobs
from gateway.journal.records import Appended, EpochProgress, PrintJob, Refusal, StockRow, StoredRun
from gateway.journal.retention import Keeping, prune_slice
from gateway.journal.station_memory import SavedSession, StationMemory, write_session
from gateway.journal.transactions import reading, transaction
from gateway.station.book import Reversible
from gateway.station.effects import NewPrintJob

# Housekeeping writes the log back into the file when so much is in it and nobody scans.
APPENDS_BEFORE_CHECKPOINT = 256
IDLE_BEFORE_CHECKPOINT_NS = 500_000_000


class Journal:
    """Facts, local stock, document progress, outbox, print jobs and reference data of one gateway.

    stations: what stations remember beside facts.
    Any thread may call any method. One connection writes; one lock stands before it.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        lock_file: BinaryIO,
        head: Head,
        *,
        gateway: str,
        warehouse: str,
        clock: Clock,
    ) -> None:
        """Use `Journal.open`."""
        self._connection = connection
        self._lock_file = lock_file
        self._head = head
        self._gateway = gateway
        self._warehouse = warehouse
        self._clock = clock
        self._outbox = Outbox(connection, gateway=gateway, current=head.epoch)
        self._lock = RLock()
        self._knowledge = Knowledge(connection, self._lock, warehouse=warehouse, clock=clock)
        self.stations = StationMemory(connection, self._lock)
        self._appended = Condition()
        self._appends_count = 0
        self._uncheckpointed_count = 0
        self._last_append_ns = 0
        self._refusal: Refusal | None = None
        self._closed = False

    @classmethod
    def open(cls, path: Path, *, gateway: str, warehouse: str, clock: Clock, nonce: int) -> Self:
        """Return the journal in `path`, created if there is none, with a new epoch.

        nonce: 64 random bits for the epoch. Raises JournalLocked if another process has it,
        JournalNotOurs if the file is another program's, gateway's or a newer version's,
        JournalDamaged if it is broken, JournalFull if the disk does not let us write. None of them
        changes the file.
        """
        with ExitStack() as opened:
            lock_file = opened.enter_context(take_lock(path))
            connection = opened.enter_context(
                closing(open_writer(path, gateway=gateway, warehouse=warehouse))
            )
            head = mint_epoch(connection, gateway=gateway, nonce=nonce)
            reserve_log(connection)
            opened.pop_all()  # From here on `close` closes them.
        return cls(connection, lock_file, head, gateway=gateway, warehouse=warehouse, clock=clock)

    @property
    def epoch(self) -> Epoch:
        """Return the epoch of this start."""
        return self._head.epoch

    @property
    def gateway(self) -> str:
        """Return the code of the gateway whose journal this is."""
        return self._gateway

    @property
    def pruned_number(self) -> int:
        """Return up to which number, counted through all epochs, the facts are forgotten."""
        return self._outbox.pruned.number

    @property
    def warehouse(self) -> str:
        """Return the code of the warehouse in which the gateway stands."""
        return self._warehouse

    @property
    def knowledge(self) -> Knowledge:
        """Return what the gateway knows from central."""
        return self._knowledge

    def append(
        self,
        facts: Sequence[Fact],
        print_jobs: Sequence[NewPrintJob] = (),
        session: SavedSession | None = None,
    ) -> Appended:
        """Record drafts of facts, queue print jobs, save a session: all or nothing, durable.

        Facts are numbered and chained in order; local stock, document progress and outbox change in
        the same commit. Raises JournalFull (nothing is recorded, the next call may succeed),
        JournalDamaged, or ContractError for a fact that cannot be true (nothing is recorded).
        """
        with self._lock:
            if self._refusal is not None:
                raise JournalFull(self._refusal.reason, hint=self._refusal.hint)
            with transaction(self._connection):
                head, numbered = append_facts(self._connection, self._head, facts)
                jobs = insert_jobs(self._connection, print_jobs, numbered)
                if session is not None:
                    write_session(self._connection, session)
            self._committed(head)
        fact_ids = tuple(queries.current_fact_id(head, self._gateway, one.seq) for one in numbered)
        return Appended(fact_ids=fact_ids, print_jobs=jobs)

    def stock(self, *, location: str = "", item: str = "", sscc: str = "") -> list[StockRow]:
        """Return local stock that is not zero, sorted by its key; "" does not filter."""
        with self._lock, reading():
            return queries.stock_rows(self._connection, location=location, item=item, sscc=sscc)

    def inside(self, sscc: str) -> list[str]:
        """Return a logistic unit and all that is in it, as far as known, the outer ones first."""
        with self._lock, reading():
            return queries.units_inside(self._connection, sscc)

    def received(self, document: str) -> dict[int, Decimal]:
        """Return what was done of each line of a document, here and, as far as known, elsewhere."""
        with self._lock, reading():
            return queries.received_by_line(self._connection, document)

    def next_sscc_reference(self) -> int:
        """Return a serial reference that was never returned before: 1, 2, 3 ...; durable."""
        with self._lock, transaction(self._connection):
            return queries.next_sscc_reference(self._connection)

    def recent(self, limit: int) -> list[tuple[FactId, Fact]]:
        """Return the newest facts of all epochs, newest first."""
        with self._lock, reading():
            return queries.newest_facts(self._connection, self._gateway, limit)

    def last_reversible(self, station: str = "") -> Reversible | None:
        """Return the newest movement that is not taken back, None if there is none. Of any, ""."""
        with self._lock, reading():
            return queries.newest_reversible(self._connection, self._gateway, station=station)

    def unsent_count(self) -> int:
        """Return how many facts of all epochs the ledger has not acknowledged."""
        with self._lock:
            return self._outbox.unsent_count(self._head)

    def epochs(self) -> list[EpochProgress]:
        """Return the epochs with unacknowledged facts and the current one, oldest first."""
        with self._lock:
            return self._outbox.epochs(self._head)

    def kept_epochs(self) -> list[EpochProgress]:
        """Return every epoch that the journal still has facts of, oldest first."""
        with self._lock, reading():
            return self._outbox.kept_epochs(self._head)

    def progress(self, epoch: Epoch) -> EpochProgress | None:
        """Return how far any epoch is, also one acknowledged whole; None if it is not ours."""
        with self._lock, reading():
            return self._outbox.progress(self._head, epoch)

    def read_run(
        self, epoch: Epoch, *, first_seq: int, facts_max: int, bytes_max: int
    ) -> StoredRun | None:
        """Return facts from `first_seq` on, None if there are none.

        At least one, at most `facts_max`; `bytes_max` bounds their bytes beyond the first.
        """
        with self._lock, reading():
            return self._outbox.read_run(
                self._head, epoch, first_seq=first_seq, facts_max=facts_max, bytes_max=bytes_max
            )

    def digest_at(self, epoch: Epoch, seq: int) -> bytes | None:
        """Return the chain after fact `seq`, NO_HEAD for 0; None if there is no such fact here."""
        with self._lock, reading():
            return self._outbox.digest_at(self._head, epoch, seq)

    def record_ack(self, epoch: Epoch, *, acked: int, stable: int = 0) -> None:
        """Take note that the ledger has committed everything up to `acked`; never goes down.

        stable: up to where the ledger holds it replicated or backed up.
        On disk by the next `checkpoint_if_due` or `close`: a position lost in a crash costs some
        facts sent twice, which the ledger knows.
        """
        with self._lock, reading():
            self._outbox.record_ack(self._head, epoch, acked=acked)
            self._outbox.record_stable(self._head, epoch, stable=stable)

    def wait_for_append(self, seen: int, timeout_s: float) -> int:
        """Return the count of appends since the start, as soon as it differs from `seen`."""
        with self._appended:
            self._appended.wait_for(lambda: self._appends_count != seen, timeout_s)
            return self._appends_count

    def claim_print_job(self, printer: str) -> PrintJob | None:
        """Return the oldest queued job of a printer, now durably claimed; None if there is none."""
        with self._lock:
            with reading():
                job = print_jobs.next_queued(self._connection, printer)
            if job is None:
                return None
            start_count = self.epoch.start_count
            with transaction(self._connection):
                print_jobs.claim_job(self._connection, job.number, start_count=start_count)
            return print_jobs.find_job(self._connection, job.number)

    def finish_print_job(self, number: int, *, outcome: PrintOutcome, detail: str) -> FactId:
        """Record how a claimed job ended: job over and Print fact in one commit; durable."""
        with self._lock:
            job = print_jobs.find_job(self._connection, number)
            assert job is not None and job.state == "claimed", f"job {number} is not claimed"
            draft = print_jobs.print_draft(
                self._connection,
                job,
                clock=self._clock,
                warehouse=self._warehouse,
                outcome=outcome,
                detail=detail,
            )
            with transaction(self._connection):
                head, numbered = append_facts(self._connection, self._head, [draft])
                print_jobs.finish_job(self._connection, number, outcome=outcome, detail=detail)
            self._committed(head)
            return queries.current_fact_id(head, self._gateway, numbered[0].seq)

    def end_requested(self, request: PrintRequested, job: NewPrintJob, *, refused: str) -> None:
        """Queue the label that central wants, or record why it failed; once for each request."""
        with self._lock:
            with transaction(self._connection):
                head = request_jobs.end_request(
                    self._connection,
                    self._head,
                    request,
                    job,
                    refused=refused,
                    clock=self._clock,
                    warehouse=self._warehouse,
                )
            self._committed(head)

    def abandoned_print_jobs(self) -> list[PrintJob]:
        """Return the jobs that an earlier start claimed: perhaps printed, to end as "unknown"."""
        with self._lock, reading():
            return print_jobs.abandoned_jobs(self._connection, start_count=self.epoch.start_count)

    def print_jobs(self, limit: int) -> list[PrintJob]:
        """Return the newest print jobs, newest first."""
        with self._lock, reading():
            return print_jobs.newest_jobs(self._connection, limit)

    def store_reference(self, reference: Reference) -> bool:
        """Keep reference data; return False, nothing changed, if its revision is not higher."""
        with self._lock, transaction(self._connection):
            return reference_store.store_reference(self._connection, reference)

    def reference(self) -> Reference | None:
        """Return the reference data kept last, None if there never was any."""
        with self._lock, reading():
            return reference_store.load_reference(self._connection)

    def checkpoint_if_due(self) -> bool:
        """Write acknowledged positions and, when nobody scans, the log back; True if it did.

        To be called every second or so. A passive checkpoint: it waits for no reader.
        """
        with self._lock:
            self._write_acks()
            is_busy = self._clock.monotonic_ns() - self._last_append_ns < IDLE_BEFORE_CHECKPOINT_NS
            if is_busy or self._uncheckpointed_count < APPENDS_BEFORE_CHECKPOINT:
                return False
            with reading():
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            self._uncheckpointed_count = 0
            return True

    def refuse_new_work(self, refusal: Refusal | None) -> None:
        """Let `append` raise JournalFull from now on; None lets it record again.

        Acknowledgements, print jobs that a printer has, and upkeep go on.
        """
        with self._lock:
            self._refusal = refusal

    def prune(self, keeping: Keeping) -> int:
        """Forget a few facts that the ledger holds safely; return how many are gone in all."""
        with self._lock, reading():
            pruned = prune_slice(self._connection, self._head, keeping, gateway=self._gateway)
            self._outbox.pruned = pruned
            return pruned.number

    @contextmanager
    def exclusive(self) -> Iterator[tuple[sqlite3.Connection, Head]]:
        """Give a module of this folder the connection for a short while; nobody appends then."""
        with self._lock, reading():
            yield self._connection, self._head

    def close(self) -> None:
        """Write what is in memory, close the file and give the lock back. May be called twice."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            try:
                self._write_acks()
            finally:
                self._connection.close()
                self._lock_file.close()

    def _committed(self, head: Head) -> None:
        self._head = head
        self._uncheckpointed_count += 1
        self._last_append_ns = self._clock.monotonic_ns()
        with self._appended:
            self._appends_count += 1
            self._appended.notify_all()

    def _write_acks(self) -> None:
        if self._outbox.unwritten_count:
            with transaction(self._connection):
                self._outbox.write_acks()
            self._outbox.acks_written()
