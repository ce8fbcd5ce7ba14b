"""What a subscriber is sent, how it is signed, and when it is tried again. Pure.

The form is that of Standard Webhooks (github.com/standard-webhooks/standard-webhooks, "Webhook
headers", "Signature scheme", "Retry schedule"):

    webhook-id: SUB-1.117                      the same at each attempt
    webhook-timestamp: 1790000000              seconds since 1970, of this attempt
    webhook-signature: v1,BASE64(HMAC-SHA256(key, "id.timestamp.body"))
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

SECRET_PREFIX = "whsec_"  # noqa: S105 - of the text in which a secret is shown.
PAUSE_FIRST_MS = 5_000
PAUSE_MS_MAX = 3_600_000
QUIET_MS_MAX = 60_000
GIVE_UP_MS = 72 * 3_600_000
# And not before so many attempts, some 85 minutes: the ledger itself may have been off meanwhile.
GIVE_UP_ATTEMPTS = 11


class EventData(msgspec.Struct, frozen=True):
    """What happened. previous_event_no: of the same object, 0 for none: shows what is missing."""

    event_no: int
    previous_event_no: int
    kind: str
    code: str
    action: str
    warehouse: str
    actor: str
    fields: msgspec.Raw


class Message(msgspec.Struct, frozen=True):
    """The body. type: e.g. "transfer.approved"; timestamp: when it happened, ISO 8601."""

    type: str
    timestamp: str
    data: EventData


@dataclass(frozen=True, slots=True)
class Signed:
    """A body with its headers."""

    body: bytes
    headers: Mapping[str, str]


def signed(message: Message, *, subscription: str, secret_hex: str, now_ms: int) -> Signed:
    """Return what one attempt sends."""
    identity, seconds = f"{subscription}.{message.data.event_no}", str(now_ms // 1000)
    body = msgspec.json.encode(message)
    text = f"{identity}.{seconds}.".encode() + body
    mark = hmac.new(bytes.fromhex(secret_hex), text, hashlib.sha256).digest()
    return Signed(
        body,
        {
            "content-type": "application/json",
            "webhook-id": identity,
            "webhook-timestamp": seconds,
            "webhook-signature": f"v1,{base64.b64encode(mark).decode()}",
        },
    )


def shown_secret(secret_hex: str) -> str:
    """Return a secret as subscribers' libraries take it."""
    return SECRET_PREFIX + base64.b64encode(bytes.fromhex(secret_hex)).decode()


def is_over(attempts_count: int, *, since_ms: int) -> bool:
    """Return whether an event is given up after so many attempts, all failed. since_ms: its age."""
    return since_ms >= GIVE_UP_MS and attempts_count >= GIVE_UP_ATTEMPTS


def pause_ms(attempts_count: int, *, jitter: float) -> int:
    """Return how long to wait after so many failed attempts: 5 s, 10 s, 20 s ... 1 h, less a fifth.

    jitter: from 0 to below 1, of the fifth that is left out, so that many do not come at once.
    """
    doubled = PAUSE_FIRST_MS << min(attempts_count - 1, 20)
    whole = min(doubled, PAUSE_MS_MAX)
    return whole - int(whole * jitter / 5)
