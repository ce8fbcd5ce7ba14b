"""What keeper and child say to each other, one JSON line each way. Pure."""

from typing import Literal

import msgspec

LINE_BYTES_MAX = 64 * 1024
ExchangeProblem = Literal[
    "",
    "claim_refused",  # Wrong, past its time, used by another machine.
    "refused",  # The key is not known any more, or is revoked.
    "wrong_gateway",  # The claim is for another code than the configuration's.
    "unreachable",
    "not_trusted",  # Whoever answers is not whom the enrolment file names.
    "busy",
    "disk",
    "unexpected",
]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to do once. claim "": renew. signing_key_file: of the journal's key."""

    data_directory: str
    signing_key_file: str
    gateway: str
    central_url: str
    claim: str = ""
    hardware: str = ""

    def __repr__(self) -> str:
        return f"Order({self.gateway})"


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """How it ended. problem "": the certificate is here. detail: English; hint: central's."""

    problem: ExchangeProblem = ""
    detail: str = ""
    hint: str = ""


def encode(message: Order | Ended) -> bytes:
    """Return a message as one line."""
    return msgspec.json.encode(message) + b"\n"


def decode_order(line: bytes) -> Order:
    """Return an order. Raises msgspec.DecodeError."""
    return msgspec.json.decode(line, type=Order)


def decode_ended(line: bytes) -> Ended:
    """Return how a child ended; one that said nothing readable ended unexpectedly."""
    try:
        return msgspec.json.decode(line, type=Ended)
    except msgspec.DecodeError:
        return Ended(problem="unexpected", detail="the child ended without a word")
