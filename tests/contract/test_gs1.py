"""GS1 keys and element strings; biip is the oracle that nobody here wrote. Pure."""

import warnings
from datetime import date
from decimal import Decimal

import biip
import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.contract import gs1
from central.contract.errors import ContractError
from central.contract.gs1 import GS, Element

# General Specifications 7.9.1 and published examples of GS1: the last digit is the check digit.
KEYS = [
    ("gtin-13", "6291041500213"),
    ("gtin-8", "96385074"),
    ("gtin-12", "614141000036"),
    ("gtin-14", "09501101530003"),
    ("sscc", "106141412345678908"),
    ("gln", "9501101530010"),
]


@pytest.mark.parametrize("key", [key for _, key in KEYS], ids=[name for name, _ in KEYS])
def test_a_right_check_digit_is_accepted_and_each_wrong_one_named(key):
    assert gs1.check_key(key, what="key") == key
    for digit in set("0123456789") - {key[-1]}:
        with pytest.raises(ContractError, match=f"its check digit is {key[-1]}"):
            gs1.check_key(key[:-1] + digit, what="key")


@pytest.mark.parametrize("key", ["", "12", "abcdefgh", "６２９１０４１５００２１３", "1" * 15])
def test_a_key_of_another_length_or_alphabet_is_refused(key):
    with pytest.raises(ContractError, match="not 8, 12, 13, 14 or 18 digits"):
        gs1.check_key(key, what="key")


@pytest.mark.parametrize(
    ("message", "elements"),
    [
        ("0109501101530003", [("01", "09501101530003")]),
        (
            f"010950110153000310ABC123{GS}17270131",
            [("01", "09501101530003"), ("10", "ABC123"), ("17", "270131")],
        ),
        (
            f"{GS}010950110153000310L{GS}{GS}3012",
            [("01", "09501101530003"), ("10", "L"), ("30", "12")],
        ),
        ("00106141412345678908", [("00", "106141412345678908")]),
        ("31030012501727020010X", [("3103", "001250"), ("17", "270200"), ("10", "X")]),
        ("0209501101530003" + "3740", [("02", "09501101530003"), ("37", "40")]),
        ("4109501101530010", [("410", "9501101530010")]),
        (f"21A/b-1_{GS}24012", [("21", "A/b-1_"), ("240", "12")]),
    ],
)
def test_an_element_string_is_cut_into_its_elements(message, elements):
    parsed = gs1.parse_elements(message)
    assert [(element.ai, element.value) for element in parsed] == elements
    assert gs1.parse_elements(gs1.encode_elements(parsed)) == parsed


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        ("", "no element string"),
        (GS, "no element string"),
        ("0109501101530004", "check digit is 3"),
        ("010950110153000", "14 to 14 characters"),
        ("17271301", "not a date"),
        ("17270230", "not a date"),
        ("1013131313131313131313131", "1 to 20 characters"),
        ("9501101530003 ", "outside the GS1 set"),
        ("05123", "no application identifier"),
        ("10AB\x00C", "outside the GS1 set"),
        ("30x", "digits only"),
        (f"10A{GS}10B", "twice with different content"),
        ("1" * 600, "600 characters"),
    ],
)
def test_a_wrong_element_string_is_refused_with_the_reason(message, complaint):
    with pytest.raises(ContractError, match=complaint):
        gs1.parse_elements(message)


@pytest.mark.parametrize(
    ("value", "today", "expected"),
    [
        ("270131", date(2026, 11, 22), date(2027, 1, 31)),
        ("270200", date(2026, 11, 22), date(2027, 2, 28)),
        ("280200", date(2026, 11, 22), date(2028, 2, 29)),
        ("760101", date(2026, 11, 22), date(2076, 1, 1)),
        ("770101", date(2026, 11, 22), date(1977, 1, 1)),
        ("010101", date(2099, 1, 1), date(2101, 1, 1)),
    ],
)
def test_a_date_gets_its_century_and_its_last_day(value, today, expected):
    assert gs1.parse_date(value, today=today) == expected


def test_a_net_weight_element_gives_value_and_unit():
    (element,) = gs1.parse_elements("3103001250")
    assert gs1.parse_measure(element) == Decimal("1.250")
    assert gs1.mass_unit(element) == "KGM"
    units = [gs1.mass_unit(Element(f"{ai}2", "001234")) for ai in (320, 356, 357)]
    assert units == ["LBR", "APZ", "ONZ"]
    assert gs1.mass_unit(Element(ai="17", value="270131")) is None


def test_an_sscc_is_made_with_its_check_digit():
    sscc = gs1.make_sscc(extension_digit="1", company_prefix="0614141", serial_reference=234567890)
    assert sscc == "106141412345678908"
    with pytest.raises(ContractError, match="does not fit"):
        gs1.make_sscc(extension_digit="0", company_prefix="0614141", serial_reference=10**9)


ELEMENTS = st.one_of(
    st.builds(
        lambda n: Element("01", f"{n:013d}" + gs1.check_digit(f"{n:013d}")),
        st.integers(0, 10**13 - 1),
    ),
    st.builds(lambda t: Element("10", t), st.text("ABC123-./", min_size=1, max_size=20)),
    st.builds(lambda t: Element("21", t), st.text("XYZ789", min_size=1, max_size=20)),
    st.builds(lambda n: Element("37", str(n)), st.integers(0, 10**8 - 1)),
    st.builds(
        lambda d: Element("17", d.strftime("%y%m%d")), st.dates(date(2000, 1, 1), date(2060, 1, 1))
    ),
    st.builds(lambda n: Element("3102", f"{n:06d}"), st.integers(0, 999_999)),
)


@given(st.lists(ELEMENTS, min_size=1, max_size=6, unique_by=lambda element: element.ai))
def test_what_is_encoded_is_parsed_back_and_biip_agrees(elements):
    message = gs1.encode_elements(tuple(elements))
    assert gs1.parse_elements(message) == tuple(elements)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle = biip.parse("]C1" + message).gs1_message
    assert oracle is not None
    assert [(e.ai.ai, e.value) for e in oracle.element_strings] == [
        (e.ai, e.value) for e in elements
    ]


@given(st.text(max_size=60))
def test_any_text_raises_nothing_but_a_contract_error(text):
    try:
        elements = gs1.parse_elements(text)
    except ContractError:
        return
    assert gs1.parse_elements(gs1.encode_elements(elements)) == elements
