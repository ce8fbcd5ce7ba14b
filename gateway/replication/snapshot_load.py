"""Runs the child that loads a snapshot, checks the seal, tells how it ended. Edge of a process."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, Thread, Timer
from typing import IO

from central.contract.enrolment import authorization, request_bytes
from central.contract.errors import ContractError
from central.contract.sealed import open_sealed, seal
from central.contract.snapshots import (
    MANIFEST_BYTES_MAX,
    SNAPSHOT_BYTES_MAX,
    SnapshotManifest,
    SnapshotRequest,
    decode_manifest,
    encode_snapshot_request,
)
from gateway.config_sections import CentralSection
from gateway.health import KnowledgeProblem
from gateway.replication.snapshot_pipe import (
    LINE_BYTES_MAX,
    ROUTE,
    GotManifest,
    LoadEnded,
    LoadFile,
    LoadOrder,
    PipeMessage,
    decode_line,
    encode_line,
    part_name,
)

LOAD_S_MAX = 900.0  # 64 MiB over a line of 0.6 Mbit/s; after that it goes on in the next try.
STOP_S_MAX = 2.0
# -P: nothing of the folder that the gateway happens to run in is imported.
CHILD = (sys.executable, "-P", "-m", "gateway.replication.snapshot_child")


@dataclass(frozen=True, slots=True)
class Loaded:
    """A whole snapshot, as central sealed it. `forget` it when it is applied, or is no good."""

    manifest: SnapshotManifest
    path: Path

    def read(self) -> bytes:
        """Return the file. Raises OSError."""
        with self.path.open("rb") as file:
            return file.read(SNAPSHOT_BYTES_MAX + 1)

    def forget(self) -> None:
        """Delete the file."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class LoadFailure:
    """Why there is no snapshot. detail: English, for the log."""

    problem: KnowledgeProblem
    detail: str


class SnapshotLoader:
    """One load at a time, each in a child process. One thread calls; another watches the child.

    sign: with the gateway's key. signed(data, signature): whether the ledger that is believed made
    the signature. nonce: returns another code each time.
    now_ms: wall time.
    """

    def __init__(
        self,
        central: CentralSection,
        *,
        gateway: str,
        folder: Path,
        sign: Callable[[bytes], bytes],
        signed: Callable[[bytes, bytes], bool],
        nonce: Callable[[], str],
        now_ms: Callable[[], int],
    ) -> None:
        self._central = central
        self._gateway = gateway
        self._folder = folder
        self._sign = sign
        self._signed = signed
        self._nonce = nonce
        self._now_ms = now_ms
        self._lock = Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._thread: Thread | None = None
        self._ended: Loaded | LoadFailure | None = None
        self._stopped = False

    @property
    def is_possible(self) -> bool:
        """Return False where the configuration does not say where central is."""
        return bool(self._central.url)

    @property
    def is_busy(self) -> bool:
        """Return True from `start` until `ended` has told the end."""
        return self._thread is not None

    def start(self) -> None:
        """Begin to load; look at `ended` from time to time."""
        assert not self.is_busy and self.is_possible
        request = SnapshotRequest(gateway=self._gateway, nonce=self._nonce())
        order = LoadOrder(
            url=self._central.url,
            tls_ca_file=self._central.tls_ca_file,
            folder=str(self._folder),
            request=seal("snapshot-request", encode_snapshot_request(request), self._sign),
        )
        self._thread = Thread(target=self._run, args=(order,), name="snapshot-watch", daemon=True)
        self._thread.start()

    def ended(self) -> Loaded | LoadFailure | None:
        """Return how the load ended, once; None while it runs, or none was begun."""
        if self._thread is None or self._thread.is_alive():
            return None
        self._thread = None
        ended, self._ended = self._ended, None
        return ended or LoadFailure("unreachable", "the child ended without a word")

    def stop(self) -> None:
        """End the child, if there is one; what it has loaded is gone on with another time."""
        with self._lock:
            self._stopped = True
            if self._child is not None:
                self._child.kill()
        if self._thread is not None:
            self._thread.join(STOP_S_MAX)

    def _run(self, order: LoadOrder) -> None:
        try:
            child = subprocess.Popen(  # noqa: S603 - our own program, no shell
                CHILD, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        except OSError as error:
            self._ended = LoadFailure("disk", f"no process can be started: {error}")
            return
        with self._lock:
            self._child = child
            if self._stopped:
                child.kill()
        limit = Timer(LOAD_S_MAX, child.kill)
        limit.daemon = True
        limit.start()
        try:
            self._ended = self._talk(child, order)
        except OSError as error:  # It ended while we spoke.
            self._ended = LoadFailure("unreachable", f"the child ended: {error}")
        finally:
            limit.cancel()
            child.kill()
            with self._lock:
                self._child = None
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()
            child.wait()

    def _talk(self, child: subprocess.Popen[bytes], order: LoadOrder) -> Loaded | LoadFailure:
        assert child.stdin is not None and child.stdout is not None
        _say(child.stdin, order)
        answer = decode_line(child.stdout.readline(LINE_BYTES_MAX))
        if isinstance(answer, GotManifest):
            checked = self._check_manifest(answer.data)
            if isinstance(checked, LoadFailure):
                return checked
            _say(child.stdin, self._file_order(checked))
            answer = decode_line(child.stdout.readline(LINE_BYTES_MAX))
            if isinstance(answer, LoadEnded) and not answer.problem:
                return Loaded(checked, self._folder / part_name(checked.sha256))
        if isinstance(answer, LoadEnded):
            return LoadFailure(answer.problem, answer.detail)
        return LoadFailure("unreachable", "the child ended before the snapshot was there")

    def _file_order(self, manifest: SnapshotManifest) -> LoadFile:
        """Return the order for the file, signed: a central with authorities asks for that."""
        gateway, time_ms = self._gateway, self._now_ms()
        path = f"{ROUTE}/{manifest.sha256}"
        data = request_bytes(method="GET", path=path, gateway=gateway, time_ms=time_ms)
        signed = authorization(gateway=gateway, time_ms=time_ms, signature=self._sign(data))
        return LoadFile(manifest.sha256, manifest.bytes_count, signed)

    def _check_manifest(self, data: bytes) -> SnapshotManifest | LoadFailure:
        try:
            sealed = open_sealed(data, bytes_max=MANIFEST_BYTES_MAX + 1024)
            if not self._signed(sealed.signed_bytes("snapshot"), sealed.signature):
                return LoadFailure("not_trusted", "the manifest is not sealed by our ledger")
            manifest = decode_manifest(sealed.payload)
        except ContractError as error:
            return LoadFailure("damaged", str(error))
        if manifest.gateway != self._gateway:
            return LoadFailure("damaged", f"a snapshot for {manifest.gateway}")
        return manifest


def _say(pipe: IO[bytes], message: PipeMessage) -> None:
    pipe.write(encode_line(message))
    pipe.flush()
