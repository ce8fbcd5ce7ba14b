"""Transfers from SH1 to BJ1: shipped and received in parts, by scans that are late or mistaken."""

from typing import ClassVar

from tests.central.truth.scene import HOUR_MS, Scene

IN_STOCK = 40
SOURCES = ("dock", "dock", "late")
SH1, BJ1, UNDER_WAY = "SH1 BIN-1", "BJ1 BIN-1", "under way"


class Transfers(Scene):
    """One or two transfers of the same goods."""

    ways: ClassVar = {"ship": 5, "receive": 5, "mistake": 3, "undo": 3, "send": 3, "settle": 3}

    def begin(self, random):
        self.site.move("dock", IN_STOCK, "supplier", "BIN-1")
        self.truth = {SH1: IN_STOCK, BJ1: 0, UNDER_WAY: 0}
        self.to_ship, self.on_truck = {}, {}
        for _ in range(random.randint(1, 2)):
            quantity = random.randint(3, 8)
            code = self.site.transfer(quantity)
            self.to_ship[code], self.on_truck[code] = quantity, 0
        self.site.clock.time_ms += HOUR_MS

    def ship(self, random):
        """Goods are loaded."""
        code = random.choice(list(self.to_ship))
        quantity = min(random.randint(1, 5), self.to_ship[code])
        if quantity:
            self.to_ship[code] -= quantity
            self.on_truck[code] += quantity
            self.moved(quantity, SH1, UNDER_WAY)
            self._scan(random.choice(SOURCES), quantity, code)

    def receive(self, random):
        """Goods are unloaded."""
        code = random.choice(list(self.on_truck))
        if self.on_truck[code]:
            quantity = random.randint(1, self.on_truck[code])
            self.on_truck[code] -= quantity
            self.moved(quantity, UNDER_WAY, BJ1)
            self._scan("other", quantity, code)

    def mistake(self, random):
        """Something is scanned that was neither loaded nor unloaded."""
        name = random.choice((*SOURCES, *["other"] * len(SOURCES)))
        code = random.choice(list(self.to_ship))
        self.mistakes.append((name, self._scan(name, random.randint(1, 5), code)))

    def books(self):
        source, destination = self.site.stock("SH1"), self.site.stock("BJ1")
        under_way = source.get("in_transit", 0) + destination.get("in_transit", 0)
        stock = {SH1: source.get("BIN-1", 0), BJ1: destination.get("BIN-1", 0)}
        return stock | {UNDER_WAY: under_way}

    def _scan(self, name, quantity, code):
        way = ("in_transit", "BIN-1") if name == "other" else ("BIN-1", "in_transit")
        return self.site.move(name, quantity, *way, document=code, document_line=1)


class MistakenTransfers(Transfers):
    """Mistakes are undone at the very end."""

    ways: ClassVar = Transfers.ways | {"mistake": 4, "undo": 0}
