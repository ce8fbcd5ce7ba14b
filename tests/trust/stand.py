"""An installation with authorities: central over HTTPS, mosquitto with TLS, gateways that enrol."""

import json
import os
import signal
import ssl
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from typer.testing import CliRunner

from central.__main__ import app as central_app
from central.ledger.reference_book import load_reference
from provisioning.mosquitto import BrokerPlan, configuration
from tests.brokers import Broker, _program, _running
from tests.central.migrated import open_migrated
from tests.central.test_serve import serving
from tests.gateway.station.bench import REFERENCE
from tests.gateway_program import GatewayProgram
from tests.ports import steady_port

CENTRAL = """
[database]
url = "sqlite:///{folder}/ledger.db"
[mqtt]
host = "127.0.0.1"
port = {central_port}
tls_ca_file = "trust/root.pem"
tls_certificate_file = "trust/broker/central.pem"
tls_key_file = "trust/broker/central.key"
[http]
port = {http_port}
tls_certificate_file = "trust/central-http.pem"
tls_key_file = "trust/central-http.key"
[ledger]
site = "demo"
[trust]
directory = "trust"
broker_pid_file = "{folder}/mosquitto.pid"
broker_log = "{folder}/broker.log"
"""
GATEWAY = """
[gateway]
code = "{code}"
site = "demo"
warehouse = "sh1"
data_directory = "{code}"
[station]
code = "{code}"
receive_location = "DOCK-1"
[mqtt]
host = "127.0.0.1"
port = {port}
[identity]
enrol_file = "{code}.enrol.toml"
[screen]
port = 0
[discovery]
enabled = false
"""


class Site:
    """An installation in a folder. Its central serves while `serving` is open."""

    def __init__(self, folder: Path, *, more: str = "") -> None:
        """more: further sections of its configuration."""
        self.folder = folder
        self.config = folder / "central.toml"
        self.port, self.central_port = steady_port(), steady_port()
        self.http_port = steady_port()
        self.url = f"https://127.0.0.1:{self.http_port}"
        self.config.write_text(
            CENTRAL.format(folder=folder, central_port=self.central_port, http_port=self.http_port)
            + more
        )
        self.database = open_migrated(folder / "ledger.db", generation="g")
        with self.database.write() as connection:
            load_reference(connection, REFERENCE)
        self.command("init", "--name", "Test")
        self.command("broker-files", "--host", "127.0.0.1", told=False)
        self.command("server-certificate", "--host", "127.0.0.1", "--to", str(folder / "trust"))

    @property
    def root(self) -> Path:
        return self.folder / "trust" / "root.pem"

    def command(self, *words: str, told: bool = True) -> dict:
        """Run `dockledger-central trust ...`; return what it answers."""
        pid_file = self.folder / "mosquitto.pid"
        if not told:
            pid_file.write_text(str(_sleeper()))
        ended = CliRunner().invoke(
            central_app, ["trust", *words, "--config", str(self.config), "--json"]
        )
        if not told:
            pid_file.unlink()
        assert ended.exit_code == 0, ended.output
        return json.loads(ended.stdout)

    @contextmanager
    def broker(self):
        """Yield mosquitto as `dockledger-provision broker` sets it up."""
        plan = BrokerPlan(
            files=str(self.folder / "trust" / "broker"),
            port=self.port,
            address="127.0.0.1",
            central_port=self.central_port,
            pid_file=str(self.folder / "mosquitto.pid"),
            persistence_directory=f"{self.folder}/",
            user="root",
            heard=True,
        )
        path = self.folder / "mosquitto.conf"
        # There is no such log here, and mosquitto would then write to the console.
        text = configuration(plan, version="2.0").replace("log_dest syslog\n", "")
        path.write_text(text)
        command = [_program("mosquitto"), "-c", str(path)]
        yield from _running(Broker(command, port=self.port, directory=self.folder))

    @contextmanager
    def central(self):
        """Yield the process that serves."""
        with serving(self.config) as (process, _):
            yield process

    def claim(self, gateway: str) -> str:
        return self.command("claim", gateway, "--warehouse", "sh1")["claim"]

    def write_enrol_file(self, gateway: str, claim: str) -> None:
        (self.folder / f"{gateway}.enrol.toml").write_text(
            f'central_url = "{self.url}"\nclaim = "{claim}"\n'
            f'root_pem = """\n{self.root.read_text()}"""\n'
        )

    def post(self, path: str, body: object) -> tuple[int, dict]:
        """Return status and answer of a request over HTTPS."""
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"content-type": "application/json"}
        )
        context = ssl.create_default_context(cafile=self.root)
        try:
            with urllib.request.urlopen(request, timeout=60, context=context) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def get(self, path: str) -> str:
        """Return what is answered to whoever asks; where access is open."""
        context = ssl.create_default_context(cafile=self.root)
        with urllib.request.urlopen(self.url + path, timeout=60, context=context) as answer:
            return answer.read().decode()

    def close(self) -> None:
        self.database.close()


class Pi(GatewayProgram):
    """One gateway of the site."""

    def __init__(self, site: Site, code: str) -> None:
        self.folder = site.folder / code
        config, log = site.folder / f"{code}.toml", site.folder / f"{code}.log"
        super().__init__(code, config=config, log=log)
        self.config.write_text(GATEWAY.format(code=code, port=site.port))

    @property
    def identity(self) -> Path:
        return self.folder / "identity" / "identity.pem"

    def scan(self, *codes: str) -> None:
        for code in codes:
            self.post("api/v1/scan", {"code": code})

    def post(self, path: str, body: object) -> int:
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"content-type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def state(self) -> dict:
        with urllib.request.urlopen(f"{self.url}api/v1/state", timeout=60) as answer:
            return json.load(answer)

    def knows(self) -> bool:
        return self.state()["knowledge"]["text"] == ""


@contextmanager
def trusted_site(folder: Path, *, more: str = ""):
    """Yield a Site whose broker and central run."""
    site = Site(folder, more=more)
    try:
        with site.broker() as broker, site.central() as process:
            site.running_broker, site.process = broker, process
            yield site
    finally:
        site.close()


def _sleeper() -> int:
    """A process of ours that may be told to read its files again: this one ignores that."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return os.getpid()
