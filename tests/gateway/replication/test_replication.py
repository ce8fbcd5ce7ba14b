"""Facts reach the ledger once and in order, whatever dies in between. Edge of mosquitto."""

from collections.abc import Iterator
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from central.contract.acks import Ack, encode_ack
from central.contract.envelope import encode_batch
from central.contract.facts import NO_HEAD, decode_fact, encode_fact
from central.contract.topics import GatewayTopic
from gateway.replication.known_ledger import LEDGER_FILE
from gateway.replication.signing import GatewayKey
from tests import brokers
from tests.gateway.journal.samples import movement
from tests.gateway.replication.yard import CONVERGE_S_MAX, SITE, RunningGateway, Yard
from tests.waiting import until


@pytest.fixture
def yard(tmp_path: Path) -> Iterator[Yard]:
    with ExitStack() as stack:
        broker = stack.enter_context(brokers.mosquitto(tmp_path / "broker"))
        yield Yard(tmp_path, broker, stack)


def all_acknowledged(gateway: RunningGateway) -> None:
    until(
        lambda: gateway.journal.unsent_count() == 0,
        f"all acknowledged; {gateway.health.link()}",
        seconds_max=CONVERGE_S_MAX,
    )


def numbers(gateway: RunningGateway, count: int) -> list[tuple[str, str, int]]:
    code, epoch = gateway.journal.gateway, str(gateway.journal.epoch)
    return [(code, epoch, seq) for seq in range(1, count + 1)]


def test_facts_reach_the_ledger_once_and_in_order(yard: Yard) -> None:
    yard.enrol()
    yard.start_central()
    gateway = yard.start_gateway()
    yard.stack.callback(gateway.stop)
    gateway.append(30)
    all_acknowledged(gateway)
    assert yard.committed() == numbers(gateway, 30)
    assert gateway.health.link().connected
    assert gateway.health.link().acked_ms > 0
    # For the update agent: central goes first.
    assert gateway.health.link().central_software == version("dockledger")


def test_a_broker_that_is_killed_and_forgets_all_costs_nothing(yard: Yard) -> None:
    yard.enrol()
    yard.start_central()
    gateway = yard.start_gateway()
    yard.stack.callback(gateway.stop)
    gateway.append(5)
    all_acknowledged(gateway)
    yard.broker.kill()
    yard.broker.forget()
    gateway.append(7)
    until(lambda: not gateway.health.link().connected, "the loss is shown")
    yard.broker.start()
    gateway.append(3)
    all_acknowledged(gateway)
    assert yard.committed() == numbers(gateway, 15)


def test_a_ledger_that_was_away_gets_all(yard: Yard) -> None:
    yard.enrol()
    gateway = yard.start_gateway()
    yard.stack.callback(gateway.stop)
    until(lambda: gateway.health.link().connected, "connected")
    gateway.append(12)
    until(lambda: gateway.health.counters().get("facts_sent_total"), "sent into nothing")
    assert gateway.journal.unsent_count() == 12
    yard.start_central()
    all_acknowledged(gateway)
    yard.stop_central()
    gateway.append(4)
    yard.start_central()
    all_acknowledged(gateway)
    assert yard.committed() == numbers(gateway, 16)


def test_a_gateway_that_was_off_sends_its_older_epochs_first(yard: Yard) -> None:
    yard.enrol()
    first = yard.start_gateway()
    first.append(3)
    first.stop()
    second = yard.start_gateway()
    yard.stack.callback(second.stop)
    second.append(2)
    yard.start_central()
    all_acknowledged(second)
    assert yard.committed() == numbers(first, 3) + numbers(second, 2)


def test_birth_and_death_are_told(yard: Yard) -> None:
    yard.enrol()
    yard.start_central()
    gateway = yard.start_gateway()
    until(lambda: yard.online("sh1-dock-2"), "born")
    gateway.stop()
    until(lambda: not yard.online("sh1-dock-2"), "gone")


def test_forged_and_unreadable_messages_touch_no_real_fact(yard: Yard) -> None:
    yard.enrol()
    yard.start_central()
    gateway = yard.start_gateway()
    yard.stack.callback(gateway.stop)
    gateway.append(4)
    all_acknowledged(gateway)
    forger = yard.stack.enter_context(yard.stranger())
    up = str(GatewayTopic(SITE, "sh1-dock-2", "up"))
    forger.say(up, forged_batch(gateway))
    forger.say(up, b"\x9anonsense")
    forger.say(up, b"")
    forger.say(up.replace("/sh1-dock-2/", "/not a code/"), b"x")
    forger.say(str(GatewayTopic(SITE, "sh1-dock-9", "up")), real_batch(yard, gateway))
    forger.say(str(GatewayTopic(SITE, "sh1-dock-2", "state")), b"{")
    until(lambda: sum(yard.quarantine_counts().values()) >= 5, yard.quarantine_counts)
    gateway.append(3)
    all_acknowledged(gateway)
    assert yard.committed() == numbers(gateway, 7)
    assert set(yard.quarantine_counts()) == {"bad_signature", "unreadable", "wrong_topic"}
    until(lambda: gateway.health.link().problem == "", "the forged refusal is over")


def test_a_gateway_that_is_not_enrolled_says_so_and_goes_on_when_it_is(yard: Yard) -> None:
    yard.start_central()
    gateway = yard.start_gateway()
    yard.stack.callback(gateway.stop)
    gateway.append(2)
    until(lambda: gateway.health.link().problem == "unknown_gateway", "told")
    yard.enrol()
    all_acknowledged(gateway)
    until(lambda: gateway.health.link().problem == "", "told that it is over")


def test_two_histories_of_one_epoch_are_a_fork_that_is_shown(yard: Yard) -> None:
    yard.enrol()
    yard.start_central()
    real = yard.start_gateway(nonce=77)
    real.append(3)
    all_acknowledged(real)
    real.stop()
    copy = yard.start_gateway(journal="copied-card", nonce=77)
    yard.stack.callback(copy.stop)
    copy.journal.append([movement(item="other")] * 2)
    until(lambda: copy.health.link().problem == "fork", "shown")
    until(lambda: "fork" in yard.quarantine_counts(), "quarantined")
    assert copy.journal.unsent_count() == 2
    assert yard.committed() == numbers(real, 3)


def test_acknowledgements_from_a_stranger_are_not_believed(yard: Yard) -> None:
    yard.enrol()
    gateway = yard.start_gateway()
    yard.stack.callback(gateway.stop)
    gateway.append(5)
    until(lambda: gateway.health.link().connected, "connected")
    stranger = yard.stack.enter_context(yard.stranger())
    topic = str(GatewayTopic(SITE, "sh1-dock-2", "ack"))
    stranger.say(topic, b"\xc1")
    stranger.say(topic, encode_ack(invented_ack(gateway, acked=5)))
    until(lambda: gateway.health.link().problem == "foreign_head", "told")
    assert gateway.health.counters()["acks_unreadable_total"] == 1
    assert gateway.journal.unsent_count() == 5
    yard.start_central()
    all_acknowledged(gateway)


def test_a_wrong_password_is_shown_with_what_to_do(yard: Yard, caplog) -> None:
    caplog.set_level("WARNING", logger="gateway")
    gateway = yard.start_gateway(password="wrong")
    yard.stack.callback(gateway.stop)
    until(lambda: "refuses" in gateway.health.link().detail, "shown")
    assert gateway.health.link().connection == "login_refused"
    until(lambda: caplog.records, "logged")
    assert "Check username and password" in str(vars(caplog.records[0]))


def test_a_ledger_that_was_set_up_anew_gets_all_that_the_old_one_had(yard: Yard) -> None:
    yard.enrol()
    yard.start_central()
    starts = []
    for count in (3, 4):
        gateway = yard.start_gateway()
        gateway.append(count)
        all_acknowledged(gateway)
        gateway.stop()
        starts += numbers(gateway, count)
    yard.set_up_ledger_anew()
    yard.enrol()
    yard.start_central()
    (yard.directory / f"sh1-dock-2-{LEDGER_FILE}").unlink()
    gateway = yard.start_gateway()
    yard.stack.callback(gateway.stop)
    until(lambda: yard.committed() == starts, "all of it is there again")


def test_the_embedded_broker_serves_as_well(tmp_path: Path) -> None:
    with ExitStack() as stack:
        broker = stack.enter_context(brokers.iotcore(tmp_path / "broker"))
        yard = Yard(tmp_path, broker, stack)
        yard.enrol()
        yard.start_central()
        gateway = yard.start_gateway()
        stack.callback(gateway.stop)
        gateway.append(600)
        all_acknowledged(gateway)
        assert yard.committed() == numbers(gateway, 600)


def forged_batch(gateway: RunningGateway) -> bytes:
    """The next facts of a gateway, signed with another key."""
    run = gateway.journal.read_run(
        gateway.journal.epoch, first_seq=4, facts_max=1, bytes_max=100_000
    )
    assert run is not None
    fact = encode_fact(msgspec.structs.replace(decode_fact(run.facts[0]), seq=5))
    before = gateway.journal.digest_at(run.epoch, 4)
    assert before is not None
    return encode_batch(
        gateway=gateway.journal.gateway,
        epoch=run.epoch,
        first_seq=5,
        previous_epoch_head=NO_HEAD,
        previous_digest=before,
        facts=[fact],
        sign=GatewayKey(Ed25519PrivateKey.generate()).sign,
    )


def real_batch(yard: Yard, gateway: RunningGateway) -> bytes:
    """What the gateway sent already, with its own signature."""
    journal = gateway.journal
    run = journal.read_run(journal.epoch, first_seq=1, facts_max=2, bytes_max=100_000)
    assert run is not None
    return encode_batch(
        gateway=journal.gateway,
        epoch=run.epoch,
        first_seq=1,
        previous_epoch_head=run.previous_epoch_head,
        previous_digest=run.previous_digest,
        facts=run.facts,
        sign=yard.key(journal.gateway).sign,
    )


def invented_ack(gateway: RunningGateway, *, acked: int) -> Ack:
    epoch = gateway.journal.epoch
    return Ack(
        gateway=gateway.journal.gateway,
        start_count=epoch.start_count,
        nonce=epoch.nonce,
        acked=acked,
        want=acked + 1,
        head_digest=b"?" * 32,
        credit_count=1,
        ledger_generation="x",
        ledger_time_ms=0,
    )
