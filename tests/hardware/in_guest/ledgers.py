"""Where central keeps its ledger while its power is cut: SQLite or PostgreSQL. Edge of its server.

A server gets no setting that lets it lose what it has committed, unless a control run asks for it.
"""

import os
import shutil
from contextlib import contextmanager

import psycopg

from tests.postgresql import PostgresqlServer

SETTINGS = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=40",
    "shared_buffers=32MB",
    "min_wal_size=32MB",
    "max_wal_size=64MB",
)
NAME = "ledger"


@contextmanager
def ledger_url(folder, database, settings=()):
    """Yield the address of the ledger in a folder; its server runs meanwhile, if it has one."""
    if database == "sqlite":
        yield f"sqlite:///{folder}/ledger.db"
        return
    home = folder / "postgresql"
    with _server(home, settings) as server:
        with psycopg.connect(f"{server.url}/postgres", autocommit=True) as connection:
            row = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME])
            if row.fetchone() is None:
                connection.execute(f"CREATE DATABASE {NAME}")
        yield f"{server.url.replace('postgresql:', 'postgresql+psycopg:')}/{NAME}"


@contextmanager
def _server(home, settings):
    if not (home / "made").exists():  # A cut in the middle of making it leaves half a cluster.
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        PostgresqlServer(home, settings=SETTINGS)
        (home / "made").touch()
        os.sync()  # Files are copied in, not promised: only what is committed is.
    server = PostgresqlServer(home, settings=[*SETTINGS, *settings], is_new=False)
    server.start()
    try:
        yield server
    finally:
        server.stop()
