"""The encrypted file: what went in comes out, and nothing that was changed is read. Pure."""

import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from central.backup.keys import Cryptography
from central.contract.backup_files import (
    CHUNK_BYTES,
    TAG_BYTES,
    Contents,
    derived_key,
    is_for,
    opened_backup,
    read_header,
    sealed_backup,
)
from central.contract.errors import ContractError
from tests.central.backup.noise import noise

PRIMITIVES = Cryptography()
SECRET, OTHER = b"\x01" * 32, b"\x02" * 32
PUBLIC = PRIMITIVES.public_key(SECRET).hex()
CONTENTS = Contents(
    kind="sqlite", name="ledger-1", owner="demo", taken_ms=1_780_000_000_000, record_no=7
)


def sealed(data, *recipients, contents=CONTENTS):
    pieces = sealed_backup(
        contents, io.BytesIO(data), recipients=recipients or (PUBLIC,), primitives=PRIMITIVES
    )
    return b"".join(pieces)


def opened(data, secret=SECRET):
    """All that can be read; raises ContractError."""
    file = io.BytesIO(data)
    header, header_bytes = read_header(file)
    source = opened_backup(header, header_bytes, file, secret=secret, primitives=PRIMITIVES)
    found = []
    while piece := source.read(10_000):
        found.append(piece)
    return b"".join(found)


WHOLE = noise(3 * CHUNK_BYTES)  # Four chunks: noise does not pack.
FILE = sealed(WHOLE)
START = FILE.index(b'"}]}') + len(b'"}]}')
SEALED_BYTES = CHUNK_BYTES + TAG_BYTES


def chunks():
    """The chunks of FILE."""
    return [FILE[at : at + SEALED_BYTES] for at in range(START, len(FILE), SEALED_BYTES)]


def with_chunks(*order):
    found = chunks()
    return FILE[:START] + b"".join(found[number] for number in order)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"x", id="a byte"),
        pytest.param(WHOLE, id="several chunks"),
        pytest.param(bytes(40_000_000), id="zeros that pack well"),
        *(
            pytest.param(noise(CHUNK_BYTES + size), id=f"about a chunk {size}")
            for size in range(-40, 3, 3)
        ),
    ],
)
def test_what_went_in_comes_out(data):
    assert opened(sealed(data)) == data


def test_any_of_several_recipients_reads_it_and_the_header_tells_what_it_is():
    data = sealed(b"stock", PUBLIC, PRIMITIVES.public_key(OTHER).hex())
    header, _ = read_header(io.BytesIO(data))
    assert opened(data, SECRET) == opened(data, OTHER) == b"stock"
    assert header.contents == CONTENTS
    assert is_for(header, bytes.fromhex(PUBLIC))
    assert not is_for(header, bytes(32))


def test_two_backups_of_the_same_have_nothing_in_common_behind_the_header():
    assert sealed(WHOLE)[START:] != FILE[START:]


def test_there_are_four_chunks_for_the_tests_below_to_mean_something():
    assert [len(chunk) == SEALED_BYTES for chunk in chunks()] == [True, True, True, False]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        pytest.param(with_chunks(0, 1, 2), "cut off after chunk 2", id="the last is missing"),
        pytest.param(with_chunks(0, 1), "cut off after chunk 1", id="two are missing"),
        pytest.param(with_chunks(), "cut off after chunk 0", id="all are missing"),
        pytest.param(with_chunks(0, 2, 1, 3), "chunk 1 of", id="two are swapped"),
        pytest.param(with_chunks(0, 0, 1, 2, 3), "chunk 1 of", id="one is doubled"),
        pytest.param(with_chunks(1, 2, 3), "first chunk", id="the first is left out"),
        pytest.param(with_chunks(0, 1, 2, 3, 3), "chunk 3 of", id="the last is doubled"),
        pytest.param(
            with_chunks(0) + sealed(WHOLE)[START + SEALED_BYTES :],
            "chunk 1 of",
            id="the rest is another backup's",
        ),
        pytest.param(FILE[:-1], "last, is damaged", id="a byte is cut off"),
        pytest.param(FILE + b"\0", "last, is damaged", id="a byte is added"),
        pytest.param(
            FILE.replace(b'"record_no":7', b'"record_no":8'),
            "header or the first chunk",
            id="the header says something else",
        ),
        pytest.param(
            FILE.replace(b"dockledger-backup\n\x01", b"dockledger-backup\n\x02"),
            "format 2",
            id="a newer format",
        ),
        pytest.param(b"PGDMP" + bytes(100), "no backup of Dockledger", id="a dump of PostgreSQL"),
        pytest.param(b"", "no backup of Dockledger", id="empty"),
        pytest.param(FILE[:40], "header of the backup is damaged", id="the header is cut off"),
    ],
)
def test_what_was_changed_is_refused_with_the_reason(data, reason):
    with pytest.raises(ContractError, match=reason) as raised:
        opened(data)
    assert raised.value.hint


def test_anothers_key_is_told_whose_it_is():
    with pytest.raises(ContractError, match=f"not made for key .* for {PUBLIC[:8]}"):
        opened(FILE, OTHER)


@given(place=st.integers(0, len(FILE) - 1), change=st.integers(1, 255))
@example(place=len(FILE) - 1, change=1)
@example(place=START, change=128)
def test_no_changed_byte_is_read(place, change):
    data = bytearray(FILE)
    data[place] ^= change
    with pytest.raises(ContractError):
        opened(bytes(data))


@given(length=st.integers(0, len(FILE) - 1))
def test_no_cut_off_backup_is_read_to_its_end(length):
    with pytest.raises(ContractError):
        opened(FILE[:length])


@given(data=st.binary(max_size=300))
def test_any_bytes_raise_the_documented_error(data):
    for candidate in (data, FILE[:START] + data, b"dockledger-backup\n\x01" + data):
        with pytest.raises(ContractError):
            opened(candidate)


@pytest.mark.parametrize("key", ["", "xyz", "00" * 31, "00" * 32])
def test_a_public_key_that_is_none_seals_nothing(key):
    with pytest.raises(ContractError, match="no public key"):
        sealed(b"stock", key)


def test_keys_are_derived_as_rfc_5869_says():
    # Appendix A.1, the first 32 bytes, which are the whole first block.
    found = derived_key(
        b"\x0b" * 22,
        salt=bytes(range(13)),
        purpose=bytes.fromhex("f0f1f2f3f4f5f6f7f8f9"),
    )
    assert found.hex() == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
