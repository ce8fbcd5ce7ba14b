"""Finds every page of central over a ledger that holds something of everything."""

import re
from contextlib import contextmanager

from central.storage.database import open_database
from central.storage.schema import migrate
from central.web.menu import MENU
from tests.central.api.test_openapi import gone
from tests.central.clients import served

MENU_PATHS = [entry.path for section in MENU for entry in section.entries]
# What no link leads to, or what a link leads to only while somebody types.
FURTHER = ["/search", "/search?q=BO", "/items/BOLT", "/items/NOT-KNOWN", "/nothing/there"]
PAGES_MAX = 120
NOT_PAGES = re.compile(
    r"^/(api|static|print|metrics|openapi|tables|export|fragments|events)|\.(xlsx|csv|pdf)$"
)
SHAPE = re.compile(r"[^/]*[A-Z0-9][^/]*")


@contextmanager
def full_ledger(folder):
    """The base URL of central over a ledger after every way of the example walk."""
    database = open_database(f"sqlite:///{folder / 'ledger.db'}")
    migrate(database, generation="g")
    walk = gone(database)
    with served(walk.app) as url:
        yield url
    database.close()


def shape_of(path):
    """What all pages of one kind have in common: "/transfers/*" for "/transfers/TR-1"."""
    return SHAPE.sub("*", path.partition("?")[0])


class Way:
    """The pages still to be seen: those of the menu, then one of each shape that they link to."""

    def __init__(self):
        self._waiting = [*MENU_PATHS, *FURTHER]
        self._known = {shape_of(path) for path in self._waiting}

    def __iter__(self):
        yield from self._waiting  # It grows while pages are seen.

    def link(self, href):
        """Take note of a link; a page of a shape that is known is left out."""
        path = href.partition("#")[0]
        shape, place = shape_of(path), path.partition("?")[0]
        if not path.startswith("/") or NOT_PAGES.search(place) or shape in self._known:
            return
        assert len(self._waiting) < PAGES_MAX, f"one more page of a new shape: {path}"
        self._known.add(shape)
        self._waiting.append(path)
