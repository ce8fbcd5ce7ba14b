"""The checkers find what is wrong: planted in the programs, or done by hand to the ledger. Edge."""

import random
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from tests.chaos.campaign import Campaign, CampaignPlan, ChaosFailed
from tests.chaos.checkers import (
    LedgerEvidence,
    LedgerFact,
    LedgerPosition,
    StandEvidence,
    ack_faults,
    faults_of,
)
from tests.chaos.faults import Fault
from tests.chaos.ledger_reader import LedgerReader
from tests.chaos.planted import ACKNOWLEDGES_BEFORE_COMMIT, SHOWS_GREEN_BEFORE_COMMIT, planted
from tests.chaos.site import Site, SitePlan
from tests.chaos.stand import PLACE
from tests.waiting import wait_for

KILLS_MAX = 3

STAND = StandEvidence("g", {("e", 1): "aa", ("e", 2): "bb"}, frozenset({"S1", "S2"}))
FACTS = [LedgerFact(1, "g", "e", 1, "aa"), LedgerFact(2, "g", "e", 2, "bb")]
LEDGER = LedgerEvidence(
    facts=FACTS,
    positions=[LedgerPosition("g", "e", 2, "bb")],
    receipts=[("g", "S1"), ("g", "S2")],
    sums=[],
    on_hand={"S1": 1_000_000, "S2": 1_000_000},
    refused=[],
)
WRONG = {
    "lost-scan": ({"receipts": [("g", "S1")], "on_hand": {"S1": 1_000_000}}, "lost: g showed S2"),
    "doubled-scan": ({"receipts": [("g", "S1"), ("g", "S2"), ("g", "S2")]}, "doubled: S2"),
    "lost-fact": ({"facts": FACTS[:1]}, "lost: fact g/e/2"),
    "doubled-fact": ({"facts": [*FACTS, replace(FACTS[1], record_no=3)]}, "doubled: fact g/e/2"),
    "invented-fact": ({"facts": [*FACTS, LedgerFact(3, "g", "e", 3, "cc")]}, "invented: fact"),
    "other-gateway": ({"facts": [*FACTS, LedgerFact(3, "x", "e", 1, "cc")]}, "invented: facts of"),
    "changed-fact": ({"facts": [FACTS[0], replace(FACTS[1], digest="cc")]}, "changed: digest"),
    "reordered": (
        {"facts": [replace(FACTS[0], seq=2), replace(FACTS[1], seq=1)]},
        "out of order: g/e goes on with 2, not 1",
    ),
    "record-gap": ({"facts": [FACTS[0], replace(FACTS[1], record_no=3)]}, "record number 3"),
    "position-behind": ({"positions": [LedgerPosition("g", "e", 1, "aa")]}, "position of g/e"),
    "position-forked": ({"positions": [LedgerPosition("g", "e", 2, "cc")]}, "position of g/e"),
    "no-position": ({"positions": []}, "no position of g/e"),
    "stock-missing": ({"on_hand": {"S1": 1_000_000}}, "stock: S2"),
    "stock-doubled": ({"on_hand": {"S1": 1_000_000, "S2": 2_000_000}}, "stock: 2000000"),
    "unbalanced": ({"sums": ["g/e/2: 1"]}, "does not sum to zero: g/e/2"),
    "refused": ({"refused": ["fork of g/e"]}, "refused without a reason: fork"),
}

# Done by hand to the tables of a ledger that was right.
TAMPERINGS = {
    "row-deleted": ("DELETE FROM facts WHERE record_no = 3", "lost: fact"),
    "lines-deleted": ("DELETE FROM lines WHERE record_no = 3", "lost: "),
    "posting-doubled": (
        "CREATE TEMP TABLE twice AS SELECT * FROM lines WHERE record_no = 3;"
        "UPDATE twice SET record_no = 4;"
        "DELETE FROM lines WHERE record_no = 4;"
        "INSERT INTO lines SELECT * FROM twice",
        "doubled: ",
    ),
    "one-side-changed": (
        "UPDATE lines SET quantity_micro = 2000000 WHERE record_no = 3 AND line_no = 2",
        "does not sum to zero: ",
    ),
    "balance-changed": (
        "UPDATE balances SET on_hand_micro = 0 WHERE record_no = 3 AND on_hand_micro > 0",
        "stock: ",
    ),
    "order-changed": (
        "UPDATE facts SET record_no = -3 WHERE record_no = 3;"
        "UPDATE facts SET record_no = 3 WHERE record_no = 4;"
        "UPDATE facts SET record_no = 4 WHERE record_no = -3",
        "out of order: ",
    ),
}


def test_what_is_right_has_no_faults():
    assert faults_of([STAND], LEDGER) == []
    assert ack_faults({("g", "e"): 2}, {("g", "e"): 2}) == []


@pytest.mark.parametrize(("changed", "expected"), WRONG.values(), ids=WRONG)
def test_each_wrong_thing_is_named(changed, expected):
    found = faults_of([STAND], replace(LEDGER, **changed))
    assert any(fault.startswith(expected) for fault in found), found


def test_an_acknowledgement_of_what_is_not_committed_is_named():
    assert ack_faults({("g", "e"): 3}, {("g", "e"): 2}) == [
        "acknowledged before the commit: g/e up to 3, the ledger has 2"
    ]
    assert ack_faults({("g", "e"): 1}, {}) != []


@pytest.fixture(scope="module")
def settled_site(tmp_path_factory):
    """A ledger of real programs that was judged right; nobody scans any more."""
    directory = tmp_path_factory.mktemp("chaos") / "site"
    with Site(SitePlan(directory, database="sqlite", gateways_count=1)) as site:
        campaign = Campaign(site, CampaignPlan(seed=0, cycles_max=0), lambda line: None)
        campaign.wait_until_all_scan()
        wait_for(lambda: len(site.ledger.evidence().facts) > 10, what="some facts")
        campaign.settle("before the tampering")
        yield site, directory / "ledger.db"


@pytest.mark.chaos
@pytest.mark.parametrize(("statement", "expected"), TAMPERINGS.values(), ids=TAMPERINGS)
def test_a_ledger_changed_by_hand_is_found_out(settled_site, tmp_path, statement, expected):
    site, path = settled_site
    changed = tmp_path / "changed.db"
    with (
        closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as source,
        closing(sqlite3.connect(changed)) as target,
    ):
        source.backup(target)
        target.executescript(statement)
        assert target.total_changes > 0
        target.commit()
    stands = [stand.evidence() for stand in site.stands]
    found = faults_of(stands, LedgerReader(f"sqlite:///{changed}", place=PLACE).evidence())
    assert any(fault.startswith(expected) for fault in found), found


@pytest.mark.chaos
def test_what_is_acknowledged_or_green_before_the_commit_is_found_out(tmp_path):
    sources = planted(tmp_path / "sources", ACKNOWLEDGES_BEFORE_COMMIT, SHOWS_GREEN_BEFORE_COMMIT)
    chance = random.Random(1)
    plan = SitePlan(tmp_path / "site", database="sqlite", gateways_count=1, sources=sources)
    with Site(plan) as site:
        campaign = Campaign(site, CampaignPlan(seed=1, cycles_max=0), lambda line: None)
        campaign.wait_until_all_scan()
        wait_for(site.witness.faults, what="a promise before its time")
        for _ in range(KILLS_MAX):
            campaign.wait_until_all_scan()
            campaign.inflict(Fault("kill", "chaos-1", seconds=chance.uniform(0, 0.1)))
        with pytest.raises(ChaosFailed) as failed:
            campaign.settle("at the end")
    shutil.rmtree(sources)
    assert "acknowledged before the commit: chaos-1/" in str(failed.value)
    assert "lost: chaos-1 showed" in str(failed.value)
