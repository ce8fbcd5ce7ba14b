"""Builds the gateway's parts, starts them in order and stops them in order. Root."""

import os
import queue
import signal
import socket
from collections.abc import Collection, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Timer

from msgspec.structs import replace

from central.contract.errors import ContractError
from central.contract.reference import REFERENCE_BYTES_MAX, Reference, parse_reference
from gateway.clock import Clock, SystemClock, random_64
from gateway.config import read_password
from gateway.config_sections import GatewayConfig
from gateway.devices.check import ConfiguredDevice, configured_devices
from gateway.devices.desk import DeviceDesk
from gateway.devices.discovery_service import DiscoveryService
from gateway.devices.feedback import Feedback
from gateway.devices.locks import DeviceLocks
from gateway.devices.supervisor import Supervisor
from gateway.devices.tag_loop import door_filter
from gateway.errors import ConfigInvalid, JournalFull
from gateway.health import Health
from gateway.journal.journal import Journal
from gateway.logs import log_event
from gateway.replication.replicator import Replicator
from gateway.replication.signing import GatewayKey, load_or_create_key
from gateway.screen.server import ScreenServer
from gateway.station.board import Board
from gateway.station.catalogue import Catalogue
from gateway.station.observations import Observation
from gateway.station.session import StationSetup
from gateway.station.templates.files import labels_folder, use_templates
from gateway.station_loop import StationLoop

JOURNAL_FILE = "journal.db"
KEY_FILE = "gateway.key"
OBSERVATIONS_MAX = 256
HOUSEKEEPING_S = 1.0
STOP_S_MAX = 5.0


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
    catalogue: Catalogue
    health: Health
    observations: queue.Queue[Observation]
    board: Board


@dataclass(frozen=True, slots=True)
class _Floor:
    """Where a claim takes effect: the devices' threads, then the setup of the station."""

    config: GatewayConfig
    supervisor: Supervisor
    station: StationLoop

    def set_devices(self, devices: Sequence[ConfiguredDevice]) -> None:
        """Serve these devices from now on."""
        self.supervisor.set_devices(devices)
        self.station.use_setup(_station_setup(self.config, devices))

    def wake(self, names: Collection[str]) -> None:
        """Let these devices try to open at once."""
        self.supervisor.wake(names)


def journal_path(config: GatewayConfig) -> Path:
    """Return where the journal is."""
    return Path(config.gateway.data_directory) / JOURNAL_FILE


def gateway_identity(config: GatewayConfig) -> GatewayIdentity:
    """Return the gateway's code and public key; the key is made if there is none yet."""
    return GatewayIdentity(config.gateway.code, _load_key(config).public_key_hex)


def run_gateway(config: GatewayConfig, *, config_path: Path) -> bool:
    """Run until SIGTERM or SIGINT; return False if a mistake of ours ended the station before.

    Raises ConfigInvalid or KeyUnusable, and what `Journal.open` raises, before anything is started.
    """
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    devices = configured_devices(config, config_path=config_path)
    key = _load_key(config)
    with ExitStack() as parts:
        station, journal = _start_parts(parts, config, devices, key)
        _notify("READY=1")
        asked = _keep_house(station, journal, stop)
        _notify("STOPPING=1")
        # What hangs in a device must not keep the service from ending: all that counts is on disk.
        deadline = Timer(STOP_S_MAX, _give_up)
        deadline.daemon = True
        deadline.start()
    deadline.cancel()
    log_event("info", "gateway stopped")
    return asked


def _start_parts(
    parts: ExitStack, config: GatewayConfig, devices: list[ConfiguredDevice], key: GatewayKey
) -> tuple[StationLoop, Journal]:
    """Start everything; `parts` stops it in the opposite order, the journal last."""
    shared = _shared(parts, config)
    discovery = DiscoveryService(config, devices, clock=shared.clock, health=shared.health)
    supervisor = _supervisor(config, shared, discovery)
    screen = _screen(config, shared, supervisor, discovery)
    screen.start()
    parts.callback(screen.stop)
    replicator = _replicator(config, shared, key)
    replicator.start()
    parts.callback(replicator.stop)
    station = StationLoop(
        journal=shared.journal,
        catalogue=shared.catalogue,
        observations=shared.observations,
        board=shared.board,
        health=shared.health,
        setup=_station_setup(config, discovery.desk.devices()),
        clock=shared.clock,
        claims=discovery.desk,
    )
    station.start()
    parts.callback(station.stop)
    supervisor.start()
    parts.callback(supervisor.stop)
    discovery.start(_Floor(config, supervisor, station))
    parts.callback(discovery.stop)
    feedback = Feedback(shared.board, supervisor)
    feedback.thread.start()
    parts.callback(feedback.thread.stop)
    log_event(
        "info",
        "gateway running",
        gateway=config.gateway.code,
        epoch=str(shared.journal.epoch),
        unsent_count=shared.journal.unsent_count(),
        reference_revision=shared.catalogue.revision,
        screen=screen.url,
    )
    return station, shared.journal


def _shared(parts: ExitStack, config: GatewayConfig) -> _Shared:
    clock = SystemClock()
    journal = Journal.open(
        journal_path(config),
        gateway=config.gateway.code,
        warehouse=config.gateway.warehouse,
        clock=clock,
        nonce=random_64(),
    )
    parts.callback(journal.close)
    reference = _current_reference(config, journal)
    catalogue = Catalogue(reference, warehouse=config.gateway.warehouse)
    _warn_of_unknown_places(config, catalogue)
    return _Shared(
        clock=clock,
        journal=journal,
        catalogue=catalogue,
        health=Health(),
        observations=queue.Queue(maxsize=OBSERVATIONS_MAX),
        board=StationLoop.new_board(),
    )


def _supervisor(config: GatewayConfig, shared: _Shared, found: DiscoveryService) -> Supervisor:
    return Supervisor(
        found.desk.devices(),
        journal=shared.journal,
        observations=shared.observations,
        clock=shared.clock,
        health=shared.health,
        jitter=_jitter,
        locks=DeviceLocks(Path(config.gateway.data_directory)),
        reading_filter=door_filter(config, shared.clock, shared.health),
    )


def _screen(
    config: GatewayConfig, shared: _Shared, supervisor: Supervisor, discovery: DiscoveryService
) -> ScreenServer:
    return ScreenServer(
        host=config.screen.host,
        port=config.screen.port,
        station=config.station.code,
        language=config.gateway.language,
        board=shared.board,
        health=shared.health,
        observations=shared.observations,
        clock=shared.clock,
        catalogue=lambda: shared.catalogue,
        unsent_count=shared.journal.unsent_count,
        devices=DeviceDesk(supervisor, clock=shared.clock, health=shared.health),
        claims=discovery.desk,
        labels_folder=labels_folder(config.gateway.data_directory),
    )


def _replicator(config: GatewayConfig, shared: _Shared, key: GatewayKey) -> Replicator:
    return Replicator(
        journal=shared.journal,
        key=key,
        mqtt=replace(config.mqtt, password=read_password(config.mqtt), password_file=""),
        site=config.gateway.site,
        clock=shared.clock,
        health=shared.health,
        jitter=_jitter,
    )


def _jitter() -> float:
    return random_64() / 2**64


def _station_setup(config: GatewayConfig, devices: Sequence[ConfiguredDevice]) -> StationSetup:
    def names(device_class: str) -> tuple[str, ...]:
        return tuple(
            device.section.name for device in devices if device.driver.device_class == device_class
        )

    return StationSetup(
        station=config.station.code,
        warehouse=config.gateway.warehouse,
        receive_location=config.station.receive_location,
        scales=names("scale"),
        printers=names("label_printer"),
        sscc_company_prefix=config.station.sscc_company_prefix,
        sscc_extension_digit=config.station.sscc_extension_digit,
        templates=use_templates(labels_folder(config.gateway.data_directory)),
        place_template=config.station.place_template,
        pallet_template=config.station.pallet_template,
        language=config.gateway.language,
    )


def _current_reference(config: GatewayConfig, journal: Journal) -> Reference | None:
    """Return the reference data to work by: the file's if its revision is higher, else the kept."""
    kept = journal.reference()
    if not config.gateway.reference_file:
        return kept
    try:
        read = _read_reference(Path(config.gateway.reference_file))
    except ConfigInvalid as error:
        if kept is None:
            raise
        # The dock goes on with what it knows; whoever changed the file hears of it.
        log_event("error", "reference file not usable", reason=str(error), hint=error.hint)
        return kept
    if journal.store_reference(read):
        log_event("info", "reference data stored", revision=read.revision)
        return read
    if read != kept:
        log_event(
            "warning",
            "reference file ignored: its revision is not higher than the one kept",
            revision=read.revision,
            hint="Raise `revision` in the reference file.",
        )
    return kept


def _read_reference(path: Path) -> Reference:
    try:
        with path.open("rb") as file:
            return parse_reference(file.read(REFERENCE_BYTES_MAX + 1))
    except OSError as error:
        raise ConfigInvalid(
            f"gateway.reference_file: {path} cannot be read: {error}",
            hint="Name a file that this user can read.",
        ) from error
    except ContractError as error:
        raise ConfigInvalid(f"gateway.reference_file: {path}: {error}", hint=error.hint) from error


def _warn_of_unknown_places(config: GatewayConfig, catalogue: Catalogue) -> None:
    place = config.station.receive_location
    if catalogue.revision and catalogue.location(place) is None:
        log_event(
            "warning",
            "the reference data does not know the place of receipt",
            warehouse=config.gateway.warehouse,
            location=place,
            hint="Correct gateway.warehouse or station.receive_location, or the reference data.",
        )


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


def _keep_house(station: StationLoop, journal: Journal, stop: Event) -> bool:
    """Write the journal's log back and feed the watchdog until asked to stop (True)."""
    writable = True
    while not stop.wait(HOUSEKEEPING_S):
        if not station.alive:
            log_event("error", "the station's thread has ended", hint="The service restarts it.")
            return False
        _notify("WATCHDOG=1")
        try:
            journal.checkpoint_if_due()
            writable = True
        except JournalFull as error:
            if writable:
                log_event("error", "journal not written", reason=str(error), hint=error.hint)
            writable = False
    return True


def _notify(state: str) -> None:
    """Tell systemd, if it started us, how we are (sd_notify(3)). It not listening is no fault."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    name = "\0" + address[1:] if address.startswith("@") else address
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.connect(name)
        notify.sendall(state.encode())


def _give_up() -> None:
    log_event("error", "stopping took too long, ending at once", stop_s_max=STOP_S_MAX)
    os._exit(1)
