"""Loads one snapshot, in a process of its own that ends with it. Edge of HTTP (httpx).

The gateway starts it (`snapshot_load`), so that httpx and what it needs never live in the gateway.
It decides nothing: whom to believe and what the file must be is said to it (`snapshot_pipe`).
"""

import hashlib
import os
import ssl
import sys
import time
from pathlib import Path

import httpx

from central.contract.snapshots import MANIFEST_BYTES_MAX
from gateway.health import KnowledgeProblem
from gateway.replication.snapshot_pipe import (
    LINE_BYTES_MAX,
    PART_PREFIX,
    PART_SUFFIX,
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

CONNECT_TIMEOUT_S = 10.0
SILENCE_S_MAX = 20.0
TRIES_MAX = 6  # In a row without a byte more.
PAUSE_S = 0.25
PAUSE_S_MAX = 8.0
CHUNK_BYTES_MAX = 64 * 1024
SEALED_BYTES_MAX = MANIFEST_BYTES_MAX + 1024
REFUSALS = frozenset({httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN})


class LoadFailed(Exception):
    """The snapshot cannot be loaded now. problem: for people; the text is for the log."""

    def __init__(self, problem: KnowledgeProblem, detail: str) -> None:
        super().__init__(detail)
        self.problem = problem


def main() -> None:
    """Take an order from standard input, load, say how it ended on standard output."""
    order = _hear()
    if not isinstance(order, LoadOrder):
        return
    try:
        with _client(order) as client:
            _say(GotManifest(_fetch_manifest(client, order)))
            wanted = _hear()
            if not isinstance(wanted, LoadFile):
                return  # The seal is not central's, or the gateway has ended.
            _fetch_file(client, wanted, Path(order.folder))
        _say(LoadEnded())
    except LoadFailed as error:
        _say(LoadEnded(error.problem, str(error)))
    except OSError as error:
        _say(LoadEnded("disk", f"the snapshot cannot be kept: {error}"))


def _hear() -> PipeMessage | None:
    return decode_line(sys.stdin.buffer.readline(LINE_BYTES_MAX))


def _say(message: PipeMessage) -> None:
    sys.stdout.buffer.write(encode_line(message))
    sys.stdout.buffer.flush()


def _client(order: LoadOrder) -> httpx.Client:
    try:
        trusted = ssl.create_default_context(cafile=order.tls_ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise LoadFailed("not_trusted", f"{order.tls_ca_file} is not usable: {error}") from error
    return httpx.Client(
        base_url=order.url.rstrip("/"),
        verify=trusted,
        timeout=httpx.Timeout(SILENCE_S_MAX, connect=CONNECT_TIMEOUT_S),
        trust_env=False,
        follow_redirects=False,
    )


def _fetch_manifest(client: httpx.Client, order: LoadOrder) -> bytes:
    headers = {"content-type": "application/octet-stream"}
    try:
        with client.stream("POST", ROUTE, content=order.request, headers=headers) as answer:
            _check_status(answer)
            data = bytearray()
            for chunk in answer.iter_bytes(CHUNK_BYTES_MAX):
                data += chunk
                if len(data) > SEALED_BYTES_MAX:
                    raise LoadFailed("damaged", "central's manifest is too long")
            return bytes(data)
    except httpx.HTTPError as error:
        raise _lost(error) from error


def _fetch_file(client: httpx.Client, wanted: LoadFile, folder: Path) -> None:
    """Load the file, going on where the connection broke; check it. Raises LoadFailed."""
    part = folder / part_name(wanted.sha256)
    for other in folder.glob(f"{PART_PREFIX}*{PART_SUFFIX}"):
        if other != part:
            other.unlink(missing_ok=True)
    tries_count = 0
    while (have := _size(part)) < wanted.bytes_count:
        try:
            _fetch_rest(client, wanted, part, have)
            tries_count = 0
        except httpx.HTTPError as error:
            tries_count = 0 if _size(part) > have else tries_count + 1
            if tries_count >= TRIES_MAX:
                raise _lost(error) from error
        else:
            if _size(part) <= have:
                raise LoadFailed("damaged", "central sends less than the whole snapshot")
        if tries_count:
            time.sleep(min(PAUSE_S * 2.0**tries_count, PAUSE_S_MAX))
    with part.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    if digest != wanted.sha256 or _size(part) != wanted.bytes_count:
        part.unlink()
        raise LoadFailed("damaged", f"the snapshot has digest {digest}, not {wanted.sha256}")


def _fetch_rest(client: httpx.Client, wanted: LoadFile, part: Path, have: int) -> None:
    headers = {"range": f"bytes={have}-", "accept-encoding": "identity"}
    if wanted.authorization:
        headers["authorization"] = wanted.authorization
    with client.stream("GET", f"{ROUTE}/{wanted.sha256}", headers=headers) as answer:
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink(missing_ok=True)
            raise LoadFailed("damaged", f"central has no byte {have} of the snapshot")
        _check_status(answer)
        begins = have if _goes_on(answer, have) else 0
        with part.open("r+b" if part.exists() else "wb") as file:
            file.truncate(begins)
            file.seek(begins)
            left = wanted.bytes_count - begins
            for chunk in answer.iter_raw():  # As it comes: what is here stays when the line breaks.
                file.write(chunk[:left])
                left -= len(chunk)
                if left < 0:
                    break  # More than was promised: the digest will tell.


def _goes_on(answer: httpx.Response, have: int) -> bool:
    """Return whether an answer begins where we asked; a server may send everything anew."""
    stated = answer.headers.get("content-range", "")
    return answer.status_code == httpx.codes.PARTIAL_CONTENT and stated.startswith(f"bytes {have}-")


def _check_status(answer: httpx.Response) -> None:
    status = answer.status_code
    if status in REFUSALS:
        raise LoadFailed("refused", f"central refuses the snapshot: {status}")
    if status == httpx.codes.TOO_MANY_REQUESTS:
        raise LoadFailed("busy", "central serves other gateways first")
    if status not in {httpx.codes.OK, httpx.codes.CREATED, httpx.codes.PARTIAL_CONTENT}:
        raise LoadFailed("unreachable", f"central answers {status} to {answer.request.url}")


def _lost(error: httpx.HTTPError) -> LoadFailed:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return LoadFailed("not_trusted", f"central's certificate: {cause.verify_message}")
        cause = cause.__cause__ or cause.__context__
    return LoadFailed("unreachable", f"central cannot be reached: {error!r}")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


if __name__ == "__main__":
    main()
