"""What the receiving end decides: order, verdict, acknowledgement, credit."""

import random

import pytest

from central.contract.envelope import decode_batch
from central.inbox.receiver import (
    CREDIT_COUNT,
    CREDIT_COUNT_MIN,
    NOTHING,
    Standing,
    acknowledgement,
    advanced,
    credit_for,
    digest_of,
    is_retained,
    judge,
    take_order,
    to_publish,
)
from tests.central.scenery import Gateway


def journal(count=9, **changes):
    gateway = Gateway(**changes)
    for _ in range(count):
        gateway.move()
    return gateway


def batch_of(gateway, first, last):
    return decode_batch(gateway.batch(first, last))


def judged(gateway, acked, first, last, *, history=None):
    """The verdict on a batch of `gateway` by a ledger that has `acked` facts of `history`."""
    had = history or gateway
    standing = Standing(acked, had.digests[acked]) if acked else NOTHING
    return judge(standing, batch_of(gateway, first, last), digest_at=lambda seq: had.digests[seq])


@pytest.mark.parametrize(
    ("acked", "first", "last", "kind", "offset"),
    [
        pytest.param(0, 1, 3, "accept", 0, id="an epoch begins"),
        pytest.param(3, 4, 6, "accept", 0, id="the next facts"),
        pytest.param(3, 2, 6, "accept", 2, id="known facts, then new ones"),
        pytest.param(3, 1, 3, "duplicate", 0, id="all of it known"),
        pytest.param(6, 2, 4, "duplicate", 0, id="known long ago"),
        pytest.param(3, 5, 6, "gap", 0, id="one fact is missing"),
        pytest.param(0, 2, 3, "gap", 0, id="an epoch does not begin at 2"),
    ],
)
def test_a_batch_is_judged_by_where_the_ledger_stands(acked, first, last, kind, offset):
    verdict = judged(journal(), acked, first, last)
    assert (verdict.kind, verdict.offset) == (kind, offset)


@pytest.mark.parametrize(
    ("acked", "first", "last", "kind"),
    [
        pytest.param(5, 4, 5, "fork", id="the last known fact differs"),
        pytest.param(5, 2, 4, "fork", id="facts known long ago differ"),
        pytest.param(5, 4, 8, "fork", id="a known fact differs, new ones follow"),
        pytest.param(5, 6, 8, "broken_chain", id="new facts after another history"),
        pytest.param(5, 8, 9, "gap", id="beyond a gap nothing can be told"),
    ],
)
def test_another_history_is_never_taken(acked, first, last, kind):
    true = journal()
    clone = journal(2)
    for _ in range(7):
        clone.move("NUT")
    assert judged(clone, acked, first, last, history=true).kind == kind


@pytest.mark.parametrize("seed", range(20))
def test_batches_of_one_call_are_taken_in_order_whatever_the_order_in_which_they_came(seed):
    chooser = random.Random(seed)
    first, other = journal(code="gw-1"), journal(code="gw-2")
    later = first.next_epoch()
    for _ in range(4):
        later.move()
    cuts = [
        (first, 1, 2),
        (first, 3, 3),
        (first, 4, 9),
        (later, 1, 4),
        (other, 1, 5),
        (other, 6, 9),
    ]
    batches = [batch_of(*cut) for cut in cuts] + [None]
    chooser.shuffle(batches)
    order = take_order(batches)
    assert sorted(order) == list(range(len(batches)))
    standings = {}
    for index in order:
        batch = batches[index]
        if batch is None:
            assert order.index(index) == index  # It stays where it is.
            continue
        key = (batch.gateway, batch.epoch)
        standing = standings.get(key, NOTHING)
        verdict = judge(standing, batch, digest_at=lambda seq: None)
        assert verdict.kind == "accept"
        standings[key] = advanced(standing, batch, stable_at_commit=False)
    assert {standing.acked for standing in standings.values()} == {9, 4}
    assert next(iter(batch for batch in batches if batch)).gateway == (
        next(batches[index] for index in order if batches[index]).gateway
    )


@pytest.mark.parametrize(("stable_at_commit", "stable"), [(True, 9), (False, 2)])
def test_facts_are_stable_at_their_commit_only_where_that_means_two_machines(
    stable_at_commit, stable
):
    gateway = journal()
    standing = Standing(3, gateway.digests[3], stable=2)
    after = advanced(standing, batch_of(gateway, 3, 9), stable_at_commit=stable_at_commit)
    assert after == Standing(9, gateway.head, stable)


def ack_of(gateway, acked, problem="", payload=b""):
    return acknowledgement(
        gateway=gateway.code,
        epoch=gateway.epoch,
        standing=Standing(acked, gateway.digests[acked], stable=1),
        credit_count=7,
        generation="g",
        ledger_time_ms=5,
        problem=problem,
        refused_digest=digest_of(payload) if problem else b"",
    )


def test_an_acknowledgement_says_where_the_epoch_stands_and_what_was_refused():
    gateway = journal()
    ack = ack_of(gateway, 3, "fork", b"refused")
    assert (ack.gateway, ack.epoch, ack.acked, ack.want) == (gateway.code, gateway.epoch, 3, 4)
    assert (ack.head_digest, ack.stable, ack.credit_count) == (gateway.digests[3], 1, 7)
    assert (ack.problem, ack.refused_digest) == ("fork", digest_of(b"refused"))
    assert ack.signature == b""


def test_of_an_unknown_gateway_the_ledger_has_nothing():
    ack = acknowledgement(
        gateway="gw-9",
        epoch=journal().epoch,
        standing=None,
        credit_count=1,
        generation="g",
        ledger_time_ms=0,
        problem="unknown_gateway",
    )
    assert (ack.acked, ack.want, ack.head_digest, ack.stable) == (0, 1, bytes(32), 0)


@pytest.mark.parametrize(
    ("told", "published"),
    [
        pytest.param([(1, ""), (3, ""), (2, "")], [(2, "")], id="the last one says everything"),
        pytest.param([(3, ""), (3, "bad_signature")], [(3, "")], id="a forged batch is no news"),
        pytest.param([(3, "bad_signature"), (3, "")], [(3, "")], id="nor before a good one"),
        pytest.param(
            [(3, "bad_signature")], [(3, "bad_signature")], id="unless there is nothing else"
        ),
        pytest.param([(3, ""), (3, "fork")], [(3, ""), (3, "fork")], id="a fork hides nothing"),
        pytest.param(
            [(3, "fork"), (3, ""), (3, "fork")], [(3, ""), (3, "fork")], id="each once, in order"
        ),
        pytest.param(
            [(3, "wrong_warehouse"), (3, "unknown_gateway")],
            [(3, "wrong_warehouse")],
            id="what is sure goes before what anyone can say",
        ),
    ],
)
def test_of_each_epoch_the_last_good_word_is_published_and_the_last_problem(told, published):
    gateway, other = journal(code="gw-1"), journal(code="gw-2")
    acks = [ack_of(gateway, acked, problem) for acked, problem in told]
    found = to_publish([ack_of(other, 1), *acks])
    assert [(ack.acked, ack.problem) for ack in found if ack.gateway == "gw-1"] == published
    assert [ack.acked for ack in found if ack.gateway == "gw-2"] == [1]


def test_only_a_good_word_is_kept_for_gateways_that_connect_later():
    assert is_retained(ack_of(journal(), 3))
    assert not is_retained(ack_of(journal(), 3, "bad_signature"))


def test_credit_falls_evenly_with_what_waits_and_never_to_nothing():
    given = [credit_for(waiting_count=count, waiting_max=128) for count in range(140)]
    assert given[0] == CREDIT_COUNT and given[64] == CREDIT_COUNT // 2
    assert given == sorted(given, reverse=True)
    assert set(given[125:]) == {CREDIT_COUNT_MIN}
