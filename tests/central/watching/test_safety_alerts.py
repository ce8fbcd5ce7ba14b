"""Backups, drills and the revocation list: what is told of them, when, and in which words."""

import pytest

from central.backup.records import Run, record_run
from central.stock.alerts_safety import BACKUPS_MARK, safety_alerts
from central.storage import bulk
from central.storage.watching_tables import watching_marks
from central.watching.letters import write_letter
from central.web.drawing import drawing_in
from tests.central.clients import ask
from tests.central.one_app import application
from tests.central.scenery import NOW_MS, FixedClock, load
from tests.central.trust.machines import DAY_MS, HOUR_MS, SetClock, trust_of

NOT_MOUNTED = "/mnt/nas is not mounted, or was never prepared (`backup prepare-place /mnt/nas`)"
NO_ROOM = "/mnt/usb cannot be written: No space left on device"
NO_BACKUP = "no usable backup lies in /mnt/nas"
LOOK = "Look with `backup list` what is wrong with those that are there."


def noted(database, *, kind, good=False, detail="", at_ms=NOW_MS):
    run = Run(kind=kind, name="b", began_ms=at_ms, ended_ms=at_ms, good=good, detail=detail)
    record_run(database, run)


def told(database, *, now_ms=NOW_MS):
    with database.read() as connection:
        return list(safety_alerts(connection, now_ms=now_ms))


@pytest.mark.parametrize(
    ("run_kind", "kind", "detail", "chinese"),
    [
        pytest.param(
            "dump",
            "backup_failed",
            f"no place has the backup\n{NOT_MOUNTED}\n{NO_ROOM}",
            (
                "没有任何位置存有该备份",
                "/mnt/nas 未挂载，或从未准备过",
                "/mnt/usb 无法写入：设备上没有剩余空间",
            ),
            id="backup",
        ),
        pytest.param(
            "drill",
            "drill_failed",
            f"{NO_BACKUP}\n{LOOK}",
            ("/mnt/nas 中没有可用的备份", "请用 `backup list` 查看"),
            id="drill",
        ),
        pytest.param(
            "drill",
            "drill_failed",
            "the restored ledger has 3 faults",
            ("恢复的账本有 3 处错误",),
            id="faults",
        ),
    ],
)
def test_why_a_backup_or_drill_failed_is_said_in_both_languages(
    database, run_kind, kind, detail, chinese
):
    load(database)
    noted(database, kind=run_kind, detail=detail)
    (alert,) = told(database)
    assert alert.kind == kind
    app = application(database=database, clock=FixedClock())
    expected = {"en": detail.splitlines(), "zh": list(chinese)}
    for language, sentences in expected.items():
        page = ask(app, f"/alerts?lang={language}").text
        texts = drawing_in(language).texts
        letter = write_letter("raised", [alert], texts=texts, site="SH", url="").body
        for sentence in sentences:
            assert sentence in page.replace("&#39;", "'")
            assert sentence in letter
    assert "is not" not in ask(app, "/alerts?lang=zh").text


def test_a_drill_is_missed_after_thirty_days_and_a_good_one_ends_that(database):
    with database.write() as connection:
        bulk.insert_rows(connection, watching_marks, [(BACKUPS_MARK, str(NOW_MS))])
    noted(database, kind="dump", good=True, at_ms=NOW_MS + 30 * DAY_MS)
    assert told(database, now_ms=NOW_MS + 30 * DAY_MS) == []
    late_ms = NOW_MS + 30 * DAY_MS + 1
    assert [one.kind for one in told(database, now_ms=late_ms)] == ["drill_old"]
    noted(database, kind="drill", detail="x", at_ms=late_ms)
    kinds = {one.kind for one in told(database, now_ms=late_ms)}
    assert kinds == {"drill_old", "drill_failed"}
    noted(database, kind="drill", good=True, at_ms=late_ms)
    assert told(database, now_ms=late_ms) == []


def test_a_revocation_list_that_nobody_writes_anew_is_told_three_days_before_its_end(
    database, tmp_path
):
    clock = SetClock()
    trust = trust_of(database, clock=clock, directory=tmp_path)
    assert told(database, now_ms=clock.now_ms()) == [], "there is no list yet"
    until_ms = trust.write_rules()
    assert until_ms > clock.now_ms() + 72 * HOUR_MS
    before_ms = until_ms - 72 * HOUR_MS
    assert told(database, now_ms=before_ms) == []
    (alert,) = told(database, now_ms=before_ms + 1)
    assert (alert.kind, alert.severity, alert.detail) == ("revocation_list_ends", "bad", "71")
    clock.time_ms = before_ms + 1
    trust.keep_up()
    assert told(database, now_ms=clock.now_ms()) == []
