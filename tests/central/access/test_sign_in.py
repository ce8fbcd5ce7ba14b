"""Signing in: passwords, pauses, sessions, second factors, and requests of other sites."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from pyotp import TOTP

from central.access import users
from central.access.access import Browser
from central.access.back_off import FREE_COUNT, pause_ms
from central.access.failures import address_subject
from central.access.permissions import Grant, Role
from central.errors import SignInRefused
from central.storage.access_tables import access_sessions
from central.web.app import create_app
from tests.central.access.people import PASSWORD, People
from tests.central.clients import served

SAME_SITE = {"Origin": "http://central"}


def test_the_pauses_grow_to_an_hour_and_no_further():
    minutes = [pause_ms(count) // 60_000 for count in (0, 4, 5, 6, 7, 10, 11, 60)]
    assert minutes == [0, 0, 1, 2, 4, 32, 60, 60]


def test_a_password_opens_the_pages_until_one_signs_out(people_on_both):
    people = people_on_both
    visitor = people.browser()
    assert visitor.ask("GET", "/stock", page=True).headers["location"] == "/login?next=/stock"
    answer = visitor.sign_in("keeper", path="/login?next=%2Fstock", **SAME_SITE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/stock")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert visitor.ask("GET", "/stock", page=True).status_code == 200
    kept = dict(visitor.cookies)
    out = visitor.ask("POST", "/logout", data={"csrf": _csrf(visitor)}, page=True)
    assert (out.status_code, visitor.cookies) == (303, {})
    visitor.cookies = kept
    assert visitor.ask("GET", "/api/v1/stock").status_code == 401
    assert people.events("sign_in") == [
        ("keeper", "signed_in", "keeper"),
        ("keeper", "signed_out", "keeper"),
    ]


def test_a_form_needs_no_script_and_says_what_is_wrong(people):
    visitor = people.browser()
    page = visitor.ask("GET", "/login?next=/audit", page=True)
    assert page.headers["referrer-policy"] == "same-origin"
    assert "<script" not in page.text
    for name, password in (("keeper", "wrong"), ("no-such-name", PASSWORD), ("", "")):
        answer = visitor.sign_in(name, password)
        assert answer.status_code == 401
        assert "name or password is not right" in answer.text
    # A name that nobody has may be a password typed into the wrong field: it is not kept.
    assert people.events("sign_in") == [
        ("keeper", "failed", "nobody"),
        ("nobody", "failed", "nobody"),
        ("nobody", "failed", "nobody"),
    ]


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/%09/evil.example",
        "\thttp://evil.example",
        "javascript:alert(1)",
        "/login",
    ],
)
def test_nobody_is_sent_to_another_site(people, path):
    answer = people.browser().ask(
        "POST", "/login", params={"next": path}, data={"name": "viewer", "password": PASSWORD}
    )
    assert answer.headers["location"] in {"/", "/%09/evil.example"}


def test_five_failures_make_a_name_wait_and_then_it_is_heard_again(people):
    for count in range(FREE_COUNT):
        _fails(people, "keeper", address=f"192.0.2.{count}")
    with pytest.raises(SignInRefused) as refused:
        people.access.sign_in("keeper", PASSWORD, browser=Browser("198.51.100.9"))
    assert refused.value.wait_s == 60
    # Others come in meanwhile, and whoever is signed in already stays so.
    assert people.access.sign_in("viewer", PASSWORD, browser=Browser("198.51.100.9"))
    people.clock.ms += 60_000
    _fails(people, "keeper", address="198.51.100.9")
    people.clock.ms += 119_000
    with pytest.raises(SignInRefused):
        people.access.sign_in("keeper", PASSWORD, browser=Browser("198.51.100.9"))
    people.clock.ms += 1_000
    assert people.access.sign_in("keeper", PASSWORD, browser=Browser("198.51.100.9"))


def test_an_address_that_tries_many_names_waits(people):
    for count in range(FREE_COUNT):
        _fails(people, f"somebody-{count}", address="192.0.2.66")
    answer = people.browser(address="192.0.2.66").sign_in("viewer")
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "60"
    assert people.browser(address="192.0.2.67").sign_in("viewer").status_code == 303


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8:0:1::1", "2001:db8::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_whoever_has_a_network_has_no_more_guesses_for_it(one, other, same):
    assert (address_subject(one) == address_subject(other)) == same


def test_guesses_that_come_at_once_are_counted_one_by_one(people_on_both):
    people = people_on_both

    def guess(number):
        try:
            people.access.sign_in("keeper", f"guess {number}", browser=Browser(f"10.0.0.{number}"))
        except SignInRefused as error:
            return error.wait_s
        raise AssertionError("a guess came in")

    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(guess, range(12)))
    assert waits.count(0) == FREE_COUNT


def test_a_session_that_was_planted_is_not_the_one_that_is_signed_in(people):
    visitor = people.browser()
    visitor.cookies["dockledger"] = "a" * 64
    answer = visitor.sign_in("keeper")
    assert visitor.cookies["dockledger"] != "a" * 64
    assert answer.cookies["dockledger"] == visitor.cookies["dockledger"]
    thief = people.browser()
    thief.cookies["dockledger"] = "a" * 64
    assert thief.ask("GET", "/api/v1/stock").status_code == 401


def test_only_the_digest_of_a_session_is_kept(people):
    visitor = people.browser("keeper")
    with people.database.read() as connection:
        (row,) = connection.execute(access_sessions.select()).all()
    assert visitor.cookies["dockledger"] not in str(tuple(row))


@pytest.mark.parametrize(
    ("steps_ms", "lives"),
    [
        pytest.param([2 * 3_600_000], True, id="idle-for-as-long-as-it-may"),
        pytest.param([2 * 3_600_000 + 1], False, id="idle-for-longer"),
        pytest.param([3_600_000] * 12, True, id="used-all-day"),
        pytest.param([3_600_000] * 12 + [1], False, id="used-for-longer-than-a-day"),
    ],
)
def test_a_session_ends_by_itself(people_on_both, steps_ms, lives):
    people = people_on_both
    visitor = people.browser("keeper")
    for step_ms in steps_ms:
        people.clock.ms += step_ms
        answer = visitor.ask("GET", "/api/v1/stock?limit=1")
    assert (answer.status_code == 200) == lives


def test_whoever_is_dismissed_is_out_at_once(people_on_both):
    people = people_on_both
    visitor = people.browser("keeper")
    administrator = people.browser("administrator")
    assert visitor.ask("GET", "/api/v1/stock").status_code == 200
    assert administrator.change("POST", "/api/v1/users/keeper/disable").status_code == 200
    assert visitor.ask("GET", "/api/v1/stock").status_code == 401
    assert visitor.sign_in("keeper").status_code == 401
    told = people.events("user")[-1]
    assert told == ("keeper", "disabled", "administrator")


@pytest.mark.parametrize("how", ["dismissed", "signed-out", "other-role", "idle"])
def test_a_stream_that_is_open_ends_with_what_it_was_opened_by(people, how):
    visitor = people.browser("keeper")
    known = people.access.known_by_session(visitor.cookies["dockledger"])
    assert people.access.lets_in(known.principal)
    administrator = people.browser("administrator")
    if how == "dismissed":
        administrator.change("POST", "/api/v1/users/keeper/disable")
    elif how == "signed-out":
        people.access.sign_out(known.principal)
    elif how == "other-role":
        body = {"roles": [{"role": "viewer"}]}
        administrator.change("PUT", "/api/v1/users/keeper/roles", body)
    else:
        for _ in range(3):  # To be asked for keeps nothing alive.
            people.clock.ms += 3_600_000
            people.access.lets_in(known.principal)
    assert not people.access.lets_in(known.principal)


def test_whoever_is_dismissed_hears_nothing_more_of_a_stream(people):
    cookie = people.browser("keeper").cookies["dockledger"]
    app = create_app(
        database=people.database,
        clock=people.clock,
        site="demo",
        poll_s=0.05,
        access=people.access,
    )
    with (
        served(app) as url,
        httpx.Client(timeout=60, trust_env=False, cookies={"dockledger": cookie}) as client,
        client.stream("GET", f"{url}/changes") as answer,
    ):
        assert answer.status_code == 200
        events = (line for line in answer.iter_lines() if line.startswith("data: "))
        next(events)
        with people.desk.change(actor="console") as change:
            users.set_disabled(change, "viewer", disabled=True)
        assert next(events)
        people.clock.ms += 6_000
        with people.desk.change(actor="console") as change:
            users.set_disabled(change, "keeper", disabled=True)
        assert list(events) == []


def test_a_new_password_ends_the_other_sessions(people):
    here, there = people.browser("keeper"), people.browser("keeper")
    new = "nine horses eat slowly"
    body = {"present": PASSWORD, "password": new, "again": new}
    assert here.change("POST", "/api/v1/account/password", body).status_code == 200
    assert here.ask("GET", "/api/v1/stock").status_code == 200
    assert there.ask("GET", "/api/v1/stock").status_code == 401
    assert people.browser().sign_in("keeper", new).status_code == 303


def test_a_password_is_changed_only_by_whoever_knows_it(people):
    body = {"present": "not it", "password": "nine horses eat slowly", "again": "x"}
    visitor = people.browser("keeper")
    codes = [visitor.change("POST", "/api/v1/account/password", body).status_code for _ in range(6)]
    assert codes == [403] * FREE_COUNT + [429]


@pytest.mark.parametrize("password", ["short", "keeper-12345", "1234567890", "aaaaaaaaaaaaaa"])
def test_a_password_that_is_soon_guessed_is_not_taken(people, password):
    visitor = people.browser("keeper")
    body = {"present": PASSWORD, "password": password, "again": password}
    assert visitor.change("POST", "/api/v1/account/password", body).status_code == 422


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({}, id="no-csrf"),
        pytest.param({"Dockledger-Csrf": "0" * 64}, id="wrong-csrf"),
        pytest.param({"right": "1", "Origin": "http://evil.example"}, id="foreign-origin"),
        pytest.param({"right": "1", "Origin": "null"}, id="hidden-origin"),
        pytest.param({"right": "1", "Sec-Fetch-Site": "cross-site"}, id="cross-site"),
        pytest.param({"right": "1", "Sec-Fetch-Site": "same-site"}, id="neighbour-host"),
    ],
)
def test_a_change_that_another_site_sends_is_refused(people, headers):
    visitor = people.browser("administrator")
    sent = dict(headers)
    if sent.pop("right", ""):
        sent["Dockledger-Csrf"] = _csrf(visitor)
    answer = visitor.ask("POST", "/api/v1/users/keeper/disable", headers=sent, json={})
    assert answer.status_code == 403
    assert not people.user("keeper").disabled_ms
    assert visitor.change(
        "POST", "/api/v1/users/keeper/disable", Origin="http://central"
    ).is_success


def test_another_site_cannot_sign_somebody_in(people):
    answer = people.browser().sign_in("keeper", Origin="http://evil.example")
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


def test_a_huge_form_is_refused_before_it_is_read(people):
    answer = people.browser().sign_in("keeper", "x" * 70_000)
    assert answer.status_code == 413
    long = people.browser().sign_in("keeper", PASSWORD + "x" * 2000)
    assert long.status_code == 401


def test_a_second_factor_is_asked_for_and_each_code_counts_once(people_on_both):
    people = people_on_both
    _, secret, _ = _with_second_factor(people, "finance")
    people.clock.ms += 60_000
    other = people.browser()
    assert other.sign_in("finance").headers["location"] == "/login/code"
    assert other.ask("GET", "/api/v1/stock").status_code == 401
    code = TOTP(secret).generate_otp(people.clock.ms // 30_000)
    before = dict(other.cookies)
    assert _code(other, code).headers["location"] == "/account"  # That there is a factor is news.
    assert other.ask("GET", "/api/v1/stock").status_code == 200
    assert other.cookies != before
    again = people.browser()
    again.sign_in("finance")
    assert _code(again, code).status_code == 401
    assert people.events("sign_in")[-1] == ("finance", "code_failed", "nobody")


def test_a_recovery_code_stands_in_once(people_on_both):
    people = people_on_both
    _, _, codes = _with_second_factor(people, "finance")
    for expected in (303, 401):
        visitor = people.browser()
        visitor.sign_in("finance")
        assert _code(visitor, codes[3].upper().replace("-", " ")).status_code == expected


def test_codes_cannot_be_guessed(people):
    _with_second_factor(people, "finance")
    visitor = people.browser()
    visitor.sign_in("finance")
    answers = [_code(visitor, f"{number:06d}").status_code for number in range(FREE_COUNT + 1)]
    assert answers == [401] * FREE_COUNT + [429]


def test_a_half_session_lasts_ten_minutes(people):
    _, secret, _ = _with_second_factor(people, "finance")
    visitor = people.browser()
    visitor.sign_in("finance")
    people.clock.ms += 10 * 60_000 + 1
    assert _code(visitor, TOTP(secret).generate_otp(people.clock.ms // 30_000)).status_code == 401


def test_administrators_may_have_to_have_a_second_factor(lite):
    people = People(lite, second_factor="administrators")
    visitor = people.browser("administrator")
    assert visitor.ask("GET", "/users", page=True).headers["location"] == "/account"
    assert visitor.ask("GET", "/api/v1/users").status_code == 403
    assert visitor.ask("GET", "/account", page=True).status_code == 200
    _set_up(people, visitor)
    assert visitor.ask("GET", "/api/v1/users").status_code == 200
    assert people.browser("auditor").ask("GET", "/api/v1/users").status_code == 200


def test_the_last_administrator_cannot_be_taken_away(people):
    visitor = people.browser("administrator")
    assert visitor.change("POST", "/api/v1/users/administrator/disable").status_code == 409
    assert (
        visitor.change("PUT", "/api/v1/users/administrator/roles", {"roles": []}).status_code == 409
    )
    people.add("second", Grant(Role.ADMINISTRATOR))
    assert visitor.change("POST", "/api/v1/users/second/disable").status_code == 200


def test_over_tls_the_cookie_is_bound_to_the_host(people):
    import asyncio

    import httpx

    async def go():
        transport = httpx.ASGITransport(app=people.app)
        async with httpx.AsyncClient(transport=transport, base_url="https://central") as client:
            data = {"name": "viewer", "password": PASSWORD}
            return await client.post("/login", data=data, headers={"Origin": "https://central"})

    cookie = asyncio.run(go()).headers["set-cookie"]
    assert cookie.startswith("__Host-dockledger=")
    assert "Secure" in cookie
    assert "Domain" not in cookie


def test_what_is_kept_of_a_password_is_renewed_when_it_is_weaker_than_today(people):
    from argon2 import PasswordHasher

    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    with people.desk.change(actor="console") as change:
        users.set_password(change, "viewer", password_hash=weak)
    assert people.browser().sign_in("viewer").status_code == 303
    assert "m=19456,t=2,p=1" in people.user("viewer").password_hash


def _fails(people, name, address):
    with pytest.raises(SignInRefused):
        people.access.sign_in(name, "not it", browser=Browser(address))


def _csrf(visitor):
    from central.access.sessions import csrf_of

    return csrf_of(visitor.cookies["dockledger"])


def _code(visitor, code):
    return visitor.ask("POST", "/login/code", data={"code": code}, page=True)


def _with_second_factor(people, name):
    visitor = people.browser(name)
    secret, codes = _set_up(people, visitor, name)
    return visitor, secret, codes


def _set_up(people, visitor, name="administrator"):
    account = "/api/v1/account/second-factor"
    assert visitor.change("POST", account, {"present": PASSWORD}).status_code == 200
    secret = people.user(name).totp_waiting
    page = visitor.ask("GET", "/account", page=True).text
    assert secret in page
    assert "<svg" in page
    code = TOTP(secret).generate_otp(people.clock.ms // 30_000)
    answer = visitor.change("POST", f"{account}/confirm", {"code": code})
    assert answer.status_code == 200, answer.text
    return secret, answer.json()["codes"]
