"""What is asked of an LLRP reader in each state of a connection, and what answers it. Pure.

The states are drawn in llrp_session.
"""

from dataclasses import dataclass

from drivers.protocols import llrp_requests
from drivers.protocols.llrp_numbers import MessageType
from drivers.protocols.llrp_requests import Inventory


@dataclass(frozen=True, slots=True)
class Step:
    """What is asked in a state, which message answers, and where its status begins."""

    words: str
    request: MessageType
    answer: MessageType
    status_offset: int = 0


STEPS = {
    "version": Step(
        "GET_SUPPORTED_VERSION",
        MessageType.GET_SUPPORTED_VERSION,
        MessageType.GET_SUPPORTED_VERSION_RESPONSE,
        2,
    ),
    "set_version": Step(
        "version 1.1",
        MessageType.SET_PROTOCOL_VERSION,
        MessageType.SET_PROTOCOL_VERSION_RESPONSE,
    ),
    "capabilities": Step(
        "the question for its capabilities",
        MessageType.GET_READER_CAPABILITIES,
        MessageType.GET_READER_CAPABILITIES_RESPONSE,
    ),
    "extensions": Step("Impinj's extensions", MessageType.CUSTOM, MessageType.CUSTOM, 5),
    "rospecs": Step(
        "the question for its ROSpecs", MessageType.GET_ROSPECS, MessageType.GET_ROSPECS_RESPONSE
    ),
    "deleting": Step(
        "deleting old ROSpecs", MessageType.DELETE_ROSPEC, MessageType.DELETE_ROSPEC_RESPONSE
    ),
    "configuring": Step(
        "its configuration", MessageType.SET_READER_CONFIG, MessageType.SET_READER_CONFIG_RESPONSE
    ),
    "adding": Step("the ROSpec", MessageType.ADD_ROSPEC, MessageType.ADD_ROSPEC_RESPONSE),
    "enabling": Step(
        "enabling the ROSpec", MessageType.ENABLE_ROSPEC, MessageType.ENABLE_ROSPEC_RESPONSE
    ),
}

VERSION_1_1 = b"\x02"
ALL_ROSPECS = 0


def request_body(state: str, inventory: Inventory) -> bytes:
    """Return the body of what is asked in `state`."""
    match state:
        case "set_version":
            return VERSION_1_1
        case "capabilities":
            return llrp_requests.EVERYTHING
        case "extensions":
            return llrp_requests.impinj_extensions()
        case "deleting":
            return llrp_requests.number(ALL_ROSPECS)
        case "configuring":
            return llrp_requests.config(inventory)
        case "adding":
            return llrp_requests.add_rospec(inventory)
        case "enabling":
            return llrp_requests.number(llrp_requests.rospec_id(inventory))
        case _:
            return b""
