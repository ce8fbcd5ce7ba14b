"""Broker, central, gateways and virtual devices of the demo, set up and taken down. Root."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import msgspec

from central.contract.reference import Reference, parse_reference
from provisioning.demo.broker import EmbeddedBroker
from provisioning.demo.children import (
    POLL_S,
    START_TIMEOUT_S,
    Child,
    ChildFailed,
    free_port,
    require_listener,
    run_once,
    wait_for_port,
)
from provisioning.demo.configs import BrokerAddress, central_toml, gateway_toml
from provisioning.demo.devices import WarehouseDevices
from provisioning.demo.ledger_client import LedgerClient
from provisioning.demo.morning import (
    HANGZHOU,
    SHANGHAI,
    SSCC_COMPANY_PREFIX,
    SSCC_EXTENSION_DIGITS,
)
from provisioning.demo.relay import Relay
from provisioning.demo.station_client import StationClient

REFERENCE_FILE = Path(__file__).parent / "warehouse.toml"
SITE = "demo"
GATEWAYS = {SHANGHAI: "sh1-dock-1", HANGZHOU: "hz1-dock-1"}
CENTRAL = (sys.executable, "-P", "-m", "central")
GATEWAY = (sys.executable, "-P", "-m", "gateway")


class _Identity(msgspec.Struct, frozen=True):
    """What `dockledger-gateway identity --json` shows."""

    public_key: str


@dataclass(frozen=True, slots=True)
class GivenBroker:
    """A broker that runs already."""

    host: str
    port: int
    username: str
    password: str


@dataclass(frozen=True, slots=True)
class Stand:
    """One gateway with its devices, the relay that is its cable, and its screen."""

    warehouse: str
    gateway: str
    config: Path
    journal: Path
    devices: WarehouseDevices
    relay: Relay
    child: Child
    station: StationClient


class Installation:
    """Everything that runs. Use as a context manager; leaving it stops all, in order.

    directory: takes configurations, data and logs. `start` and leaving belong to the main thread.
    """

    def __init__(
        self,
        directory: Path,
        *,
        broker: GivenBroker | None,
        http_port: int,
        language: Literal["en", "zh"],
    ) -> None:
        """broker: None starts the embedded one. http_port: of central, if it is free."""
        self._directory = directory
        self._given_broker = broker
        self._language = language
        self._running = ExitStack()
        self._children: list[Child] = []
        self._central_config = directory / "central.toml"
        self._central_port = free_port(http_port)
        self.reference: Reference = parse_reference(REFERENCE_FILE.read_bytes())
        self.stands: dict[str, Stand] = {}
        self.ledger = LedgerClient(self._central_port)
        serve = [*CENTRAL, "serve", "--config", str(self._central_config)]
        self.central = Child("central", serve, log=directory / "central.log")

    def start(self) -> None:
        """Return when every gateway is connected and every device is ready. Raises ChildFailed."""
        self._running.callback(self.ledger.close)
        broker = self._broker_address()
        self._central_config.write_text(
            central_toml(
                site=SITE,
                database_file=str(self._directory / "ledger.db"),
                broker=broker,
                http_port=self._central_port,
            )
        )
        for warehouse in GATEWAYS:
            self.stands[warehouse] = self._stand(warehouse, broker)
        stands = tuple(self.stands.values())
        with ThreadPoolExecutor(max_workers=len(stands)) as pool:
            keys = pool.map(_public_key, stands)  # Goes on while central is prepared.
            self._central("migrate")
            self._central("load-reference", str(REFERENCE_FILE))
            for stand, key in zip(stands, keys, strict=True):
                self._central(
                    *("enrol-gateway", stand.gateway, "--warehouse", stand.warehouse),
                    *("--public-key", key),
                )
        self._start_child(self.central)
        for stand in stands:
            self._start_child(stand.child)
        # Asked all at once, then waited for one by one.
        for stand in stands:
            self._running.callback(stand.child.ask_to_end)
        for stand in stands:
            self._wait_until_ready(stand)
        wait_for_port(self.central, self._central_port)

    def check_children(self) -> None:
        """Raise ChildFailed if any program has ended by itself."""
        for child in self._children:
            child.check()

    def ended_children(self) -> tuple[str, ...]:
        """Return the names of the programs that have ended by themselves."""
        return tuple(child.name for child in self._children if not child.is_running)

    def journal_is_intact(self, stand: Stand) -> bool:
        """Return what `dockledger-gateway journal verify` says."""
        return _succeeds([*GATEWAY, "journal", "verify", "--config", str(stand.config)])

    def ledger_is_intact(self) -> bool:
        """Return what `dockledger-central verify-ledger` says."""
        return _succeeds([*CENTRAL, "verify-ledger", "--config", str(self._central_config)])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._running.close()

    def _broker_address(self) -> BrokerAddress:
        broker = self._given_broker or self._start_broker()
        require_listener(broker.host, broker.port)
        secret = self._directory / "broker.password"
        secret.touch(mode=0o600)
        self._running.callback(secret.unlink, missing_ok=True)
        secret.write_text(broker.password)
        return BrokerAddress(broker.host, broker.port, broker.username, str(secret))

    def _start_broker(self) -> EmbeddedBroker:
        broker = EmbeddedBroker(self._directory)
        self._running.callback(broker.stop)
        broker.start()
        self._children.append(broker.child)
        return broker

    def _stand(self, warehouse: str, broker: BrokerAddress) -> Stand:
        gateway = GATEWAYS[warehouse]
        directory = self._directory / gateway
        devices = self._running.enter_context(
            WarehouseDevices(directory / "devices", scale_is_modbus=warehouse == HANGZHOU)
        )
        relay = self._running.enter_context(Relay(host=broker.host, port=broker.port))
        station = StationClient(free_port())
        self._running.callback(station.close)
        config = directory / "gateway.toml"
        config.write_text(
            gateway_toml(
                site=SITE,
                code=gateway,
                warehouse=warehouse,
                data_directory=str(directory / "data"),
                reference_file=str(REFERENCE_FILE),
                language=self._language,
                broker=replace(broker, host="127.0.0.1", port=relay.port),
                central_url=f"http://127.0.0.1:{self._central_port}",
                screen_port=station.port,
                sscc_company_prefix=SSCC_COMPANY_PREFIX,
                sscc_extension_digit=SSCC_EXTENSION_DIGITS[warehouse],
                devices=devices.entries,
            )
        )
        run = [*GATEWAY, "run", "--config", str(config)]
        return Stand(
            warehouse=warehouse,
            gateway=gateway,
            config=config,
            journal=directory / "data" / "journal.db",
            devices=devices,
            relay=relay,
            child=Child(gateway, run, log=directory / "gateway.log"),
            station=station,
        )

    def _start_child(self, child: Child) -> None:
        self._running.callback(child.stop)
        child.start()
        self._children.append(child)

    def _central(self, *arguments: str) -> None:
        command = [*CENTRAL, *arguments, "--config", str(self._central_config)]
        run_once(f"central {arguments[0]}", command)

    def _wait_until_ready(self, stand: Stand) -> None:
        deadline_s = time.monotonic() + START_TIMEOUT_S
        state = None
        while time.monotonic() < deadline_s:
            self.check_children()
            state = stand.station.state()
            ready = [one for one in state.devices if one.state == "ready"] if state else []
            if state and state.connected and len(ready) == len(stand.devices.entries):
                return
            time.sleep(POLL_S)
        raise ChildFailed(
            f"{stand.gateway} is not ready: {state}\n{stand.child.log_tail()}",
            hint="Try again on a machine at rest.",
        )


def _public_key(stand: Stand) -> str:
    command = [*GATEWAY, "identity", "--json", "--config", str(stand.config)]
    return msgspec.json.decode(run_once("gateway identity", command), type=_Identity).public_key


def _succeeds(command: list[str]) -> bool:
    try:
        run_once(" ".join(command[3:5]), command)
    except ChildFailed:
        return False
    return True
