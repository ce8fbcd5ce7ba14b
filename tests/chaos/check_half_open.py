"""A connection that vanishes without a word is noticed within the keepalive. Edge.

Not part of `make test`: the shortest keepalive takes ten seconds. `make chaos` runs it.
"""

import time

import pytest

from tests.chaos.campaign import Campaign, CampaignPlan
from tests.chaos.site import Site, SitePlan
from tests.chaos.stand import KEEPALIVE_S
from tests.waiting import wait_for

pytestmark = pytest.mark.chaos

GATEWAY = "chaos-1"
# One interval until the question is sent, one until it counts as unanswered, then a new connection.
NOTICED_S_MAX = 2 * KEEPALIVE_S + 5


def test_a_half_open_connection_of_a_gateway_is_noticed_and_all_arrives(tmp_path):
    plan = SitePlan(tmp_path / "site", database="sqlite", gateways_count=1)
    with Site(plan) as site:
        campaign = Campaign(site, CampaignPlan(seed=0, cycles_max=0), lambda line: None)
        campaign.wait_until_all_scan()
        proxy = site.proxies[GATEWAY]
        wait_for(lambda: proxy.connections_count == 1, what="the connection")
        proxy.half_open()
        begun_s = time.monotonic()
        assert proxy.connections_count == 0
        campaign.wait_until_all_scan()  # Nobody at the station notices anything.
        heads, positions = site.stands[0].heads(), site.ledger.positions()
        assert sum(heads.values()) > sum(positions.values())
        wait_for(
            lambda: proxy.connections_count == 1,
            timeout_s=NOTICED_S_MAX,
            what="a new connection",
        )
        assert time.monotonic() - begun_s > 1  # It was the keepalive that told, not the proxy.
        campaign.settle("after it")
