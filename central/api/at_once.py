"""Dependencies of routes that only look at the request: worked in place. Edge of HTTP.

The framework hands a plain function to another thread, because it may wait; to go there and back
costs more than to look something up.
"""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
Given = TypeVar("Given")


def at_once(give: Callable[P, Given]) -> Callable[P, Coroutine[Any, Any, Given]]:
    """Return a dependency that gives the same without a thread. give: never waits."""

    @wraps(give)
    async def given(*arguments: P.args, **named: P.kwargs) -> Given:
        return give(*arguments, **named)

    return given
