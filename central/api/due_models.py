"""The bodies of answers about what is to be counted by a plan. Edge of HTTP."""

from typing import Annotated

from pydantic import Field

from central.api.api_model import ApiModel
from central.api.parameters import PageParameters
from central.orders.counts.counts import LINES_COUNT_MAX


class DueOut(ApiModel):
    """An item at a place that is to be counted. counted_time, due_time: None if it never was."""

    location: str
    item: str
    abc: str
    counted_time: str | None
    due_time: str | None


class DueParameters(PageParameters):
    """How many. cursor: `next_cursor` of the page before, which is of the same moment."""

    limit: Annotated[int, Field(ge=1, le=LINES_COUNT_MAX)] = 100


class DuePage(ApiModel):
    """What is due, longest overdue first. next_cursor: None on the last page."""

    due: list[DueOut]
    next_cursor: str | None
