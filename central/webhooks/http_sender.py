"""Sends a signed message to a subscriber's address. Edge of HTTP."""

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from central.webhooks.messages import Signed

if TYPE_CHECKING:  # Loaded for the first message: most ledgers have no subscriber.
    import httpx

TIMEOUT_S = 10.0
CONNECTIONS_MAX = 16


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of it. status: of the answer, 0 for none. error: "" if it was taken."""

    status: int
    error: str

    @property
    def taken(self) -> bool:
        """Return whether the subscriber has it."""
        return not self.error


class HttpSender:
    """May be used by several threads at once. The body of an answer is never read."""

    def __init__(self, *, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._lock = Lock()
        self._client: httpx.Client | None = None

    def send(self, url: str, signed: Signed) -> Attempt:
        """Make one attempt; whatever goes wrong is what came of it."""
        import httpx  # noqa: PLC0415 - see above

        try:
            with self._opened().stream(
                "POST", url, content=signed.body, headers=dict(signed.headers)
            ) as answer:
                status = answer.status_code
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:  # The last by names.
            return Attempt(0, f"{type(error).__name__}: {error}"[:200])
        if 200 <= status < 300:
            return Attempt(status, "")
        return Attempt(status, f"the answer was {status}, not 2xx")

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            if self._client is not None:
                self._client.close()

    def _opened(self) -> "httpx.Client":
        import httpx  # noqa: PLC0415 - see above

        with self._lock:
            if self._client is None:
                self._client = httpx.Client(
                    timeout=self._timeout_s,
                    follow_redirects=False,  # Whoever answers elsewhere did not subscribe.
                    trust_env=False,
                    limits=httpx.Limits(max_connections=CONNECTIONS_MAX),
                    headers={"user-agent": "dockledger-webhooks/1"},
                )
            return self._client
