"""An order and its notices of shipment tolerate together what the order does, in any sequence."""

from random import Random

import pytest

from central.orders.document_progress import PERCENT_MICRO
from central.orders.purchasing.shared_tolerances import Part, tolerances
from tests.central.orders.purchasing import Purchasing

MICRO = 10**6


@pytest.fixture
def site(database):
    made = Purchasing(database)
    yield made
    assert made.faults() == []


def ordered(site, quantity="100", percent="10"):
    return site.order({"item": "BOLT", "quantity": quantity, "over_tolerance_percent": percent})


def expected(site, order, quantity):
    body = {"order": order, "lines": [{"line": 1, "item": "BOLT", "quantity": quantity}]}
    code = site.post("/shipping-notices", body, status=201)["code"]
    site.post(f"/shipping-notices/{code}/expect")
    return code


def closed(site, code):
    site.post(f"/shipping-notices/{code}/close", {"reason": "that is all"})


def opened(site):
    return [(kind, subject) for kind, subject, state, _ in site.discrepancies() if state == "open"]


def shown(site, order):
    (line,) = site.get(f"/purchase-orders/{order}")["lines"]
    return line["received"], line["fulfilment"]


def limits(parts, room):
    found = tolerances(parts, room_micro=room)
    return [
        part.expected_micro + part.expected_micro * percent // PERCENT_MICRO
        for part, percent in zip(parts, found, strict=True)
    ]


@pytest.mark.parametrize(
    ("parts", "room", "most"),
    [
        pytest.param([(40, 0), (60, 0)], 110, [44, 66], id="equal percents"),
        pytest.param([(40, 0)], 50, [50], id="what a closed notice left"),
        pytest.param([(40, 50), (60, 0)], 110, [50, 60], id="the order took it all"),
        pytest.param([(40, 42), (60, 0)], 110, [44, 66], id="within its share"),
        pytest.param([(40, 0), (60, 68)], 110, [42, 68], id="more than its share"),
        pytest.param([(40, 70), (60, 0)], 110, [44, 66], id="too much already"),
        pytest.param([(40, 0), (60, 0)], 90, [40, 60], id="too much came elsewhere"),
        pytest.param([(0, 5), (100, 0)], 110, [0, 105], id="under an order that expects nothing"),
        pytest.param([(0, 0), (100, 0)], 110, [0, 110], id="all with one notice"),
    ],
)
def test_documents_share_what_their_order_tolerates(parts, room, most):
    scaled = [Part(expected * MICRO, done * MICRO) for expected, done in parts]
    assert limits(scaled, room * MICRO) == [one * MICRO for one in most]


def test_together_they_never_tolerate_more_nor_less_than_there_is_room_for():
    chooser = Random(5)
    for _ in range(3000):
        parts = [
            Part(chooser.randrange(0, 90) * MICRO, chooser.randrange(0, 120) * MICRO)
            for _ in range(chooser.randrange(1, 6))
        ]
        room = chooser.randrange(1, 400) * MICRO
        said = limits(parts, room)
        own = [part.done_micro for part in parts if not part.expected_micro]
        expecting = sum(part.expected_micro for part in parts)
        rounded = len(parts) * 2
        if sum(map(max, parts)) <= room:
            least = zip(said, parts, strict=True)
            assert all(limit >= max(part) for limit, part in least if part.expected_micro)
            if expecting:
                assert room - rounded <= sum(said) + sum(own) <= room + rounded
        else:
            assert sum(said) <= max(room, expecting) + rounded
            assert any(
                part.done_micro > limit for limit, part in zip(said, parts, strict=True)
            ) or (expecting > room)


def test_what_comes_after_a_notice_has_all_that_is_left_of_the_tolerance(site):
    order = ordered(site)
    notice = expected(site, order, "60")
    site.receive("60", document=notice, line=1)
    closed(site, notice)
    site.receive("50", document=order, line=1)
    assert (shown(site, order), opened(site)) == (("110", "complete"), [])
    site.receive("1", document=order, line=1)
    assert shown(site, order) == ("111", "over")
    assert opened(site) == [("over_received", f"{order}/1/BOLT")]


def test_a_later_notice_has_all_that_is_left_of_the_tolerance(site):
    order = ordered(site)
    first = expected(site, order, "60")
    site.receive("60", document=first, line=1)
    closed(site, first)
    second = expected(site, order, "40")
    site.receive("50", document=second, line=1)
    assert (shown(site, order), opened(site)) == (("110", "complete"), [])
    site.receive("1", document=second, line=1)
    assert opened(site) == [("over_received", f"{second}/1/BOLT")]


def test_a_notice_that_brought_more_leaves_less_to_what_comes_after_it(site):
    order = ordered(site)
    notice = expected(site, order, "60")
    site.receive("66", document=notice, line=1)
    closed(site, notice)
    site.receive("44", document=order, line=1)
    assert (shown(site, order), opened(site)) == (("110", "complete"), [])
    site.receive("1", document=order, line=1)
    assert opened(site) == [("over_received", f"{order}/1/BOLT")]


def test_what_came_under_the_orders_code_lowers_what_a_notice_tolerates(site):
    order = ordered(site)
    site.receive("50", document=order, line=1)
    notice = expected(site, order, "60")
    assert opened(site) == []
    site.receive("60", document=notice, line=1)
    assert (shown(site, order), opened(site)) == (("110", "complete"), [])
    site.receive("1", document=notice, line=1)
    assert shown(site, order) == ("111", "over")
    assert opened(site) == [("over_received", f"{notice}/1/BOLT")]


def test_what_is_too_much_under_one_document_is_not_once_another_ends(site):
    order = ordered(site)
    notice = expected(site, order, "60")
    site.receive("48", document=order, line=1)  # Of the 40 and 4 that the notice leaves to it.
    assert opened(site) == [("over_received", f"{order}/1/BOLT")]
    site.receive("60", document=notice, line=1)
    closed(site, notice)
    assert (shown(site, order), opened(site)) == (("108", "complete"), [])


def test_what_came_with_a_notice_after_its_end_counts_too(site):
    order = ordered(site)
    notice = expected(site, order, "60")
    site.receive("60", document=notice, line=1)
    closed(site, notice)
    site.receive("8", document=notice, line=1)
    late = expected(site, order, "10")
    site.receive("31", document=order, line=1)  # 110 - 68 are left for 30 and 10.
    site.receive("10", document=late, line=1)
    assert opened(site) == [("unknown_document", notice)]
    site.receive("2", document=late, line=1)
    assert shown(site, order) == ("111", "over")
    assert opened(site) == [("over_received", f"{late}/1/BOLT"), ("unknown_document", notice)]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_nothing_above_the_most_of_an_order_comes_in_silence(site, seed):
    chooser = Random(seed)
    order, notices = ordered(site), []
    for _ in range(25):
        done = chooser.random()
        if done < 0.25:
            body = {"order": order}
            body["lines"] = [{"line": 1, "item": "BOLT", "quantity": str(chooser.randrange(1, 60))}]
            code = site.post("/shipping-notices", body, status=201)["code"]
            if site.ask("POST", f"/shipping-notices/{code}/expect", {}).status_code == 200:
                notices.append(code)
        elif done < 0.4 and notices:
            closed(site, notices.pop(chooser.randrange(len(notices))))
        else:
            document = chooser.choice([order, *notices])
            site.receive(str(chooser.randrange(1, 15)), document=document, line=1)
        if shown(site, order)[1] == "over":
            assert opened(site) != []
            break
        assert site.faults() == []
    assert shown(site, order)[0] != "0"
