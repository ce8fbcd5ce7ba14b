"""A ledger with gateways that are told things, without a broker, for tests of the outbox."""

import itertools
from collections import deque

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from central.contract.notices import DownAck, decode_down, encode_down_ack
from central.contract.sealed import open_sealed, seal
from central.contract.snapshots import (
    SnapshotRequest,
    decode_manifest,
    decode_snapshot,
    encode_snapshot_request,
)
from central.outbox.orders import Writing
from central.outbox.seals import is_signed_by
from central.outbox.sending import Parts, Sending
from central.outbox.snapshot import Refusal, Snapshots, find_file, read_piece
from tests.central.scenery import NOW_MS, FixedClock, Gateway

LEDGER_KEY = Ed25519PrivateKey.from_private_bytes(b"ledger".ljust(32, b"x"))
LEDGER_PUBLIC = LEDGER_KEY.public_key().public_bytes_raw()
_names = itertools.count(1)


def new_name():
    return f"name-{next(_names)}"


class Told:
    """A gateway that hears central: what it applied, in order, and where it stands."""

    def __init__(self, gateway=None):
        self.facts = gateway or Gateway()
        self.code = self.facts.code
        self.stream, self.number = "", 0
        self.applied = []
        self.snapshot = None
        self.ledger_public = LEDGER_PUBLIC

    def seal(self, purpose, payload, *, key=None):
        return seal(purpose, payload, (key or self.facts.key).sign)

    def ack(self, *, stream=None, number=None, key=None, gateway=None):
        ack = DownAck(
            gateway=gateway or self.code,
            stream=self.stream if stream is None else stream,
            number=self.number if number is None else number,
        )
        return self.seal("down-ack", encode_down_ack(ack), key=key)

    def request(self, *, nonce=None, key=None):
        request = SnapshotRequest(gateway=self.code, nonce=nonce or new_name())
        return self.seal("snapshot-request", encode_snapshot_request(request), key=key)

    def hear(self, message):
        """Apply what is new of a message; return True if it is of a stream that is not ours."""
        sealed = open_sealed(message, bytes_max=192 * 1024)
        assert is_signed_by(self.ledger_public, sealed, "down")
        down = decode_down(sealed.payload)
        assert down.gateway == self.code
        if down.stream != self.stream:
            return True
        for number, notice in enumerate(down.notices, down.first_number):
            if number == self.number + 1:
                self.number = number
                self.applied.append(notice)
        return False

    def begin(self, snapshot):
        self.snapshot = snapshot
        self.stream, self.number = snapshot.stream, snapshot.number
        self.applied = []

    def kinds(self):
        return [type(notice).__name__ for notice in self.applied]


class Outbox:
    """Central's outbox on a database, and its gateways, joined without a network."""

    def __init__(self, database, *told, shards=None):
        self.database = database
        self.clock = FixedClock()
        self.told = {one.code: one for one in told}
        self.messages = deque()
        self.snapshots = Snapshots(
            database, clock=self.clock, sign=LEDGER_KEY.sign, new_name=new_name, told=lambda: None
        )
        self.restart(shards=shards)

    def restart(self, *, shards=None):
        self.sending = Sending(
            Parts(
                database=self.database,
                clock=self.clock,
                publish=self._publish,
                sign=LEDGER_KEY.sign,
                new_name=new_name,
                jitter=lambda: 0.5,
                shards=shards,
            )
        )
        self.sending.connected(self.now_s, yes=True)

    @property
    def now_s(self):
        return self.clock.monotonic_s()

    def order(self, function, *arguments, **named):
        """Call one of `orders` in a transaction of its own."""
        with self.database.write() as connection:
            writing = Writing(connection, now_ms=self.clock.now_ms(), new_name=new_name)
            done = function(writing, *arguments, **named)
        self.sending.refresh()
        return done

    def manifest(self, message):
        """The verified manifest that answers a request, or the refusal."""
        answer = self.snapshots.answer(message)
        if isinstance(answer, Refusal):
            return answer
        sealed = open_sealed(answer, bytes_max=4096)
        assert is_signed_by(LEDGER_PUBLIC, sealed, "snapshot")
        return decode_manifest(sealed.payload)

    def load(self, told):
        """Give a gateway its snapshot, and let it say so."""
        manifest = self.manifest(told.request())
        assert not isinstance(manifest, Refusal), manifest
        with self.database.read() as connection:
            size = find_file(connection, manifest.sha256)
            data = read_piece(connection, manifest.sha256, start=0, bytes_count=size)
        told.begin(decode_snapshot(data))
        self.sending.refresh()
        self.hear(told)
        return told.snapshot

    def hear(self, told, message=None):
        self.sending.work(self.now_s)
        self.sending.take_ack(told.code, message or told.ack(), self.now_s)

    def turn(self, seconds=0.25, *, loads=False):
        """Let time pass; deliver what goes out and take what comes back."""
        self.clock.time_ms += int(seconds * 1000)
        self.sending.work(self.now_s)
        heard = set()
        while self.messages:
            code, message = self.messages.popleft()
            if self.told[code].hear(message) and loads:
                self.load(self.told[code])
            heard.add(code)
        for code in sorted(heard):
            self.sending.take_ack(code, self.told[code].ack(), self.now_s)
        self.sending.work(self.now_s)
        return heard

    def settle(self):
        """Turn until nobody says anything more for a while."""
        for _ in range(100):
            if not self.turn(2.5) and not self.turn(0.25):
                return
        raise AssertionError("it never ends")

    def _publish(self, gateway, message):
        self.messages.append((gateway, message))
        return True


__all__ = ["NOW_MS", "Outbox", "Told", "new_name"]
