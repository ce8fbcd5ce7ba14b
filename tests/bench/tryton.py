"""Installs Tryton into an environment of its own and measures it there. Root.

Tryton is a separate program (GPL-3) that runs as a child process; nothing of it is imported here.
"""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parents[2]
DIRECTORY = ROOT / "build" / "bench-tryton"
DESK_DATABASE = "bench_tryton"
POSTGRESQL_PACKAGES = ("psycopg[binary,pool]==3.3.9",)
MODULES = ("stock", "stock_lot", "stock_supply", "purchase", "sale")


def post_moves(*, count: int, batch: int) -> dict[str, float]:
    """Return what posting `count` moves costs, `batch` a transaction: cpu_s and wall_s."""
    _install()
    peer = Path(__file__).with_name("tryton_peer.py")
    return json.loads(_run("python", str(peer), str(_config()), "post", str(count), str(batch)))


class DeskPeer:
    """Tryton's desk on a PostgreSQL server, set up when it is made.

    server_url: without a database; one is made and stays with the server.
    """

    def __init__(self, server_url: str) -> None:
        _install()
        if not (DIRECTORY / "ready-postgresql").exists():
            _run("pip", "install", "--quiet", "--disable-pip-version-check", *POSTGRESQL_PACKAGES)
            (DIRECTORY / "ready-postgresql").write_text("", encoding="utf-8")
        with psycopg.connect(f"{server_url}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {DESK_DATABASE}")
        configuration = DIRECTORY / "trytond-postgresql.conf"
        configuration.write_text(f"[database]\nuri = {server_url}/\n", encoding="utf-8")
        admin = ("trytond-admin", "-c", str(configuration), "-d", DESK_DATABASE)
        _run(*admin, "--all", "--email", "bench@example.invalid")
        _run(*admin, "-u", "stock", "stock_lot", "--activate-dependencies")
        peer = Path(__file__).with_name("tryton_desk_peer.py")
        arguments = (str(peer), str(configuration), DESK_DATABASE)
        _run("python", *arguments, "setup")
        self._desk = subprocess.Popen(
            [DIRECTORY / "venv/bin/python", *arguments, "work"],
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def cpu_s(self, what: str, count: int) -> float:
        """Return the CPU seconds of doing `what` so often, as `tryton_desk_peer` names it."""
        assert self._desk.stdin is not None
        assert self._desk.stdout is not None
        self._desk.stdin.write(f"{what} {count}\n")
        self._desk.stdin.flush()
        answer = self._desk.stdout.readline()
        if not answer:
            sys.exit(f"Tryton's desk ended at {what}; what it said is above")
        return float(json.loads(answer)["cpu_s"])

    def close(self) -> None:
        """End it."""
        self._desk.communicate()


def _install() -> None:
    if (DIRECTORY / "ready").exists():
        return
    print("    installing Tryton into build/bench-tryton (once, a minute)", file=sys.stderr)
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    venv.create(DIRECTORY / "venv", with_pip=True, clear=True)
    requirements = Path(__file__).with_name("tryton-requirements.txt")
    _run("pip", "install", "--quiet", "--disable-pip-version-check", "-r", str(requirements))
    (DIRECTORY / "password").write_text("bench-only-1\n", encoding="utf-8")
    (DIRECTORY / "database").mkdir(exist_ok=True)
    (DIRECTORY / "database" / "bench.sqlite").write_bytes(b"")
    _config().write_text(
        f"[database]\nuri = sqlite://\npath = {DIRECTORY / 'database'}\n", encoding="utf-8"
    )
    admin = ("trytond-admin", "-c", str(_config()), "-d", "bench")
    _run(*admin, "--all", "--email", "bench@example.invalid")
    _run(*admin, "-u", *MODULES, "--activate-dependencies")
    _run("python", str(Path(__file__).with_name("tryton_peer.py")), str(_config()), "setup")
    (DIRECTORY / "ready").write_text("", encoding="utf-8")


def _config() -> Path:
    return DIRECTORY / "trytond.conf"


def _environment() -> dict[str, str]:
    return os.environ | {"TRYTONPASSFILE": str(DIRECTORY / "password")}


def _run(program: str, *arguments: str) -> str:
    finished = subprocess.run(
        [DIRECTORY / "venv/bin" / program, *arguments],
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        sys.exit(f"{program} {' '.join(arguments)} failed:\n{finished.stderr[-2000:]}")
    return finished.stdout
