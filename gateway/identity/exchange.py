"""What keeper and child say to each other, in lines of JSON. Pure."""

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
    "denied",  # Staff did not let in the machine that showed a code.
    "code_expired",  # Nobody has typed the code in time.
    "disk",
    "unexpected",
]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What to do. claim "": renew. task "show": show a code until somebody has answered it.

    signing_key_file: of the journal's key. gateway "": whoever central says.
    """

    data_directory: str
    signing_key_file: str
    gateway: str
    central_url: str
    claim: str = ""
    hardware: str = ""
    task: Literal["", "show"] = ""

    def __repr__(self) -> str:
        return f"Order({self.gateway})"


class CodeShown(msgspec.Struct, frozen=True, kw_only=True, tag="shown"):
    """What stands on the screen. expires_in_s: 0 if only central knows. reached: by the last poll.

    qr_svg: a QR code of `page`, which people open to type the code; no code is in it.
    """

    code: str
    fingerprint: str
    page: str
    qr_svg: str
    expires_in_s: int
    reached: bool = True


class Ended(msgspec.Struct, frozen=True, kw_only=True, tag="ended"):
    """How it ended. problem "": the certificate is here. detail: English; hint: central's."""

    problem: ExchangeProblem = ""
    detail: str = ""
    hint: str = ""


def encode(message: Order | CodeShown | Ended) -> bytes:
    """Return a message as one line."""
    return msgspec.json.encode(message) + b"\n"


def decode_order(line: bytes) -> Order:
    """Return an order. Raises msgspec.DecodeError."""
    return msgspec.json.decode(line, type=Order)


def decode_said(line: bytes) -> CodeShown | Ended:
    """Return what a child says; one that said nothing readable ended unexpectedly."""
    try:
        return msgspec.json.decode(line, type=CodeShown | Ended)
    except msgspec.DecodeError:
        return Ended(problem="unexpected", detail="the child ended without a word")


def decode_ended(line: bytes) -> Ended:
    """Return how a child ended that shows no code."""
    said = decode_said(line)
    if isinstance(said, Ended):
        return said
    return Ended(problem="unexpected", detail="the child showed a code that nobody asked for")
