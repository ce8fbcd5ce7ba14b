"""Documents of SH1: scans for them that come late, or never happened and make it too much."""

from typing import ClassVar

from tests.central.truth.scene import HOUR_MS, Scene
from tests.central.truth.site import BINS, ITEM

IN_STOCK = 30
SOURCES = ("dock", "dock", "late")
COUNTED = "counted for "
PARTNERS = (("SHOP", "customer"), ("ACME", "supplier"))


class Orders(Scene):
    """`path`: of the documents. `outside`: where goods come from or go to."""

    ways: ClassVar = {"scan": 6, "mistake": 3, "undo": 2, "send": 3, "settle": 3}
    path, steps, outside = "", (), ""
    incoming = True

    def begin(self, random):
        for code, kind in PARTNERS:
            self.site.post("/partners", {"code": code, "name": code, "kind": kind})
        self.truth = dict.fromkeys(BINS, 0)
        for place in BINS[:2]:
            self.site.move("dock", IN_STOCK, "supplier", place)
            self.moved(IN_STOCK, "supplier", place)
        self.site.clock.time_ms += HOUR_MS
        self.left = {}
        for _ in range(random.randint(1, 2)):
            quantity = random.randint(4, 9)
            code = self.document(quantity)
            self.left[code] = quantity
            self.truth[COUNTED + code] = 0
            self.site.note(f"{code} of {quantity}")
        self.site.clock.time_ms += HOUR_MS

    def document(self, quantity):
        """Write a document that stations may scan for; return its code."""
        line = {"line": 1, "item": ITEM, "quantity": str(quantity), "unit": "C62"}
        code = self.site.post(self.path, self.fields() | {"warehouse": "SH1", "lines": [line]})
        return self.stepped(code["code"])

    def stepped(self, code):
        for step in self.steps:
            self.site.post(f"{self.path}/{code}/{step}")
        return code

    def fields(self):
        """What else such a document says."""
        raise NotImplementedError

    def scan(self, random):
        """Goods come or go, never more than were ordered."""
        code = random.choice(list(self.left))
        quantity = min(random.randint(1, 6), self.left[code])
        if quantity:
            self.left[code] -= quantity
            self.truth[COUNTED + code] += quantity
            way = self._way(random)
            self.moved(quantity, *way)
            self._scanned(random.choice(SOURCES), quantity, way, code)

    def mistake(self, random):
        """Something is scanned for a document that did not happen."""
        name, code = random.choice(SOURCES), random.choice(list(self.left))
        number = self._scanned(name, random.randint(1, 6), self._way(random), code)
        self.mistakes.append((name, number))

    def books(self):
        found = super().books()
        for code in self.left:
            found[COUNTED + code] = self.site.received(code, ITEM).get(1, 0)
        return found

    def _way(self, random):
        place = random.choice(BINS[:2])
        return (self.outside, place) if self.incoming else (place, self.outside)

    def _scanned(self, name, quantity, way, code):
        return self.site.move(name, quantity, *way, document=code, document_line=1)


class Purchases(Orders):
    """Goods of purchase orders are received."""

    path, steps, outside = "/purchase-orders", ("submit", "approve", "send"), "supplier"

    def fields(self):
        return {"supplier": "ACME"}


class Sales(Orders):
    """Goods of sales orders are shipped."""

    path, steps, outside = "/sales-orders", ("submit", "approve", "release"), "customer"
    incoming = False

    def fields(self):
        return {"customer": "SHOP", "promised_on": "2026-06-05", "backorders": True}


class Returns(Orders):
    """Customers send goods back."""

    path, steps, outside = "/customer-returns", ("approve", "release"), "customer"

    def fields(self):
        return {"customer": "SHOP", "reason": "damaged"}
