"""The sections of the gateway's configuration file, and an example of every key. Pure."""

import ipaddress
from typing import Annotated, Any, Literal

import msgspec

from gateway.config_backup import BACKUP_EXAMPLES, BackupSection
from gateway.config_doors import DOOR_EXAMPLES, DOORS_MAX, DoorSection
from gateway.config_journal import JOURNAL_EXAMPLES, JournalSection

NETWORK_ADDRESSES_MAX = 1024
DEVICES_MAX = 64  # As many as a state message to central can carry.
STATIONS_MAX = 8  # Each with a thread, a board and a page of its own.

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
NonEmpty = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]

STATION_EXAMPLES = {
    "code": 'code = "dock-2"',
    "receive_location": 'receive_location = "dock-1"',
    "ship_location": 'ship_location = "stage-1"',
    "returns_location": 'returns_location = "stage-2"',
    "pick_to": 'pick_to = "staging" or pick_to = "ship"',
    "sscc_company_prefix": 'sscc_company_prefix = "6901234"',
    "sscc_extension_digit": 'sscc_extension_digit = "0"',
    "place_template": 'place_template = "bin"',
    "pallet_template": 'pallet_template = "pallet"',
    "devices": 'devices = ["dock-2-scanner", "dock-2-scale"]',
}
# What to write, by key; the examples of the error messages.
EXAMPLES = (
    {
        "gateway": "[gateway]",
        "gateway.code": 'code = "sh1-dock-2"',
        "gateway.site": 'site = "main"',
        "gateway.warehouse": 'warehouse = "sh1"',
        "gateway.data_directory": 'data_directory = "/var/lib/dockledger-gateway"',
        "gateway.reference_file": 'reference_file = "/etc/dockledger-gateway/reference.toml"',
        "gateway.language": 'language = "en" or language = "zh"',
        "station": "[station]",
        "stations": "[[stations]]",
        "mqtt": "[mqtt]",
        "mqtt.host": 'host = "central.example.com"',
        "mqtt.port": "port = 1883",
        "mqtt.username": 'username = "sh1-dock-2"',
        "mqtt.password": 'password = "..."',
        "mqtt.password_file": 'password_file = "/etc/dockledger-gateway/mqtt-password"',
        "mqtt.keepalive_s": "keepalive_s = 15",
        "mqtt.protocol": 'protocol = "5"',
        "mqtt.tls_ca_file": 'tls_ca_file = "/etc/dockledger-gateway/ca.pem"',
        "mqtt.tls_certificate_file": 'tls_certificate_file = "/etc/dockledger-gateway/mqtt.pem"',
        "mqtt.tls_key_file": 'tls_key_file = "/etc/dockledger-gateway/mqtt.key"',
        "identity": "[identity]",
        "identity.enrol_file": 'enrol_file = "/etc/dockledger-gateway/dockledger-enrol.toml"',
        "central": "[central]",
        "central.url": 'url = "https://central.example.com:8443"',
        "central.tls_ca_file": 'tls_ca_file = "/etc/dockledger-gateway/ca.pem"',
        "central.report_interval_s": "report_interval_s = 60",
        "ledger": "[ledger]",
        "ledger.public_key": 'public_key = "..." (as `dockledger-central ledger-key` prints it)',
        "screen": "[screen]",
        "screen.host": 'host = "127.0.0.1"',
        "screen.port": "port = 8081",
        "discovery": 'networks = ["192.168.10.0/28"]',
        "discovery.enabled": "enabled = true",
        "discovery.sweep_interval_s": "sweep_interval_s = 5",
        "discovery.hosts": 'hosts = ["192.168.10.23"]',
        "discovery.networks": 'networks = ["192.168.10.0/28"]',
        "discovery.ports": "ports = [9100, 5084]",
        "discovery.probe": "probe = true",
        "discovery.network_interval_s": "network_interval_s = 60",
        "device": "[[device]]",
        "device.name": 'name = "dock-2-scanner"',
        "device.driver": 'driver = "scanner-serial"',
        "device.settings": "[device.settings]",
    }
    | {
        f"{section}.{key}": example
        for section in ("station", "stations")
        for key, example in STATION_EXAMPLES.items()
    }
    | BACKUP_EXAMPLES
    | JOURNAL_EXAMPLES
    | DOOR_EXAMPLES
)


class GatewaySection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who this gateway is. Paths are absolute once loaded; reference_file "" is none.

    code, warehouse: "" with an enrolment file: whoever central says, once it is enrolled.
    """

    code: str
    warehouse: str
    data_directory: NonEmpty
    site: str = "main"
    reference_file: str = ""
    language: Literal["en", "zh"] = "en"


class StationSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A work place. sscc_company_prefix "": this station gives no SSCC to pallets.

    ship_location "": goods wait at the receive location to go out. returns_location "": what comes
    back goes to the receive location. pick_to: picked goods wait at the ship location, or are sent.
    devices: which serve this station, of each class the first first; see `station_of_device`.
    code, receive_location: "" where `gateway.code` is: the gateway's code, and what central says.
    """

    code: str
    receive_location: str
    ship_location: str = ""
    returns_location: str = ""
    pick_to: Literal["staging", "ship"] = "staging"
    sscc_company_prefix: str = ""
    sscc_extension_digit: str = "0"
    place_template: NonEmpty = "bin"
    pallet_template: NonEmpty = "pallet"
    devices: Annotated[tuple[NonEmpty, ...], msgspec.Meta(max_length=DEVICES_MAX)] = ()


class MqttSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The broker. password and password_file exclude each other; tls_ca_file "" is no TLS.

    tls_certificate_file, tls_key_file: PEM, by which we log in; both may stand in one file. Without
    them, where [identity] names an enrolment file, what came of the enrolment.

    protocol: "3.1.1" only for brokers that do not speak MQTT 5: refused messages are not seen then.
    """

    host: NonEmpty
    port: Port = 1883
    username: str = ""
    password: str = ""
    password_file: str = ""
    keepalive_s: Annotated[int, msgspec.Meta(ge=5, le=3600)] = 15
    tls_ca_file: str = ""
    tls_certificate_file: str = ""
    tls_key_file: str = ""
    protocol: Literal["5", "3.1.1"] = "5"


class CentralSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Central over HTTP, for snapshots. url "": none are loaded; tls_ca_file "": the system's.

    report_interval_s: between two reports of the stock that is shown, which go over the broker.
    """

    url: Annotated[str, msgspec.Meta(pattern=r"^(https?://[^\s?#]+)?$", max_length=1024)] = ""
    tls_ca_file: str = ""
    report_interval_s: Annotated[float, msgspec.Meta(ge=1, le=86400)] = 60.0


class IdentitySection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who we are. enrol_file: where an enrolment file is put; "" where keys are carried by hand."""

    enrol_file: str = ""


class LedgerSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to believe. public_key "": the first ledger that is heard is believed from then on."""

    public_key: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{64})?$")] = ""


class ScreenSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the operator's page is served."""

    host: NonEmpty = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8081


class DiscoverySection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be looked for. Without `ports` nothing is ever connected to on the network."""

    enabled: bool = True
    sweep_interval_s: Annotated[float, msgspec.Meta(ge=0.5, le=3600)] = 5.0
    hosts: Annotated[tuple[NonEmpty, ...], msgspec.Meta(max_length=256)] = ()
    networks: Annotated[tuple[str, ...], msgspec.Meta(max_length=16)] = ()
    ports: Annotated[tuple[Port, ...], msgspec.Meta(max_length=16)] = ()
    probe: bool = True
    network_interval_s: Annotated[float, msgspec.Meta(ge=5, le=86400)] = 60.0

    def __post_init__(self) -> None:
        sizes = [ipaddress.ip_network(one, strict=False).num_addresses for one in self.networks]
        if sum(sizes) > NETWORK_ADDRESSES_MAX:
            raise ValueError(f"more than {NETWORK_ADDRESSES_MAX} addresses in `networks`")


class DeviceSection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One device. settings: what its driver asks for; the driver checks them."""

    name: str
    driver: NonEmpty
    settings: dict[str, Any] = {}


class GatewayConfig(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"devices": "device", "dock_doors": "dock_door"},
):
    """The whole file. One station is `station`, several are `stations`: never both, never none."""

    gateway: GatewaySection
    mqtt: MqttSection
    station: StationSection | None = None
    stations: Annotated[tuple[StationSection, ...], msgspec.Meta(max_length=STATIONS_MAX)] = ()
    central: CentralSection = CentralSection()
    identity: IdentitySection = IdentitySection()
    ledger: LedgerSection = LedgerSection()
    journal: JournalSection = JournalSection()
    backup: BackupSection = BackupSection()
    screen: ScreenSection = ScreenSection()
    discovery: DiscoverySection = DiscoverySection()
    dock_doors: Annotated[tuple[DoorSection, ...], msgspec.Meta(max_length=DOORS_MAX)] = ()
    devices: Annotated[tuple[DeviceSection, ...], msgspec.Meta(max_length=DEVICES_MAX)] = ()

    def __post_init__(self) -> None:
        if (self.station is None) == (not self.stations):
            raise ValueError("expected one [station], or [[stations]] if there are several")

    @property
    def is_nameless(self) -> bool:
        """Return whether only central can say who this gateway is."""
        return not self.gateway.code and bool(self.identity.enrol_file)

    @property
    def work_places(self) -> tuple[StationSection, ...]:
        """Return all stations, at least one, in the order of the file."""
        return (self.station,) if self.station is not None else self.stations

    def station_of_device(self, name: str) -> str:
        """Return the code of the station that a device serves; a claimed one is in no file.

        The station that names it; else the one whose code begins its name, the longest such code
        ("dock-2" has "dock-2-scale"); else the first.
        """
        places = self.work_places
        for place in places:
            if name in place.devices:
                return place.code
        begun = [place.code for place in places if name.startswith(f"{place.code}-")]
        return max(begun, key=len, default=places[0].code)
