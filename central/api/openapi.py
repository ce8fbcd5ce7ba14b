"""Completes the OpenAPI document of what the framework cannot know. Edge of HTTP."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from central.api.problems import PROBLEM_TYPE

PROBLEM = "#/components/schemas/Problem"
# Whatever goes wrong is said in one form, at every address (RFC 9457).
DEFAULT: dict[str, Any] = {
    "description": "What went wrong, and what to do.",
    "content": {PROBLEM_TYPE: {"schema": {"$ref": PROBLEM}}},
}


def document_of(app: FastAPI) -> dict[str, Any]:
    """Return the document of an application: problems in their media type, at every address."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
        )
        for path in document["paths"].values():
            for operation in path.values():
                _complete(operation["responses"])
        app.openapi_schema = document
    return app.openapi_schema


def _complete(responses: dict[str, Any]) -> None:
    for response in responses.values():
        content = response.get("content", {})
        if content.get("application/json", {}).get("schema", {}).get("$ref") == PROBLEM:
            content[PROBLEM_TYPE] = content.pop("application/json")
    responses.setdefault("default", DEFAULT)
