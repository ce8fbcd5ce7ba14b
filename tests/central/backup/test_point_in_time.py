"""A base backup and the WAL after it: a PostgreSQL ledger at any moment between.

The server's user may not enter the folder of the program under test, so the server moves segments
to and from a folder with `cp`, and the test runs the commands that stand for that in a firm.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import psycopg
import pytest

from central.storage.database import open_database
from central.storage.schema import migrate
from tests.central.backup.stand import Stand
from tests.central.scenery import Gateway, furnished
from tests.postgresql import SETTINGS, PostgresqlServer
from tests.waiting import wait_for

pytestmark = pytest.mark.postgresql
SEGMENT_BYTES = 1024 * 1024 * 16


@pytest.fixture
def folder():
    """A folder that the server's user may enter, too."""
    made = Path(tempfile.mkdtemp(prefix="dockledger-pitr-"))
    made.chmod(0o755)
    for name in ("archived", "fetched", "first"):
        (made / name).mkdir()
    owned(made / "archived")
    yield made
    shutil.rmtree(made)


def owned(path):
    """Give everything to the user that the server runs as; it refuses to be root."""
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", "postgres:postgres", path], check=True)


@pytest.fixture
def servers(folder):
    """The first server, which archives its WAL; all are ended after the test."""
    archive = (
        f"cp %p {folder}/archived/%f.part && mv {folder}/archived/%f.part {folder}/archived/%f"
    )
    server = PostgresqlServer(
        folder / "first",
        settings=(*SETTINGS, "archive_mode=on", f"archive_command={archive}"),
    )
    started = [server]
    try:
        server.start()
        yield started
    finally:
        for one in started:
            one.stop()


def url_of(server):
    return f"{server.url}/ledger".replace("postgresql://", "postgresql+psycopg://")


def test_a_server_is_brought_back_to_a_moment_between_two_backups(folder, servers):
    server = servers[0]
    with psycopg.connect(f"{server.url}/postgres", autocommit=True) as connection:
        connection.execute("CREATE DATABASE ledger")
    stand = Stand(folder, url_of(server))
    database = open_database(stand.url)
    migrate(database, generation="generation-1")
    gateway = Gateway()
    for _ in range(9):
        gateway.move()
    inbox = furnished(database, gateway)
    inbox.accept([gateway.offer(1, 3)])
    assert stand.json("backup", "base")["good"]
    inbox.accept([gateway.offer(4, 6)])
    with psycopg.connect(f"{server.url}/ledger", autocommit=True) as connection:
        (moment,) = connection.execute("SELECT clock_timestamp()::text").fetchone()
        inbox.accept([gateway.offer(7, 9)])
        (segment,) = connection.execute("SELECT pg_walfile_name(pg_current_wal_lsn())").fetchone()
        connection.execute("SELECT pg_switch_wal()")
    wait_for((folder / "archived" / segment).exists, what="the segment in the archive")
    database.close()
    server.stop()
    segments = sorted(path for path in (folder / "archived").iterdir() if "." not in path.name)
    for path in segments:
        assert stand.run("backup", "wal", path, path.name).exit_code == 0
        assert stand.run("backup", "wal", path, path.name).exit_code == 0  # Asked again: there.
    (folder / "other").write_bytes(bytes(SEGMENT_BYTES))
    refused = stand.run("backup", "wal", folder / "other", segments[0].name)
    assert refused.exit_code == 2
    assert "other contents" in refused.stderr

    (base,) = (path for path in stand.files() if path.name.startswith("base-"))
    data = folder / "second" / "data"
    words = ["restore-base", base, "--into", data, "--identity", stand.identity]
    assert stand.run(*words, "--until", moment).exit_code == 0
    assert stand.run(*words).exit_code == 1  # It is not empty any more.
    configured = (data / "postgresql.auto.conf").read_text()
    assert f"restore-wal --identity {stand.identity} --config {stand.config} %f %p" in configured
    for path in segments:
        fetched = folder / "fetched" / path.name
        words = ["restore-wal", path.name, fetched, "--identity", stand.identity]
        assert stand.run(*words).exit_code == 0
        assert fetched.read_bytes() == path.read_bytes()
    words = ["restore-wal", "0" * 24, folder / "none", "--identity", stand.identity]
    assert stand.run(*words).exit_code == 1  # What PostgreSQL takes as the end of the archive.
    owned(folder / "second")
    owned(folder / "fetched")
    second = PostgresqlServer(
        folder / "second",
        settings=(*SETTINGS, f"restore_command=cp {folder}/fetched/%f %p"),
        is_new=False,
    )
    servers.append(second)
    second.start()
    with psycopg.connect(f"{second.url}/ledger") as connection:
        wait_for(
            lambda: connection.execute("SELECT NOT pg_is_in_recovery()").fetchone()[0],
            what="the end of recovery",
        )
        assert connection.execute("SELECT count(*) FROM facts").fetchone() == (6,)
    config = stand.configured(url_of(second), name="second.toml")
    assert stand.json("new-generation", config=config)["old"] == "generation-1"
    assert stand.json("verify-ledger", config=config)["faults_count"] == 0
