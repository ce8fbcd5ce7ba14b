"""A connection that is cut anywhere in a round trip: what came of it is whole, and it is named."""

import select
import socket
import threading
from contextlib import suppress

import pytest
from sqlalchemy import make_url, text

from central.errors import DatabaseUnusable, LedgerUnavailable
from central.storage import bulk, tables
from central.storage.database import open_database
from tests.central.scenery import rows

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.parametrize("database", ["postgresql"], indirect=True),
]
NUMBERS = tables.object_numbers
LOCK = f"SELECT * FROM {tables.ledger_state.name} ORDER BY key FOR UPDATE"
READ_BYTES_MAX = 64 * 1024
STEP_BYTES = 29  # Between two cuts; no message of the protocol is a multiple of it for long.


class CuttingRelay:
    """Leads clients to a server, and ends a connection when it has passed so many bytes."""

    def __init__(self, target):
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.left = None  # Bytes of the server that pass yet; None for all.
        self.passed = 0
        self.clients_count = 0
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _run(self):
        joints = {}
        try:
            while True:
                ready, _, _ = select.select([self._listener, *joints], [], [])
                for one in ready:
                    if one is self._listener:
                        client, _ = one.accept()
                        self.clients_count += 1
                        server = socket.create_connection(("127.0.0.1", self._target))
                        joints |= {client: (server, False), server: (client, True)}
                    elif one in joints:
                        other, is_server = joints[one]
                        if not self._passes(one, other, is_server=is_server):
                            del joints[one], joints[other]
                            one.close()
                            other.close()
        except OSError:
            for one in joints:
                one.close()

    def _passes(self, one, other, *, is_server):
        data = b""
        with suppress(OSError):
            data = one.recv(READ_BYTES_MAX)
            if is_server:
                self.passed += len(data)
            is_cut = is_server and self.left is not None and len(data) > self.left
            if is_cut:
                data = data[: self.left]
            elif is_server and self.left is not None:
                self.left -= len(data)
            other.sendall(data)
            return bool(data) and not is_cut
        return False


def change(opened, *, by_sqlalchemy):
    """A lock, what is read behind it, and two writes, of which one may not be for the commit."""
    with opened.write() as connection:
        lock = bulk.open_with(connection, LOCK)
        found = bulk.select_by_key(connection, NUMBERS, [("A",)], columns_count=1)
        number = next((row[1] for row in found), 0) + 1
        assert lock()
        bulk.upsert_rows(connection, NUMBERS, [("A", number)])
        if by_sqlalchemy:
            connection.execute(text("SELECT 1"))
        bulk.upsert_rows(connection, NUMBERS, [("B", number)])


@pytest.mark.parametrize("by_sqlalchemy", [False, True], ids=["bulk alone", "with SQLAlchemy"])
def test_what_is_cut_anywhere_is_named_and_whole_and_the_next_change_works(database, by_sqlalchemy):
    url = make_url(database.place)
    with CuttingRelay(url.port) as relay:
        opened = open_database(url.set(port=relay.port).render_as_string(), busy_timeout_s=10)
        try:
            change(opened, by_sqlalchemy=by_sqlalchemy)
            before = relay.passed
            change(opened, by_sqlalchemy=by_sqlalchemy)
            answer_bytes = relay.passed - before
            said = set()
            for left in range(0, answer_bytes, STEP_BYTES):
                ((_, number), *_) = rows(database, NUMBERS)
                clients_count, relay.left = relay.clients_count, left
                with pytest.raises(LedgerUnavailable) as caught:
                    change(opened, by_sqlalchemy=by_sqlalchemy)
                assert caught.value.hint
                relay.left = None
                # To undo what is gone nobody connects, who may wait for a server that is gone.
                assert relay.clients_count == clients_count
                found = rows(database, NUMBERS)
                assert found in ([("A", n), ("B", n)] for n in (number, number + 1))
                said.add(found[0][1] - number)
                change(opened, by_sqlalchemy=by_sqlalchemy)
                assert rows(database, NUMBERS)[0][1] == found[0][1] + 1
            assert 0 in said
        finally:
            opened.close()


def test_a_server_that_ends_while_a_program_connects_is_named(database):
    url = make_url(database.place)
    with CuttingRelay(url.port) as relay:
        through = url.set(port=relay.port).render_as_string()
        open_database(through).close()
        for left in range(0, relay.passed, STEP_BYTES):
            relay.left = left
            with pytest.raises(DatabaseUnusable) as caught:
                open_database(through)
            assert caught.value.hint
        relay.left = None
        open_database(through).close()
