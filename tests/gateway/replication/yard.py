"""A gateway, a broker and the ledger, all real, in one test. Edge of mosquitto and SQLite."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from sqlalchemy import text

from central.clock import SystemClock as CentralClock
from central.config import MqttSection as CentralMqttSection
from central.inbox.announcing import Announcing, offline_will, worker_state
from central.inbox.gateways import enrol_gateway, record_states
from central.inbox.inbox import Inbox
from central.inbox.intake_loop import IntakeLoop
from central.inbox.ledger_key import load_ledger_key
from central.ledger.state import read_state
from central.mqtt_link import CentralLink
from central.storage.database import Database
from gateway.clock import SystemClock
from gateway.config_sections import MqttSection
from gateway.health import Health
from gateway.journal.journal import Journal
from gateway.replication.known_ledger import LEDGER_FILE, KnownLedger
from gateway.replication.replicator import Replicator
from gateway.replication.signing import GatewayKey, load_or_create_key
from tests import brokers
from tests.central.migrated import open_migrated
from tests.gateway.journal.samples import movement

SITE = "yard"
CONVERGE_S_MAX = 40.0


@dataclass
class RunningGateway:
    """One start of a gateway's program, as far as replication goes."""

    journal: Journal
    replicator: Replicator
    health: Health

    def append(self, count: int) -> None:
        for _ in range(count):
            self.journal.append([movement()])

    def stop(self) -> None:
        self.replicator.stop()
        self.journal.close()


@dataclass
class Yard:
    """Everything between a scan and the ledger. `central` and gateways start and stop at will."""

    directory: Path
    broker: brokers.Broker
    stack: ExitStack
    database: Database = field(init=False)
    intake: IntakeLoop | None = None
    starts_count: int = 0

    def __post_init__(self) -> None:
        self.database = open_migrated(self.directory / "ledger.db", generation="generation-1")
        self.stack.callback(self.database.close)
        self.stack.callback(self.stop_central)

    def key(self, code: str) -> GatewayKey:
        return load_or_create_key(self.directory / f"{code}.key")

    def enrol(self, code: str = "sh1-dock-2") -> None:
        enrol_gateway(
            self.database,
            gateway=code,
            site=SITE,
            warehouse="sh1",
            public_key=bytes.fromhex(self.key(code).public_key_hex),
            clock=CentralClock(),
        )

    def start_central(self) -> IntakeLoop:
        clock = CentralClock()
        mqtt = CentralMqttSection(
            host="127.0.0.1",
            port=self.broker.port,
            username=brokers.USERNAME,
            password=brokers.PASSWORD,
        )
        key, generation = load_ledger_key(self.database), self.generation()
        state = worker_state(
            worker="yard", shards=None, generation=generation, public_key=key.public_key_hex
        )
        link = CentralLink(mqtt, site=SITE, worker="yard", will=offline_will(state, site=SITE))
        self.intake = IntakeLoop(
            link=link,
            inbox=Inbox(self.database, clock=clock),
            note_states=lambda payloads: record_states(self.database, payloads, clock=clock),
            jitter=lambda: 0.5,
            sign=key.sign,
            announcing=Announcing(state, link=link, clock=clock, read_generation=self.generation),
        )
        self.intake.start()
        return self.intake

    def generation(self) -> str:
        """Return the ledger's present generation."""
        with self.database.read() as connection:
            return read_state(connection).generation

    def set_up_ledger_anew(self) -> None:
        """Replace the ledger by an empty one with another key; the broker forgets the old one."""
        self.stop_central()
        self.broker.stop()
        self.broker.forget()
        self.broker.start()
        self.database = open_migrated(self.directory / "another.db", generation="generation-9")
        self.stack.callback(self.database.close)

    def stop_central(self) -> None:
        intake, self.intake = self.intake, None
        if intake is not None:
            intake.stop()

    def start_gateway(
        self,
        code: str = "sh1-dock-2",
        *,
        journal: str = "",
        nonce: int | None = None,
        password: str = brokers.PASSWORD,
    ) -> RunningGateway:
        self.starts_count += 1
        clock, health = SystemClock(), Health()
        opened = Journal.open(
            self.directory / f"{journal or code}.db",
            gateway=code,
            warehouse="sh1",
            clock=clock,
            nonce=self.starts_count if nonce is None else nonce,
        )
        mqtt = MqttSection(
            host="127.0.0.1",
            port=self.broker.port,
            username=brokers.USERNAME,
            password=password,
        )
        replicator = Replicator(
            journal=opened,
            key=self.key(code),
            ledger=KnownLedger(self.directory / f"{journal or code}-{LEDGER_FILE}"),
            mqtt=mqtt,
            site=SITE,
            clock=clock,
            health=health,
            jitter=lambda: 0.5,
        )
        replicator.start()
        return RunningGateway(opened, replicator, health)

    def committed(self) -> list[tuple[str, str, int]]:
        """Return (gateway, epoch, seq) of every fact in the ledger, in the order of commit."""
        with self.database.read() as connection:
            rows = connection.execute(
                text("SELECT gateway, epoch, seq FROM facts ORDER BY 1, 2, 3")
            )
            return [(row[0], row[1], row[2]) for row in rows]

    def quarantine_counts(self) -> dict[str, int]:
        """Return how many payloads lie in quarantine, by reason."""
        with self.database.read() as connection:
            rows = connection.execute(text("SELECT reason, count(*) FROM quarantine GROUP BY 1"))
            return {row[0]: row[1] for row in rows}

    def online(self, code: str) -> bool:
        """Return what the ledger holds a gateway's state to be."""
        with self.database.read() as connection:
            query = text("SELECT online FROM gateways WHERE gateway = :code")
            return bool(connection.execute(query, {"code": code}).scalar_one())

    @contextmanager
    def stranger(self) -> Iterator["Stranger"]:
        """Yield a client of the broker that is no gateway."""
        client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id="stranger", protocol=MQTTProtocolVersion.MQTTv5
        )
        client.username_pw_set(brokers.USERNAME, brokers.PASSWORD)
        client.connect("127.0.0.1", self.broker.port)
        client.loop_start()
        try:
            yield Stranger(client)
        finally:
            client.disconnect()
            client.loop_stop()


@dataclass
class Stranger:
    """Whoever got hold of the broker's password."""

    client: paho.Client

    def say(self, topic: str, payload: bytes) -> None:
        """Return when the broker has taken the message."""
        self.client.publish(topic, payload, qos=1).wait_for_publish(10.0)
