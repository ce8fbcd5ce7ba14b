"""Every address answers what the OpenAPI document says, to its examples and to anything else."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

import central.api
from central.api.context import Entrance, Outgoing
from central.api.problems import PROBLEM_TYPE
from central.api.writing import WriteSide
from central.inbox.inbox import Inbox
from central.ledger.desk import Desk
from central.ledger.verify import verify_ledger
from central.orders.following import FOLLOWERS
from central.orders.proofs import PROOFS
from central.outbox.snapshot import Snapshots
from central.web.app import create_app
from tests.central.api.example_walk import PREFIX, WAYS, Walk
from tests.central.clients import call
from tests.central.conftest import KINDS
from tests.central.migrated import open_migrated
from tests.central.scenery import FixedClock, Gateway, enrol, load

# More of both in a campaign: OPENAPI_EXAMPLES=60 pytest tests/central/api/test_openapi.py
EXAMPLES = int(os.environ.get("OPENAPI_EXAMPLES", "3"))
NOW_MS = 1_780_400_000_000  # 2 June 2026, as the examples have it.
# What only a gateway can ask, with its signature: tests of the outbox and of the ingest do.
OF_GATEWAYS = {("POST", "/ingest"), ("POST", "/snapshots"), ("GET", "/snapshots/{sha256}")}
# They answer only where there is an authority: tests/central/trust/test_routes.py asks each.
OF_TRUST = {
    ("GET", "/claims"),
    ("POST", "/claims"),
    ("POST", "/claims/{name}/withdraw"),
    ("GET", "/claims/certificates"),
    ("POST", "/claims/shown/look"),
    ("POST", "/claims/shown/approve"),
    ("POST", "/claims/shown/deny"),
    ("POST", "/gateways/{code}/revoke"),
    ("POST", "/enrol"),
    ("POST", "/enrol/ask"),
    ("POST", "/enrol/poll"),
    ("POST", "/renew"),
    ("GET", "/revocation-list"),
}
# Edits of what has no version, and why the last word counts there.
LAST_WORD = {
    ("PUT", "/gateways/{gateway}/settings"): "all of them at once, as the gateway is told them",
    ("PUT", "/templates/{name}"): "a whole text under a name, as gateways are told it",
    ("DELETE", "/templates/{name}"): "a whole text under a name, as gateways are told it",
    ("PUT", "/views/{page}"): "one's own, under a name of one's own",
    ("DELETE", "/views/{page}"): "one's own, under a name of one's own",
    ("PUT", "/users/{name}/roles"): "all of them at once; the audit has those before",
    ("PUT", "/users/{name}/password"): "a secret, which nobody edits",
    ("DELETE", "/users/{name}/second-factor"): "a secret, which nobody edits",
    ("DELETE", "/tokens/{token}"): "ended for good",
    ("DELETE", "/account/sessions/{digest}"): "ended for good",
}
# Actions that write over what somebody else may have written in the same state.
EDITING_ACTIONS = {
    ("POST", "/purchase-orders/{code}/confirm"),
    ("POST", "/discrepancies/{identity}/assign"),
}


def prepared(database):
    """A walk through an application over a ledger with the usual reference data."""
    load(database)
    here, there = Gateway(), Gateway("bj1-dock-1", warehouse="BJ1")
    enrol(database, here, there)
    clock = FixedClock(NOW_MS)
    inbox = Inbox(database, clock=clock, followers=FOLLOWERS)
    inbox.accept([("sh1-dock-1", b"no batch")])
    snapshots = Snapshots(
        database, clock=clock, sign=here.key.sign, new_name=lambda: "n", told=lambda: None
    )
    app = create_app(
        database=database,
        clock=clock,
        site="demo",
        entrance=Entrance(inbox=inbox, sign=here.key.sign, counters=dict, credit=lambda: 1000),
        telling=Outgoing(snapshots=snapshots, told=lambda: None, new_name=lambda: "n"),
        writing=WriteSide(Desk(database, clock=clock, followers=FOLLOWERS)),
    )
    return Walk(app, inbox, here, there)


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    """A walk that has gone all of its ways on SQLite: there is something of everything."""
    database = open_migrated(tmp_path_factory.mktemp("openapi") / "ledger.db", generation="g")
    yield gone(database)
    database.close()


def gone(database):
    """A walk that has gone all of its ways; what they left is a sound ledger."""
    walk = prepared(database)
    for way in WAYS:
        way(walk)
    assert verify_ledger(database, proofs=PROOFS).faults == ()
    return walk


def operations_of(walk):
    """{(method, address): operation} of the document."""
    return {
        (method.upper(), path.removeprefix(PREFIX)): operation
        for path, methods in walk.document["paths"].items()
        for method, operation in methods.items()
    }


def test_each_example_is_accepted_and_each_address_answers_as_the_document_says(walk):
    assert operations_of(walk).keys() - walk.asked == OF_GATEWAYS | OF_TRUST


@pytest.mark.parametrize("database", [KINDS[1]], indirect=True)
def test_each_address_answers_the_same_way_on_postgresql(database):
    gone(database)


def test_an_application_that_writes_has_the_document_of_any_other(walk):
    assert walk.app.openapi() == walk.document


def test_each_operation_says_what_it_is_for_and_how_it_fails(walk):
    operations = operations_of(walk)
    for place, operation in operations.items():
        assert operation["summary"] and operation["description"], place
        refused = {
            status
            for status, response in operation["responses"].items()
            if PROBLEM_TYPE in response.get("content", {})
        }
        assert {"default", "422"} <= refused, place
        known = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"]
        assert known == re.findall(r"{(\w+)}", place[1]), place
        assert ("404" in refused) or not known or place[1].startswith(("/history", "/imports"))
    identities = [operation["operationId"] for operation in operations.values()]
    assert len(identities) == len(set(identities))


def test_no_edit_passes_without_the_version_that_it_was_made_from(walk):
    edits = {
        (method, route.path.removeprefix(PREFIX))
        for route in walk.app.routes
        for method in getattr(route, "methods", None) or ()
        if method in ("PUT", "PATCH", "DELETE")
    }
    assert edits >= LAST_WORD.keys()
    for method, address in sorted((edits - LAST_WORD.keys()) | EDITING_ACTIONS):
        # Of a plan of counts a first version is put as well: this one is there.
        path = re.sub(r"{\w+}", "A-SH1" if address.startswith("/count-plans") else "X", address)
        answer = call(walk.app, method, PREFIX + path, json={"warehouse": "SH1"})
        assert answer.status_code == 428, (method, address, answer.text)
        assert "If-Match" in answer.json()["hint"]
        operation = operations_of(walk)[method, address]
        assert {"412", "428"} <= operation["responses"].keys(), (method, address)
        (needed,) = [
            one["required"] for one in operation["parameters"] if one["name"] == "if-match"
        ]
        assert needed is not address.startswith("/count-plans"), (method, address)


def test_only_what_has_no_version_is_edited_without_one(walk):
    versioned = {
        address
        for (method, address), operation in operations_of(walk).items()
        if method == "GET" and "version" in str(operation["responses"]["200"])
    }
    assert not versioned & {address for _, address in LAST_WORD}


def test_the_readme_names_each_address(walk):
    told = (Path(central.api.__file__).parent / "README.md").read_text(encoding="utf-8")
    words = {
        word
        for _, path in operations_of(walk)
        for word in path.split("/")
        if word and not word.startswith("{")
    }
    assert [word for word in sorted(words) if not re.search(rf"[/` ]{word}[/`? ]", told)] == []


def test_each_address_answers_what_the_document_says_whatever_it_is_asked(walk):
    faults = []
    for operation in operations_at("/openapi.json", walk.app):
        try:
            asked(operation)
        except Exception as error:  # noqa: BLE001 - every address is tried, then all are named.
            faults.append(f"{operation.label}: {error}")
    assert not faults, "\n\n".join(faults)


def operations_at(place, app):
    """Yield the operations of the document that an application has at a place.

    schemathesis takes a third of a second to load, and every worker of a run loads this file.
    """
    import schemathesis

    for result in schemathesis.openapi.from_asgi(place, app).get_all_operations():
        yield result.ok()


def asked(operation, **options):
    """Send what is made up for an operation. Raises whatever is not as the document says."""
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    checked = (
        not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
    )

    @given(case=operation.as_strategy())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case):
        case.call_and_validate(checks=checked, **options)

    ask()
