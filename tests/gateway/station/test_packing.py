"""Units are packed and unpacked: scans to one fact at the end."""

PALLET, CARTON, OTHER = "106141412345678908", "006141411234567890", "006141411234567906"


def test_what_is_packed_into_a_pallet_is_one_fact(bench):
    seen = bench.scan("CMD-PACK", "00" + PALLET, "00" + CARTON, "00" + OTHER)
    assert seen.facts == ()
    assert "(2 so far)" in seen.prompt
    seen = bench.scan("CMD-DONE")
    (fact,) = seen.facts
    assert (fact.parent, fact.children, fact.action) == (PALLET, (CARTON, OTHER), "pack")
    assert "outer unit" in seen.prompt
    assert "Back" in bench.scan("CMD-DONE").text


def test_what_comes_out_of_a_pallet_is_one_fact(bench):
    (fact,) = bench.scan("CMD-UNPACK", "00" + PALLET, "00" + CARTON, "CMD-DONE").facts
    assert (fact.parent, fact.children, fact.action) == (PALLET, (CARTON,), "unpack")


def test_a_label_with_content_names_its_pallet(bench):
    label = f"00{CARTON}020690123456789237" + "7"
    (fact,) = bench.scan("CMD-PACK", "00" + PALLET, label, "CMD-DONE").facts
    assert fact.children == (CARTON,)


def test_no_unit_is_on_the_list_twice_and_what_is_no_unit_is_refused(bench):
    bench.scan("CMD-PACK", "00" + PALLET, "00" + CARTON)
    for code in ("00" + PALLET, "00" + CARTON, "6901234567892", "LOC-A-01-03", "CMD-CONFIRM"):
        assert bench.scan(code).kind == "error"
    assert bench.scan("CMD-DONE").facts[0].children == (CARTON,)


def test_cancel_and_undo_take_the_last_unit_off_the_list(bench):
    bench.scan("CMD-RECEIVE", "6901234567892", "CMD-PACK", "00" + PALLET, "00" + CARTON)
    bench.scan("00" + OTHER, "CMD-UNDO", "CMD-CANCEL")
    seen = bench.scan("CMD-UNDO")
    assert (seen.kind, seen.facts) == ("error", ())
    assert "unpack" in seen.text
    assert "Nothing is recorded" in bench.scan("CMD-CANCEL").text
    assert "Back" in bench.scan("CMD-CANCEL").text


def test_another_command_says_that_the_list_is_not_recorded(bench):
    seen = bench.scan("CMD-PACK", "00" + PALLET, "00" + CARTON, "CMD-RECEIVE")
    assert (seen.kind, seen.facts) == ("warning", ())
    assert "1 units" in seen.text
