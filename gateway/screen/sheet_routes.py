"""The routes of the printable sheet: HTML, and PDF for paper. Edge of HTTP."""

import asyncio
import sys
from collections.abc import Callable

import msgspec
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gateway.logs import log_event
from gateway.screen.sheet import Sheet, command_sheet, sheet_html
from gateway.screen.translation import Language, language_of, translator
from gateway.station.catalogue import Catalogue

PDF_S_MAX = 60.0  # A Pi draws 1,500 bar codes in some seconds.
PDF_CHILD = "gateway.screen.sheet_pdf"
NO_PDF = "The PDF cannot be drawn: print the page of codes instead."


def sheet_routes(catalogue: Callable[[], Catalogue], *, default: Language) -> list[Route]:
    """Return the routes. catalogue: called for each sheet, so that new reference data shows."""
    one_at_a_time = asyncio.Lock()

    def drawn(request: Request) -> tuple[Sheet, Callable[[str], str]]:
        language = language_of(request.query_params.get("lang", ""), default=default)
        translate = translator(language)
        return command_sheet(catalogue(), language=language, translate=translate), translate

    async def as_html(request: Request) -> Response:
        sheet, translate = drawn(request)
        return Response(sheet_html(sheet, translate=translate), media_type="text/html")

    async def as_pdf(request: Request) -> Response:
        sheet, _ = drawn(request)
        async with one_at_a_time:
            pdf = await _pdf_of(sheet)
        if not pdf:
            return PlainTextResponse(NO_PDF, status_code=503)
        named = {"content-disposition": 'inline; filename="command-sheet.pdf"'}
        return Response(pdf, media_type="application/pdf", headers=named)

    return [Route("/sheet", as_html), Route("/sheet.pdf", as_pdf)]


async def _pdf_of(sheet: Sheet) -> bytes:
    """Return the PDF, b"" if the child process did not end well; the log says why."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        PDF_CHILD,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        data, said = await asyncio.wait_for(
            child.communicate(msgspec.json.encode(sheet)), PDF_S_MAX
        )
    except TimeoutError:
        child.kill()
        data, said = b"", b"it took too long"
        await child.wait()
    if child.returncode == 0 and data.startswith(b"%PDF"):
        return data
    reason = said.decode("utf-8", "replace").strip().rpartition("\n")[2][:300]
    log_event("error", "the command sheet is not drawn", reason=reason, hint=NO_PDF)
    return b""
