"""What the page has of each station, and the list of them. Edge (memory)."""

import queue
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from starlette.responses import PlainTextResponse, Response

from gateway.station.board import Board
from gateway.station.messages import N_
from gateway.station.observations import Observation

STATIONS_TITLE = N_("Stations of this gateway")


@dataclass(frozen=True, slots=True)
class ScreenStation:
    """One station. serves: tells whether a device is this station's."""

    code: str
    board: Board
    observations: queue.Queue[Observation]
    serves: Callable[[str], bool] = lambda _: True


def no_such_station() -> Response:
    """Return the answer for a station that this gateway does not have."""
    return PlainTextResponse("No such station here: open / for the list.", status_code=404)


def stations_html(codes: Sequence[str], *, language: str, translate: Callable[[str], str]) -> str:
    """Return the page that leads to each station."""
    title = escape(translate(STATIONS_TITLE))
    links = "".join(f'<li><a href="/s/{quote(code)}">{escape(code)}</a></li>' for code in codes)
    return (
        f'<!doctype html><html lang="{"zh-CN" if language == "zh" else "en"}"><head>'
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<title>{title}</title><link rel="icon" href="/static/icon.svg">'
        '<link rel="stylesheet" href="/static/stations.css"></head>'
        f"<body><main><h1>{title}</h1><ul>{links}</ul></main></body></html>"
    )
