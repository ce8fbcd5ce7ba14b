"""A password that somebody else has chosen; and what one is told of one's account at a sign-in."""

import re

import pytest
from argon2 import extract_parameters

from central.access import passwords, users
from central.access.passwords import hash_password, password_matches
from central.access.permissions import Grant, Role
from tests.central.access.people import PASSWORD

GIVEN, OWN = "given by the office", "chosen by myself"
TOKEN = {"label": "till", "permissions": ["stock.read"], "warehouse": "SH1"}
DAY_MS = 24 * 3_600_000


@pytest.fixture(scope="module")
def kept():
    return hash_password(GIVEN)


def given(people, kept):
    with people.desk.change(actor="administrator") as change:
        users.set_password(change, "keeper", password_hash=kept, is_given=True)


def test_a_given_password_opens_nothing_but_the_choice_of_ones_own(people_on_both, kept):
    people = people_on_both
    given(people, kept)
    visitor = people.browser()
    assert visitor.sign_in("keeper", GIVEN).status_code == 303
    assert visitor.ask("GET", "/stock", page=True).headers["location"] == "/account"
    refused = visitor.ask("GET", "/api/v1/stock")
    assert (refused.status_code, refused.json()["title"]) == (403, "Password of your own needed")
    assert "Choose one of your own" in visitor.ask("GET", "/account", page=True).text
    same = {"present": GIVEN, "password": GIVEN, "again": GIVEN}
    assert visitor.change("POST", "/api/v1/account/password", same).status_code == 422
    own = {"present": GIVEN, "password": OWN, "again": OWN}
    assert visitor.change("POST", "/api/v1/account/password", own).status_code == 200
    assert visitor.ask("GET", "/api/v1/stock").status_code == 200
    people.clock.ms += 30 * DAY_MS
    assert people.browser().sign_in("keeper", OWN).status_code == 303


def test_a_given_password_lapses_after_a_week(people, kept):
    given(people, kept)
    people.clock.ms += users.GIVEN_PASSWORD_MS - 1
    assert people.browser().sign_in("keeper", GIVEN).status_code == 303
    people.clock.ms += 1
    answer = people.browser().sign_in("keeper", GIVEN)
    assert answer.status_code == 401
    assert "has lapsed" in answer.text


def test_whoever_is_added_or_helped_by_an_administrator_chooses_their_own(people):
    head = people.browser("administrator")
    asked = {"name": "li.na", "password": GIVEN, "roles": [{"role": "keeper"}]}
    added = head.change("POST", "/api/v1/users", asked).json()
    assert added["password_until"] == "2026-06-09T11:33:20.000Z"
    path = "/api/v1/users/keeper/password"
    assert head.change("PUT", path, {"password": GIVEN}).json()["password_until"] is not None
    asked = {"name": "wu", "external": "https://id.example wu", "roles": []}
    assert head.change("POST", "/api/v1/users", asked).json()["password_until"] is None
    assert "to choose a password until" in head.ask("GET", "/users", page=True).text


def test_a_person_of_the_identity_provider_is_not_held_up_by_a_given_password():
    user = users.User("wu", "", "x", "https://id wu", "", "", 0, 1, 0, password_until_ms=5)
    assert users.must_first(user, second_factor="optional") == ""


def test_whoever_signs_in_is_told_first_what_happened_to_the_account(people_on_both):
    people = people_on_both
    first = people.browser().sign_in("keeper", path="/login?next=/stock")
    assert first.headers["location"] == "/stock"
    people.clock.ms += 1000
    with people.desk.change(actor="keeper") as change:
        users.set_second_factor(
            change, "keeper", secret="", waiting="", step=0, action="second_factor_removed"
        )
        users.set_grants(change, "keeper", [Grant(Role.KEEPER), Grant(Role.BUYER)])
    for _ in range(3):
        people.browser().sign_in("keeper", "wrong")
    people.clock.ms += 1000
    visitor = people.browser()
    told = visitor.sign_in("keeper", path="/login?next=/stock")
    assert told.headers["location"] == "/account?next=/stock"
    page = visitor.ask("GET", "/account?next=/stock", page=True).text
    card = re.search(r'data-part="news".*?</ul>.*?</div>', page, re.DOTALL)[0]
    words = ("second factor removed", "given roles", "failed to sign in</b> · 3 times", "Go on")
    assert [word for word in words if word not in card] == []
    chinese = visitor.ask("GET", "/account?lang=zh", page=True).text
    assert "自您上次登录以来" in chinese
    people.clock.ms += 1000
    again = people.browser()
    assert again.sign_in("keeper").headers["location"] == "/"
    assert 'data-part="news"' not in again.ask("GET", "/account", page=True).text


def test_a_key_that_was_made_in_ones_name_is_news_to_its_owner_alone(people):
    first = people.browser()
    for name in ("supervisor", "administrator"):
        assert first.sign_in(name).headers["location"] == "/"
    made = first.change("POST", "/api/v1/tokens", TOKEN)
    assert made.status_code == 201, made.text
    second = people.browser()
    assert second.sign_in("administrator").headers["location"] == "/account"
    assert "till" in second.ask("GET", "/account", page=True).text
    assert people.browser().sign_in("supervisor").headers["location"] == "/"


def test_hundreds_of_failures_hide_nothing_else_that_happened(people_on_both):
    people = people_on_both
    people.browser().sign_in("keeper")
    people.clock.ms += 1000
    with people.desk.change(actor="administrator") as change:
        users.set_second_factor(
            change, "keeper", secret="", waiting="", step=0, action="second_factor_removed"
        )
    people.clock.ms += 1000
    with people.desk.change(actor="nobody") as change:
        for _ in range(250):
            change.note("sign_in", "keeper", "code_failed", address="192.0.2.1")
    people.clock.ms += 1000
    visitor = people.browser()
    assert visitor.sign_in("keeper").headers["location"] == "/account"
    page = visitor.ask("GET", "/account", page=True).text
    assert "second factor removed" in page
    assert "250 times" in page


def test_two_slips_of_ones_own_are_no_news(people):
    people.browser().sign_in("keeper")
    for password in ("wrong", "wrong"):
        people.browser().sign_in("keeper", password)
    assert people.browser().sign_in("keeper", PASSWORD).headers["location"] == "/"


def test_nobodys_password_is_as_dear_to_check_as_anybodys_and_nothing_matches_it(kept):
    assert extract_parameters(passwords._NOBODY) == extract_parameters(kept)
    assert password_matches(kept, GIVEN)
    assert not password_matches("", GIVEN)
