"""Devices are told by the station's page, locked and diagnosed only from here. Edge of HTTP."""

import asyncio
from dataclasses import dataclass

import httpx
import pytest
from starlette.applications import Starlette

from gateway.errors import DeviceCommandFailed
from gateway.screen.device_routes import device_routes

HERE, AWAY = ("127.0.0.1", 50000), ("192.0.2.7", 50000)
URL = "http://127.0.0.1:8081"
COMMAND = "/api/v1/devices/scale/command"
JSON = {"content-type": "application/json"}


class Desk:
    """Notes what it is asked for; knows the device "scale" alone."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []

    def command(self, name: str, command: str, signal: str = "off") -> tuple[str, str]:
        self._note("command", name, command, signal)
        return "done", "zeroed"

    def lock(self, name: str) -> None:
        self._note("lock", name)

    def unlock(self, name: str) -> None:
        self._note("unlock", name)

    def diagnostics(self, name: str, *, with_data: bool) -> bytes:
        self._note("diagnostics", name, with_data)
        return b"PK"

    def _note(self, *asked: object) -> None:
        if asked[1] != "scale":
            raise DeviceCommandFailed("no such device", hint="Name another.")
        self.asked.append(asked)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@dataclass(frozen=True)
class Client:
    """Sends requests to the routes from an address."""

    desk: Desk
    at: tuple[str, int] = HERE
    url: str = URL

    def request(self, method: str, path: str, **settings) -> httpx.Response:
        async def answer() -> httpx.Response:
            app = Starlette(routes=device_routes(self.desk))
            transport = httpx.ASGITransport(app, client=self.at)
            async with httpx.AsyncClient(transport=transport, base_url=self.url) as client:
                return await client.request(method, path, **settings)

        return asyncio.run(answer())

    def post(self, path: str, **settings) -> httpx.Response:
        return self.request("POST", path, **settings)


@pytest.mark.parametrize("at", [HERE, AWAY], ids=["here", "away"])
def test_the_page_may_tell_a_device_what_to_do(desk, at) -> None:
    answer = Client(desk, at).post(COMMAND, json={"command": "zero"}, headers={"origin": URL})
    assert answer.json() == {"outcome": "done", "detail": "zeroed"}
    assert desk.asked == [("command", "scale", "zero", "off")]


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        pytest.param(b"{}", JSON, 400, id="no command"),
        pytest.param(b'{"command": 7}', JSON, 400, id="a number"),
        pytest.param(b'{"command": "zero", "x": 1}', JSON, 400, id="more than that"),
        pytest.param(b'{"command": "' + b"x" * 5000 + b'"}', JSON, 400, id="too long"),
        pytest.param(b"\xff", JSON, 400, id="no text"),
        pytest.param(b'{"command": "zero"}', {}, 415, id="from a form"),
        pytest.param(
            b'{"command": "zero"}', JSON | {"origin": "http://evil.example"}, 403, id="elsewhere"
        ),
    ],
)
def test_what_is_no_command_of_our_page_is_refused(desk, content, headers, status) -> None:
    assert Client(desk).post(COMMAND, content=content, headers=headers).status_code == status
    assert desk.asked == []


def test_locks_and_bundles_are_for_programs_on_this_machine(desk) -> None:
    here = Client(desk)
    assert here.post("/api/v1/devices/scale/lock", headers=JSON).status_code == 204
    assert here.post("/api/v1/devices/scale/unlock", headers=JSON).status_code == 204
    bundle = here.request("GET", "/api/v1/devices/scale/diagnostics?with_data=true")
    assert (bundle.content, bundle.headers["content-type"]) == (b"PK", "application/zip")
    assert desk.asked == [("lock", "scale"), ("unlock", "scale"), ("diagnostics", "scale", True)]


@pytest.mark.parametrize("at", [AWAY, HERE], ids=["away", "a page on this machine"])
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "lock"), ("POST", "unlock"), ("GET", "diagnostics")]
)
def test_nobody_else_gets_them(desk, at, method, path) -> None:
    headers = JSON | ({"origin": URL} if at == HERE else {})
    answer = Client(desk, at).request(method, f"/api/v1/devices/scale/{path}", headers=headers)
    assert answer.status_code == 403
    assert desk.asked == []


def test_a_program_here_may_use_the_address_of_the_network(desk) -> None:
    here = Client(desk, ("192.0.2.1", 50000), "http://192.0.2.1:8081")
    assert here.post("/api/v1/devices/scale/lock", headers=JSON).status_code == 204


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "lock"), ("POST", "unlock"), ("POST", "command"), ("GET", "diagnostics")],
)
def test_a_device_that_is_not_there_is_told_with_a_hint(desk, method, path) -> None:
    answer = Client(desk).request(
        method, f"/api/v1/devices/other/{path}", content=b'{"command": "zero"}', headers=JSON
    )
    assert answer.status_code == 409
    assert answer.json() == {"error": "no such device", "hint": "Name another."}
