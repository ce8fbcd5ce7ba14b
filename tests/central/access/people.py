"""A central where people sign in: users of every role, and browsers for them."""

from dataclasses import replace
from functools import cache

import httpx
from starlette.responses import Response

from central.access import users
from central.access.access import Access, Browser
from central.access.passwords import hash_password
from central.access.permissions import Grant, Role
from central.access.sessions import csrf_of
from central.api.guard import Guard
from central.api.writing import WriteSide
from central.config_access import AccessSection
from central.ledger.desk import Desk
from central.orders.following import FOLLOWERS
from central.stock.alerts_safety import safety_alerts
from central.web.app import create_app, refuse
from central.web.screens.all_screens import table_place
from tests.central.clients import run
from tests.central.scenery import load

PASSWORD = "correct horse battery"
NOW_MS = 1_780_400_000_000


class Clock:
    """A clock that a test turns on."""

    def __init__(self):
        self.ms = NOW_MS

    def now_ms(self):
        return self.ms

    def monotonic_s(self):
        return self.ms / 1000


@cache
def kept_password():
    """What is kept of PASSWORD; a tenth of a second, so once for all tests."""
    return hash_password(PASSWORD)


@cache
def _application():
    # Its routes are prepared once; which database it speaks to is exchanged from test to test.
    return create_app(database=None, clock=None, site="demo")


class People:
    """An application with users: one of each role everywhere, and keepers of SH1 and BJ1."""

    def __init__(self, database, *, seal=None, **section):
        self.database, self.clock = database, Clock()
        load(database)
        self.desk = Desk(database, clock=self.clock, followers=FOLLOWERS)
        self.access = Access(
            database,
            desk=self.desk,
            clock=self.clock,
            section=AccessSection(**section),
            seal=seal,
        )
        self.app = _application()
        self.app.state.read_side = replace(
            self.app.state.read_side, database=database, clock=self.clock
        )
        self.app.state.write_side = WriteSide(self.desk)
        self.app.state.access = self.access
        self.app.state.refusals = self.access.refusals
        for role in Role:
            self.add(str(role), Grant(role))
        self.add("keeper-sh1", Grant(Role.KEEPER, "SH1"))
        self.add("keeper-bj1", Grant(Role.KEEPER, "BJ1"))

    def add(self, name, *grants):
        """Somebody more, with PASSWORD."""
        with self.desk.change(actor="console") as change:
            users.add_user(change, name, password_hash=kept_password(), grants=grants)

    def browser(self, name="", address="192.0.2.7"):
        """A browser, in which somebody is signed in without the page of it."""
        visitor = Visitor(self.app, address)
        if name:
            begun = self.access._begin(
                self.user(name), Browser(address), subjects=[], second_factor=False
            )
            visitor.cookies["dockledger"] = begun.secret
        return visitor

    def told(self):
        """(kind, subject, figure) of what somebody is alerted of about the system itself."""
        now_ms = self.clock.now_ms()
        self.access.refusals.write(self.database, now_ms=now_ms)  # As the server does.
        with self.database.read() as connection:
            found = list(safety_alerts(connection, now_ms=now_ms))
        return [(one.kind, one.subject, one.detail) for one in found]

    def user(self, name):
        """What is kept of somebody."""
        with self.database.read() as connection:
            return users.find_user(connection, name)

    def events(self, kind):
        """(code, action, actor) of what was noted of a kind, in order."""
        from central.storage.tables import object_events as table

        with self.database.read() as connection:
            rows = connection.execute(
                table.select().where(table.c.kind == kind).order_by(table.c.event_no)
            )
            return [(row.code, row.action, row.actor) for row in rows]


class Visitor:
    """Somebody's browser or program. cookies: what it has been given."""

    def __init__(self, app, address):
        self.app, self.address, self.cookies, self.csrf = app, address, {}, ""

    def ask(self, method, path, *, headers=(), page=False, **options):
        """The answer to a request as scripts send it; page: as an opened address."""
        sent = {"Accept": "text/html" if page else "application/json", **dict(headers)}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = run(self._ask(method, path, sent, options))
        for name, value in answer.cookies.items():
            self.cookies[name] = value
        for line in answer.headers.get_list("set-cookie"):
            if "Max-Age=0" in line:
                self.cookies.pop(line.partition("=")[0], None)
        return answer

    def ask_all(self, asked, *, behind=None):
        """Answers to (method, address), as scripts of a page send them; a change names SH1.

        behind: the status of a stand-in for the routes, None for the application itself.
        """
        app = self.app if behind is None else stand_in(self.app, behind)
        headers = {"Accept": "application/json"}
        if self.cookies:
            secret = self.cookies["dockledger"]
            headers |= {"Cookie": f"dockledger={secret}", "Dockledger-Csrf": csrf_of(secret)}

        async def go():
            transport = httpx.ASGITransport(app=app, client=(self.address, 40000))
            async with httpx.AsyncClient(transport=transport, base_url="http://central") as client:
                return [
                    await client.request(
                        method,
                        path,
                        headers=headers,
                        json=None if method in {"GET", "DELETE"} else {"warehouse": "SH1"},
                    )
                    for method, path in asked
                ]

        return run(go())

    def change(self, method, path, body=None, **headers):
        """The answer to a change, with what the page's script sends beside it."""
        if not self.csrf and self.cookies:
            self.csrf = csrf_of(self.cookies["dockledger"])
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask(method, path, json=body, headers={"Dockledger-Csrf": self.csrf, **named})

    def sign_in(self, name, password=PASSWORD, path="/login", **headers):
        """The answer to the form of signing in."""
        return self.ask(
            "POST", path, data={"name": name, "password": password}, headers=headers, page=True
        )

    async def _ask(self, method, path, headers, options):
        transport = httpx.ASGITransport(
            app=self.app, raise_app_exceptions=False, client=(self.address, 40000)
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://central") as client:
            return await client.request(method, path, headers=headers, **options)


def stand_in(app, status):
    """The guard of an application before something that answers with a status."""

    async def answer(scope, receive, send):
        await Response(status_code=status)(scope, receive, send)

    guard = Guard(answer, refuse=refuse, is_page=lambda _: False, table_place=table_place)

    async def called(scope, receive, send):
        scope["app"] = app
        await guard(scope, receive, send)

    return called
