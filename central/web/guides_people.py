"""Guides of the pages of people. Pure."""

from central.web.words import marked

GUIDES_OF_PEOPLE: dict[str, tuple[str, ...]] = {
    "/users": (
        marked("Each person has one name, which stands beside everything that they do."),
        marked("A role holds in one warehouse or in all of them; somebody may have several."),
        marked("Whoever leaves is let in no more: sessions and keys end at once, names stay."),
        marked("The last administrator of all warehouses cannot be taken away."),
    ),
    "/tokens": (
        marked("A key lets a program work under your name, with no more than you may do yourself."),
        marked("Give each program a key of its own, with as few permissions as it needs."),
        marked("A key lasts a year at most and can be taken back at any time."),
    ),
    "/audit": (
        marked("Every change stands here with who made it, when, and what was before and after."),
        marked("Sign-ins, failed ones too, and changes of users and keys are among them."),
        marked(
            "Events are sealed by a chain of hashes; `verify-ledger` finds one that was edited."
        ),
    ),
    "/account": (
        marked("Change your password here, and end sessions in browsers that you no longer use."),
        marked("A second factor protects your name even if somebody learns your password."),
        marked("Keep the recovery codes on paper: each stands in for the authenticator once."),
    ),
}
