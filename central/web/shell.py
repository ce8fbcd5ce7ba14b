"""Answers with pages: menu, head, language, guide and content in one layout. Edge of HTTP."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from urllib.parse import urlencode

from fastapi.responses import HTMLResponse
from starlette.background import BackgroundTask

from central.access.permissions import EVERYWHERE, Permission, Principal, warehouses_of
from central.api.context import ReadSide
from central.api.problems import Problem
from central.api.warehouse_bound import everywhere, may_ask, may_open
from central.errors import CentralError
from central.stock.alert_book import AlertList
from central.stock.alerts import AlertCounts, counts_of
from central.stock.marks import read_mark
from central.web.asking import Asking, Table
from central.web.drawing import LANGUAGE_NAMES
from central.web.guides import guide_of
from central.web.languages import LANGUAGE_COOKIE, LANGUAGES
from central.web.listing_views import ListingView, listing_view
from central.web.menu import MENU, Entry, Section, section_of
from central.web.money import seen_table
from central.web.words import SCRIPT_WORDS

COOKIE_AGE_S = 365 * 24 * 3600


def page(
    asking: Asking,
    template: str,
    *,
    title: str,
    content: Mapping[str, object],
    kinds: tuple[str, ...] = (),
    status: int = 200,
) -> HTMLResponse:
    """Return a page.

    template: extends "layout.html". title: in the reader's language. kinds: of objects whose change
    redraws the page's parts; without any the page stays as it is. content: what the template names.
    """
    texts = asking.texts
    entry = section_of(asking.path)
    frame: dict[str, object] = {
        "title": title,
        "site": asking.reading.site,
        "kinds": " ".join(kinds),
        "mark": _mark(asking),
        "menu": [
            (
                texts.say(section.label),
                [
                    (one.path, texts.say(one.label), one == entry, _badge(asking, one.badge))
                    for one in entries
                ],
            )
            for section, entries in seen_menu(asking.principal)
        ],
        "within": asking.within,
        "own": own_warehouses(asking),
        "who": asking.principal.name if asking.csrf else "",
        "csrf": asking.csrf,
        "languages": [
            (code, *LANGUAGE_NAMES[code], _language_url(asking, code)) for code in LANGUAGES
        ],
        "guide": [texts.say(sentence) for sentence in guide_of(asking.path)],
        "may": partial(may_ask, asking.principal),
        "words": {name: texts.say(text) for name, text in SCRIPT_WORDS.items()},
    }
    response = HTMLResponse(
        asking.drawing.template(template, frame | dict(content)),
        status,
        # Its forms say whose page they are on (Fetch standard, "append a request Origin header").
        headers={"Referrer-Policy": "same-origin"},
        background=_alerts_later(asking),
    )
    if asking.language_asked:
        response.set_cookie(
            LANGUAGE_COOKIE,
            asking.drawing.language,
            max_age=COOKIE_AGE_S,
            samesite="lax",
            httponly=True,
        )
    return response


def listing_of(asking: Asking, listing: Table, **fixed: str) -> ListingView:
    """Return a table for a page. fixed: values of its fixed filters; without any it is the main
    table of its page, whose filters stand in the page's address. Raises ProblemRaised for one that
    cannot be narrowed to the only warehouse that is shown."""
    listing = seen_table(asking, listing)
    if asking.within:
        if all(one.name != "warehouse" for one in listing.filters):
            raise everywhere()
        fixed["warehouse"] = asking.within
    main = asking.path == listing.path
    wanted = listing.wanted((dict(asking.parameters) if main else {}) | fixed)
    found = listing.read(asking, wanted)
    if asking.within and "warehouse" in found.choices:
        own = own_warehouses(asking)
        kept = tuple(one for one in found.choices["warehouse"] if one[0] in own)
        found = replace(found, choices=dict(found.choices) | {"warehouse": kept})
    return listing_view(listing, wanted, found, asking.texts, main=main)


def listing_page(asking: Asking, listing: Table, *, template: str = "listing.html") -> HTMLResponse:
    """Return a page that is one table. template: extends "listing.html"."""
    return page(
        asking,
        template,
        title=asking.texts.say(listing.title),
        kinds=listing.kinds,
        content={"listing": listing_of(asking, listing)},
    )


def refusal_page(asking: Asking, problem: Problem) -> HTMLResponse:
    """Return the page that says why there is no page."""
    content = {"detail": problem.detail, "hint": problem.hint}
    return page(asking, "refused.html", title=problem.title, content=content, status=problem.status)


def own_warehouses(asking: Asking) -> list[str]:
    """Return the warehouses that whoever asks works in, nothing for whoever works in all."""
    places = {place for _, place in asking.principal.allowed}
    return [] if EVERYWHERE in places else sorted(places)


def seen_counts(asking: Asking, known: AlertList) -> AlertCounts:
    """Return how many alerts there are of what whoever asks is shown."""
    places = warehouses_of(asking.principal, Permission.REPORTS_READ)
    if asking.within:
        places = frozenset({asking.within})
    if places is None:
        return known.counts
    return counts_of([one for one in known.alerts if one.warehouse in places])


def seen_menu(principal: Principal) -> list[tuple[Section, list[Entry]]]:
    """Return the sections of the menu with the pages that somebody may open, none empty."""
    seen = (
        (section, [one for one in section.entries if may_open(principal, one.path)])
        for section in MENU
    )
    return [(section, entries) for section, entries in seen if entries]


def _badge(asking: Asking, name: str) -> str:
    """Return a figure of the menu, "" for none; bad alerts only, which somebody acts on now."""
    if name != "alerts":
        return ""
    known, _ = asking.reading.alerts.peek(asking.reading.clock)
    bad_count = seen_counts(asking, known).bad_count if known else 0
    return str(bad_count) if bad_count else ""


def _alerts_later(asking: Asking) -> BackgroundTask | None:
    """Return what reads the alerts again after the answer, so that no page waits for its menu."""
    reading = asking.reading
    _, old = reading.alerts.peek(reading.clock)
    return BackgroundTask(_read_alerts, reading) if old else None


def _read_alerts(reading: ReadSide) -> None:
    with suppress(CentralError):  # The next page reads them again.
        reading.alerts.read(reading.database, reading.clock)


def _mark(asking: Asking) -> str:
    # Of all warehouses, as the stream of changes has it: else each page were drawn twice.
    with asking.reading.database.read() as connection:
        return read_mark(connection, now_ms=asking.now_ms).text


def _language_url(asking: Asking, language: str) -> str:
    return "?" + urlencode(dict(asking.parameters) | {"lang": language})
