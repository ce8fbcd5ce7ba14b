"""Addresses of people, of one's own account and of trust: any request is answered as declared.

Those of people serve pages and are not in the published document, so a document of them is made
here. An administrator asks, who may do everything.
"""

from copy import copy

import pytest
from fastapi import FastAPI
from starlette.responses import JSONResponse

from central.access.sessions import csrf_of
from central.api import (
    account_routes,
    audit_routes,
    claim_routes,
    enrol_routes,
    newcomer_routes,
    user_routes,
)
from central.api.openapi import document_of
from tests.central.access.people import People
from tests.central.api.test_openapi import asked, operations_at
from tests.central.trust.machines import trust_of

PLACE = "/document.json"
ROUTERS = (account_routes, audit_routes, claim_routes, enrol_routes, newcomer_routes, user_routes)
COUNT_MIN = 30  # Addresses with their methods.


def document():
    """The document of all these addresses, those that are not published, too."""
    described = FastAPI(title="people")
    for module in ROUTERS:
        for route in module.router.routes:
            shown = copy(route)
            shown.include_in_schema = True
            described.router.routes.append(shown)
    return document_of(described)


def with_document(app, made):
    """The application, which gives this document besides."""

    async def answered(scope, receive, send):
        to = JSONResponse(made) if scope.get("path") == PLACE else app
        await to(scope, receive, send)

    return answered


@pytest.fixture
def people(lite):
    made = People(lite)
    made.app.state.trust = trust_of(lite, clock=made.clock)
    yield made
    made.app.state.trust = None


def test_each_address_of_people_and_trust_answers_as_declared_whatever_it_is_asked(people):
    secret = people.browser("administrator").cookies["dockledger"]
    headers = {"Cookie": f"dockledger={secret}", "Dockledger-Csrf": csrf_of(secret)}
    faults, count = [], 0
    for operation in operations_at(PLACE, with_document(people.app, document())):
        count += 1
        try:
            asked(operation, headers=headers)
        except Exception as error:  # noqa: BLE001 - every address is tried, then all are named.
            faults.append(f"{operation.label}: {error}")
    assert not faults, "\n\n".join(faults)
    assert count >= COUNT_MIN
    # The administrator is still there and may still do everything.
    assert people.browser("administrator").ask("GET", "/api/v1/users").status_code == 200
