"""Backups of a ledger that works, on both databases: made, looked at, refused, brought back."""

import json
import shutil

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from central.__main__ import app
from central.backup.places import MARK_FILE, PlaceFailed, PlaceFile, prepare_place
from central.backup.taking import Ledger, take_backup
from central.clock import SystemClock
from central.config import load_config
from central.inbox.ledger_key import load_ledger_key
from central.storage import tables
from central.storage.database import open_database
from central.storage.watching_tables import alert_mails, backup_runs
from tests.central.backup.stand import contents_of
from tests.central.scenery import on_hand, rows

# What is about files and places alone need not be seen twice.
ON_SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_a_backup_lies_whole_in_every_place_and_is_remembered(stand, ledger):
    taken = stand.backup()
    assert taken["good"]
    assert taken["record_no"] == 7
    assert contents_of(stand.places[0]) == contents_of(stand.places[1])
    names = sorted(path.name for path in stand.places[0].iterdir() if path.is_file())
    assert names == [MARK_FILE, f"{taken['name']}.dlb", f"{taken['name']}.manifest"]
    ((kind, good, record_no),) = rows(ledger, backup_runs, "kind", "good", "record_no")
    assert (kind, bool(good), record_no) == ("dump", True, 7)
    found = stand.json("backup", "verify", "--identity", stand.identity)["backups"]
    assert [one["fault"] for one in found] == ["", ""]
    (listed, _) = stand.json("backup", "list")["backups"]
    assert listed["contents"]["record_no"] == 7
    assert listed["signed_by"] == stand.json("ledger-key")["public_key"]


def test_nothing_of_the_ledger_can_be_read_in_a_place(stand):
    stand.backup()
    for data in contents_of(stand.places[0]).values():
        assert b"BOLT" not in data
        assert b"SQLite format" not in data
        assert b"PGDMP" not in data


def test_what_a_backup_holds_is_stable_afterwards(stand, ledger):
    # The movements of the scenery are recorded in the past of the machine's clock or its future.
    with ledger.write() as connection:
        connection.execute(text("UPDATE facts SET record_ms = 1000"))
    assert stand.backup()["stable"] == 7
    assert rows(ledger, tables.positions, "acked_seq", "stable_seq") == [(7, 7)]


@ON_SQLITE
def test_a_place_that_is_not_mounted_is_told_and_gateways_forget_nothing(stand, ledger):
    with ledger.write() as connection:
        connection.execute(text("UPDATE facts SET record_ms = 1000"))
    (stand.places[1] / MARK_FILE).unlink()
    taken = stand.backup(code=1)
    assert [bool(one["detail"]) for one in taken["places"]] == [False, True]
    assert "not mounted" in taken["places"][1]["detail"]
    assert taken["stable"] == 0
    assert rows(ledger, tables.positions, "stable_seq") == [(0,)]
    assert len(stand.files(0)) == 1
    assert stand.files(1) == []
    assert rows(ledger, backup_runs, "good") == [(False,)]


@ON_SQLITE
def test_without_any_place_there_is_no_backup_and_the_ledger_remembers_that(stand, ledger):
    for place in stand.places:
        shutil.rmtree(place)
    result = stand.run("backup")
    assert result.exit_code == 1
    assert "no place has the backup" in result.stderr
    assert "hint: " in result.stderr
    ((good, detail),) = rows(ledger, backup_runs, "good", "detail")
    assert not good
    assert "not mounted" in detail


@ON_SQLITE
def test_what_a_killed_backup_has_left_goes_with_the_next(stand, ledger):
    left = stand.places[0] / "ledger-20260101T000000Z-00000000.dlb.part"
    left.write_bytes(b"half")
    foreign = stand.places[0] / "holiday.txt"
    foreign.write_text("not ours")
    stand.backup()
    assert not left.exists()
    assert foreign.exists()
    assert [path.name for path in stand.folder.glob("*.backing-up*")] == []


@ON_SQLITE
def test_older_backups_are_thinned_out_in_each_place(stand):
    first = stand.backup()["name"]
    config = stand.configured(stand.url, daily=1, weekly=1, monthly=1)
    assert [one.stem for one in stand.files()] == [first]
    for place in stand.places:  # As if it had been made years ago.
        for suffix in (".dlb", ".manifest"):
            old = "ledger-20200101T000000Z-00000001"
            shutil.copy(place / f"{first}{suffix}", place / f"{old}{suffix}")
    taken = stand.json("backup", config=config)
    removed = [sorted(one["removed"]) for one in taken["places"]]
    assert removed == [[old, first]] * 2  # The first of today gives way to the second.
    assert [one.stem for one in stand.files()] == [taken["name"]]


def test_a_restored_ledger_is_the_same_with_a_new_generation(stand, ledger, empty_url):
    with ledger.write() as connection:
        connection.execute(
            alert_mails.insert().values(
                **dict.fromkeys(("mail_no", "attempts_count", "first_ms", "next_ms"), 1),
                **dict.fromkeys(("recipient", "message_id", "subject", "body", "last_error"), ""),
                state="waiting",
            )
        )
    stand.backup()
    before, generation = on_hand(ledger), rows(ledger, tables.ledger_state)
    result = stand.restored(stand.files()[0], empty_url)
    assert result.exit_code == 0, result.output
    restored = open_database(empty_url)
    try:
        assert on_hand(restored) == before
        changed = set(rows(restored, tables.ledger_state)) - set(generation)
        assert {key for key, _ in changed} - {"closed_through_ms"} == {"generation"}
        # What waited to be sent was sent since then.
        assert rows(restored, alert_mails) == []
    finally:
        restored.close()
    assert stand.run("verify-ledger", config=stand.folder / "restored.toml").exit_code == 0


def test_nothing_that_is_there_is_ever_overwritten(stand, ledger):
    stand.backup()
    before = rows(ledger, tables.facts, "record_no")
    result = stand.restored(stand.files()[0], stand.url)
    assert result.exit_code == 1
    assert "exists" in result.stderr or "not empty" in result.stderr
    assert rows(ledger, tables.facts, "record_no") == before


def damage(path, how):
    data = bytearray(path.read_bytes())
    if how == "cut":
        path.write_bytes(data[: len(data) * 2 // 3])
    elif how == "flipped":
        data[len(data) * 2 // 3] ^= 1
        path.write_bytes(data)
    elif how == "no manifest":
        path.with_suffix(".manifest").unlink()
    elif how == "manifest changed":
        manifest = path.with_suffix(".manifest")
        manifest.write_bytes(manifest.read_bytes().replace(b'"record_no":7', b'"record_no":6'))
    elif how == "empty":
        path.write_bytes(b"")


@ON_SQLITE
@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("cut", "is cut off"),
        ("flipped", "not the one that its manifest describes"),
        ("no manifest", "cannot be read"),
        ("manifest changed", "changed after it was signed"),
        ("empty", "no backup"),
    ],
)
def test_a_damaged_backup_is_named_and_never_restored(stand, empty_url, how, reason):
    stand.backup()
    file = stand.files()[0]
    damage(file, how)
    found = stand.json("backup", "verify", file, code=1)["backups"]
    assert reason in found[0]["fault"]
    result = stand.restored(file, empty_url)
    assert result.exit_code == 2
    assert reason in result.stderr
    assert not (stand.folder / "other.db").exists()
    listed = stand.json("backup", "verify", code=1)["backups"]
    assert [bool(one["fault"]) for one in listed] == [True, False]  # The other place has it whole.


def test_a_backup_of_a_newer_program_is_refused(stand, ledger, empty_url):
    with ledger.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    # The newer program makes it; our own command would refuse the database.
    key = load_ledger_key(ledger)
    made = Ledger(
        database=ledger, url=stand.url, site="demo", sign=key.sign,
        public_key_hex=key.public_key_hex,
    )  # fmt: skip
    take_backup(made, load_config(stand.config).backup, clock=SystemClock(), base=False)
    result = stand.restored(stand.files()[0], empty_url)
    assert result.exit_code == 2
    assert "'9999', which this program does not know" in result.stderr


@ON_SQLITE
def test_the_wrong_key_and_a_key_that_is_none_are_refused(stand, empty_url, tmp_path):
    stand.backup()
    (stand.folder / "wrong.key").write_text("dockledger-backup-key 1 " + "07" * 32 + "\n")
    (stand.folder / "none.key").write_text("-----BEGIN PRIVATE KEY-----")
    config = stand.configured(empty_url, name="restored.toml")
    file = stand.files()[0]
    for name, reason in [("wrong.key", "not made for key"), ("none.key", "holds no private key")]:
        identity = stand.folder / name
        result = stand.run("restore", file, "--identity", identity, config=config)
        assert result.exit_code == 2
        assert reason in result.stderr
    result = stand.run("restore", file, config=config)
    assert "read with its private key" in result.stderr


@ON_SQLITE
def test_a_backup_that_somebody_else_put_there_is_not_the_ledgers(stand, empty_url):
    """Public keys are public: whoever can write into a place can seal a ledger of his own."""
    stand.backup()
    file = stand.files()[0]
    pinned = ("--ledger-key", "ab" * 32)
    result = stand.restored(file, empty_url, *pinned)
    assert result.exit_code == 2
    assert "was signed by" in result.stderr
    own = ("--ledger-key", stand.json("ledger-key")["public_key"])
    assert stand.restored(file, empty_url, *own).exit_code == 0


def test_a_drill_restores_the_newest_aside_proves_it_and_is_remembered(stand, ledger):
    stand.backup()
    found = stand.json("restore-drill", "--identity", stand.identity, "--scratch", stand.folder)
    assert found["good"]
    assert (found["record_no"], found["facts_count"], found["faults_count"]) == (7, 7, 0)
    assert found["age_s"] < 100
    runs = rows(ledger, backup_runs, "kind", "good")
    assert [(kind, bool(good)) for kind, good in runs] == [("drill", True), ("dump", True)]
    assert [path.name for path in stand.folder.glob("dockledger-drill-*")] == []


@ON_SQLITE
def test_a_drill_finds_what_is_wrong_in_the_backup_itself(stand, ledger):
    with ledger.write() as connection:
        connection.execute(text("UPDATE balances SET on_hand_micro = 5 WHERE location = 'BIN-1'"))
    stand.backup()
    found = stand.json("restore-drill", "--identity", stand.identity, code=1)
    assert not found["good"]
    assert "faults" in found["detail"]
    assert ("drill", False) in [
        (kind, bool(good)) for kind, good in rows(ledger, backup_runs, "kind", "good")
    ]


@ON_SQLITE
def test_a_drill_whose_key_cannot_be_read_is_one_that_failed(stand, ledger):
    stand.backup()
    result = stand.run("restore-drill", "--identity", stand.folder / "nothing.key")
    assert result.exit_code == 2
    (detail,) = (
        said for kind, said in rows(ledger, backup_runs, "kind", "detail") if kind == "drill"
    )
    assert "cannot read the key" in detail


@ON_SQLITE
def test_a_drill_without_a_usable_backup_says_so(stand):
    found = stand.json("restore-drill", "--identity", stand.identity, code=1)
    assert "no usable backup" in found["detail"]
    stand.backup()
    for place in (0, 1):
        damage(stand.files(place)[0], "empty")
    found = stand.json("restore-drill", "--identity", stand.identity, code=1)
    assert "no usable backup" in found["detail"]


@ON_SQLITE
def test_a_drill_takes_the_same_backup_from_another_place_if_one_is_damaged(stand):
    stand.backup()
    damage(stand.files(0)[0], "cut")
    assert stand.json("restore-drill", "--identity", stand.identity)["good"]


@ON_SQLITE
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        pytest.param(["backup", "base"], "only PostgreSQL", id="base of SQLite"),
        pytest.param(["backup", "wal", "/nowhere", "../../x"], "no name of a WAL", id="bad name"),
    ],
)
def test_what_cannot_be_is_refused(stand, arguments, named):
    result = stand.run(*arguments)
    assert result.exit_code == 2
    assert named in result.stderr


@ON_SQLITE
def test_a_backup_that_is_not_configured_says_what_is_missing(stand, tmp_path):
    config = tmp_path / "bare.toml"
    text_of = stand.config.read_text().partition("[backup]")[0]
    config.write_text(text_of)
    result = stand.run("backup", config=config)
    assert result.exit_code == 2
    assert "recipients" in result.stderr


@ON_SQLITE
def test_a_key_is_written_once_and_for_its_owner_alone(stand):
    path = stand.folder / "new.key"
    result = stand.run("backup", "new-key", "--to", path)
    assert result.exit_code == 2  # It has no --config: keys are made on another machine.
    made = CliRunner().invoke(app, ["backup", "new-key", "--to", str(path), "--json"])
    assert len(json.loads(made.stdout)["public_key"]) == 64
    assert path.stat().st_mode & 0o777 == 0o600
    again = CliRunner().invoke(app, ["backup", "new-key", "--to", str(path)])
    assert again.exit_code == 2


@ON_SQLITE
def test_a_full_place_is_told_and_leaves_nothing(stand, tmp_path):
    """/dev/full takes no byte, as a full disk."""
    full = tmp_path / "full"
    prepare_place(full)
    config = stand.configured(stand.url, places=[stand.places[0], full])
    file = PlaceFile(full, "ledger-20260101T000000Z-00000000")
    with pytest.raises(PlaceFailed, match="another backup is being written"):
        PlaceFile(full, "ledger-20260101T000000Z-00000001")
    taken = stand.json("backup", config=config, code=1)
    assert "another backup" in taken["places"][1]["detail"]
    file.close()
    assert list(full.glob("*.part")) == []
    assert stand.json("backup", config=config)["good"]
