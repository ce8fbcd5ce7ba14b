"""The encrypted file that a backup travels and rests in: written and read piece by piece. Pure.

    "dockledger-backup" LF  version 1  length 4  header  chunk chunk ... last chunk

    header   JSON: what is inside, and the payload key, wrapped once for each recipient
    chunk    65536 bytes of zstd, sealed by ChaCha20-Poly1305 (RFC 8439); the last may be shorter
    nonce    11 bytes: the chunk's number from 0; 1 byte: 1 for the last chunk, else 0

A chunk that is cut off, left out, doubled or moved no longer has its nonce, and the key of the
chunks depends on every byte of the header (HKDF-SHA256, RFC 5869), so nothing can be changed or put
together anew. The payload key is wrapped with what X25519 (RFC 7748) makes of a key used once and
the recipient's: whoever writes backups needs no secret, and cannot read them afterwards.

X25519 and ChaCha20-Poly1305 are passed in: the contract knows no library for them.
"""

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from typing import IO, Annotated, Literal, Protocol, cast

import msgspec
import zstandard

from central.contract.errors import ContractError

MAGIC = b"dockledger-backup\n"
FORMAT_VERSION = 1
LENGTH_BYTES = 4
HEADER_BYTES_MAX = 64 * 1024
RECIPIENTS_MAX = 16
CHUNK_BYTES = 64 * 1024
TAG_BYTES = 16
KEY_BYTES = 32
COUNTER_BYTES = 11
WINDOW_BYTES_MAX = 64 * 1024 * 1024  # Of memory that reading a backup may take.
READ_BYTES = 256 * 1024
ZERO_NONCE = bytes(12)  # Each wrapping key seals one thing once.

KeyHex = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
Text = Annotated[str, msgspec.Meta(max_length=200)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
BackupKind = Literal["sqlite", "postgresql", "base", "wal", "journal"]


class Aead(Protocol):
    """ChaCha20-Poly1305 with one key."""

    def seal(self, nonce: bytes, data: bytes) -> bytes: ...
    def open(self, nonce: bytes, data: bytes) -> bytes | None:
        """Return what was sealed, None if a byte of it is not as it was."""
        ...


class Primitives(Protocol):
    """The cryptography that a backup needs."""

    def new_secret(self) -> bytes:
        """Return 32 random bytes: a payload key, or a private key of X25519."""
        ...

    def public_key(self, secret: bytes) -> bytes: ...
    def exchange(self, secret: bytes, public: bytes) -> bytes:
        """Return what both sides share. Raises ValueError for a public key that is none."""
        ...

    def aead(self, key: bytes) -> Aead: ...


class Source(Protocol):
    """Something that is read, e.g. a file; fewer bytes than asked for only at its end."""

    def read(self, size: int, /) -> bytes: ...


class Contents(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a backup holds, told before anything is decrypted. taken_ms: when it was begun.

    generation, record_no: the ledger's life and the last fact in it, "" and 0 of a journal; owner:
    the site, or the gateway. revision: of the schema. software: that made it.
    """

    kind: BackupKind
    name: Text
    owner: Text
    taken_ms: Count
    generation: Text = ""
    record_no: Count = 0
    revision: Text = ""
    software: Text = ""


class Recipient(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The payload key for one recipient. once: the public half of a key that was used once."""

    key: KeyHex
    once: KeyHex
    wrapped: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{96}\Z")]


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands before the chunks."""

    contents: Contents
    recipients: Annotated[
        tuple[Recipient, ...], msgspec.Meta(min_length=1, max_length=RECIPIENTS_MAX)
    ]


_header_decoder = msgspec.json.Decoder(Header)


def sealed_backup(
    contents: Contents, source: Source, *, recipients: Sequence[str], primitives: Primitives
) -> Iterator[bytes]:
    """Yield the bytes of the file for what `source` gives. recipients: public keys, hexadecimal.

    Raises ContractError for keys that are none, and what reading `source` raises.
    """
    if not 1 <= len(recipients) <= RECIPIENTS_MAX:
        raise ContractError(
            f"a backup has 1 to {RECIPIENTS_MAX} recipients, not {len(recipients)}",
            hint="Name the public key of whoever may read it.",
        )
    payload_key = primitives.new_secret()
    wrapped = tuple(_wrapped(one, payload_key, primitives) for one in recipients)
    header = msgspec.json.encode(Header(contents=contents, recipients=wrapped))
    yield MAGIC + bytes([FORMAT_VERSION]) + len(header).to_bytes(LENGTH_BYTES, "big") + header
    aead = primitives.aead(_chunk_key(payload_key, header))
    pending, number = bytearray(), 0
    for packed in _packed(source):
        pending += packed
        while len(pending) > CHUNK_BYTES:  # More than one: the last is known only at the end.
            yield aead.seal(_nonce(number, last=False), bytes(pending[:CHUNK_BYTES]))
            del pending[:CHUNK_BYTES]
            number += 1
    yield aead.seal(_nonce(number, last=True), bytes(pending))


def read_header(file: Source) -> tuple[Header, bytes]:
    """Return the header and its bytes, leaving `file` at the chunks. Raises ContractError."""
    opening = file.read(len(MAGIC) + 1 + LENGTH_BYTES)
    if not opening.startswith(MAGIC) or len(opening) < len(MAGIC) + 1 + LENGTH_BYTES:
        raise ContractError(
            "this is no backup of Dockledger, or only its first bytes",
            hint="Name a file that `backup` wrote.",
        )
    version = opening[len(MAGIC)]
    if version != FORMAT_VERSION:
        raise ContractError(
            f"the backup has format {version}, this program reads format {FORMAT_VERSION}",
            hint="Install the version of Dockledger that made it, or a newer one.",
        )
    length = int.from_bytes(opening[-LENGTH_BYTES:], "big")
    data = file.read(length) if length <= HEADER_BYTES_MAX else b""
    try:
        if len(data) == length:
            return _header_decoder.decode(data), data
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    raise ContractError(
        "the header of the backup is damaged or cut off",
        hint="Take the same backup from another place.",
    )


def opened_backup(
    header: Header, header_bytes: bytes, file: Source, *, secret: bytes, primitives: Primitives
) -> Source:
    """Return what reads what was backed up. file: at its chunks, after `read_header`.

    Its `read` raises ContractError at the first chunk that is not as it was written, or missing;
    what it has returned before that was authentic. Raises ContractError for another's key.
    """
    payload_key = _unwrapped(header, secret, primitives)
    aead = primitives.aead(_chunk_key(payload_key, header_bytes))
    unpacker = zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES_MAX)
    return _Unpacked(unpacker.stream_reader(cast("IO[bytes]", _Chunks(file, aead))))


def is_for(header: Header, public: bytes) -> bool:
    """Return whether whoever has this public key's other half can read the backup."""
    return any(one.key == public.hex() for one in header.recipients)


class _Chunks:
    """Reads chunks and returns what was sealed in them."""

    def __init__(self, file: Source, aead: Aead) -> None:
        self._file = file
        self._aead = aead
        self._number = 0
        self._sealed = file.read(CHUNK_BYTES + TAG_BYTES)
        self._opened = b""
        self._over = False

    def read(self, size: int = READ_BYTES, /) -> bytes:
        """Return up to `size` bytes, none after the last chunk. Raises ContractError."""
        while not self._opened and not self._over:
            self._open_next()
        data, self._opened = self._opened[:size], self._opened[size:]
        return data

    def _open_next(self) -> None:
        following = self._file.read(CHUNK_BYTES + TAG_BYTES)
        last = not following
        opened = self._aead.open(_nonce(self._number, last=last), self._sealed)
        if opened is None:
            raise self._refusal(last=last)
        self._opened, self._sealed, self._over = opened, following, last
        self._number += 1

    def _refusal(self, *, last: bool) -> ContractError:
        cut = last and self._aead.open(_nonce(self._number, last=False), self._sealed) is not None
        if cut or not self._sealed:
            what = f"the backup is cut off after chunk {self._number}"
        elif last:
            what = f"chunk {self._number} of the backup, its last, is damaged or cut off"
        elif self._number == 0:
            what = "the header or the first chunk of the backup has been changed"
        else:
            what = f"chunk {self._number} of the backup has been changed or is not in its place"
        return ContractError(what, hint="Take the same backup from another place.")


class _Unpacked:
    """Reads zstd; what is no zstd is a ContractError."""

    def __init__(self, reader: zstandard.ZstdDecompressionReader) -> None:
        self._reader = reader

    def read(self, size: int, /) -> bytes:
        try:
            return self._reader.read(size)
        except zstandard.ZstdError as error:
            raise ContractError(
                f"what the backup holds cannot be unpacked: {error}",
                hint="Take the same backup from another place, or an older one.",
            ) from error


def _packed(source: Source) -> Iterator[bytes]:
    packer = zstandard.ZstdCompressor(level=3, write_checksum=True).compressobj()
    while data := source.read(READ_BYTES):
        yield packer.compress(data)
    yield packer.flush()


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(COUNTER_BYTES, "big") + bytes([last])


def _chunk_key(payload_key: bytes, header: bytes) -> bytes:
    purpose = b"dockledger-backup 1 chunks" + hashlib.sha256(header).digest()
    return derived_key(payload_key, salt=b"", purpose=purpose)


def _wrapped(recipient: str, payload_key: bytes, primitives: Primitives) -> Recipient:
    try:
        public = bytes.fromhex(recipient)
        once = primitives.new_secret()
        shared = primitives.exchange(once, public)
    except ValueError as error:
        raise ContractError(
            f"{recipient[:80]!r} is no public key of a backup",
            hint="Give the 64 hexadecimal digits that `backup new-key` printed.",
        ) from error
    once_public = primitives.public_key(once)
    key = _wrapping_key(shared, once_public, public)
    return Recipient(
        key=public.hex(),
        once=once_public.hex(),
        wrapped=primitives.aead(key).seal(ZERO_NONCE, payload_key).hex(),
    )


def _unwrapped(header: Header, secret: bytes, primitives: Primitives) -> bytes:
    public = primitives.public_key(secret)
    for one in header.recipients:
        if one.key != public.hex():
            continue
        try:
            once = bytes.fromhex(one.once)
            key = _wrapping_key(primitives.exchange(secret, once), once, public)
        except ValueError:
            break
        opened = primitives.aead(key).open(ZERO_NONCE, bytes.fromhex(one.wrapped))
        if opened is not None:
            return opened
        break
    else:
        names = ", ".join(one.key[:8] for one in header.recipients)
        raise ContractError(
            f"the backup was not made for key {public.hex()[:8]}, but for {names}",
            hint="Give the private key that belongs to one of these public keys.",
        )
    raise ContractError(
        "the header of the backup has been changed", hint="Take it from another place."
    )


def _wrapping_key(shared: bytes, once: bytes, public: bytes) -> bytes:
    return derived_key(shared, salt=once + public, purpose=b"dockledger-backup 1 recipient")


def derived_key(secret: bytes, *, salt: bytes, purpose: bytes) -> bytes:
    """Return 32 bytes of HKDF-SHA256 (RFC 5869, 2.2 and 2.3; one block is enough)."""
    extracted = hmac.digest(salt or bytes(KEY_BYTES), secret, "sha256")
    return hmac.digest(extracted, purpose + b"\x01", "sha256")
