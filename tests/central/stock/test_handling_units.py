"""What is packed in what, with the goods of each unit, as programs and people ask for it."""

import pytest

from central.inbox.inbox import Inbox
from central.stock.handling_units import GOODS_SHOWN_MAX, read_unit
from central.storage import bulk, tables
from tests.central.clients import ask
from tests.central.one_app import application
from tests.central.scenery import FixedClock, Gateway, furnished, set_policy, sscc

CARTON, OTHER, PALLET, TRUCK = (sscc(number) for number in (1, 2, 9, 50))
UNITS = "/api/v1/warehouses/SH1/handling-units"


@pytest.fixture
def app(database):
    """Two cartons on a pallet, which is on a truck; bolts in one, nuts on the pallet itself."""
    gateway = Gateway()
    gateway.move(quantity="10", lot="L1", sscc=CARTON)
    gateway.move("NUT", "3", sscc=PALLET)
    gateway.pack(PALLET, CARTON, OTHER)
    gateway.pack(TRUCK, PALLET)
    furnished(database, gateway)
    clock = FixedClock()
    Inbox(database, clock=clock).accept([gateway.offer()])
    return application(database=database, clock=clock)


def _unit(app, number):
    answer = ask(app, f"{UNITS}/{number}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_pallet_says_what_it_is_in_and_what_is_in_it(app):
    found = _unit(app, PALLET)
    assert found["outer"] == [TRUCK]
    assert [(one["item"], one["on_hand"]) for one in found["goods"]] == [("NUT", "3")]
    inner = [(one["sscc"], one["parent"], one["depth"]) for one in found["inner"]]
    assert inner == [(CARTON, PALLET, 1), (OTHER, PALLET, 1)]
    assert [one["lot"] for one in found["inner"][0]["goods"]] == ["L1"]
    assert found["inner"][1]["goods"] == []
    assert found["complete"]


def test_of_a_truck_everything_is_shown_and_of_a_carton_everything_around_it(app):
    truck = _unit(app, TRUCK)
    assert [(one["sscc"], one["depth"]) for one in truck["inner"]] == [
        (PALLET, 1),
        (CARTON, 2),
        (OTHER, 2),
    ]
    assert _unit(app, CARTON)["outer"] == [PALLET, TRUCK]


def _units(database, *steps):
    """Send bolts off with TR-1 and receive them: (warehouse, quantity, unit) in order.

    Return what the source, then the destination, has with a unit on it: {unit: goods}.
    """
    here, there = Gateway(), Gateway("bj1-dock-1", warehouse="BJ1")
    inbox = furnished(database, here, there)
    set_policy(database, "BOLT", weight_unit="KGM")
    for warehouse, quantity, unit in steps:
        named = {"document": "TR-1", "document_line": 1, "sscc": unit}
        if warehouse == "SH1":
            here.move(quantity=quantity, sscc=unit, net_weight=quantity, weight_unit="KGM")
            here.move(quantity=quantity, source="BIN-1", target="in_transit", **named)
        else:
            there.move(quantity=quantity, source="in_transit", **named)
    inbox.accept([one.offer() for one in (here, there) if one.bodies])
    with database.read() as connection:
        return [
            {
                number: [
                    (one.location, one.on_hand_micro / 10**6, one.weight_micro / 10**6)
                    for one in read_unit(connection, warehouse, number).goods
                ]
                for number in units
            }
            for warehouse, units in (
                ("SH1", sorted({unit for place, _, unit in steps if place == "SH1"})),
                ("BJ1", sorted({unit for place, _, unit in steps if place == "BJ1" and unit})),
            )
        ]


WAY = "in_transit/TR-1"
UNDER_WAY = [
    pytest.param([("SH1", "5", CARTON)], {CARTON: [(WAY, 5, 5)]}, {}, id="under way"),
    pytest.param(
        [("SH1", "5", CARTON), ("BJ1", "2", CARTON)],
        {CARTON: [(WAY, 3, 3)]},
        {CARTON: [("BIN-1", 2, 2)]},
        id="received in part",
    ),
    pytest.param(
        [("SH1", "5", CARTON), ("BJ1", "5", CARTON)],
        {CARTON: []},
        {CARTON: [("BIN-1", 5, 5)]},
        id="received",
    ),
    pytest.param(
        [("SH1", "5", CARTON), ("SH1", "4", OTHER), ("BJ1", "7", "")],
        {CARTON: [(WAY, 2, 2)], OTHER: [(WAY, 2, 2)]},
        {},
        id="received loose: at most what is left of all",
    ),
]


@pytest.mark.parametrize(("steps", "source", "destination"), UNDER_WAY)
def test_of_what_left_a_unit_shows_what_is_still_under_way(database, steps, source, destination):
    assert _units(database, *steps) == [source, destination]


def test_goods_that_are_left_out_are_told_of(database):
    goods = [
        ("SH1", "BIN-1", "BOLT", "", f"S{number}", CARTON, "C62", "available", 1_000_000, 1, 0)
        for number in range(GOODS_SHOWN_MAX + 1)
    ]
    for shown, is_all in ((goods[:-1], True), (goods[-1:], False)):
        with database.write() as connection:
            bulk.insert_rows(connection, tables.balances, shown)
        with database.read() as connection:
            found = read_unit(connection, "SH1", CARTON)
        assert len(found.goods) == GOODS_SHOWN_MAX
        assert found.more is not is_all


@pytest.mark.parametrize("path", [f"{UNITS}/{sscc(77)}", f"{UNITS.replace('SH1', 'BJ1')}/{PALLET}"])
def test_what_a_warehouse_knows_nothing_of_is_not_there(app, path):
    answer = ask(app, path)
    assert answer.status_code == 404
    assert answer.json()["hint"]


def test_people_find_a_pallet_by_its_number_and_see_what_is_in_it(app):
    hit = ask(app, f"/search?q={PALLET}&lang=en").text
    assert f'href="/warehouses/SH1/handling-units/{PALLET}"' in hit
    page = ask(app, f"/warehouses/SH1/handling-units/{TRUCK}?lang=en").text
    for text in (PALLET, CARTON, OTHER, "BOLT", "NUT", "BIN-1"):
        assert text in page
    assert "没有" in ask(app, f"/warehouses/SH1/handling-units/{OTHER}?lang=zh").text


@pytest.mark.parametrize(
    ("language", "weighs", "unit"), [("en", "weighs 2.5 kg", "KGM"), ("zh", "重 900 ", "GRM")]
)
def test_the_page_of_a_pallet_says_what_its_goods_weigh_and_in_what(
    database, language, weighs, unit
):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    set_policy(database, "BOLT", weight_unit="" if unit == "KGM" else unit)
    weight = {"net_weight": "2.5" if unit == "KGM" else "0.9", "weight_unit": "KGM"}
    gateway.move(quantity="10", sscc=CARTON, **weight)
    gateway.move("NUT", "3", sscc=PALLET)
    gateway.pack(PALLET, CARTON)
    inbox.accept([gateway.offer()])
    app = application(database=database, clock=FixedClock())
    assert _unit(app, CARTON)["goods"][0]["weight_unit"] == unit
    path = f"/warehouses/SH1/handling-units/{PALLET}"
    shown = ask(app, path, headers={"accept-language": language})
    assert shown.status_code == 200, shown.text
    assert weighs in shown.text


LEAVING = [
    pytest.param({"target": "customer", "business_step": "shipping"}, id="sold"),
    pytest.param({"target": "in_transit", "document": "TR-1", "document_line": 1}, id="sent"),
    pytest.param({"target": "scrap"}, id="scrapped"),
]


@pytest.mark.parametrize("leaving", LEAVING)
def test_a_carton_that_left_alone_is_on_its_pallet_no_more(database, leaving):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    app = application(database=database, clock=FixedClock())
    for carton in (CARTON, OTHER):
        gateway.move(quantity="10", sscc=carton)
    gateway.pack(PALLET, CARTON, OTHER)
    gateway.pack(TRUCK, PALLET)

    def shown(unit):
        inbox.accept([gateway.offer()])
        found = _unit(app, unit)
        return found["outer"], [one["sscc"] for one in found["inner"]]

    gateway.move(quantity="4", source="BIN-1", sscc=CARTON, **leaving)
    assert shown(PALLET) == ([TRUCK], [CARTON, OTHER])  # A part of it is there.
    assert shown(CARTON) == ([PALLET, TRUCK], [])
    gateway.move(quantity="6", source="BIN-1", sscc=CARTON, **leaving)
    assert shown(PALLET) == ([TRUCK], [OTHER])
    assert shown(TRUCK) == ([], [PALLET, OTHER])
    assert shown(CARTON) == ([], [])
    assert shown(OTHER) == ([PALLET, TRUCK], [])
    gateway.move(quantity="10", source="BIN-1", sscc=OTHER, **leaving)
    assert shown(PALLET) == ([TRUCK], [CARTON, OTHER])  # The pallet left with all of it.
    assert shown(CARTON) == ([PALLET, TRUCK], [])


def test_a_pallet_that_left_alone_is_on_its_truck_no_more_with_all_that_is_on_it(database):
    gateway = Gateway()
    inbox = furnished(database, gateway)
    gateway.move(quantity="10", sscc=CARTON)
    gateway.move("NUT", "3", sscc=TRUCK)
    gateway.pack(PALLET, CARTON, OTHER)
    gateway.pack(TRUCK, PALLET)
    gateway.move(quantity="10", source="BIN-1", target="customer", sscc=CARTON)
    inbox.accept([gateway.offer()])
    app = application(database=database, clock=FixedClock())
    assert _unit(app, TRUCK)["inner"] == []
    assert _unit(app, CARTON)["outer"] == [PALLET]
