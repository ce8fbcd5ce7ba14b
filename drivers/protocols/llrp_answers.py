"""What a reader answers about itself, and what to tell a person when it refuses. Pure.

Source: EPCglobal LLRP 1.1, sections 10.2.1 and 10.2.2 (capabilities), 11.2.1 (ROSpec), 13.2.1
(Identification), 14.2.6.13 (ConnectionAttemptEvent), 15.2 (status).
"""

import struct
from dataclasses import dataclass, replace

from drivers.errors import DeviceLost, DeviceSilent, DriverError, SettingsInvalid
from drivers.protocols.llrp_frames import LlrpInvalid, Status, parameters, text_at, unpack
from drivers.protocols.llrp_numbers import (
    STATUS_DEVICE_ERROR,
    VENDOR_IMPINJ,
    ParameterType,
)

# Private enterprise numbers of IANA.
MAKERS = {VENDOR_IMPINJ: "Impinj", 10642: "Zebra", 17996: "Alien"}
REFUSED_HINTS = {
    1: "Switch off the LLRP connection that the reader opens by itself, on its own web page.",
    2: "End the other program that is connected to this reader; after a pulled cable, wait a"
    " minute until the reader has noticed it.",
    3: "Restart the reader; if that does not help, read the log on its own web page.",
    4: "Stop the other programs that try to connect to this reader.",
}

_GENERAL = struct.Struct(">HHII")
_LLRP = struct.Struct(">BBHIIIII")
_GPIO = struct.Struct(">HH")
_ROSPEC = struct.Struct(">IBB")
_SUPPORTED = struct.Struct(">BB")


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a reader is. maker, model: numbers. holds_reports: keeps them while nobody listens.

    antennas_max, inputs_count: None if the reader did not say; an input count of 0 means none.
    """

    maker: int = 0
    model: int = 0
    firmware: str = ""
    antennas_max: int | None = None
    inputs_count: int | None = None
    holds_reports: bool = False
    has_utc_clock: bool = False

    def __str__(self) -> str:
        maker = MAKERS.get(self.maker, f"maker {self.maker}")
        return f"{maker} model {self.model} firmware {self.firmware or '?'}"


def parse_capabilities(body: bytes) -> Capabilities:
    """Return what GET_READER_CAPABILITIES_RESPONSE says. Raises LlrpInvalid."""
    found = Capabilities()
    for one in parameters(body):
        if one.kind == ParameterType.GENERAL_DEVICE_CAPABILITIES:
            antennas, flags, maker, model = unpack(_GENERAL, one.value)
            firmware, end = text_at(one.value, _GENERAL.size)
            inputs = None
            for inner in parameters(one.value[end:]):
                if inner.kind == ParameterType.GPIO_CAPABILITIES:
                    inputs = unpack(_GPIO, inner.value)[0]
            found = replace(
                found,
                maker=maker,
                model=model,
                firmware=firmware,
                antennas_max=antennas,
                inputs_count=inputs,
                has_utc_clock=bool(flags & 0x4000),
            )
        elif one.kind == ParameterType.LLRP_CAPABILITIES:
            found = replace(found, holds_reports=bool(unpack(_LLRP, one.value)[0] & 0x08))
    return found


def parse_rospecs(body: bytes) -> dict[int, int]:
    """Return state (0 disabled, 1 inactive, 2 active) by id of every ROSpec. Raises LlrpInvalid."""
    found: dict[int, int] = {}
    for one in parameters(body):
        if one.kind == ParameterType.ROSPEC:
            spec_id, _, state = unpack(_ROSPEC, one.value)
            found[spec_id] = state
    return found


def parse_identification(body: bytes) -> str:
    """Return the reader's MAC address or EPC in hexadecimal, "" if not said. Raises LlrpInvalid."""
    for one in parameters(body):
        if one.kind == ParameterType.IDENTIFICATION:
            if len(one.value) < 3:
                raise LlrpInvalid("an identification without length")
            return one.value[3 : 3 + int.from_bytes(one.value[1:3], "big")][:64].hex()
    return ""


def parse_supported_version(body: bytes) -> int:
    """Return the highest version that the reader speaks: 1 is 1.0.1. Raises LlrpInvalid."""
    return unpack(_SUPPORTED, body)[1]


def connection_refused(status: int, peer: str) -> DriverError:
    """Return the error for a ConnectionAttemptEvent other than success."""
    hint = REFUSED_HINTS.get(status, REFUSED_HINTS[3])
    return DeviceLost(f"{peer} refuses the connection with status {status}", hint=hint)


def request_refused(step: str, status: Status, peer: str) -> DriverError:
    """Return the error for a request that the reader did not take.

    step: what was asked, in words. What is wrong with the request itself stays wrong: only other
    settings help.
    """
    text = f"{peer} does not accept {step}: {status}"
    if status.code == STATUS_DEVICE_ERROR:
        return DeviceLost(
            text, hint="Restart the reader and look at its own web page: it reports a fault."
        )
    if 100 <= status.code < 400:
        return SettingsInvalid(
            text,
            hint="Correct antennas, power_index, mode_index, inputs and triggers of this reader;"
            " what it can do stands on its own web page.",
        )
    return DeviceLost(text, hint="Restart the reader.")


def impossible_settings(
    capabilities: Capabilities, *, antennas: tuple[int, ...], inputs: tuple[int, ...], peer: str
) -> SettingsInvalid | None:
    """Return the error if the reader lacks an antenna or an input of the settings, else None."""
    last = capabilities.antennas_max
    if last and antennas and max(antennas) > last:
        return SettingsInvalid(
            f"{peer} has {last} antennas, {max(antennas)} is set",
            hint=f"Set `antennas` of this reader to numbers from 1 to {last}.",
        )
    count = capabilities.inputs_count
    if count is not None and inputs and max(inputs) > count:
        return SettingsInvalid(
            f"{peer} has {count} inputs, {max(inputs)} is set",
            hint=f"Use inputs from 1 to {count} of this reader, or none if that is 0.",
        )
    return None


def not_llrp(detail: str, peer: str) -> DriverError:
    """Return the error for bytes that are no LLRP."""
    return DeviceLost(
        f"{peer} does not speak LLRP: {detail}",
        hint="Check address and port: LLRP readers listen on port 5084.",
    )


def answer_unreadable(detail: str, peer: str) -> DriverError:
    """Return the error for an answer in a sound frame that says nothing sensible."""
    return DeviceLost(
        f"answer of {peer} cannot be read: {detail}",
        hint="Restart the reader; if it stays, update its firmware.",
    )


def connection_ended(peer: str) -> DriverError:
    """Return the error for a connection that the reader ends by saying so."""
    return DeviceLost(
        f"{peer} ends the connection",
        hint="See who restarted the reader or took it over: its own web page shows it.",
    )


def work_forgotten(peer: str) -> DriverError:
    """Return the error for a reader whose ROSpec of ours is gone or disabled."""
    return DeviceLost(
        f"{peer} has forgotten what to read",
        hint="See who else changes the settings of this reader.",
    )


def no_answer(asked: str, waited_s: float, peer: str) -> DriverError:
    """Return the error for a reader that does not answer."""
    return DeviceSilent(
        f"{peer} did not answer within {waited_s:g} s: {asked}",
        hint="Check that LLRP is switched on in the reader and that its port is right;"
        " if it hangs, restart it.",
    )


def no_keepalive(silent_s: float, peer: str) -> DriverError:
    """Return the error for a reader that has gone silent."""
    return DeviceLost(
        f"no keepalive of {peer} for {silent_s:.1f} s",
        hint="Check the reader's power and its network cable.",
    )
