"""Runs a campaign as the environment says; keeps everything if it fails. Root.

CYCLES (100), KILLS or CHAOS_S end it, whichever comes first; CHAOS_SEED repeats the faults of a
run; CHAOS_DATABASE is postgresql or sqlite, CHAOS_BROKER mosquitto or nats, CHAOS_GATEWAYS 1 to 3.
"""

import os
import random
import shutil
import sys
import tempfile
import traceback
from pathlib import Path

from tests.chaos.campaign import Campaign, CampaignPlan
from tests.chaos.site import Site, SitePlan

CYCLES_DEFAULT = 100


def main() -> int:
    """Return 0 if everything held."""
    seed = int(os.environ.get("CHAOS_SEED") or random.SystemRandom().randrange(2**32))
    database = os.environ.get("CHAOS_DATABASE") or "postgresql"
    broker = os.environ.get("CHAOS_BROKER") or "mosquitto"
    if database not in {"postgresql", "sqlite"} or broker not in {"mosquitto", "nats"}:
        _tell("CHAOS_DATABASE is postgresql or sqlite, CHAOS_BROKER is mosquitto or nats")
        return 2
    kills_max = int(os.environ.get("KILLS") or 0)
    seconds_max = float(os.environ.get("CHAOS_S") or 0)
    cycles_max = int(os.environ.get("CYCLES") or 0)
    if not (kills_max or seconds_max or cycles_max):
        cycles_max = CYCLES_DEFAULT
    plan = CampaignPlan(
        seed=seed, cycles_max=cycles_max, kills_max=kills_max, seconds_max=seconds_max
    )
    directory = Path(tempfile.mkdtemp(prefix="dockledger-chaos-"))
    chosen = f"CHAOS_SEED={seed} CHAOS_DATABASE={database} CHAOS_BROKER={broker}"
    _tell(f"{chosen}, files in {directory}")
    gateways_count = int(os.environ.get("CHAOS_GATEWAYS") or 3)
    try:
        parts = SitePlan(
            directory / "site", database=database, broker=broker, gateways_count=gateways_count
        )
        with Site(parts) as site:
            campaign = Campaign(site, plan, _tell)
            try:
                campaign.run()
            except BaseException:
                site.keep_files()
                raise
        left = site.processes_left()
        if left:
            raise AssertionError(f"programs are left: {left}")
    except (Exception, KeyboardInterrupt):  # noqa: BLE001 - the top; the files tell more
        traceback.print_exc()
        _tell("FAILED. Logs, journals and the ledger (PostgreSQL's files: site/postgresql) are in")
        _tell(f"{directory}; the faults again: {chosen}")
        return 1
    shutil.rmtree(directory)
    _tell(f"All held: {campaign.summary()}")
    return 0


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
