"""Print jobs in the journal, from the queue to their end. Edge of SQLite."""

from decimal import Decimal

import pytest

from central.contract.errors import ContractError
from drivers.bitmap import Bitmap
from drivers.labels import (
    Box,
    Code128,
    Gs1Code128,
    Gs1DataMatrix,
    Label,
    Line,
    Picture,
    Qr,
    Text,
)
from gateway.journal.label_codec import decode_label, encode_label
from gateway.station.effects import NewPrintJob
from tests.gateway.journal.samples import movement, open_journal, opened

MM = Decimal("1.5")
LABEL = Label(
    width_mm=Decimal(100),
    height_mm=Decimal("50.5"),
    elements=(
        Text(MM, MM, MM, "大米 ^XA"),
        Code128(MM, MM, MM, Decimal("0.25"), "LOC-A-01"),
        Gs1Code128(MM, MM, MM, MM, (("00", "106141412345678908"),)),
        Gs1DataMatrix(MM, MM, MM, (("01", "04012345678901"), ("10", "L1"))),
        Line(MM, MM, MM, MM),
        Qr(MM, MM, MM, "茶 https://x.example/1"),
        Box(MM, MM, MM, MM, MM),
        Picture(MM, MM, MM, Bitmap(9, 2, b"\x80\0\xff\x80")),
    ),
)


def job(printer="printer-1", **fields):
    return NewPrintJob(printer, "bin", "A-01", LABEL, **fields)


@pytest.fixture
def journal(tmp_path):
    journal = open_journal(tmp_path / "journal.db")
    yield journal
    journal.close()


# Bytes that the first version wrote: never edited, for a queued job must outlive an upgrade.
FIRST_VERSION = bytes.fromhex(
    "83a877696474685f6d6da3313030a96865696768745f6d6da23530a8656c656d656e74739592a47465787484a478"
    "5f6d6da131a4795f6d6da3322e35a96865696768745f6d6da135a474657874a3e88cb692a7636f646531323885a4"
    "785f6d6da23130a4795f6d6da131a96865696768745f6d6da135a96d6f64756c655f6d6da4302e3235a464617461"
    "a54c4f432d4192ab6773315f636f646531323885a4785f6d6da23130a4795f6d6da131a96865696768745f6d6da1"
    "35a96d6f64756c655f6d6da4302e3235a8656c656d656e74739192a23030b2313131313131313131313131313131"
    "31313192af6773315f646174615f6d617472697884a4785f6d6da135a4795f6d6da135a96d6f64756c655f6d6da3"
    "302e35a8656c656d656e74739192a23130a14192a46c696e6584a4785f6d6da135a4795f6d6da135a87769647468"
    "5f6d6da133a96865696768745f6d6da3302e35"
)
FIRST_LABEL = Label(
    width_mm=Decimal(100),
    height_mm=Decimal(50),
    elements=(
        Text(Decimal(1), Decimal("2.5"), Decimal(5), "茶"),
        Code128(Decimal(10), Decimal(1), Decimal(5), Decimal("0.25"), "LOC-A"),
        Gs1Code128(Decimal(10), Decimal(1), Decimal(5), Decimal("0.25"), (("00", "1" * 18),)),
        Gs1DataMatrix(Decimal(5), Decimal(5), Decimal("0.5"), (("10", "A"),)),
        Line(Decimal(5), Decimal(5), Decimal(3), Decimal("0.5")),
    ),
)


def test_a_label_that_the_first_version_stored_is_read() -> None:
    assert decode_label(FIRST_VERSION) == FIRST_LABEL


def test_a_label_comes_back_from_its_bytes_equal_and_exact():
    assert decode_label(encode_label(LABEL)) == LABEL


def test_a_stored_picture_whose_bytes_do_not_fit_its_size_is_told():
    data = encode_label(LABEL)
    assert data.count(b"\xa5width\x09") == 1
    with pytest.raises(ContractError):
        decode_label(data.replace(b"\xa5width\x09", b"\xa5width\x19"))


def test_each_printer_gets_its_own_jobs_oldest_first(journal):
    numbers = journal.append([movement()], [job(), job("printer-2"), job()]).print_jobs
    assert numbers == (1, 2, 3)
    claimed = [journal.claim_print_job("printer-1") for _ in range(3)]
    assert [one and one.number for one in claimed] == [1, 3, None]
    assert claimed[0].label == LABEL
    assert claimed[0].state == "claimed"


def test_the_end_of_a_job_is_a_fact_in_the_same_commit(journal):
    journal.append([], [job(station="dock-2", operator="ann", copies_count=2)])
    claimed = journal.claim_print_job("printer-1")
    fact_id = journal.finish_print_job(claimed.number, outcome="failed", detail="paper_out")
    ((newest, fact),) = journal.recent(1)
    assert newest == fact_id
    assert (fact.job, fact.outcome, fact.detail) == (1, "failed", "paper_out")
    assert (fact.station, fact.operator, fact.copies_count) == ("dock-2", "ann", 2)
    (over,) = journal.print_jobs(5)
    assert (over.state, over.outcome, over.detail) == ("failed", "failed", "paper_out")


def test_a_job_without_a_station_takes_it_from_the_fact_beside_it(journal):
    journal.append([movement()], [job()])
    journal.finish_print_job(journal.claim_print_job("printer-1").number, outcome="sent", detail="")
    assert journal.recent(1)[0][1].station == "dock-2"


def test_a_job_claimed_before_a_restart_is_abandoned_and_never_claimed_again(tmp_path):
    path = tmp_path / "journal.db"
    with opened(path, nonce=1) as journal:
        journal.append([movement()], [job(), job()])
        journal.claim_print_job("printer-1")
        assert journal.abandoned_print_jobs() == []
    with opened(path, nonce=2) as journal:
        (abandoned,) = journal.abandoned_print_jobs()
        assert abandoned.number == 1
        assert journal.claim_print_job("printer-1").number == 2
        journal.finish_print_job(1, outcome="unknown", detail="the gateway stopped")
        assert journal.abandoned_print_jobs() == []
        assert [one.state for one in journal.print_jobs(5)] == ["claimed", "unknown"]
