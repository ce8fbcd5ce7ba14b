"""Digests of local stock: exact, cut in parts, sent when they say something."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.contract.errors import ContractError
from central.contract.stock_digests import (
    BIN_DIGEST_BYTES,
    DIGESTS_BYTES_MAX,
    decode_digests,
    digests_by_bin,
    encode_digests,
)
from central.contract.wire_types import EpochSeq
from gateway.journal.records import StockReport
from gateway.replication.stock_report import (
    HEADS_MAX,
    PARTS_MAX,
    ReportTimes,
    all_stock_digests,
    stock_digests,
)

HEAD = EpochSeq(start_count=1, nonce=7, seq=3)


def level(place, micro=1_000_000, item="BOLT", lot=""):
    return ((place, item, lot, "", "", "C62"), micro)


def report(*levels, heads=(HEAD,), after="", to=""):
    return StockReport("s1", 9, heads, levels, after, to)


def parts_of(*levels, **options):
    found = stock_digests(report(*levels), gateway="gw-1", **options)
    return [decode_digests(payload) for payload in found]


def test_a_report_says_what_it_stands_on_and_one_digest_a_place():
    (said,) = parts_of(level("B"), level("A"), level("A", lot="L1"))
    assert (said.gateway, said.stream, said.revision, said.heads) == ("gw-1", "s1", 9, (HEAD,))
    assert [one.location for one in said.bins] == ["A", "B"]
    assert {len(one.digest) for one in said.bins} == {BIN_DIGEST_BYTES}
    assert (said.after, said.to) == ("", "")


def test_many_places_make_several_reports_that_leave_no_place_out():
    parts = parts_of(*(level(f"P-{number}") for number in range(5)), bins_max=2)
    assert [(one.after, one.to, len(one.bins)) for one in parts] == [
        ("", "P-1", 2),
        ("P-1", "P-3", 2),
        ("P-3", "", 1),
    ]


def test_a_report_of_long_names_fits_what_central_takes():
    levels = [level("仓" * 60 + f"{number:04d}") for number in range(5000)]
    payloads = stock_digests(report(*levels), gateway="gw-1")
    assert max(map(len, payloads)) < DIGESTS_BYTES_MAX - 64 * 1024
    assert sum(len(decode_digests(one).bins) for one in payloads) == 5000


def test_an_empty_warehouse_is_reported_as_empty():
    (said,) = parts_of()
    assert (said.bins, said.after, said.to) == ((), "", "")


def test_a_gateway_with_more_epochs_than_can_be_named_does_not_report():
    heads = (HEAD,) * (HEADS_MAX + 1)
    assert stock_digests(report(heads=heads), gateway="gw-1") == ()


def test_the_journal_is_read_part_by_part_to_the_end():
    asked = []

    def read(after, places_max):
        asked.append((after, places_max))
        to = {"": "M", "M": "T", "T": ""}[after]
        return report(level(to or "Z"), after=after, to=to)

    found = [decode_digests(one) for one in all_stock_digests(read, gateway="gw-1", bins_max=7)]
    assert [(one.after, one.to) for one in found] == [("", "M"), ("M", "T"), ("T", "")]
    assert asked == [("", 7), ("M", 7), ("T", 7)]
    assert all_stock_digests(lambda *_: None, gateway="gw-1") == ()
    endless = all_stock_digests(lambda after, _: report(after=after, to=after + "x"), gateway="g")
    assert len(endless) == PARTS_MAX


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.integers(-3, 3), st.sampled_from(["", "L"]))))
def test_a_digest_depends_on_the_levels_alone(found):
    levels = list(dict(level(place, micro, lot=lot) for place, micro, lot in found).items())
    digests = digests_by_bin(levels)
    assert digests == digests_by_bin(reversed(levels))
    assert digests.keys() == {key[0] for key, micro in levels if micro}
    for index, (key, micro) in enumerate(levels):
        changed = [*levels[:index], (key, micro + 1), *levels[index + 1 :]]
        assert digests_by_bin(changed).get(key[0]) != digests.get(key[0])


@given(st.binary(max_size=200))
def test_any_bytes_are_a_report_or_a_contract_error(data):
    try:
        said = decode_digests(data)
    except ContractError:
        return
    assert decode_digests(encode_digests(said)) == said


@pytest.mark.parametrize(
    ("asked_s", "expected"),
    [
        pytest.param([0, 59, 60, 61, 119, 121], [0, 0, 1, 0, 0, 1], id="every minute"),
        pytest.param([0, 500, 501], [0, 1, 0], id="what was missed is not made up for"),
    ],
)
def test_stock_is_read_once_an_interval(asked_s, expected):
    times = ReportTimes(interval_s=60)
    assert [int(times.due(now_s)) for now_s in asked_s] == expected


def test_what_says_nothing_new_is_sent_seldom():
    times = ReportTimes(interval_s=60, repeat_s=600)
    assert times.worth_sending((b"a",), 0)
    times.sent((b"a",), 0)
    assert not times.worth_sending((b"a",), 599)
    assert times.worth_sending((b"b",), 1)
    assert times.worth_sending((b"a",), 600)
    times.sent((b"a",), 600)
    times.forget()
    assert times.worth_sending((b"a",), 601)
