"""Every real part of a chaos run, started on free ports behind breakable proxies. Edge of them.

    scanners -> gateway --proxy--> mosquitto <--proxy-- central, workers --proxy--> PostgreSQL
                                or three NATS

With SQLite there is one program at the database: central takes the facts itself.
"""

import json
import os
import shutil
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from typer import Typer
from typer.testing import CliRunner, Result

from central.__main__ import app as central_cli
from central.contract.reference import parse_reference
from gateway.commands import app as gateway_cli
from provisioning.demo.children import Child, wait_for_port
from provisioning.demo.goods import Goods
from provisioning.demo.installation import REFERENCE_FILE
from tests.brokers import PASSWORD, USERNAME, mosquitto
from tests.chaos.faults import DATABASE
from tests.chaos.ledger_reader import LedgerReader
from tests.chaos.nats_cluster import nats_cluster
from tests.chaos.proxy import BreakableProxy
from tests.chaos.stand import PLACE, SITE_CODE, Stand, StandSetup, protocol_line
from tests.chaos.witness import AckWitness
from tests.ports import steady_port
from tests.postgresql import CRASH_SAFE_SETTINGS, restartable_postgresql

DatabaseName = Literal["postgresql", "sqlite"]
BrokerName = Literal["mosquitto", "nats"]
ITEM = "HELMET-WHT"
WAREHOUSES = ("SH1", "HZ1", "SH1")
# They overlap, as in a take-over that never ends: both post the gateways of the shards between.
WORKERS = {"worker-1": "0-47", "worker-2": "16-63"}
PROGRAMS_MAX = 8
CRASH_MARK = b"Traceback"  # A fault of the world is one line without it; with it, it is ours.
CRASH_CHARACTERS_SHOWN = 500


@dataclass(frozen=True, slots=True)
class SitePlan:
    """What to start. sources: a folder with other sources of the product, None for these."""

    directory: Path
    database: DatabaseName = "postgresql"
    broker: BrokerName = "mosquitto"
    gateways_count: int = 3
    sources: Path | None = None
    database_settings: Sequence[str] = field(default=CRASH_SAFE_SETTINGS)


class Site:
    """Starts everything. Use as a context manager, from the thread that lives longest.

    proxies: by what stands behind them on the client's side: each gateway, central, each worker
    and "database" (not with SQLite). centrals: the programs that take facts or serve pages.
    """

    def __init__(self, plan: SitePlan) -> None:
        self._plan = plan
        self._running = ExitStack()
        self._gtin = Goods(parse_reference(REFERENCE_FILE.read_bytes())).gtin(ITEM)
        self.proxies: dict[str, BreakableProxy] = {}
        self.centrals: dict[str, Child] = {}
        self.stands: tuple[Stand, ...] = ()
        self._logs_read: dict[str, int] = {}
        try:
            self._start()
        except BaseException:
            self._running.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in self.children.values():
            child.ask_to_end()  # All at once; then they are waited for one by one.
        self._running.close()

    @property
    def children(self) -> dict[str, Child]:
        """Return every program of the product by name."""
        return {**{stand.setup.gateway: stand.child for stand in self.stands}, **self.centrals}

    def processes_left(self) -> list[str]:
        """Return the command lines of programs that still run with files of this directory."""
        found = []
        marks = [str(self._plan.directory).encode()]
        if self.postgresql is not None:
            marks.append(str(self.postgresql.folder).encode())
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = path.read_bytes()
            except OSError:
                continue
            if any(mark in line for mark in marks) and path.parent.name != str(os.getpid()):
                found.append(line.replace(b"\0", b" ").decode(errors="replace"))
        return found

    @property
    def _protocol(self) -> str:
        return "3.1.1" if self._plan.broker == "nats" else "5"

    def keep_files(self) -> None:
        """Leave PostgreSQL's files where they are; the others are in the directory anyhow."""
        if self.postgresql is not None:
            self.postgresql.keep = True
            (self._plan.directory / "postgresql").symlink_to(self.postgresql.folder)

    def log_faults(self) -> list[str]:
        """Return the end of each crash that a program has told since the last call."""
        found = []
        for name, child in self.children.items():
            with child.log.open("rb") as file:
                file.seek(self._logs_read.get(name, 0))
                for line in file:
                    self._logs_read[name] = self._logs_read.get(name, 0) + len(line)
                    if CRASH_MARK in line:
                        end = line.decode(errors="replace").strip()[-CRASH_CHARACTERS_SHOWN:]
                        found.append(f"{name} tells a crash: ...{end}")
        return found

    def proof_faults(self) -> list[str]:
        """Return what both programs' own proofs say, nothing if all is well."""
        asked = [(gateway_cli, "journal verify", stand.config) for stand in self.stands]
        asked.append((central_cli, "verify-ledger", self._config_of("central")))
        answers = [(words, _run(app, *words.split(), config=path)) for app, words, path in asked]
        return [f"{words}: {said.output}" for words, said in answers if said.exit_code]

    def _start(self) -> None:
        plan = self._plan
        start_broker = nats_cluster if plan.broker == "nats" else mosquitto
        self.broker = self._running.enter_context(start_broker(plan.directory / "broker"))
        self.postgresql = None
        url = f"sqlite:///{plan.directory / 'ledger.db'}"
        if plan.database == "postgresql":
            server = restartable_postgresql(plan.database_settings)
            self.postgresql = self._running.enter_context(server)
            url = self.postgresql.url.replace("postgresql:", "postgresql+psycopg:") + "/postgres"
            self._proxy(DATABASE, [self.postgresql.port])
        names = ["central", *(WORKERS if plan.database == "postgresql" else ())]
        self._write_centrals(names, url)
        self._central("migrate")
        self._central("load-reference", str(REFERENCE_FILE))
        self.stands = tuple(self._stand(number) for number in range(plan.gateways_count))
        for stand in self.stands:
            self._enrol(stand)
        self.ledger = LedgerReader(url, place=PLACE)
        to_broker = self._running.enter_context(BreakableProxy(self.broker.ports))
        self.witness = self._running.enter_context(
            AckWitness(port=to_broker.port, reader=LedgerReader(url, place=PLACE))
        )
        self._start_centrals(names)
        for stand in self.stands:
            stand.child.start()

    def _write_centrals(self, names: Sequence[str], url: str) -> None:
        through = url
        if self.postgresql is not None:
            port = self.proxies[DATABASE].port
            through = url.replace(f":{self.postgresql.port}/", f":{port}/")
        self._http_port = steady_port()
        for name in names:
            proxy = self._proxy(name, self.broker.ports)
            self._config_of(name).write_text(
                f'[database]\nurl = "{through}"\n'
                f'[mqtt]\nhost = "127.0.0.1"\nport = {proxy.port}\n'
                f'username = "{USERNAME}"\npassword = "{PASSWORD}"\n{protocol_line(self._protocol)}'
                f'[ledger]\nsite = "{SITE_CODE}"\n[http]\nport = {self._http_port}\n'
                f'[access]\nmode = "open"\n'
            )

    def _start_centrals(self, names: Sequence[str]) -> None:
        for name in names:
            options = ["serve", *(["--no-intake"] if len(names) > 1 else [])]
            if name in WORKERS:
                options = ["intake", "--worker", name, "--shards", WORKERS[name]]
            command = [*self._program("central"), *options, "--config", str(self._config_of(name))]
            child = Child(name, command, log=self._plan.directory / f"{name}.log")
            self._running.callback(child.stop)
            child.start()
            self.centrals[name] = child
        wait_for_port(self.centrals["central"], self._http_port)

    def _stand(self, number: int) -> Stand:
        gateway = f"chaos-{number + 1}"
        setup = StandSetup(
            gateway=gateway,
            warehouse=WAREHOUSES[number],
            broker_port=self._proxy(gateway, self.broker.ports).port,
            directory=self._plan.directory / gateway,
            letter="ABC"[number],
            protocol=self._protocol,
        )
        stand = Stand(setup, program=self._program("gateway"), gtin=self._gtin)
        return self._running.enter_context(stand)

    def _enrol(self, stand: Stand) -> None:
        shown = _run(gateway_cli, "identity", "--json", config=stand.config).stdout
        key = json.loads(shown)["public_key"]
        setup = stand.setup
        self._central(
            *("enrol-gateway", setup.gateway, "--warehouse", setup.warehouse, "--public-key", key)
        )

    def _central(self, *arguments: str) -> None:
        said = _run(central_cli, *arguments, config=self._config_of("central"))
        assert said.exit_code == 0, said.output

    def _config_of(self, name: str) -> Path:
        return self._plan.directory / f"{name}.toml"

    def _proxy(self, name: str, targets: Sequence[int]) -> BreakableProxy:
        proxy = self._running.enter_context(BreakableProxy(targets))
        self.proxies[name] = proxy
        return proxy

    def _program(self, package: str) -> tuple[str, ...]:
        program = (sys.executable, "-P", "-m", package)
        if self._plan.sources is None:
            return program
        env = shutil.which("env")
        assert env is not None
        sources = str(self._plan.sources)
        return (env, "--chdir", sources, f"PYTHONPATH={sources}", *program)


def _run(app: Typer, *arguments: str, config: Path) -> Result:
    """Run a short command here: a Python of its own for each would take most of the start."""
    return CliRunner().invoke(app, [*arguments, "--config", str(config)], catch_exceptions=False)
