"""Real drivers at simulated devices: one that is missing stops no other. Edge of TCP."""

import queue
from contextlib import closing
from decimal import Decimal
from pathlib import Path

from drivers.labels import Label, Text
from drivers.simulators.printer_zpl import VirtualZplPrinter
from gateway.config import load_config
from gateway.devices.check import configured_devices
from gateway.devices.locks import DeviceLocks
from gateway.devices.supervisor import Supervisor
from gateway.health import Health
from gateway.station.effects import NewPrintJob
from gateway.station.observations import Observation
from tests.gateway.journal.samples import StillClock, movement, open_journal
from tests.waiting import until

LABEL = Label(Decimal(50), Decimal(30), (Text(Decimal(1), Decimal(1), Decimal(5), text="BIN-1"),))
CONFIGURATION = """
[gateway]
code = "sh1-dock-2"
warehouse = "sh1"
data_directory = "."
[station]
code = "dock-2"
receive_location = "dock-1"
[mqtt]
host = "127.0.0.1"
[[device]]
name = "printer-1"
driver = "zpl-tcp"
[device.settings]
host = "127.0.0.1"
port = {printer_port}
follow_interval_s = 0.02
[[device]]
name = "scanner-1"
driver = "scanner-tcp"
[device.settings]
host = "127.0.0.1"
port = {nobody_port}
"""


def test_a_missing_scanner_keeps_no_printer_from_working(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    health = Health()
    observations: queue.Queue[Observation] = queue.Queue(maxsize=4)
    with VirtualZplPrinter.on_tcp() as printer, closing(open_journal(tmp_path / "j.db")) as journal:
        path.write_text(CONFIGURATION.format(printer_port=printer.port, nobody_port=1))
        supervisor = Supervisor(
            configured_devices(load_config(path), config_path=path),
            journal=journal,
            observations=lambda _: observations,
            clock=StillClock(),
            health=health,
            jitter=lambda: 0.0,
            locks=DeviceLocks(tmp_path),
        )
        supervisor.start()
        try:
            journal.append([movement()], [NewPrintJob("printer-1", "bin", "BIN-1", LABEL)])
            until(lambda: journal.print_jobs(1)[0].outcome == "printed", "printed")
            states = {device.name: device.state for device in health.devices()}
            assert states == {"printer-1": "ready", "scanner-1": "offline"}
            assert len(printer.labels) == 1
            printer.paper_out()
            journal.append([movement()], [NewPrintJob("printer-1", "bin", "BIN-2", LABEL)])
            until(lambda: health.devices()[0].state == "fault", "fault")
            printer.load_paper()
            until(lambda: journal.print_jobs(1)[0].outcome is not None, "over")
        finally:
            supervisor.stop()
