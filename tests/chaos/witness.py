"""Hears every acknowledgement and holds the ledger to its word. Edge of the broker.

An acknowledgement is a promise that the commit is over. So whatever was heard must be in the
database at any later moment; a later look is enough to convict, even if a gateway mends it after.
"""

import threading
from contextlib import suppress

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from sqlalchemy.exc import SQLAlchemyError

from central.contract.acks import decode_ack
from central.contract.errors import ContractError
from tests.brokers import PASSWORD, USERNAME
from tests.chaos.checkers import ack_faults
from tests.chaos.ledger_reader import LedgerReader

LOOK_S = 0.05
FAULTS_MAX = 20


class AckWitness:
    """Subscribes beside the gateways, not through their proxies. Leave it to stop."""

    def __init__(self, *, port: int, reader: LedgerReader) -> None:
        self._reader = reader
        self._lock = threading.Lock()
        self._heard: dict[tuple[str, str], int] = {}
        self._faults: list[str] = []
        self._acks_count = 0
        self._stopping = threading.Event()
        client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv311)
        client.username_pw_set(USERNAME, PASSWORD)
        client.reconnect_delay_set(1, 1)
        client.on_connect = lambda client, *_: client.subscribe("dl/1/+/+/+/ack", 0)
        client.on_message = lambda _client, _userdata, message: self._hear(message)
        self._client = client
        client.connect_async("127.0.0.1", port, keepalive=5)
        client.loop_start()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stopping.set()
        self._thread.join(60)
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def acks_count(self) -> int:
        """Return how many acknowledgements were heard."""
        return self._acks_count

    def faults(self) -> list[str]:
        """Return the broken promises."""
        with self._lock:
            return list(self._faults)

    def _hear(self, message: paho.MQTTMessage) -> None:
        if message.retain:
            return  # Said before we listened.
        with suppress(ContractError):
            ack = decode_ack(message.payload)
            self._acks_count += 1
            key = ack.gateway, str(ack.epoch)
            with self._lock:
                self._heard[key] = max(ack.acked, self._heard.get(key, 0))

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_S):
            with self._lock:
                heard, self._heard = self._heard, {}
            if not heard:
                continue
            while not self._stopping.is_set():
                try:
                    broken = ack_faults(heard, self._reader.positions())
                except SQLAlchemyError:
                    self._stopping.wait(LOOK_S)  # Away; what it promised must hold after it, too.
                    continue
                with self._lock:
                    self._faults = (self._faults + broken)[:FAULTS_MAX]
                break
