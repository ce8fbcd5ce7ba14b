"""Staff and machines that act at the same moment: what is revoked stays so, and nobody waits."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from central.errors import NotThere
from central.trust import registry
from central.trust.enrolling import Issued, Refused
from tests.central.trust.machines import Machine, claimed, trust_of

ROUNDS = 8


def alive(trust, gateway):
    with trust.database.read() as connection:
        found = registry.certificates_of(connection, gateway)
    return [one.serial for one in found if not one.revoked_ms]


def at_once(*deeds):
    """Do things in threads that begin together; returns what each gave."""
    start = Barrier(len(deeds))

    def run(deed):
        start.wait(timeout=30)
        return deed()

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(run, deeds))


def enrolled(trust, gateway):
    machine = Machine()
    issued = trust.enrol(machine.request(claimed(trust, gateway)), address="")
    assert isinstance(issued, Issued)
    return machine, issued.certificate.serial


def test_a_renewal_that_comes_with_a_revocation_leaves_nobody_in(database):
    trust = trust_of(database)
    for number in range(ROUNDS):
        gateway = f"dock-{number}"
        machine, serial = enrolled(trust, gateway)
        asked = [Machine().renewal(serial, by=machine) for _ in range(3)]
        *answers, count = at_once(
            *(lambda one=one: trust.renew(one, address="") for one in asked),
            lambda gateway=gateway: trust.revoke(gateway, reason="stolen", by="ann"),
        )
        assert count >= 1
        assert all(isinstance(one, Issued | Refused) for one in answers)
        assert alive(trust, gateway) == []


def test_a_claim_that_is_used_while_its_gateway_is_revoked_lets_nobody_in(database):
    trust = trust_of(database)
    for number in range(ROUNDS):
        gateway = f"dock-{number}"
        enrolled(trust, gateway)
        claim = claimed(trust, gateway)
        answer, count = at_once(
            lambda claim=claim: trust.enrol(Machine().request(claim), address=""),
            lambda gateway=gateway: trust.revoke(gateway, reason="stolen", by="ann"),
        )
        assert isinstance(answer, Issued | Refused)
        assert count == 1
        assert alive(trust, gateway) == []


def test_claims_for_one_gateway_that_are_made_and_used_at_once_end_in_one_machine(database):
    trust = trust_of(database)
    first, second = claimed(trust, "dock-1"), claimed(trust, "dock-2")
    deeds = [
        lambda: trust.enrol(Machine().request(first), address=""),
        lambda: trust.enrol(Machine().request(second), address=""),
        lambda: claimed(trust, "dock-1"),
        lambda: claimed(trust, "dock-2"),
    ]
    at_once(*deeds * 3)
    for gateway in ("dock-1", "dock-2"):
        assert len(alive(trust, gateway)) <= 1
        with database.read() as connection:
            now_ms = trust.clock.now_ms()
            assert len(registry.open_claims_of(connection, gateway, now_ms=now_ms)) == 1


def test_nobody_is_revoked_who_was_never_enrolled(database):
    with pytest.raises(NotThere):
        trust_of(database).revoke("dock-9", reason="stolen", by="ann")
