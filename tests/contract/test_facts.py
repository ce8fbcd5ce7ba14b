"""Facts: what cannot be true is refused, what is newer is read as far as it is known. Pure."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.contract.errors import ContractError
from central.contract.facts import (
    Count,
    Movement,
    Packing,
    Passage,
    Weighing,
    check_draft,
    check_fact,
    decode_fact,
    encode_fact,
)
from tests.contract.make_ledger_vectors import CARTON, PALLET
from tests.contract.make_vectors import BASE

MOVEMENT = Movement(
    seq=1,
    **BASE,
    business_step="receiving",
    from_location="supplier",
    to_location="DOCK-2",
    item="BOLT-M8",
    quantity="12",
    unit="C62",
)
WEIGHING = Weighing(
    seq=1,
    **BASE,
    scale="s",
    item="i",
    gross="10.50",
    tare="0.50",
    net="10.00",
    unit="KGM",
    alibi_number=1,
)
COUNT = Count(seq=1, **BASE, location="A-01-01", item="BOLT-M8", quantity="0", unit="C62")
PACKING = Packing(seq=1, **BASE, parent=PALLET, children=(CARTON,), action="pack")
EVERY_FIELD = msgspec.msgpack.Encoder()  # Writes every field, unlike `encode_fact`.


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"quantity": "0"}, "greater than zero"),
        ({"quantity": "-1"}, "greater than zero"),
        ({"quantity": "1e3"}, "not a decimal number"),
        ({"quantity": "NaN"}, "not a decimal number"),
        ({"quantity": "1.0000001"}, "6 decimal places"),
        ({"quantity": "99999999999"}, "out of range"),
        ({"quantity": "１２"}, "not a decimal number"),
        ({"unit": "pieces"}, "UN/CEFACT"),
        ({"to_location": "supplier"}, "to itself"),
        ({"item": ""}, "needs an item"),
        ({"expiry_date": "2027-02-30"}, "not a date"),
        ({"net_weight": "0", "weight_unit": "KGM"}, "greater than zero"),
        ({"warehouse": "SH/1"}, "warehouse code"),
    ],
)
def test_an_impossible_movement_is_refused_with_the_reason(change, complaint):
    with pytest.raises(ContractError, match=complaint):
        encode_fact(msgspec.structs.replace(MOVEMENT, **change))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"from_status": "good"}, "is none of stock"),
        ({"to_status": "Held"}, "is none of stock"),
        ({"from_location": "DOCK-2"}, "to itself"),
        ({"from_location": "DOCK-2", "to_status": "held"}, "to itself"),
        ({"from_location": "DOCK-2", "business_step": "inspecting"}, "to itself"),
        ({"from_location": "DOCK-2", "from_status": "held", "to_status": "held"}, "to itself"),
    ],
)
def test_a_status_that_is_none_or_does_not_change_is_refused(change, complaint):
    with pytest.raises(ContractError, match=complaint):
        encode_fact(msgspec.structs.replace(MOVEMENT, **change))


@pytest.mark.parametrize(
    "change",
    [
        {"from_status": "inspection"},
        {"to_status": "held"},
        {"from_location": "DOCK-2", "from_status": "inspection", "to_status": "rejected"},
        {"from_location": "DOCK-2", "business_step": "inspecting", "to_status": "held"},
    ],
)
def test_a_status_that_is_stated_is_read_back(change):
    stated = msgspec.structs.replace(MOVEMENT, **change)
    assert decode_fact(encode_fact(stated)) == stated


def test_a_movement_without_a_status_is_written_as_before_there_was_one():
    whole = EVERY_FIELD.encode(MOVEMENT)
    assert decode_fact(whole) == MOVEMENT
    assert len(encode_fact(MOVEMENT)) == len(whole) - 2


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"quantity": "-1"}, "less than zero"),
        ({"quantity": "1.0000001"}, "6 decimal places"),
        ({"quantity": ""}, "not a decimal number"),
        ({"item": "", "quantity": "1"}, "needs an item"),
        ({"location": ""}, "needs an item and a location"),
        ({"location": "supplier"}, "no real place"),
        ({"expiry_date": "soon"}, "not a date"),
        ({"round": 0}, "round|readable"),
        ({"round": 10}, "round|readable"),
        ({"unit": "pieces"}, "UN/CEFACT"),
    ],
)
def test_an_impossible_count_is_refused_with_the_reason(change, complaint):
    check_draft(COUNT)
    with pytest.raises(ContractError, match=complaint):
        check_draft(msgspec.structs.replace(COUNT, **change))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"children": ()}, "readable"),
        ({"children": (CARTON, CARTON)}, "twice"),
        ({"children": (PALLET,)}, "with itself"),
        ({"children": ("123",)}, "18 digits"),
        ({"parent": PALLET[:-1] + "0"}, "check digit"),
        ({"action": "stack"}, "readable"),
        ({"children": tuple(str(number) for number in range(501))}, "readable"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_impossible_packing_is_refused_with_the_reason(change, complaint):
    check_draft(PACKING)
    with pytest.raises(ContractError, match=complaint):
        check_draft(msgspec.structs.replace(PACKING, **change))


def test_a_weighing_whose_weights_do_not_add_up_is_refused():
    check_fact(WEIGHING)
    with pytest.raises(ContractError, match="is not net"):
        check_fact(msgspec.structs.replace(WEIGHING, net="10.01"))


@pytest.mark.parametrize(
    "change",
    [
        {"epc": ""},
        {"epc": "3"},
        {"epc": "30ab"},
        {"epc": "30" * 65},
        {"read_point": ""},
        {"direction": "sideways"},
        {"reads_count": 0},
        {"rssi_cdbm": 40_000},
    ],
    ids=lambda change: str(change)[:30],
)
def test_an_impossible_passage_is_refused(change):
    passage = Passage(
        seq=1,
        **BASE,
        epc="30AB",
        read_point="DOCK-2",
        direction="in",
        reads_count=1,
        first_seen_ms=1,
        last_seen_ms=2,
    )
    assert decode_fact(encode_fact(passage)) == passage
    with pytest.raises(ContractError):
        decode_fact(msgspec.msgpack.encode(msgspec.structs.replace(passage, **change)))


def test_fields_that_a_newer_gateway_appends_are_skipped():
    for fact in (MOVEMENT, WEIGHING):
        values = msgspec.msgpack.decode(EVERY_FIELD.encode(fact))
        newer = msgspec.msgpack.encode([*values, "a field of tomorrow", 7])
        assert decode_fact(newer) == fact


def test_fields_that_an_older_gateway_did_not_have_take_their_defaults():
    values = msgspec.msgpack.decode(encode_fact(MOVEMENT))
    required = values[: values.index("C62") + 1]
    assert decode_fact(msgspec.msgpack.encode(required)) == MOVEMENT


@pytest.mark.parametrize("kind", [0, 8, 99, "movement", None])
def test_a_kind_of_fact_that_is_not_known_is_a_contract_error(kind):
    values = msgspec.msgpack.decode(encode_fact(MOVEMENT))
    with pytest.raises(ContractError):
        decode_fact(msgspec.msgpack.encode([kind, *values[1:]]))


@given(st.binary(max_size=300))
def test_any_bytes_give_a_fact_or_a_contract_error(data):
    try:
        fact = decode_fact(data)
    except ContractError:
        return
    assert decode_fact(encode_fact(fact)) == fact


@given(st.integers(0, 10_000), st.binary(min_size=1, max_size=4))
def test_damaged_bytes_of_a_fact_raise_nothing_but_a_contract_error(position, noise):
    data = bytearray(encode_fact(MOVEMENT))
    position %= len(data)
    data[position : position + len(noise)] = noise
    try:
        decode_fact(bytes(data))
    except ContractError:
        return
