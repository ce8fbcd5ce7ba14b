"""Names of people and of their keys are text on every page."""

import html

from central.access import users
from central.access.permissions import Grant, Role
from tests.central.access.people import kept_password

HOSTILE = "=1+1<evil>'\";DROP TABLE x;--^XA"


def test_names_of_people_and_of_their_keys_are_text_wherever_they_stand(people):
    with people.desk.change(actor="console") as change:
        grant = Grant(Role.ADMINISTRATOR)
        users.add_user(
            change,
            "wang",
            password_hash=kept_password(),
            display_name=HOSTILE,
            grants=frozenset({grant}),
        )
    browser = people.browser("wang")
    body = {"label": HOSTILE, "permissions": ["stock.read"], "days": 30}
    assert browser.change("POST", "/api/v1/tokens", body).status_code == 201
    shown = ""
    for path in ("/", "/users", "/tokens", "/account", "/audit"):
        answer = browser.ask("GET", path, page=True)
        assert answer.status_code == 200, path
        assert "<evil" not in answer.text, path
        shown += html.unescape(answer.text)
    assert shown.count(HOSTILE) >= 2
