"""Central, machines that show a code, and staff who answer them."""

from central.trust import registry
from central.trust.admission import Admission, Admittance
from central.trust.asking import Asking
from central.trust.events import latest
from tests.central.trust.machines import Machine, SetClock, trust_of


class Scene:
    """Central, and what machines and staff do with it."""

    def __init__(self, database):
        self.database = database
        self.clock = SetClock()
        self.trust = trust_of(database, clock=self.clock)

    def ask(self, machine=None, *, address="192.0.2.7", waiting_max=256, **said):
        asking = Asking(self.trust, waiting_max)
        return asking.ask((machine or Machine()).request("", **said), address=address)

    def poll(self, machine, shown, *, by=None):
        signature = (by or machine).signed_poll(shown.secret)
        return Asking(self.trust).poll(shown.secret, signature=signature, address="192.0.2.7")

    def approve(self, shown, gateway="dock-a", *, by="li.na", places=None, **wanted):
        values = {"fingerprint": shown.fingerprint, "gateway": gateway, "warehouse": "SH1"}
        admittance = Admittance(**(values | wanted))
        return Admission(self.trust).approve(shown.code, admittance, by=by, places=places)

    def look(self, code, *, by="li.na"):
        return Admission(self.trust).look_at(code, by=by)

    def deny(self, shown, *, by="li.na"):
        return Admission(self.trust).deny(shown.code, by=by)

    def events(self):
        with self.database.read() as connection:
            return [one.kind for one in reversed(latest(connection, limit=100))]

    def certificates(self, gateway="dock-a"):
        with self.database.read() as connection:
            return registry.certificates_of(connection, gateway)
