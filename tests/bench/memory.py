"""Resident memory of a running gateway with five devices and its page, and of central. Root.

Real processes of the demo's installation: the gateway has two scanners, two scales and a printer,
its page is open, and scans came through; central has its page's stream open.
"""

import tempfile
import time
from pathlib import Path

import httpx

from provisioning.demo.installation import Installation
from tests.bench.figures import Ratio

GATEWAY_MB_MAX = 64
CENTRAL_MB_MAX = 120
SCANS = 200
SETTLE_S = 5.0


def measure() -> list[Ratio]:
    """Return the resident memory in MB (10^6 bytes), and how much of its limit each leaves."""
    with (
        tempfile.TemporaryDirectory() as directory,
        Installation(Path(directory), broker=None, http_port=0, language="en") as running,
    ):
        running.start()
        return _measured(running)


def _measured(installation: Installation) -> list[Ratio]:
    central_mb = _resident_mb(installation.central.pid)
    ratios = []
    for stand in installation.stands.values():
        with httpx.stream("GET", f"{stand.station.url}events", timeout=30) as page:
            lines = page.iter_lines()
            next(lines)
            for number in range(SCANS):
                assert stand.devices.scanners[0].scan(f"010950110153000310LOT{number}")
            time.sleep(SETTLE_S)
            resident = _resident_mb(stand.child.pid)
        count = len(httpx.get(f"{stand.station.url}api/v1/state").json()["devices"])
        assert count == 5, f"{count} devices"
        ratios.append(
            Ratio(
                f"gateway-{stand.warehouse.lower()}-rss-mb",
                resident,
                f"{count} devices, page open, after {SCANS} scans",
                at_most=GATEWAY_MB_MAX,
            )
        )
    ratios.append(
        Ratio("central-rss-mb", central_mb, "idle, two gateways connected", at_most=CENTRAL_MB_MAX)
    )
    return ratios


def _resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024 / 1e6
    message = f"no resident size of {pid}"
    raise RuntimeError(message)
