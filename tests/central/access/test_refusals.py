"""Whoever is refused again and again is counted, and somebody is told within a minute."""

import pytest

from central.access import refusals as counting
from central.access.back_off import FREE_COUNT, PAUSE_FIRST_MS
from central.access.refusals import OTHERS, REFUSAL_KINDS, WAITING_MAX, Refusals
from central.errors import LedgerUnavailable
from central.stock.alerts_refused import (
    HELD_MIN,
    HELD_WINDOW_MS,
    LOGIN_FAILURES_MIN,
    PAUSED,
    REFUSED_ALERTS,
    refused_alerts,
)
from central.storage.refusal_tables import refusals
from central.watching.watch_loop import MAIL_TURN_S, TURN_S
from tests.central.scenery import NOW_MS, rows

GUESS_EVERY_MS = 5000
ADDRESS = "address:192.0.2.7"


def test_whoever_guesses_every_five_seconds_is_told_of_when_the_first_pause_begins(people_on_both):
    people = people_on_both
    guesser = people.browser()
    for number in range(1, FREE_COUNT + 1):
        assert people.told() == [], number
        assert guesser.sign_in("keeper", f"guess {number}").status_code == 401
        people.clock.ms += GUESS_EVERY_MS
    known = {("login_failures", ADDRESS, "5"), ("login_failures", "user:keeper", "5")}
    assert set(people.told()) == known
    # Attempts in the pause are refused unheard, and counted.
    for _ in range(7):
        assert guesser.sign_in("keeper", "guess").status_code == 429
        people.clock.ms += GUESS_EVERY_MS
    assert ("login_failures", ADDRESS, "12") in people.told()
    assert people.access.refusals.totals()[PAUSED] == 2 * 7


def test_the_alert_stays_through_a_long_pause_and_goes_with_whoever_comes_in(people):
    guesser = people.browser()
    for _ in range(FREE_COUNT + 5):
        guesser.sign_in("keeper", "guess")
        people.clock.ms += 32 * PAUSE_FIRST_MS
    guesser.sign_in("keeper", "guess")  # The tenth: an hour's pause.
    people.clock.ms += 50 * PAUSE_FIRST_MS
    assert {kind for kind, _, _ in people.told()} == {"login_failures"}
    people.clock.ms += 60 * PAUSE_FIRST_MS
    assert guesser.sign_in("keeper").status_code == 303
    assert people.told() == []


def test_a_first_pause_is_told_within_a_minute_of_its_beginning():
    assert LOGIN_FAILURES_MIN == FREE_COUNT
    assert counting.WRITE_EVERY_S + TURN_S + MAIL_TURN_S <= 60


@pytest.mark.parametrize("how", ["dismissed", "taken back", "past its day"])
def test_a_key_that_is_good_no_more_is_counted_and_told_each_time(people_on_both, how):
    people = people_on_both
    made = _key(people)
    administrator = people.browser("administrator")
    if how == "dismissed":
        assert administrator.change("POST", "/api/v1/users/supervisor/disable").is_success
    elif how == "taken back":
        assert administrator.change("DELETE", f"/api/v1/tokens/{made['token']}").is_success
    else:
        people.clock.ms += 31 * 86_400_000
    for _ in range(40):
        assert _by_key(people, made["text"]) == 401
    assert people.told() == [("credential_refused", made["token"], "40")]
    ((kind, detail, address),) = rows(people.database, refusals, "kind", "detail", "address")
    expected = "token_dismissed" if how == "dismissed" else "token_ended"
    assert (kind, detail, address) == (expected, "supervisor", "198.51.100.9")
    figures = people.browser(address="127.0.0.1").ask("GET", "/metrics").text
    assert f'dockledger_refused_total{{kind="{expected}"}} 40' in figures
    assert made["text"][-64:] not in figures


def test_guessed_keys_are_told_by_their_address_from_the_fifth(people):
    made = _key(people)
    for guess in ("nonsense", made["text"][:-1] + "g", "dlt_" + "0" * 16 + "_" + "0" * 64, "a"):
        assert _by_key(people, guess) == 401
    assert people.told() == []
    assert _by_key(people, "0") == 401
    assert people.told() == [("credential_refused", "address:198.51.100.9", "5")]
    assert _by_key(people, made["text"]) == 200


def test_a_key_that_works_is_counted_nowhere(people):
    assert _by_key(people, _key(people)["text"]) == 200
    assert not any(people.access.refusals.totals().values())


def test_every_kind_of_refusal_has_its_alert():
    assert set(REFUSED_ALERTS) | {PAUSED} == set(REFUSAL_KINDS)


def test_a_flood_of_subjects_is_a_bounded_number_of_rows_and_all_are_counted(database):
    counted = Refusals()
    for number in range(WAITING_MAX + 50):
        counted.count("token_unknown", subject=f"address:{number}", detail="a\nb")
    counted.write(database, now_ms=NOW_MS)
    found = dict(rows(database, refusals, "subject", "refused_count"))
    assert len(found) == WAITING_MAX + 1
    assert found[OTHERS] == 50
    assert counted.totals()["token_unknown"] == WAITING_MAX + 50
    assert not counted.waits


def test_what_cannot_be_written_waits_and_is_added_to_what_others_wrote(database):
    mine, others = Refusals(), Refusals()
    for counted in (mine, mine, others):
        counted.count("token_unknown", subject="address:1", address="1")
    others.write(database, now_ms=NOW_MS)

    class Away:
        def write(self):
            raise LedgerUnavailable("away", hint="Start the database.")

    with pytest.raises(LedgerUnavailable):
        mine.write(Away(), now_ms=NOW_MS)
    mine.count("token_unknown", subject="address:1", address="2")
    mine.write(database, now_ms=NOW_MS + 1)
    found = rows(database, refusals, "refused_count", "address", "first_ms", "last_ms")
    assert found == [(4, "2", NOW_MS, NOW_MS + 1)]
    mine.count("token_unknown", subject="address:1", address="2")
    mine.write(database, now_ms=NOW_MS + counting.FORGOTTEN_MS + 1)
    assert [count for count, *_ in rows(database, refusals, "refused_count")] == [1]


@pytest.mark.parametrize(("gap_ms", "is_told"), [(HELD_WINDOW_MS, False), (60_000, True)])
def test_connections_left_now_and_then_for_days_are_told_of_nobody(database, gap_ms, is_told):
    counted = Refusals()
    for number in range(3 * HELD_MIN):
        counted.count("connection_slow", subject=ADDRESS)
        counted.write(database, now_ms=NOW_MS + number * gap_ms)
    with database.read() as connection:
        found = list(refused_alerts(connection, now_ms=NOW_MS + (3 * HELD_MIN - 1) * gap_ms))
    assert bool(found) == is_told


def _key(people):
    body = {"label": "a program", "permissions": ["stock.read"], "days": 30}
    return people.browser("supervisor").change("POST", "/api/v1/tokens", body).json()


def _by_key(people, text):
    program = people.browser(address="198.51.100.9")
    headers = {"Authorization": f"Bearer {text}"}
    return program.ask("GET", "/api/v1/stock", headers=headers).status_code
