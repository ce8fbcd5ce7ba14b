"""A desk with candidates and drivers that a test puts there; no kernel, no threads. Pure."""

from drivers.candidates import Candidate, Matcher
from gateway.devices.bindings import Bindings
from gateway.devices.claim_desk import ClaimDesk
from gateway.devices.claims import ClaimStore
from gateway.devices.discovery import DriverSheet
from gateway.devices.kernel_devices import KERNEL_KINDS
from gateway.health import Health
from tests.gateway.journal.samples import StillClock

SHEETS = (
    DriverSheet(
        "mt-sics-serial",
        "scale",
        "Scales that speak MT-SICS on a serial port.",
        matchers=(Matcher("serial", 5),),
        node_setting="port",
    ),
    DriverSheet(
        "modbus-scale-rtu",
        "scale",
        "Scales with a Modbus register map.",
        matchers=(Matcher("serial", 2),),
        node_setting="port",
        required=("map",),
    ),
    DriverSheet(
        "scanner-serial",
        "scanner",
        "Bar code scanners that send text.",
        matchers=(Matcher("serial", 10), Matcher("serial", 70, product_glob="*scanner*")),
        node_setting="port",
    ),
    DriverSheet(
        "zpl-tcp",
        "label_printer",
        "Label printers that speak ZPL II.",
        matchers=(Matcher("network", 20, tcp_port=9100),),
        node_setting="host",
        tcp_port_setting="port",
        probes=True,
    ),
)


def usb_serial(node, number="", port="", product="USB Serial"):
    """Return a USB serial adapter."""
    return Candidate(
        "serial",
        node,
        vendor_id=0x0403,
        product_id=0x6001,
        serial_number=number,
        product=product,
        interface="00",
        port_path=port,
    )


class Floor:
    """Notes what it is told to serve and to wake."""

    def __init__(self):
        self.devices = []
        self.woken = []

    def set_devices(self, devices):
        self.devices = list(devices)

    def wake(self, names):
        self.woken += names


class ClaimBench:
    """A desk over a folder; `plug` replaces all that is plugged in."""

    def __init__(self, folder, configured=(), *, stations=("dock-2",)):
        self.present = {}
        self.health = Health()
        self.clock = StillClock()
        self.floor = Floor()
        self.bindings = Bindings(read_again=lambda one: self.present.get(one.node))
        self.bindings.set_sheets(SHEETS)
        numbers = iter(range(1, 1_000_000))
        self.desk = ClaimDesk(
            store=ClaimStore(folder),
            bindings=self.bindings,
            configured=configured,
            stations=stations,
            health=self.health,
            clock=self.clock,
            random=lambda: next(numbers) * 0x12345,
        )
        self.desk.start(self.floor)

    def plug(self, *candidates, sweeps_count=1):
        """Let sweeps see exactly these."""
        self.present = {one.node: one for one in candidates}
        kinds = KERNEL_KINDS | {"network"}
        for _ in range(sweeps_count):
            self.desk.changed(self.bindings.swept(candidates, kinds=kinds))

    def troubles(self):
        """Return what a person must do."""
        return {(one.problem, one.subject) for one in self.health.troubles()}
