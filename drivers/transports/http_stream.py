"""An endless HTTP answer of a device, and short requests beside it. Edge of httpx.

httpx can either wait for the next bytes or give the stream up; a device is read in short steps. So
each stream has an event loop of its own, in which the one waiting read outlives the steps. Whoever
calls drives the loop; there is no thread.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx

from drivers.errors import DeviceLost, DeviceSilent, DriverError, SettingsInvalid

ANSWER_BYTES_MAX = 65_536
KEEPALIVE_OPTIONS = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *(
        (socket.IPPROTO_TCP, getattr(socket, name), value)
        for name, value in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3))
        if hasattr(socket, name)  # Each system names its own; Linux has all three.
    ),
)


class HttpStream:
    """A device's HTTP interface; one thread uses it. `get` and `post` any time, `begin` once."""

    def __init__(
        self,
        base_url: str,
        *,
        user: str,
        password: str,
        tls: ssl.SSLContext | None,
        timeout_s: float,
        last_path: str = "",
    ) -> None:
        """Prepare; nothing is sent yet.

        tls: None for plain HTTP. timeout_s: of connecting and of each short answer.
        last_path: to which `close` sends a last empty POST, "" none.
        Raises SettingsInvalid for a base_url that is none.
        """
        try:
            httpx.URL(base_url)
        except httpx.InvalidURL as error:
            raise SettingsInvalid(
                f"{base_url!r} is no address: {error}",
                hint="Write the name or the address alone as `host`, its port as `port`.",
            ) from error
        self._base_url = base_url
        self._timeout_s = timeout_s
        self._last_path = last_path
        self._loop = asyncio.new_event_loop()
        self._client = httpx.AsyncClient(
            base_url=base_url,
            auth=(user, password) if user else None,
            transport=httpx.AsyncHTTPTransport(
                verify=tls if tls is not None else False, socket_options=KEEPALIVE_OPTIONS
            ),
            # The stream itself may pause as long as no tag is there.
            timeout=httpx.Timeout(timeout_s, read=None),
            # A few compressed bytes can become a thousand times as many in one step.
            headers={"Accept-Encoding": "identity"},
            trust_env=False,  # No proxy of the environment stands between gateway and reader.
        )
        self._response: httpx.Response | None = None
        self._chunks: AsyncIterator[bytes] | None = None
        self._waiting: asyncio.Task[bytes] | None = None
        self._question: asyncio.Task[bytes] | None = None

    def get(self, path: str) -> bytes:
        """Return the answer, at most ANSWER_BYTES_MAX. Raises DeviceLost or SettingsInvalid."""
        return self._loop.run_until_complete(self._short("GET", path))

    def post(self, path: str) -> bytes:
        """Send an empty request. Returns and raises as `get`."""
        return self._loop.run_until_complete(self._short("POST", path))

    def begin(self, path: str) -> None:
        """Open the endless answer. Raises DeviceLost or SettingsInvalid."""
        self._response = self._loop.run_until_complete(self._opened(path))
        self._chunks = self._response.aiter_raw()

    def read(self, timeout_s: float) -> bytes:
        """Return what has arrived; b"" if nothing came in `timeout_s`.

        Raises DeviceLost when the device ended the answer or is gone, DeviceSilent when it left
        the question of `ask` without an answer.
        """
        assert self._chunks is not None, "the stream was not begun"
        if self._waiting is None:
            self._waiting = self._loop.create_task(_next(self._chunks))
        tasks = {task for task in (self._waiting, self._question) if task is not None}
        self._loop.run_until_complete(
            asyncio.wait(tasks, timeout=max(timeout_s, 0.0), return_when=asyncio.FIRST_COMPLETED)
        )
        self._judge_answer()
        if not self._waiting.done():
            return b""
        done, self._waiting = self._waiting, None
        try:
            data = done.result()
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            raise self._lost(error) from error
        if not data:
            raise DeviceLost(
                f"{self._base_url} ended its stream",
                hint="Check the reader's power and that no other program has taken its stream.",
            )
        return data

    def ask(self, path: str) -> bool:
        """Ask beside the stream whether the device lives; `read` raises if it does not answer.

        Return False, with nothing sent, while the question before is still open.
        """
        if self._question is not None:
            return False
        self._question = self._loop.create_task(self._short("GET", path))
        return True

    def close(self) -> None:
        """Give everything back. Never raises; may be called twice."""
        if self._loop.is_closed():
            return
        if self._response is not None and self._last_path:
            with suppress(DriverError):  # Whoever is gone need not be told to stop.
                self.post(self._last_path)
        self._loop.run_until_complete(self._ended())
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def _judge_answer(self) -> None:
        if self._question is None or not self._question.done():
            return
        question, self._question = self._question, None
        try:
            question.result()
        except DriverError as error:
            raise DeviceSilent(
                f"{self._base_url} does not answer beside its stream: {error}", hint=error.hint
            ) from error

    async def _ended(self) -> None:
        tasks = [task for task in (self._waiting, self._question) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for closing in (self._response, self._client):
            try:
                if closing is not None:
                    await asyncio.wait_for(closing.aclose(), self._timeout_s)
            except (httpx.HTTPError, OSError, TimeoutError, RuntimeError):
                continue  # A connection that is gone needs no good-bye.

    async def _short(self, method: str, path: str) -> bytes:
        async def exchanged() -> bytes:
            answer = b""
            async with self._client.stream(method, path) as response:
                self._check_status(response, path)
                async for chunk in response.aiter_raw():
                    answer += chunk
                    if len(answer) > ANSWER_BYTES_MAX:
                        break
            return answer[:ANSWER_BYTES_MAX]

        try:
            return await asyncio.wait_for(exchanged(), self._timeout_s)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            raise self._lost(error) from error

    async def _opened(self, path: str) -> httpx.Response:
        try:
            request = self._client.build_request("GET", path)
            response = await asyncio.wait_for(
                self._client.send(request, stream=True), self._timeout_s
            )
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError) as error:
            raise self._lost(error) from error
        try:
            self._check_status(response, path)
        except DriverError:
            await response.aclose()
            raise
        return response

    def _check_status(self, response: httpx.Response, path: str) -> None:
        status = response.status_code
        if 200 <= status < 300:
            return
        message = f"{self._base_url}{path} answers {status}"
        if status in {401, 403}:
            raise SettingsInvalid(message, hint="Correct `user` and `password_file`.")
        if status == 404:
            raise SettingsInvalid(
                message, hint="Switch the reader's IoT device interface on; check `preset`."
            )
        raise DeviceLost(message, hint="Look at the reader's own page for what is wrong.")

    def _lost(self, error: Exception) -> DriverError:
        text = str(error) or type(error).__name__
        message = f"{self._base_url}: {text}"
        if "CERTIFICATE_VERIFY_FAILED" in text:
            return SettingsInvalid(
                message, hint="Name the reader's certificate as `ca_file`; its host must be in it."
            )
        return DeviceLost(
            message, hint="Check the reader's power, its network cable, `host`, `port` and `tls`."
        )


async def _next(chunks: AsyncIterator[bytes]) -> bytes:
    async for chunk in chunks:
        if chunk:
            return chunk
    return b""
