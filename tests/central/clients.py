"""Asks an application in this process, and serves it on a free port, for tests of api and web."""

import asyncio
import atexit
import socket
import threading
from contextlib import contextmanager
from functools import cache

import httpx
import uvicorn

from tests.waiting import wait_for

ANY = {"If-Match": "*"}  # Edits whatever stands there.


def ask(app, path, **options):
    """The answer of an application to one GET request."""
    return call(app, "GET", path, **options)


def call(app, method, path, **options):
    """The answer of an application to one request."""

    async def request():
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://central") as client:
            return await client.request(method, path, **options)

    return run(request())


def run(coroutine):
    """What a coroutine returns. `asyncio.run` makes a loop each time, a tenth of a request."""
    if threading.current_thread() is not threading.main_thread():
        return asyncio.run(coroutine)
    return _runner().run(coroutine)


@cache
def _runner():
    runner = asyncio.Runner()
    atexit.register(runner.close)
    return runner


@contextmanager
def served(app, *, port=0):
    """Serve an application on loopback from a thread; yields its base URL."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    config = uvicorn.Config(
        app, log_level="error", timeout_graceful_shutdown=1, lifespan="on", ws="none"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        wait_for(lambda: server.started, what="the server")
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=60)
        listener.close()
        assert not thread.is_alive()
