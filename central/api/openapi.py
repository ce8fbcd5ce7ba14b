"""Completes the OpenAPI document of what the framework cannot know. Edge of HTTP."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from central.api.problems import PROBLEM_TYPE, Problem
from central.api.writing import edit_of

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
        schemas = document["components"]["schemas"]
        schemas["Problem"] = Problem.model_json_schema(mode="serialization")
        for path in document["paths"].values():
            for operation in path.values():
                _complete(operation["responses"])
        for route in app.routes:
            if isinstance(route, APIRoute) and _edits(route):
                for method in route.methods or ():
                    _require_version(document["paths"][route.path_format][method.lower()])
        app.openapi_schema = document
    return app.openapi_schema


def _edits(route: APIRoute) -> bool:
    return any(one.call is edit_of for one in route.dependant.dependencies)


def _require_version(operation: dict[str, Any]) -> None:
    # To the framework the header may be missing, because its absence is answered by 428, not 422.
    for parameter in operation["parameters"]:
        if parameter["name"] == "if-match":
            parameter["required"] = True


def _complete(responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        if status[0] in "45":
            response.setdefault("content", DEFAULT["content"])
    responses.setdefault("default", DEFAULT)
