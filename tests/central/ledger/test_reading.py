"""Facts are read quickly, and as closely as one by one."""

import msgspec
import pytest

from central.contract.errors import ContractError
from central.contract.facts import Movement
from central.ledger import reading
from central.ledger.reading import read_fact, read_facts
from tests.central.scenery import Gateway


def one_by_one(bodies):
    found = []
    for seq, body in enumerate(bodies, 1):
        try:
            found.append(read_fact(body, seq=seq))
        except ContractError as error:
            found.append(str(error).replace("\0", "\\0"))
    return found


def everything():
    gateway = Gateway()
    for quantity in ("5", "5", "2.5", "2.50", "2.5"):
        gateway.move(quantity=quantity)
        gateway.move(quantity=quantity, expiry_date="2027-01-31", lot="L1")
        gateway.move(quantity=quantity, document="PO-1", document_line=1)
        gateway.move(quantity=quantity, net_weight="1.5", weight_unit="KGM")
        gateway.move(quantity=quantity, from_status="held")
        gateway.move(quantity=quantity, seq=77)
        gateway.move(quantity=quantity, lot="a\0")
        gateway.move(quantity=quantity, warehouse="BJ1")
    gateway.weigh()
    gateway.print_label()
    gateway.pass_by()
    gateway.reverse(1)
    gateway.say(b"\xc1")
    gateway.say(gateway.bodies[0][:-1])
    gateway.say(gateway.bodies[0].replace(b"BIN-1", b"BIN-\xff"))
    gateway.say(gateway.bodies[0].replace(b"BIN-1\xa4", b"\xa0\xa4"))
    return gateway.bodies


def test_many_facts_are_read_as_each_is_by_itself():
    bodies = everything()
    for _ in range(2):  # The second time nothing is new.
        read = read_facts(bodies, first_seq=1)
        assert read.facts == one_by_one(bodies)
        for fact, movement, route, micro in zip(
            read.facts, read.movements, read.routes, read.micros, strict=True
        ):
            if isinstance(fact, Movement) and is_plain(fact):
                assert (movement, route) == (fact, reading.route_of(fact))
                assert micro == {"5": 5_000_000}.get(fact.quantity, 2_500_000)
            else:
                assert (movement, route, micro) == (None, None, 0)
        assert read.dated == {("BOLT", "L1")}


def is_plain(movement):
    return not (movement.document or movement.net_weight or movement.from_status)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"quantity": "0"}, id="quantity"),
        pytest.param({"unit": "pieces"}, id="unit"),
        pytest.param({"target": "supplier"}, id="same place"),
        pytest.param({"expiry_date": "soon"}, id="date"),
        pytest.param({"net_weight": "-1", "weight_unit": "KGM"}, id="weight"),
        pytest.param({"warehouse": "S H"}, id="warehouse"),
    ],
)
def test_a_movement_that_cannot_be_true_is_no_fact_also_beside_true_ones(fields):
    gateway = Gateway()
    gateway.move()
    values = {"item": "BOLT", "quantity": "1"} | fields
    gateway.say(unchecked(Gateway(), **values))
    read = read_facts([gateway.bodies[0], gateway.bodies[1]], first_seq=1)
    assert isinstance(read.facts[1], str)
    assert read.routes[1] is None


def unchecked(gateway, *, item, quantity, target="BIN-1", unit="C62", **fields):
    """The bytes of a movement that the contract would not encode."""
    movement = Movement(
        **gateway._origin(fields | {"seq": 2}),
        business_step="receiving",
        from_location="supplier",
        to_location=target,
        item=item,
        quantity=quantity,
        unit=unit,
        **{name: value for name, value in fields.items() if name not in {"seq", "warehouse"}},
    )
    return msgspec.msgpack.encode(movement)


def test_what_is_remembered_is_bounded():
    gateway = Gateway()
    gateway.move(lot="L" * 5)
    (body,) = gateway.bodies
    for number in range(reading.REMEMBERED_COUNT_MAX + 10):
        (fact,) = read_facts([body.replace(b"LLLLL", b"%05d" % number)], first_seq=1).facts
        assert isinstance(fact, Movement)
    assert len(reading._sound_routes) <= reading.REMEMBERED_COUNT_MAX
