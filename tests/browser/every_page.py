"""Finds every page of central over a ledger that holds something of everything.

The pages are those of the menu, every address of a page that needs no code, and one page of each
shape that these link to. A page that is added to the application is thereby walked. Of documents
there are two: one that is under way, and one that a list links to, which has ended.
"""

import re
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi.responses import HTMLResponse

from central.web.asking import PROGRAMS
from central.web.menu import MENU
from tests.central.api.test_openapi import gone
from tests.central.clients import served
from tests.central.migrated import open_migrated
from tests.central.web.desk_scene import open_documents

MENU_PATHS = [entry.path for section in MENU for entry in section.entries]
MISSING = "/nothing/there"
# What no link leads to, or what a link leads to only while somebody types.
FACT = "/facts/sh1-dock-1/00000001-0000000000001eef/10"
FURTHER = ["/search?q=BO", "/items/BOLT", "/items/NOT-KNOWN", FACT, MISSING]
PAGES_MAX = 140
NOT_PAGES = re.compile(
    r"^/(api|static|print|metrics|openapi|tables|export|fragments|events)|\.(xlsx|csv|pdf)$"
)
PIECES = ("/look-up/",)  # What a page asks for while somebody types.
SHAPE = re.compile(r"[^/]*[A-Z0-9][^/]*")


@dataclass
class Central:
    """A central that serves.

    url: its base. routes: forms of the addresses of its pages. documents: what is under way.
    """

    url: str
    routes: list[str]
    documents: list[str]


@contextmanager
def full_ledger(folder):
    """Central over a ledger after every way of the example walk, and with what is under way."""
    database = open_migrated(folder / "ledger.db", generation="g")
    walk = gone(database)
    documents = [f"/{kind}/{code}" for kind, code in open_documents(walk).items()]
    with served(walk.app) as url:
        yield Central(url, page_routes(walk.app), documents)
    database.close()


def page_routes(app):
    """The addresses of an application that answer with a page, as they were declared."""
    return [
        route.path
        for route in app.routes
        if "GET" in (getattr(route, "methods", None) or ())
        and route.endpoint.__annotations__.get("return") in (HTMLResponse, "HTMLResponse")
        and not route.path.startswith((*PROGRAMS, *PIECES))
    ]


def unseen_routes(routes, seen):
    """Those of the routes that no page of seen belongs to."""
    places = {path.partition("?")[0] for path in seen}
    whole = {route: re.sub(r"{\w+:path}", ".+", route) for route in routes}
    forms = {
        route: re.compile(re.sub(r"{\w+}", "[^/]+", form) + "$") for route, form in whole.items()
    }
    return [route for route, form in forms.items() if not any(map(form.match, places))]


def shape_of(path):
    """What all pages of one kind have in common: "/transfers/*" for "/transfers/TR-1"."""
    return SHAPE.sub("*", path.partition("?")[0])


class Way:
    """The pages still to be seen: those without a code, then one of each shape that they link to.

    routes: of `page_routes`. besides: pages to be seen that leave their shape to the links.
    """

    def __init__(self, routes, besides=()):
        plain = [route for route in routes if "{" not in route]
        self._waiting = list(dict.fromkeys([*MENU_PATHS, *plain, *FURTHER]))
        self._known = {shape_of(path) for path in self._waiting}
        self._waiting += besides

    def __iter__(self):
        yield from self._waiting  # It grows while pages are seen.

    def link(self, href):
        """Take note of a link; a page of a shape that is known is left out."""
        path = href.partition("#")[0]
        shape, place = shape_of(path), path.partition("?")[0]
        known = shape in self._known or path in self._waiting
        if not path.startswith("/") or NOT_PAGES.search(place) or known:
            return
        assert len(self._waiting) < PAGES_MAX, f"one more page of a new shape: {path}"
        self._known.add(shape)
        self._waiting.append(path)
