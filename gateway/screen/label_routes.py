"""The label templates over HTTP: the page and its pictures, from the files as they are. Edge."""

import asyncio
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gateway.errors import TemplateInvalid
from gateway.screen.label_preview import preview_png
from gateway.screen.labels_page import labels_html
from gateway.screen.translation import Language, language_of, translator
from gateway.station.templates.files import load_templates
from gateway.station.templates.model import TemplateFault


def label_routes(folder: Path | None, *, default: Language) -> list[Route]:
    """Return the routes. folder: of the user's own templates, None for the shipped ones alone."""

    drawing = asyncio.Lock()  # One label at a time: a large one takes 30 MB for a moment.

    async def page(request: Request) -> Response:
        language = _language(request, default)
        async with drawing:
            html = await asyncio.to_thread(page_html, folder, language)
        return Response(html, media_type="text/html")

    async def picture(request: Request) -> Response:
        found = await asyncio.to_thread(load_templates, folder)
        template = found.find(request.path_params["name"])
        if template is None:
            return PlainTextResponse("There is no such label template.", status_code=404)
        language = _language(request, default)
        try:
            async with drawing:
                png = await asyncio.to_thread(preview_png, template, language=language)
        except TemplateInvalid as error:
            return PlainTextResponse(f"{error}. {error.hint}", status_code=422)
        return Response(png, media_type="image/png")

    return [Route("/labels", page), Route("/labels/{name}.png", picture)]


def page_html(folder: Path | None, language: Language) -> str:
    """Draw each label once, for the reasons for which its printing would be refused."""
    found = load_templates(folder)
    faults = list(found.faults)
    for template in found.templates:
        try:
            preview_png(template, language=language)
        except TemplateInvalid as error:
            faults.append(TemplateFault(f"{template.name}.toml", str(error), error.hint))
    return labels_html(found.templates, faults, language=language, translate=translator(language))


def _language(request: Request, default: Language) -> Language:
    return language_of(request.query_params.get("lang", ""), default=default)
