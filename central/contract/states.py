"""Birth, death and health of gateways and of the ledger's workers: telemetry, never facts. Pure."""

from typing import Annotated, Literal

import msgspec

from central.contract.acks import AckProblem
from central.contract.errors import ContractError
from central.contract.identifiers import parse_code
from central.contract.topics import SHARD_COUNT
from central.contract.wire_types import CodeText, Number

STATE_VERSION = 1
STATE_BYTES_MAX = 64 * 1024
REASON_CHARACTERS_MAX = 300

# Why facts do not get through: the ledger says so, or the gateway finds it in answer or journal.
LinkProblem = Literal[
    AckProblem,
    "foreign_ledger",  # The word on our facts is not signed by the ledger that we know.
    "unknown_epoch",  # The ledger acknowledges an epoch that this journal never had.
    "foreign_head",  # The ledger's chain is not the journal's.
    "ack_ahead",  # The ledger has more facts than the journal.
    "facts_gone",  # The journal no longer holds what the ledger wants.
    "too_large",  # The broker takes no message as large as one fact.
]
# What a gateway's state names; "journal": nothing can be recorded there.
GatewayProblem = Literal[LinkProblem, "journal"]
# What a device that works says of itself so often, or so long, that a person should look.
ReadProblem = Literal["unreadable", "scan_again", "reader_error", "reads_lost"]
ScaleProblem = Literal["overload", "underload", "not_ready", "zero_error"]
# Why a device is not ready; each has a sentence for people, in both languages, on every page.
DeviceProblem = Literal[
    "",
    "lost",  # The line, port or socket is gone.
    "silent",  # The line is there, the device does not answer.
    "settings",  # It can never work as it is configured.
    "crashed",  # Its driver made a mistake.
    "locked",  # An administrator keeps it closed.
    "in_use",  # Another program has its line.
    "no_permission",  # The gateway's user may not open its line.
    "wrong_driver",  # All that it says is unreadable: another driver's device, or another speed.
    "unsteady",  # It had to be opened again several times.
    ReadProblem,
    ScaleProblem,
    "paper_low",
    "ribbon_low",
    # From here on a label printer says it of itself.
    "paper_out",
    "ribbon_out",
    "head_open",
    "paused",
    "busy",
    "over_temperature",
    "error",
]


class DeviceState(msgspec.Struct, frozen=True, kw_only=True):
    """How one device is. state: "configured", "opening", "ready", "degraded", "offline", "fault".

    detail: what is wrong, in the words of its driver, English. problem: a DeviceProblem, or what a
    newer gateway says.
    """

    name: CodeText
    device_class: CodeText
    state: CodeText
    detail: Annotated[str, msgspec.Meta(max_length=256)] = ""
    problem: CodeText = ""


class GatewayState(msgspec.Struct, frozen=True, kw_only=True):
    """Birth, death and health of a gateway: telemetry, never a fact. JSON on the wire, retained.

    online: False in the last will and at a clean end. head_seq: last fact of `epoch`.
    unsent_count: facts of all epochs that the ledger has not acknowledged.
    problem: a GatewayProblem, or what a newer gateway says.
    boot_id, monotonic_ms, clock_synced: with `time_ms`, for the estimate of a boot's clock.
    lag_s: age of the oldest fact that the ledger has not acknowledged, by the monotonic clock.
    stream, notice, stock_revision, reference_revision: what it knows of central's notices;
    known_age_s: how old that is. disk_used_percent: of the disk that holds the journal.
    written_bytes_day: what the gateway wrote in the last 24 hours, or since its start.
    shed_count: RFID passages that were not recorded since the start, for want of disk.
    failed_release: the version that the update agent gave up last, "" if none; failed_reason: why,
    English, in its words; failed_time_ms: when, 0 if nobody knows.
    """

    version: Number = STATE_VERSION
    gateway: CodeText
    warehouse: CodeText
    epoch: CodeText
    online: bool
    time_ms: Number = 0
    head_seq: Number = 0
    unsent_count: Number = 0
    software: CodeText = ""
    problem: CodeText = ""
    devices: Annotated[tuple[DeviceState, ...], msgspec.Meta(max_length=64)] = ()
    boot_id: CodeText = ""
    monotonic_ms: Number = 0
    clock_synced: bool = False
    lag_s: Number = 0
    stream: CodeText = ""
    notice: Number = 0
    stock_revision: Number = 0
    reference_revision: Number = 0
    known_age_s: Number = 0
    disk_used_percent: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    written_bytes_day: Number = 0
    shed_count: Number = 0
    failed_release: CodeText = ""
    failed_reason: Annotated[str, msgspec.Meta(max_length=REASON_CHARACTERS_MAX)] = ""
    failed_time_ms: Number = 0


class CentralState(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a worker of central takes facts, so that gateways know it. JSON, retained.

    worker: a code, one per process that takes facts. shards: of which it takes them.
    online: False in the last will and at a clean end. public_key: the ledger's, 64 hexadecimal
    digits. generation: of the ledger, as in its acknowledgements. A hint, never proof: a gateway
    believes signed acknowledgements alone.
    """

    version: Number = STATE_VERSION
    worker: CodeText
    online: bool
    generation: CodeText
    public_key: CodeText = ""
    time_ms: Number = 0
    software: CodeText = ""
    shards: Annotated[
        tuple[Annotated[int, msgspec.Meta(ge=0, lt=SHARD_COUNT)], ...],
        msgspec.Meta(max_length=SHARD_COUNT),
    ] = ()


_state_decoder = msgspec.json.Decoder(GatewayState)
_central_decoder = msgspec.json.Decoder(CentralState)


def encode_state(state: GatewayState) -> bytes:
    """Return the payload of a gateway's state."""
    return msgspec.json.encode(state)


def decode_state(data: bytes) -> GatewayState:
    """Return the gateway state in a payload. Raises ContractError, whatever the bytes are."""
    try:
        if len(data) > STATE_BYTES_MAX:
            raise ContractError(f"gateway state of {len(data)} bytes")
        state = _state_decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(f"not a readable gateway state: {error}") from error
    parse_code(state.gateway, what="gateway")
    return state


def encode_central_state(state: CentralState) -> bytes:
    """Return the payload of a worker's state."""
    return msgspec.json.encode(state)


def decode_central_state(data: bytes) -> CentralState:
    """Return a worker's state in a payload. Raises ContractError, whatever the bytes are."""
    try:
        if len(data) > STATE_BYTES_MAX:
            raise ContractError(f"central's state of {len(data)} bytes")
        state = _central_decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ContractError(f"not a readable state of central: {error}") from error
    parse_code(state.worker, what="worker")
    return state
