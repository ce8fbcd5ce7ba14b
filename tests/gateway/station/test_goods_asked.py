"""Serial numbers and expiry dates that items ask for: what the station says where they lack."""

import pytest

MILK, LOT = "0109501101530003", "10L1"
SERIAL = "21S-1\x1d"
OVER, NEAR, LAST, FAR = "17261117", "17261122", "17261123", "17270101"
# The clock of a bench stands in 2026-11-18 (UTC).
DATES = {"expiry_tracked": True}
AGED = {"min_days_left_to_ship": 5}
SOON = DATES | AGED
SERIALS = {"serial_tracked": True}
RECEIVED = [
    pytest.param({}, MILK + LOT, (), id="it asks for nothing"),
    pytest.param(DATES, MILK + LOT, ("no_expiry",), id="no date"),
    pytest.param(DATES, MILK + OVER + LOT, (), id="a date, and be it past"),
    pytest.param(AGED, MILK + LOT, (), id="a date is not asked for, only kept"),
    pytest.param(SERIALS, MILK + LOT, ("no_serial",), id="no serial number"),
    pytest.param(SERIALS, MILK + SERIAL + LOT, (), id="a serial number"),
    pytest.param(SERIALS | DATES, MILK + LOT, ("no_expiry", "no_serial"), id="neither"),
]
SHIPPED = [
    pytest.param({}, OVER, (), id="it asks for nothing"),
    pytest.param(DATES, OVER, ("expired",), id="after its date"),
    pytest.param(DATES, NEAR, (), id="before its date"),
    pytest.param(SOON, NEAR, ("expired",), id="a day too few"),
    pytest.param(SOON, LAST, (), id="just days enough"),
    pytest.param(AGED, NEAR, ("expired",), id="a day too few of what has a date"),
    pytest.param(SOON, "", (), id="no date on the label"),
]


@pytest.mark.parametrize(("asked", "code", "flags"), RECEIVED)
def test_goods_come_in_without_what_their_item_asks_for(bench, asked, code, flags):
    bench.tell_item("MILK-1", **asked)
    seen = bench.scan("CMD-RECEIVE", code)
    (fact,) = seen.facts
    assert (fact.flags, seen.kind) == (flags, "warning" if flags else "success")


@pytest.mark.parametrize(("asked", "day", "flags"), SHIPPED)
def test_goods_go_to_a_customer_after_their_date(bench, asked, day, flags):
    bench.tell_item("MILK-1", **asked)
    bench.scan("CMD-RECEIVE", MILK + FAR + LOT, "CMD-DONE", "DOC-SO-1", "LOC-DOCK-1")
    seen = bench.scan(MILK + day + LOT)
    (fact,) = seen.facts
    assert (fact.to_location, fact.flags) == ("customer", flags)
    assert seen.kind == ("warning" if flags else "success")
    if flags:
        assert seen.text.startswith("Recorded, but it has expired or has too few days left")


def test_nobody_judges_a_date_while_the_clock_is_not_set(bench):
    bench.tell_item("MILK-1", **SOON)
    bench.scan("CMD-RECEIVE", MILK + FAR + LOT, "CMD-DONE", "DOC-SO-1", "LOC-DOCK-1")
    bench.clock.disciplined = False
    (fact,) = bench.scan(MILK + OVER + LOT).facts
    assert fact.flags == ("clock_unsynced",)


def test_within_the_warehouse_nobody_asks_for_a_date(bench):
    bench.tell_item("MILK-1", **SOON)
    bench.scan("CMD-RECEIVE", MILK + FAR + LOT, "CMD-DONE", "CMD-PUTAWAY", MILK + LOT)
    (fact,) = bench.scan("LOC-A-01-03").facts
    assert (fact.from_location, fact.to_location, fact.flags) == ("DOCK-1", "A-01-03", ())
