"""EPCs to GS1 keys and back, against two decoders that are not ours. Pure."""

import dataclasses

import epcpy
import llrpkit.epc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.contract.epc import Gs1Epc, NotGs1Epc, decode_epc, encode_epc
from central.contract.errors import ContractError

# Each as the Tag Data Standard or another program's tests state it.
KNOWN = {
    "SGTIN-96 of the standard": ("3074257BF7194E4000001A85", 3, "(01)80614141123458(21)6789"),
    "SSCC-96": ("3174257BF4499602D2000000", 3, "(00)106141412345678908"),
    "lower case": ("30204ed9496334000000006e", 1, "(01)00846632286210(21)110"),
    "SGTIN-198 of the standard": (
        "3674257BF6B7A659B2C2BF100000000000000000000000000000",
        3,
        "(01)70614141123451(21)32a/b",
    ),
    "GRAI-96 of the standard": ("3376451FD40C0E400000162E", 3, "(8003)095211411234545678"),
    "GRAI-170 of the standard": (
        "3776451FD40C0E59B2C2BF1000000000000000000000",
        3,
        "(8003)0952114112345432a/b",
    ),
}
SERIAL_BITS_96 = {"sgtin-96": 38, "grai-96": 38, "sgln-96": 41}
CHARACTERS_MAX = {"sgtin-198": 20, "sgln-195": 20, "grai-170": 16}
DIGITS_EXTRA = {"sgtin": 1, "sscc": 5, "sgln": 0, "grai": 0}
# The characters that need no escape in an EPC URI: what the oracle does with others is its own.
PLAIN = "ABCXYZabcxyz0123456789-_"


def text_of(elements):
    return "".join(f"({element.ai}){element.value}" for element in elements)


@st.composite
def keys(draw, alphabet=PLAIN + "!\"%&'()*+,./:;<=>?"):
    scheme = draw(
        st.sampled_from([*SERIAL_BITS_96, *CHARACTERS_MAX, "sscc-96", "giai-96", "giai-202"])
    )
    partition = draw(st.integers(0, 6))
    company = draw(st.text("0123456789", min_size=12 - partition, max_size=12 - partition))
    reference, serial = "", ""
    if not scheme.startswith("giai"):
        count = DIGITS_EXTRA[scheme.partition("-")[0]] + partition
        reference = draw(st.text("0123456789", min_size=count, max_size=count))
    if scheme in SERIAL_BITS_96:
        serial = str(draw(st.integers(0, 2 ** SERIAL_BITS_96[scheme] - 1)))
    elif scheme in CHARACTERS_MAX:
        serial = draw(st.text(alphabet, min_size=1, max_size=CHARACTERS_MAX[scheme]))
    elif scheme == "giai-96":
        serial = str(draw(st.integers(1, 2**42 - 1)))
    elif scheme == "giai-202":
        serial = draw(st.text(alphabet, min_size=1, max_size=18))
    return Gs1Epc(scheme, draw(st.integers(0, 7)), company, reference, serial)


@pytest.mark.parametrize(("epc", "filter_value", "elements"), KNOWN.values(), ids=KNOWN.keys())
def test_a_published_epc_gives_its_gs1_key(epc, filter_value, elements):
    decoded = decode_epc(epc)
    assert (decoded.filter_value, text_of(decoded.elements)) == (filter_value, elements)
    assert encode_epc(decoded) == epc.upper()


@given(keys())
def test_what_is_encoded_comes_back_unchanged(key):
    assert decode_epc(encode_epc(key)) == key


# epcpy writes (254)0 where the standard says that 0 is no extension.
@given(keys(alphabet=PLAIN).filter(lambda key: not (key.gln and key.serial == "0")))
def test_epcpy_reads_the_same_key(key):
    theirs = epcpy.hex_to_tag_encodable(encode_epc(key))
    assert theirs.gs1_element_string() == text_of(key.elements)


@given(keys().filter(lambda key: key.scheme.endswith("-96") and key.scheme[:4] in {"sgti", "sscc"}))
def test_llrpkit_reads_the_same_key_and_filter(key):
    theirs = llrpkit.epc.decode_epc(encode_epc(key))
    assert theirs.fields["filter"] == str(key.filter_value)
    assert theirs.gs1.replace(" ", "") == text_of(key.elements)


def test_leading_zeros_of_a_serial_stay_where_it_is_text_and_are_refused_where_it_is_a_number():
    key = Gs1Epc("sgtin-198", 1, "0614141", "712345", "0006789")
    assert decode_epc(encode_epc(key)).serial == "0006789"
    with pytest.raises(ContractError, match="leading zeros"):
        encode_epc(dataclasses.replace(key, scheme="sgtin-96"))


def test_an_epc_ends_at_its_last_byte_or_at_the_word_after_it():
    word = encode_epc(Gs1Epc("sgtin-198", 1, "0614141", "712345", "A1"))
    assert decode_epc(word[:-2]) == decode_epc(word)
    assert isinstance(decode_epc(word[:-4]), NotGs1Epc)
    assert isinstance(decode_epc(word + "0000"), NotGs1Epc)


NOT_GS1 = {
    "nothing": ("", "not hexadecimal"),
    "half a byte": ("3", "not hexadecimal"),
    "not hexadecimal": ("30x4", "not hexadecimal"),
    "digits of another script": ("３０７４", "not hexadecimal"),
    "longer than a tag can be": ("30" * 65, "not hexadecimal"),
    "a tag identifier": ("E28011700000020A1C2D3E4F", "header E2"),
    "a tag that nobody encoded": ("000000000000000000000000", "header 00"),
    "a scheme of release 2": ("F7" + "0" * 22, "header F7"),
    "SGTIN-96 one byte short": ("3074257BF7194E4000001A", "88 bits"),
    "SGTIN-96 with a word more": ("3074257BF7194E4000001A850000", "112 bits"),
    "partition 7": ("307C257BF7194E4000001A85", "partition 7"),
    "company prefix of 8 digits at partition 5": ("3077FFFFFF194E4000001A85", "digits"),
    "item reference of 7 digits at partition 5": ("3074257BFFFFFE4000001A85", "digits"),
    "SSCC with its reserved bits set": ("3174257BF4499602D2000001", "reserved"),
    "SGTIN-198 without a serial": ("3674257BF6B7A64000" + "0" * 34, "character"),
    "SGTIN-198 with bits after its last": (
        "3674257BF6B7A659B2C2BF100000000000000000000000000001",
        "after the last",
    ),
    "SGTIN-198 with a character after the end": (
        "3674257BF6B7A659B2C2BF100000000000000000000000000400",
        "character",
    ),
}


@pytest.mark.parametrize(("epc", "reason"), NOT_GS1.values(), ids=NOT_GS1.keys())
def test_what_is_no_gs1_key_is_kept_as_it_is_with_the_reason(epc, reason):
    decoded = decode_epc(epc)
    assert isinstance(decoded, NotGs1Epc)
    assert decoded.epc == epc
    assert reason in decoded.reason


@given(st.text(max_size=200) | st.binary(max_size=70).map(bytes.hex))
def test_any_text_gives_a_key_that_encodes_to_it_again_or_none(text):
    decoded = decode_epc(text)
    if isinstance(decoded, Gs1Epc):
        assert encode_epc(decoded).rstrip("0") == text.upper().rstrip("0")


@given(st.sampled_from(["30", "31", "32", "33", "34", "36", "37", "38", "39"]), st.data())
def test_any_bits_behind_a_known_header_give_a_key_that_encodes_to_them_again_or_none(header, data):
    bytes_count = {"36": 26, "37": 22, "38": 26, "39": 26}.get(header, 12)
    # Mostly zero at the end, as text serials are; else nothing but the first checks would be seen.
    body = data.draw(st.binary(max_size=bytes_count - 1))
    epc = (bytes.fromhex(header) + body).ljust(bytes_count, b"\0").hex().upper()
    decoded = decode_epc(epc)
    if isinstance(decoded, Gs1Epc):
        assert encode_epc(decoded) == epc


def test_a_key_that_does_not_fit_is_refused():
    good = Gs1Epc("sgtin-96", 1, "0614141", "812345", "1")
    for change in (
        {"company_prefix": "12345"},
        {"company_prefix": "061414x"},
        {"reference": "12345"},
        {"filter_value": 8},
        {"serial": str(2**38)},
        {"serial": "A"},
        {"scheme": "sscc-96"},
        {"scheme": "sgtin-198", "serial": "x" * 21},
        {"scheme": "sgtin-198", "serial": "ä"},
        {"scheme": "giai-96"},
    ):
        with pytest.raises(ContractError):
            encode_epc(dataclasses.replace(good, **change))
