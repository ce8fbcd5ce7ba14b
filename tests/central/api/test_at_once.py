"""What a route needs of the request alone takes no thread to be found out."""

from inspect import iscoroutinefunction

import pytest
from fastapi.routing import APIRoute

from central.api.gateway_signature import require_gateway
from tests.central.one_app import application

WAITS = {require_gateway: "it reads the gateway's key from the ledger"}


def needed(dependant):
    """Every function whose answer a route or another function is given."""
    for one in dependant.dependencies:
        yield one.call
        yield from needed(one)


@pytest.fixture(scope="module")
def called():
    """Every function that some route is given the answer of."""
    routes = application(database=None, clock=None).routes
    found = {call for one in routes if isinstance(one, APIRoute) for call in needed(one.dependant)}
    assert len(found) > 8
    return found


def test_only_what_waits_for_the_ledger_has_a_thread_of_its_own(called):
    assert {one for one in called if not iscoroutinefunction(one)} == set(WAITS)
