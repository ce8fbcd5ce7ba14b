"""Scale protocols beyond what their captures show: commands, noise, lost bytes. Pure."""

from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.api import DeviceCommand
from drivers.kit.captures import parse_capture
from drivers.protocols.scale_and import AndProtocol
from drivers.protocols.scale_cas import CasProtocol
from drivers.protocols.scale_mt_sics import MtSicsProtocol
from drivers.protocols.scale_nci import NciProtocol
from drivers.protocols.scale_sma import SmaProtocol
from drivers.protocols.scale_toledo_8217 import Toledo8217Protocol
from drivers.protocols.scale_toledo_continuous import NOISE_BYTES_MAX, ToledoContinuousProtocol
from drivers.readings import DeviceFault, WeightMeasured
from tests.drivers.check_stream import check_stream, feed

CAPTURES = Path(__file__).parents[1] / "captures"


def mettler():
    return MtSicsProtocol(tare="asked")


def radwag():
    return MtSicsProtocol(tare="asked", dialect="radwag")


def indicator():
    protocol = AndProtocol(model="indicator")
    protocol.receive_data(b"ST,G ,+01234.5kg\r\n")  # So it is known to state the tare.
    return protocol


def nci():
    protocol = NciProtocol()
    protocol.receive_data(b"\n   1.50kg\r\n0p0\r\x03")  # So it is known to state the tare.
    return protocol


def cas_10():
    return CasProtocol(form="10", device_id=1)


def mode_8213():
    return Toledo8217Protocol(variant="8213")


def cas():
    return CasProtocol(device_id=1)


CAS_LINE = b"ST,GS,1\xc4,   13.50 kg\r\n"
STANDARD = b"\x02-0 001250000000\r"
TARED = b"\x02-1 000000001250\r"
LOADED = b"\x02-1 001250000200\r"
EMPTY = b"\x02-0 000000000000\r"


@pytest.mark.parametrize(
    ("new_protocol", "name", "sent", "answer", "outcome", "detail"),
    [
        pytest.param(mettler, "zero", b"Z\r\n", b"Z A\r\n", "done", "", id="Z A"),
        pytest.param(mettler, "zero", b"Z\r\n", b"Z I\r\n", "refused", "busy", id="Z I"),
        pytest.param(mettler, "zero", b"Z\r\n", b"Z +\r\n", "refused", "exceeds", id="Z +"),
        pytest.param(mettler, "zero", b"Z\r\n", b"Z -\r\n", "refused", "under", id="Z -"),
        pytest.param(mettler, "zero", b"Z\r\n", b"ES\r\n", "refused", "not know", id="Z: ES"),
        pytest.param(mettler, "tare", b"T\r\n", b"T S    2.486 kg\r\n", "done", "", id="T S"),
        pytest.param(mettler, "tare", b"T\r\n", b"T A\r\n", "done", "", id="T A"),
        pytest.param(mettler, "tare", b"T\r\n", b"T I\r\n", "refused", "busy", id="T I"),
        pytest.param(mettler, "clear_tare", b"TAC\r\n", b"TAC A\r\n", "done", "", id="TAC A"),
        pytest.param(mettler, "clear_tare", b"TAC\r\n", b"TAC I\r\n", "refused", "", id="TAC I"),
        pytest.param(mettler, "zero", b"Z\r\n", b"Z\r\nZ A\r\n", "done", "", id="echo first"),
        pytest.param(mettler, "zero", b"Z\r\n", b"T A\r\n", None, "", id="answer to another"),
        pytest.param(radwag, "zero", b"Z\r\n", b"Z A\r\n", None, "", id="RADWAG: only begun"),
        pytest.param(radwag, "zero", b"Z\r\n", b"Z A\r\nZ D\r\n", "done", "", id="Z D"),
        pytest.param(radwag, "zero", b"Z\r\n", b"Z A\r\nZ ^\r\n", "refused", "exceeds", id="Z ^"),
        pytest.param(radwag, "zero", b"Z\r\n", b"Z A\r\nZ E\r\n", "refused", "time", id="Z E"),
        pytest.param(radwag, "tare", b"T\r\n", b"T A\r\nT D\r\n", "done", "", id="T D"),
        pytest.param(radwag, "tare", b"T\r\n", b"T A\r\nT v\r\n", "refused", "under", id="T v"),
        pytest.param(radwag, "clear_tare", b"UT 0\r\n", b"UT OK\r\n", "done", "", id="UT OK"),
        pytest.param(
            MtSicsProtocol,
            "zero",
            b"Z\r\n",
            b"SI         18.5 kg \r\nZ A\r\n",
            None,
            "",
            id="a scale that sends the RADWAG form has only begun",
        ),
        pytest.param(MtSicsProtocol, "tare", b"", b"", "refused", "asked", id="tare is locked"),
        pytest.param(mettler, "signal", b"", b"", "refused", "no such", id="MT-SICS: signal"),
        pytest.param(Toledo8217Protocol, "zero", b"Z", b"\x02?\x10\r", "done", "", id="8217"),
        pytest.param(
            Toledo8217Protocol, "zero", b"Z", b"\x02?\x11\r", "refused", "motion", id="8217 moves"
        ),
        pytest.param(
            Toledo8217Protocol, "zero", b"Z", b"\x02?\x50\r", "refused", "not know", id="8217 no Z"
        ),
        pytest.param(
            Toledo8217Protocol, "zero", b"Z", b"\x02?\x00\r", "refused", "", id="8217 far"
        ),
        pytest.param(mode_8213, "zero", b"Z", b"\x02?\x70\r", "done", "", id="8213"),
        pytest.param(Toledo8217Protocol, "tare", b"", b"", "refused", "no such", id="8217: tare"),
        pytest.param(indicator, "zero", b"MZ\r\n", b"MZ\r\n", "done", "", id="A&D echo"),
        pytest.param(indicator, "tare", b"MT\r\n", b"I\r\n", "refused", "busy", id="A&D I"),
        pytest.param(indicator, "clear_tare", b"CT\r\n", b"?\r\n", "refused", "known", id="A&D ?"),
        pytest.param(AndProtocol, "zero", b"Z\r\n", b"MZ\r\n", None, "", id="A&D other's echo"),
        pytest.param(cas, "zero", b"01MZ\r\n", b"01MZ\r\n", "done", "", id="CAS echo"),
        pytest.param(cas, "tare", b"01MT\r\n", b"!\r\n", "refused", "now", id="CAS !"),
        pytest.param(cas, "tare", b"01MT\r\n", b"02MT\r\n", None, "", id="CAS of another id"),
        pytest.param(CasProtocol, "zero", b"", b"", "refused", "device_id", id="CAS without id"),
        pytest.param(NciProtocol, "zero", b"Z\r", b"\n20\r\x03", "done", "", id="NCI at zero"),
        pytest.param(NciProtocol, "zero", b"Z\r", b"\n00\r\x03", "refused", "zero", id="NCI not"),
        pytest.param(NciProtocol, "zero", b"Z\r", b"\n30\r\x03", "refused", "", id="NCI moves"),
        pytest.param(nci, "tare", b"T\r", b"\n0p4\r\x03", "done", "", id="NCI net"),
        pytest.param(nci, "tare", b"T\r", b"\n0p0\r\x03", "refused", "", id="NCI gross"),
        pytest.param(nci, "tare", b"T\r", b"\n00\r\x03", "unknown", "", id="NCI unsaid"),
        pytest.param(nci, "tare", b"T\r", b"\n?\r\x03", "refused", "know", id="NCI ?"),
        pytest.param(NciProtocol, "tare", b"", b"", "refused", "station", id="NCI never said"),
        pytest.param(AndProtocol, "tare", b"", b"", "refused", "station", id="A&D never said"),
        pytest.param(cas_10, "tare", b"", b"", "refused", "station", id="CAS 10 cannot say"),
        pytest.param(
            SmaProtocol, "zero", b"\nZ\r", b"\nZ1G       0.000kg \r", "done", "", id="SMA Z"
        ),
        pytest.param(
            SmaProtocol,
            "zero",
            b"\nZ\r",
            b"\nE1GM ----------kg \r",
            "refused",
            "zeroed",
            id="SMA E",
        ),
        pytest.param(
            SmaProtocol, "tare", b"\nT\r", b"\n 1N       0.000kg \r", "done", "", id="SMA net"
        ),
        pytest.param(
            SmaProtocol, "tare", b"\nT\r", b"\nT1G  ----------kg \r", "refused", "tared", id="SMA T"
        ),
        pytest.param(
            SmaProtocol, "clear_tare", b"\nC\r", b"\n 1G       1.450kg \r", "done", "", id="SMA C"
        ),
        pytest.param(SmaProtocol, "tare", b"\nT\r", b"\n?\r", "refused", "not know", id="SMA ?"),
        pytest.param(
            ToledoContinuousProtocol, "tare", b"T\r\n", STANDARD + TARED, "done", "", id="cont. T"
        ),
        pytest.param(ToledoContinuousProtocol, "tare", b"T\r\n", STANDARD, None, "", id="not yet"),
        pytest.param(ToledoContinuousProtocol, "tare", b"T\r\n", LOADED, None, "", id="old tare"),
        pytest.param(
            ToledoContinuousProtocol, "zero", b"Z\r\n", TARED + EMPTY, "done", "", id="cont. Z"
        ),
        pytest.param(ToledoContinuousProtocol, "zero", b"Z\r\n", TARED, None, "", id="net zero"),
        pytest.param(
            ToledoContinuousProtocol, "clear_tare", b"C\r\n", STANDARD, "done", "", id="cont. C"
        ),
    ],
)
def test_a_command_is_done_or_refused_as_the_scale_says(
    new_protocol, name, sent, answer, outcome, detail
):
    protocol = new_protocol()
    if b"\r\nZ A" in answer and answer.startswith(b"SI"):
        first, _, answer = answer.partition(b"\r\n")
        feed(protocol, [first + b"\r\n"])
    assert protocol.begin(DeviceCommand(name)) == sent
    assert (protocol.result() is None) == bool(sent)
    feed(protocol, [answer[index : index + 1] for index in range(len(answer))])
    result = protocol.result()
    assert (result and result.outcome) == outcome
    assert detail in (result.detail if result else "")


def test_an_answer_to_a_command_is_no_reading_and_weights_around_it_are_kept():
    protocol = Toledo8217Protocol()
    protocol.begin(DeviceCommand("zero"))
    readings = feed(protocol, [b"\x0201.250\r\x02?\x10\r\x0200.000\r"])
    assert [str(reading.value) for reading in readings] == ["1.250", "0.000"]


def test_a_tare_that_is_asked_makes_net_and_gross_certain():
    protocol = mettler()
    gross = b"S S      1.250 kg\r\nTA A      0.000 kg\r\n"
    net = b"S S      1.050 kg\r\nTA A      0.200 kg\r\n"
    check_stream(
        mettler,
        gross + gross,
        [WeightMeasured(Decimal("1.250"), "KGM", "gross", stable=True, raw=gross[:17])],
        tail=gross[:-2],
    )
    told = feed(protocol, [gross, gross, net, net, gross, gross])
    assert [(str(one.value), one.kind, str(one.tare)) for one in told] == [
        ("1.250", "gross", "None"),
        ("1.050", "net", "0.200"),
        ("1.250", "gross", "None"),
    ]


def test_a_scale_that_was_switched_on_again_must_state_its_tare_anew():
    protocol = mettler()
    net = b"S S      1.050 kg\r\nTA A      0.200 kg\r\n"
    assert len(feed(protocol, [net, net])) == 1
    assert feed(protocol, [b'I4 A "B123456789"\r\n', net]) == []


def test_a_weight_whose_tare_answer_is_lost_or_odd_is_not_told():
    protocol = mettler()
    weight, tare = b"S S      1.050 kg\r\n", b"TA A      0.200 kg\r\n"
    assert len(feed(protocol, [weight, tare, weight, tare])) == 1
    (fault,) = feed(protocol, [weight, b"TA A     0.200 kg\r\n"])
    assert fault.code == "unreadable"
    assert feed(protocol, [weight, weight, tare]) == []
    (reading,) = feed(protocol, [weight, tare])
    assert reading.kind == "net"
    (unknown,) = feed(protocol, [weight, b"TA I\r\n"])
    assert unknown.code == "not_ready"


def test_a_multi_interval_scale_keeps_the_digits_of_its_interval():
    lines = [b"\n 1G        1.25kg \r", b"\n 2G         1.5kg \r", b"\n 3G           2kg \r"]
    assert [str(one.value) for one in feed(SmaProtocol(), lines)] == ["1.25", "1.5", "2"]


def test_a_count_is_no_weight_whatever_its_unit():
    (fault,) = feed(AndProtocol(), [b"QT,+0000.500 kg\r\n"])
    assert fault.code == "unreadable"


def test_a_scale_without_the_question_for_the_tare_says_which_setting_to_change():
    (fault,) = feed(mettler(), [b"SI S      1.050 kg\r\nES\r\n"])
    assert fault.code == "not_ready" and "locked" in fault.detail


def test_noise_without_an_end_costs_faults_of_bounded_size_only():
    protocol = ToledoContinuousProtocol()
    for fault in feed(protocol, [b"\xff" * 10_000, STANDARD, STANDARD])[:-2]:
        assert isinstance(fault, DeviceFault) and len(fault.raw) <= NOISE_BYTES_MAX


def test_a_pause_within_a_frame_ends_it():
    protocol = ToledoContinuousProtocol()
    assert len(feed(protocol, [STANDARD, STANDARD[:9]])) == 1
    assert [fault.code for fault in protocol.idle()] == ["unreadable"]
    assert len(feed(protocol, [STANDARD[9:], STANDARD])) == 1  # The rest is no fault: a new begin.


def frames(folder):
    """Return each received frame that a capture of `folder` expects to be a weight."""
    for path in sorted((CAPTURES / folder).glob("*.capture")):
        steps = parse_capture(path.read_text(encoding="utf-8")).steps
        for step, after in pairwise(steps):
            if step.kind == "received" and after.text.startswith("weight"):
                yield path.stem, step.data


MAKERS = {
    ("scale_toledo_8217", "emupos"): Toledo8217Protocol,
    ("scale_toledo_continuous", "checksum"): lambda: ToledoContinuousProtocol(has_checksum=True),
    ("scale_and", "balance"): AndProtocol,
    ("scale_and", "indicator_stream"): indicator,
    ("scale_cas", "22_bytes"): cas,
    ("scale_sma", "standard"): SmaProtocol,
    ("scale_nci", "scp_01"): NciProtocol,
    ("scale_nci", "scp_02"): NciProtocol,
}


@pytest.mark.parametrize("which", MAKERS, ids="/".join)
def test_no_lost_byte_turns_a_weight_into_another(which):
    tried = 0
    for name, frame in frames(which[0]):
        for lost in range(len(frame)) if name == which[1] else ():
            protocol = MAKERS[which]()
            whole = said(feed(protocol, [frame, frame]))
            told = said(feed(protocol, [frame[:lost] + frame[lost + 1 :], frame]))
            assert told <= whole, (frame, lost)
            tried += 1
    assert tried


def said(readings):
    weights = [one for one in readings if isinstance(one, WeightMeasured)]
    return {(str(one.value), one.unit, one.kind, one.stable) for one in weights}


def test_a_net_weight_that_lost_its_marker_is_no_gross_weight():
    protocol = Toledo8217Protocol()
    net, cut = b"\x0201.250N\r", b"\x0201.250\r"
    kinds = [getattr(one, "kind", "fault") for one in feed(protocol, [net, cut, net, cut, cut])]
    assert kinds == ["net", "fault", "net", "fault", "gross"]


def test_a_scale_whose_weights_get_another_width_is_read_from_the_second_one_on():
    narrow, wide = b"\n  1.50kg\r\n00\r\x03", b"\n  1.500kg\r\n00\r\x03"
    told = feed(NciProtocol(), [wide, narrow, narrow])
    assert [getattr(one, "code", "weight") for one in told] == ["weight", "unreadable", "weight"]


def test_grams_are_no_kilograms_that_lost_a_letter():
    assert said(feed(AndProtocol(), [b"ST,+0001.234  g\r\n"])) == {("1.234", "GRM", "gross", True)}
    (fault,) = feed(AndProtocol(), [b"ST,+0001.234 g\r\n"])
    assert fault.code == "unreadable"


def test_a_weight_that_waits_for_its_tare_does_not_outlive_what_the_scale_says_next():
    protocol = mettler()
    weight, tare = b"S S      1.050 kg\r\n", b"TA A      0.000 kg\r\n"
    damaged = b"TA A      0.0#0 kg\r\n"
    told = feed(protocol, [weight, tare, weight, b"S +\r\n", tare, weight, damaged, tare])
    assert [fault.code for fault in told] == ["overload", "unreadable"]


@pytest.mark.parametrize(
    "new_protocol",
    [
        mettler,
        radwag,
        Toledo8217Protocol,
        ToledoContinuousProtocol,
        AndProtocol,
        cas,
        NciProtocol,
        SmaProtocol,
    ],
)
@given(
    chunks=st.lists(st.binary(max_size=90)), name=st.sampled_from(["zero", "tare", "trigger_on"])
)
def test_any_bytes_during_a_command_give_readings_of_bounded_size(new_protocol, chunks, name):
    protocol = new_protocol()
    protocol.begin(DeviceCommand(name))
    for reading in [*feed(protocol, chunks), *protocol.idle()]:
        assert isinstance(reading, WeightMeasured | DeviceFault)
        assert len(reading.raw) <= 90
