"""The bytes of contract version 1 never change. Pure."""

import json
from pathlib import Path

import msgspec
import pytest

from central.contract import acks, envelope, facts, notices
from central.contract.identifiers import fact_uuid, parse_fact_id
from tests.contract import make_ledger_vectors, make_passage_vectors, make_settled_vectors
from tests.contract.make_vectors import FACTS, vectors

VECTORS = json.loads((Path(__file__).parent / "vectors_v1.json").read_text(encoding="utf-8"))

PASSAGES = json.loads((Path(__file__).parent / "vectors_passage.json").read_text(encoding="utf-8"))

SETTLED = json.loads((Path(__file__).parent / "vectors_settled.json").read_text(encoding="utf-8"))

LEDGER = json.loads((Path(__file__).parent / "vectors_ledger.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("row", VECTORS["facts"], ids=lambda row: row["fields"]["kind"])
def test_a_fact_of_version_1_reads_as_it_was_written(row):
    fact = facts.decode_fact(bytes.fromhex(row["bytes"]))
    assert facts.fact_fields(fact) == row["fields"]
    assert facts.encode_fact(fact).hex() == row["bytes"]
    assert str(fact_uuid(parse_fact_id(row["id"]))) == row["uuid"]


def test_a_batch_of_version_1_reads_with_its_chain():
    batch = envelope.decode_batch(bytes.fromhex(VECTORS["batch"]))
    assert [data.hex() for data in batch.facts] == [row["bytes"] for row in VECTORS["facts"]]
    assert [digest.hex() for digest in batch.digests] == [row["digest"] for row in VECTORS["facts"]]
    assert batch.previous_digest.hex() == VECTORS["chain_start"]
    assert batch.signed_bytes.hex() == VECTORS["signed_bytes"]
    assert batch.last_seq == len(FACTS)


def test_an_acknowledgement_of_version_1_reads_as_it_was_written():
    ack = acks.decode_ack(bytes.fromhex(VECTORS["ack"]))
    assert (ack.acked, ack.want, ack.ledger_generation) == (5, 6, "g-1")
    assert ack.head_digest.hex() == VECTORS["ack_fields"]["head_digest"]
    assert (ack.refused_digest, ack.stable, ack.signature) == (b"", 0, b"")
    # Fields may only be appended: a reader of version 1 finds its own in front.
    written = msgspec.msgpack.decode(bytes.fromhex(VECTORS["ack"]))
    assert msgspec.msgpack.decode(acks.encode_ack(ack))[: len(written)] == written


@pytest.mark.parametrize("row", PASSAGES, ids=lambda row: row["fields"]["direction"])
def test_a_passage_reads_as_it_was_written(row):
    fact = facts.decode_fact(bytes.fromhex(row["bytes"]))
    assert facts.fact_fields(fact) == row["fields"]
    assert facts.encode_fact(fact).hex() == row["bytes"]


def test_todays_code_writes_the_bytes_of_a_passage():
    assert make_passage_vectors.vectors() == PASSAGES


@pytest.mark.parametrize("name", LEDGER["facts"])
def test_a_count_a_packing_and_a_status_read_as_they_were_written(name):
    row = LEDGER["facts"][name]
    fact = facts.decode_fact(bytes.fromhex(row["bytes"]))
    assert fact == make_ledger_vectors.FACTS[name]
    assert facts.fact_fields(fact) == row["fields"]
    assert facts.encode_fact(fact).hex() == row["bytes"]


def test_documents_of_later_kinds_read_as_they_were_written():
    data = bytes.fromhex(LEDGER["documents"])
    assert notices.decode_notice(data) == make_ledger_vectors.DOCUMENTS


def test_todays_code_writes_the_bytes_of_the_ledgers_additions():
    assert make_ledger_vectors.vectors() == LEDGER


@pytest.mark.parametrize("name", SETTLED)
def test_a_settlement_reads_as_it_was_written(name):
    assert notices.decode_notice(bytes.fromhex(SETTLED[name])) == make_settled_vectors.NOTICES[name]


def test_todays_code_writes_the_bytes_of_a_settlement():
    assert make_settled_vectors.vectors() == SETTLED


def test_todays_code_writes_the_bytes_of_version_1():
    written = vectors()
    # The compressor's output may differ by version; what it unpacks to may not.
    assert {key: value for key, value in written.items() if key != "batch"} == {
        key: value for key, value in VECTORS.items() if key != "batch"
    }
