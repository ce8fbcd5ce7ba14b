"""Builds the gateway's parts, starts them in order and stops them in order. Root."""

import queue
import signal
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Timer

from msgspec.structs import replace

from gateway.clock import Clock, SystemClock, random_64
from gateway.config import read_password
from gateway.config_sections import GatewayConfig
from gateway.devices.check import ConfiguredDevice, configured_devices
from gateway.devices.desk import DeviceDesk
from gateway.devices.discovery_service import DiscoveryService
from gateway.devices.locks import DeviceLocks
from gateway.devices.supervisor import Supervisor
from gateway.devices.tag_loop import door_filter
from gateway.errors import ConfigInvalid
from gateway.following import Following
from gateway.health import Health
from gateway.housekeeping import (
    STOP_S_MAX,
    give_up,
    journal_path,
    keep_house,
    notify_service,
    start_upkeep,
)
from gateway.identity.keeper import IdentityKeeper
from gateway.identity.settings import with_identity
from gateway.journal.journal import Journal
from gateway.journal.unsent import oldest_unsent
from gateway.journal.upkeep import Upkeep
from gateway.logs import log_event
from gateway.reference_file import current_reference, warn_of_unknown_places
from gateway.replication.down_traffic import DownTraffic
from gateway.replication.downlink import Downlink
from gateway.replication.known_ledger import LEDGER_FILE, KnownLedger
from gateway.replication.replicator import Replicator
from gateway.replication.signing import KEY_FILE, GatewayKey, load_or_create_key
from gateway.replication.snapshot_load import SnapshotLoader
from gateway.replication.stock_report import ReportTimes
from gateway.screen.page_settled import SETTLED_SHOWN_MAX
from gateway.screen.server import ScreenServer
from gateway.station.catalogue import Catalogue
from gateway.station.templates.files import labels_folder
from gateway.station_loop import StationLoop
from gateway.stations import (
    StationParts,
    queue_of_device,
    start_feedback,
    start_loops,
    station_parts,
)


@dataclass(frozen=True, slots=True)
class GatewayIdentity:
    """What central needs to enrol a gateway. public_key: hex of the 32 raw bytes (Ed25519)."""

    gateway: str
    public_key: str


@dataclass(frozen=True, slots=True)
class _Shared:
    """What several parts are built with."""

    clock: Clock
    journal: Journal
    following: Following
    health: Health
    stations: tuple[StationParts, ...]


@dataclass(frozen=True, slots=True)
class _Floor:
    """Where a claim takes effect: the devices' threads, then the setup of the station."""

    supervisor: Supervisor
    following: Following

    def set_devices(self, devices: Sequence[ConfiguredDevice]) -> None:
        """Serve these devices from now on."""
        self.supervisor.set_devices(devices)
        self.following.set_devices(devices)

    def wake(self, names: Collection[str]) -> None:
        """Let these devices try to open at once."""
        self.supervisor.wake(names)


def gateway_identity(config: GatewayConfig) -> GatewayIdentity:
    """Return the gateway's code and public key; the key is made if there is none yet."""
    return GatewayIdentity(config.gateway.code, _load_key(config).public_key_hex)


def run_gateway(config: GatewayConfig, *, config_path: Path, clock: Clock | None = None) -> bool:
    """Run until SIGTERM or SIGINT; return False if a mistake of ours ended a station before.

    clock: whose days these are, None for the machine's own.
    Raises ConfigInvalid, KeyUnusable, LedgerFileUnusable and what `Journal.open` raises, before
    anything is started.
    """
    # No Event: its lock is not reentrant, and the handler runs in the thread that waits for it.
    stop: queue.SimpleQueue[int] = queue.SimpleQueue()
    clock = clock or SystemClock()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: stop.put(received))
    devices = configured_devices(config, config_path=config_path)
    key = _load_key(config)
    config = with_identity(config)
    ledger = KnownLedger(
        Path(config.gateway.data_directory) / LEDGER_FILE, configured_key=config.ledger.public_key
    )
    with ExitStack() as parts:
        stations, upkeep = _start_parts(parts, config, devices, key, ledger, clock=clock)
        notify_service("READY=1")
        asked = keep_house(stations, upkeep, stop, clock=clock)
        notify_service("STOPPING=1")
        # What hangs in a device must not keep the service from ending: all that counts is on disk.
        deadline = Timer(STOP_S_MAX, give_up)
        deadline.daemon = True
        deadline.start()
    deadline.cancel()
    log_event("info", "gateway stopped")
    return asked


def _start_parts(
    parts: ExitStack,
    config: GatewayConfig,
    devices: list[ConfiguredDevice],
    key: GatewayKey,
    ledger: KnownLedger,
    *,
    clock: Clock,
) -> tuple[tuple[StationLoop, ...], Upkeep]:
    """Start everything; `parts` stops it in the opposite order, the journal last."""
    shared = _shared(parts, config, clock)
    upkeep = start_upkeep(parts, config, shared.journal, clock=shared.clock, health=shared.health)
    discovery = DiscoveryService(config, devices, clock=shared.clock, health=shared.health)
    shared.following.set_devices(discovery.desk.devices())
    supervisor = _supervisor(config, shared, discovery)
    keeper = _keeper(config, shared, ledger) if config.identity.enrol_file else None
    screen = _screen(config, shared, supervisor, discovery, keeper)
    screen.start()
    parts.callback(screen.stop)
    replicator = _replicator(config, shared, key, ledger)
    replicator.start()
    parts.callback(replicator.stop)
    if keeper is not None:
        keeper.start()
        parts.callback(keeper.stop)
    stations = start_loops(
        parts,
        shared.stations,
        journal=shared.journal,
        following=shared.following,
        health=shared.health,
        clock=shared.clock,
        claims=discovery.desk,
        enrolment=keeper,
    )
    # Before any device is open: what its first scan became is told by its light, too.
    start_feedback(parts, shared.stations, supervisor)
    supervisor.start()
    parts.callback(supervisor.stop)
    discovery.start(_Floor(supervisor, shared.following))
    parts.callback(discovery.stop)
    log_event(
        "info",
        "gateway running",
        gateway=config.gateway.code,
        epoch=str(shared.journal.epoch),
        unsent_count=shared.journal.unsent_count(),
        reference_revision=shared.following.catalogue.revision,
        screen=screen.url,
    )
    return stations, upkeep


def _shared(parts: ExitStack, config: GatewayConfig, clock: Clock) -> _Shared:
    journal = Journal.open(
        journal_path(config),
        gateway=config.gateway.code,
        warehouse=config.gateway.warehouse,
        clock=clock,
        nonce=random_64(),
    )
    parts.callback(journal.close)
    reference = current_reference(config, journal)
    catalogue = Catalogue(reference, warehouse=config.gateway.warehouse)
    warn_of_unknown_places(config, catalogue)
    health = Health()
    following = Following(config, (), catalogue, journal=journal, health=health, clock=clock)
    return _Shared(
        clock=clock,
        journal=journal,
        following=following,
        health=health,
        stations=station_parts(config),
    )


def _supervisor(config: GatewayConfig, shared: _Shared, found: DiscoveryService) -> Supervisor:
    return Supervisor(
        found.desk.devices(),
        journal=shared.journal,
        observations=queue_of_device(config, shared.stations),
        clock=shared.clock,
        health=shared.health,
        jitter=_jitter,
        locks=DeviceLocks(Path(config.gateway.data_directory)),
        reading_filter=door_filter(config, shared.clock, shared.health),
    )


def _screen(
    config: GatewayConfig,
    shared: _Shared,
    supervisor: Supervisor,
    discovery: DiscoveryService,
    enrolment: IdentityKeeper | None,
) -> ScreenServer:
    return ScreenServer(
        host=config.screen.host,
        port=config.screen.port,
        stations=[station.screen for station in shared.stations],
        language=shared.following.config.gateway.language,
        health=shared.health,
        clock=shared.clock,
        catalogue=lambda: shared.following.catalogue,
        unsent_count=shared.journal.unsent_count,
        received=shared.journal.received,
        oldest_unsent=partial(oldest_unsent, shared.journal),
        settlements=partial(shared.journal.knowledge.settlements, SETTLED_SHOWN_MAX),
        devices=DeviceDesk(supervisor, clock=shared.clock, health=shared.health),
        claims=discovery.desk,
        enrolment=enrolment,
        labels_folder=labels_folder(config.gateway.data_directory),
        languages_folder=Path(config.gateway.data_directory),
    )


def _replicator(
    config: GatewayConfig, shared: _Shared, key: GatewayKey, ledger: KnownLedger
) -> Replicator:
    return Replicator(
        journal=shared.journal,
        key=key,
        ledger=ledger,
        mqtt=replace(config.mqtt, password=read_password(config.mqtt), password_file=""),
        site=config.gateway.site,
        clock=shared.clock,
        health=shared.health,
        jitter=_jitter,
        down=_down_traffic(config, shared, key, ledger),
    )


def _keeper(config: GatewayConfig, shared: _Shared, ledger: KnownLedger) -> IdentityKeeper:
    return IdentityKeeper(
        config,
        signing_key_file=Path(config.gateway.data_directory) / KEY_FILE,
        clock=shared.clock,
        health=shared.health,
        heard=ledger.hear,
    )


def _down_traffic(
    config: GatewayConfig, shared: _Shared, key: GatewayKey, ledger: KnownLedger
) -> DownTraffic:
    loader = SnapshotLoader(
        config.central,
        gateway=config.gateway.code,
        folder=Path(config.gateway.data_directory),
        sign=key.sign,
        signed=ledger.signed,
        nonce=lambda: f"{random_64():016x}",
        now_ms=shared.clock.now_ms,
    )
    downlink = Downlink(
        journal=shared.journal,
        loader=loader,
        follower=shared.following,
        clock=shared.clock,
        health=shared.health,
        jitter=_jitter,
    )
    return DownTraffic(
        downlink,
        journal=shared.journal,
        key=key,
        ledger=ledger,
        health=shared.health,
        times=ReportTimes(interval_s=config.central.report_interval_s),
    )


def _jitter() -> float:
    return random_64() / 2**64


def _load_key(config: GatewayConfig) -> GatewayKey:
    folder = Path(config.gateway.data_directory)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigInvalid(
            f"gateway.data_directory: {folder} cannot be made: {error}",
            hint="Name a folder in which this user may write.",
        ) from error
    return load_or_create_key(folder / KEY_FILE)
