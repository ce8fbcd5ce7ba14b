"""Identities and topics have one text each, and foreign text is refused. Pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.contract import topics
from central.contract.errors import ContractError
from central.contract.identifiers import Epoch, FactId, parse_code, parse_epoch, parse_fact_id

EPOCHS = st.builds(Epoch, st.integers(1, 99_999_999), st.integers(0, 2**64 - 1))


@given(EPOCHS, EPOCHS)
def test_epochs_sort_as_their_texts_do(one, other):
    assert (one < other) == (str(one) < str(other))
    assert parse_epoch(str(one)) == one


def test_a_fact_identity_reads_back():
    fact_id = FactId(gateway="sh1-dock-2", epoch=Epoch(start_count=1, nonce=5), seq=9)
    assert parse_fact_id(str(fact_id)) == fact_id


@pytest.mark.parametrize(
    "text", ["", "a/b", "g/00000001-000000000000000/1", "g/x/1", "../x/1", "g//1"]
)
def test_a_foreign_fact_identity_is_refused(text):
    with pytest.raises(ContractError):
        parse_fact_id(text)


@pytest.mark.parametrize("text", ["", "a b", "a/b", "+", "#", "-a", "a.", "ä", "a" * 65, "a\n"])
def test_a_code_that_would_break_topics_or_urls_is_refused(text):
    with pytest.raises(ContractError, match="gateway code"):
        parse_code(text, what="gateway")


def test_a_topic_reads_back():
    topic = topics.GatewayTopic(site="main", gateway="sh1-dock-2", channel="up")
    assert topics.parse_topic(str(topic)) == topic
    assert topics.shard_of("sh1-dock-2") == 36  # The hash is stable for ever.


@pytest.mark.parametrize(
    "text",
    [
        "",
        "dl/2/main/36/sh1-dock-2/up",
        "dl/1/main/37/sh1-dock-2/up",
        "dl/1/main/36/sh1-dock-2/down-it",
        "dl/1/main/36/sh1-dock-2",
        "dl/1/ma in/36/sh1-dock-2/up",
        "x" * 300,
    ],
)
def test_a_foreign_topic_is_refused(text):
    with pytest.raises(ContractError):
        topics.parse_topic(text)
