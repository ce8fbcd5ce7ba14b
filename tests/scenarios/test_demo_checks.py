"""The summary: a right end is all right, and each falsified figure is seen. Pure."""

from dataclasses import replace
from decimal import Decimal

import pytest

from provisioning.demo.actions import Provoked
from provisioning.demo.checks import judge
from provisioning.demo.evidence import (
    CutEvidence,
    Evidence,
    GatewayEvidence,
    LabelEvidence,
    StockKey,
)

EPOCH = "00000001-00000000000000aa"
MARKS = frozenset({(EPOCH, 1, "a1"), (EPOCH, 2, "b2")})
KEY = StockKey(location="A-01", item="BOLT", lot="", serial="", sscc="", unit="C62")
GATEWAY = GatewayEvidence(
    gateway="sh1-dock-1",
    warehouse="SH1",
    facts_expected_count=2,
    journaled=MARKS,
    posted=MARKS,
    posted_rows_count=2,
    heads={EPOCH: 2},
    acked={EPOCH: 2},
    unsent_count=0,
    local_stock={KEY: Decimal(5)},
    central_stock={KEY: Decimal("5.000")},
    verified=True,
)
PROVOKED = frozenset({Provoked("SH1", "unexpected", "PO-1/BELT")})
RIGHT = Evidence(
    gateways=(GATEWAY,),
    ledger_facts_count=2,
    quarantined_count=0,
    ledger_verified=True,
    labels=(LabelEvidence(("LOC-A-01",), ("LOC-A-01",)),),
    cuts=(CutEvidence("sh1-dock-1", caused_count=7, kept_count=7),),
    provoked=PROVOKED,
    discrepancies=PROVOKED,
    children_ended=(),
)


def wrong_figures(evidence):
    return [figure.name for figure in judge(evidence) if not figure.ok]


def test_figures_that_agree_are_all_right():
    assert wrong_figures(RIGHT) == []
    assert len(judge(RIGHT)) == 13


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"facts_expected_count": 3}, "facts caused = facts journaled"),
        (
            {"posted": frozenset({(EPOCH, 1, "a1")}), "posted_rows_count": 1},
            "facts journaled = facts posted",
        ),
        (
            {"posted": frozenset({(EPOCH, 1, "a1"), (EPOCH, 2, "XX")})},
            "facts journaled = facts posted",
        ),
        ({"posted_rows_count": 3}, "facts journaled = facts posted"),
        ({"acked": {EPOCH: 1}}, "acknowledged up to the head"),
        ({"acked": {}}, "acknowledged up to the head"),
        ({"unsent_count": 1}, "facts not sent yet"),
        ({"central_stock": {KEY: Decimal(4)}}, "stock equal on both sides"),
        ({"central_stock": {}}, "stock equal on both sides"),
        (
            {"central_stock": {replace(KEY, lot="L"): Decimal(5)}},
            "stock equal on both sides",
        ),
        ({"verified": False}, "journal verified"),
    ],
    ids=[
        "scan-not-recorded",
        "fact-lost",
        "fact-changed",
        "fact-twice",
        "acked-behind",
        "no-position",
        "unsent",
        "quantity",
        "key-missing",
        "other-lot",
        "journal-damaged",
    ],
)
def test_a_falsified_figure_of_a_gateway_is_seen(change, name):
    falsified = replace(RIGHT, gateways=(replace(GATEWAY, **change),))
    assert wrong_figures(falsified) == [name]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"ledger_facts_count": 3}, "facts in the ledger"),
        ({"quarantined_count": 1}, "messages in quarantine"),
        ({"ledger_verified": False}, "ledger rebuilt from its facts"),
        ({"labels": (LabelEvidence(("A",), ("B",)),)}, "labels read back"),
        (
            {"cuts": (CutEvidence("sh1-dock-1", caused_count=7, kept_count=6),)},
            "facts kept while the network was cut",
        ),
        ({"discrepancies": frozenset()}, "differences that the script provoked"),
        (
            {"discrepancies": PROVOKED | {Provoked("HZ1", "negative_balance", "x")}},
            "differences that the script provoked",
        ),
        ({"children_ended": ("central",)}, "programs that ended by themselves"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_falsified_figure_of_the_whole_is_seen(change, name):
    assert wrong_figures(replace(RIGHT, **change)) == [name]
