"""Which body the interface for programs takes at an address. Edge of HTTP."""

from functools import cache

from fastapi.routing import APIRoute
from pydantic import BaseModel

from central.api.desk_routes import ROUTERS
from central.web.documents.forms import body_of


def body_at(method: str, path: str) -> type[BaseModel] | None:
    """Return the body of a route, None if it takes none. path: as the route is declared."""
    return _bodies()[method, path]


@cache
def _bodies() -> dict[tuple[str, str], type[BaseModel] | None]:
    return {
        (method, route.path): body_of(route.endpoint)
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in (route.methods or set()) - {"GET"}
    }
