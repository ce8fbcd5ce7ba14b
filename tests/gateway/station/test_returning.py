"""Returns without a document: from the customer to the place for returns, each with a reason."""

from dataclasses import replace

from tests.gateway.station.bench import SETUP, bench_at

TEA, PALLET = "6901234567892", "00006141411234567890"


def test_what_comes_back_bears_its_reason(bench):
    seen = bench.scan("CMD-RETURN", "CMD-REASON-DAMAGED", "CMD-QTY-3", TEA)
    (fact,) = seen.facts
    assert (fact.from_location, fact.to_location, fact.quantity) == ("customer", "DOCK-1", "3")
    assert (fact.business_step, fact.flags) == ("receiving", ("reason_damaged",))
    assert (fact.document, seen.kind) == ("", "success")


def test_it_goes_to_the_place_for_returns(tmp_path):
    with bench_at(tmp_path, replace(SETUP, returns_location="STAGE-1")) as bench:
        bench.scan("CMD-RETURN", "CMD-REASON-WRONG", TEA)
        assert bench.stock() == {("STAGE-1", "TEA-250"): "1"}


def test_the_reason_stays_until_another_one_is_scanned(bench):
    bench.scan("CMD-RETURN", "CMD-REASON-WRONG", TEA)
    assert bench.scan(TEA).facts[0].flags == ("reason_wrong",)
    assert bench.scan("CMD-REASON-OTHER", TEA).facts[0].flags == ("reason_other",)


def test_nothing_comes_back_without_a_reason(bench):
    seen = bench.scan("CMD-RETURN", TEA)
    assert (seen.kind, seen.facts) == ("error", ())
    assert "Scan the reason first" in seen.text
    assert bench.scan("CMD-REASON-MISSING").kind == "error"  # No reason to bring something back.


def test_a_document_of_a_return_is_received_instead(bench):
    seen = bench.scan("CMD-RETURN", "DOC-RC-1", "010950110153000310L1")
    (fact,) = seen.facts
    assert (fact.from_location, fact.document, fact.document_line) == ("customer", "RC-1", 1)


def test_items_come_on_a_pallet_until_cancel(bench):
    seen = bench.scan("CMD-RETURN", "CMD-REASON-WRONG", PALLET, TEA)
    assert seen.facts[0].sscc == "006141411234567890"
    texts = [bench.scan("CMD-CANCEL").text for _ in range(3)]
    assert texts == ["The next items come loose.", "Scan the reason again.", "Back to the start."]


def test_a_return_is_undone(bench):
    bench.scan("CMD-RETURN", "CMD-REASON-WRONG", TEA, "CMD-UNDO")
    assert bench.stock() == {}
