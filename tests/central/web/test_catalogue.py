"""Every text that people read exists in Chinese, with the same fields."""

import re
from typing import get_args

from central.contract.facts import VIRTUAL_PLACES, BusinessStep, PassageDirection
from central.contract.states import DeviceProblem, GatewayProblem
from central.ledger.entries import DiscrepancyKind
from central.web import words
from central.web.catalogue import PO_FILE, compiled, marked_texts, read_translations

FIELDS = re.compile(r"%\(\w+\)s")


def texts_of(identity):
    return list(identity) if isinstance(identity, tuple | list) else [identity]


def test_every_marked_text_is_translated_with_the_same_fields():
    translations = read_translations()
    marked = {message.id for message in marked_texts() if message.id}
    assert len(marked) > 80
    assert {message.id for message in translations if message.id} == marked
    for message in translations:
        if not message.id:
            continue
        for text in texts_of(message.string):
            assert text, message.id
            assert not message.fuzzy
            assert set(FIELDS.findall(text)) == set(FIELDS.findall(texts_of(message.id)[0]))


def test_the_compiled_catalogue_is_that_of_the_translations():
    assert PO_FILE.with_suffix(".mo").read_bytes() == compiled(read_translations())


def test_every_code_that_the_ledger_knows_has_a_word():
    assert words.DISCREPANCIES.keys() == set(get_args(DiscrepancyKind))
    assert words.PLACES.keys() == VIRTUAL_PLACES
    passages = {f"passage_{direction}" for direction in get_args(PassageDirection)}
    assert words.STEPS.keys() == set(get_args(BusinessStep)) | {"reversal"} | passages
    assert words.GATEWAY_PROBLEMS.keys() == set(get_args(GatewayProblem)) - {""}
    assert words.DEVICE_PROBLEMS.keys() == set(get_args(DeviceProblem)) - {""}
