"""Movements pass over a cluster of three NATS servers, MQTT 3.1.1. Edge.

What holds when a node dies takes longer: check_cluster.py, part of `make chaos`.
"""

import pytest

from tests.chaos.campaign import Campaign, CampaignPlan
from tests.chaos.site import Site, SitePlan

pytestmark = pytest.mark.chaos


def test_movements_reach_the_ledger_over_a_cluster_without_mqtt_5(tmp_path):
    plan = SitePlan(tmp_path / "site", database="sqlite", broker="nats", gateways_count=1)
    with Site(plan) as site:
        campaign = Campaign(site, CampaignPlan(seed=0, cycles_max=0), lambda line: None)
        campaign.wait_until_all_scan()
        campaign.settle("at the end")
        assert len(site.broker.ports) == 3
