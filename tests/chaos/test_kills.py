"""Each fault of a campaign once, on real parts, while scanning goes on. Edge.

The campaign draws hundreds of them: `make chaos`, see README.md beside this file.
"""

import random
from collections import Counter

import pytest

from tests.chaos.campaign import Campaign, CampaignPlan
from tests.chaos.faults import WEIGHTS, Fault, Targets, draw
from tests.chaos.site import Site, SitePlan

pytestmark = pytest.mark.chaos

FAULTS = {
    "gateway-killed": Fault("kill", "chaos-1", seconds=0.1),
    "broker-killed-forgets-all": Fault("kill", "broker", "forget", 0.1),
    "broker-restarted-keeps-what-it-wrote": Fault("restart", "broker", "keep", 0.1),
    "central-killed": Fault("kill", "central", seconds=0.1),
    "gateway-stands-still-and-central-dies": Fault(
        "pause", "chaos-1", seconds=0.6, meanwhile=Fault("kill", "central")
    ),
    "broker-hears-a-gateway-no-more": Fault("link", "chaos-1", "drop up", 0.5),
    "central-hears-the-broker-no-more": Fault("link", "central", "drop down", 0.5),
}
KILLS = ("gateway-killed", "broker-killed-forgets-all", "central-killed")
DATABASE_FAULTS = {
    "backend-killed": Fault("kill", "database", "backend"),
    "database-killed": Fault("kill", "database", "all", 0.2),
    "database-crashes": Fault("restart", "database", "immediate", 0.1),
    "connection-to-the-database-cut": Fault("link", "database", "cut", 0.3),
}
WORKER_FAULTS = {
    "worker-killed": Fault("kill", "worker-1", seconds=0.1),
    "zombie-worker": Fault("pause", "worker-2", seconds=1.0),
}


@pytest.fixture(scope="module", params=["postgresql", "sqlite"])
def campaign(request, tmp_path_factory):
    directory = tmp_path_factory.mktemp("chaos") / "site"
    count = 2 if request.param == "postgresql" else 1
    with Site(SitePlan(directory, database=request.param, gateways_count=count)) as site:
        campaign = Campaign(site, CampaignPlan(seed=0, cycles_max=0), lambda line: None)
        campaign.wait_until_all_scan()
        yield campaign
    assert site.processes_left() == []


def test_no_fault_loses_doubles_or_reorders_an_acknowledged_scan(campaign):
    faults = {name: FAULTS[name] for name in KILLS}
    if campaign.targets.has_database:
        faults = FAULTS | WORKER_FAULTS | DATABASE_FAULTS
    for fault in faults.values():
        campaign.inflict(fault)
        campaign.wait_until_all_scan()
    campaign.settle("at the end")


def test_every_kind_of_fault_is_drawn_and_the_same_seed_draws_the_same():
    targets = Targets(programs=("g1", "central"), links=("g1", "database"), has_database=True)
    first, second = random.Random(7), random.Random(7)
    drawn = [draw(first, targets) for _ in range(500)]
    assert drawn == [draw(second, targets) for _ in range(500)]
    assert set(Counter(fault.kind for fault in drawn)) == set(WEIGHTS)
    assert {fault.target for fault in drawn} == {"g1", "central", "broker", "database"}
    assert any(fault.meanwhile for fault in drawn)
