"""A central with its desk on a free port, and a browser in front of it, for tests of pages."""

from contextlib import contextmanager
from functools import partial
from urllib.parse import urlsplit

import httpx

from central.api.writing import WriteSide
from central.web.app import create_app, notify_of_app
from tests.central.clients import served
from tests.central.migrated import open_migrated
from tests.central.orders.settling import Settling

DESKTOP, PHONE = (1280, 800), (390, 844)


@contextmanager
def central_at(folder):
    """Two warehouses with gateways, a desk and pages; `url` is where, `tell()` says what is new.

    Everything of `tests.central.orders.settling.Settling` is there: move, send, ask ...
    """
    database = open_migrated(folder / "ledger.db", generation="generation-1")
    scene = Settling(database)
    # An application of its own: live pages read the database that theirs was made with.
    writing = WriteSide(scene.desk)
    scene.app = create_app(database=database, clock=scene.clock, site="demo", writing=writing)
    scene.tell = notify_of_app(scene.app)
    with served(scene.app) as url:
        scene.url = url
        scene.ask = partial(_asked, url)  # The browser's own loop runs in this thread.
        yield scene
    database.close()


@contextmanager
def page_of(browser, url, *, size=DESKTOP, language="en"):
    """A page in a browser of its own; fails on a script error or a request to elsewhere.

    `page.refused` are answers of 400 and above, which a test may empty if it wanted them.
    """
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        locale={"en": "en-GB", "zh": "zh-CN"}[language],
        timezone_id="Asia/Shanghai",
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.errors, page.hosts = [], set()
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("request", lambda request: page.hosts.add(urlsplit(request.url).hostname))
    try:
        page.goto(url)
        yield page
        assert page.errors == []
        assert page.hosts <= {"127.0.0.1", None, ""}
    finally:
        context.close()


def _asked(url, method, path, body=None, **headers):
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.request(method, f"{url}/api/v1{path}", json=body, headers=names)
