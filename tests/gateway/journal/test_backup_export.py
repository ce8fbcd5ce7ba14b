"""An encrypted copy of the journal: written beside a running gateway, brought back elsewhere."""

import pytest

from central.backup.keys import write_new_key
from gateway.errors import BackupUnusable
from gateway.journal.backup_crypto import read_key
from gateway.journal.backup_export import export_backup, unpack_backup
from gateway.journal.copy_file import COPY_FILE
from gateway.journal.journal import Journal
from gateway.journal.restore import restore
from tests.gateway.journal.samples import StillClock, movement, weighing


@pytest.fixture
def key(tmp_path):
    path = tmp_path / "backup.key"
    return path, write_new_key(path)


@pytest.fixture
def journal(tmp_path):
    opened = Journal.open(
        tmp_path / "journal.db", gateway="g1", warehouse="sh1", clock=StillClock(), nonce=7
    )
    opened.append([movement(), weighing(), movement()])
    yield opened
    opened.close()


@pytest.fixture
def exported(tmp_path, journal, key):
    """A copy that was made while the journal is open."""
    (tmp_path / "share").mkdir()
    return export_backup(
        tmp_path / "journal.db",
        tmp_path / "share",
        gateway="g1",
        recipients=[key[1]],
        clock=StillClock(),
    )


def test_a_journal_is_brought_back_from_its_encrypted_copy_as_a_new_epoch(
    tmp_path, journal, exported, key
):
    assert b"SQLite format" not in exported.read_bytes()
    assert [path.name for path in (tmp_path / "share").iterdir()] == [exported.name]
    new_card = tmp_path / "new-card"
    new_card.mkdir()
    contents = unpack_backup(exported, new_card, secret=read_key(key[0]))
    assert (contents.owner, contents.kind) == ("g1", "journal")
    restored = restore(new_card / "journal.db", new_card, gateway="g1", warehouse="sh1")
    assert restored.facts_count == 3
    again = Journal.open(
        new_card / "journal.db", gateway="g1", warehouse="sh1", clock=StillClock(), nonce=8
    )
    try:
        assert again.epoch.start_count == journal.epoch.start_count + 1
        assert [epoch.head_seq for epoch in again.epochs()] == [3, 0]
    finally:
        again.close()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(lambda data: data[:-5], "damaged or cut off", id="cut off"),
        pytest.param(lambda data: data[:-5] + b"\0" + data[-4:], "damaged", id="a byte changed"),
        pytest.param(lambda _data: b"SQLite format 3\0", "no backup", id="something else"),
    ],
)
def test_a_damaged_copy_is_refused_and_nothing_is_left(tmp_path, exported, key, change, reason):
    exported.write_bytes(change(exported.read_bytes()))
    with pytest.raises(BackupUnusable, match=reason):
        unpack_backup(exported, tmp_path / "share", secret=read_key(key[0]))
    assert not (tmp_path / "share" / COPY_FILE).exists()
    assert [path.name for path in (tmp_path / "share").iterdir()] == [exported.name]


def test_a_key_that_is_none_a_missing_place_and_an_old_copy_are_refused(tmp_path, exported, key):
    with pytest.raises(BackupUnusable, match="no public key"):
        export_backup(
            tmp_path / "journal.db", tmp_path, gateway="g1", recipients=["ab"], clock=StillClock()
        )
    with pytest.raises(BackupUnusable, match="cannot be written"):
        export_backup(
            tmp_path / "journal.db",
            tmp_path / "nowhere",
            gateway="g1",
            recipients=[key[1]],
            clock=StillClock(),
        )
    (tmp_path / COPY_FILE).write_bytes(b"")
    with pytest.raises(BackupUnusable, match="exists"):
        unpack_backup(exported, tmp_path, secret=read_key(key[0]))
