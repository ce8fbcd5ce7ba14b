"""What the routes work with, handed over by whoever builds the application. Edge of HTTP."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from central.clock import Clock
from central.stock.strays import StrayItems
from central.storage.database import Database


@dataclass(frozen=True, slots=True)
class ReadSide:
    """Everything that answers need.

    intake_connected: says whether the intake hears the broker; None where there is no intake.
    intake_alive: says whether the intake still works at all; None where there is no intake.
    software: version of this program, for people.
    """

    database: Database
    clock: Clock
    site: str
    software: str
    intake_connected: Callable[[], bool] | None = None
    intake_alive: Callable[[], bool] | None = None
    strays: StrayItems = field(default_factory=StrayItems)


def read_side_of(request: Request) -> ReadSide:
    """Return what the application was built with."""
    read_side = request.app.state.read_side
    assert isinstance(read_side, ReadSide)
    return read_side


Reading = Annotated[ReadSide, Depends(read_side_of)]
