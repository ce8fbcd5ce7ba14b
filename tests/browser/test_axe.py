"""The judge of pages finds what is wrong, and nothing where nothing is."""

import pytest

from tests.browser.axe import violations
from tests.browser.chromium import opened_browser

pytestmark = pytest.mark.browser

HEAD = '<!doctype html><html lang="en"><head><title>T</title></head><body><main><h1>H</h1>'
GOOD = '<p>Text</p><label>Name <input></label><img alt="A box" src="data:,">'
SMALL = '<button class="small">x</button>'
STYLE = """<style>
.pale { color: #bbb; background: #fff }
.small { width: 12px; height: 12px; padding: 0; border: 0; margin: 0; display: block; color: #000 }
</style>"""


@pytest.fixture(scope="module")
def page():
    with opened_browser() as browser:
        yield browser.new_page()


@pytest.mark.parametrize(
    ("body", "rules"),
    [
        pytest.param(GOOD, set(), id="nothing"),
        pytest.param("<input>", {"label"}, id="a-field-without-a-name"),
        pytest.param('<img src="data:,">', {"image-alt"}, id="a-picture-without-words"),
        pytest.param("<button></button>", {"button-name"}, id="a-button-without-words"),
        pytest.param('<p class="pale">Text</p>', {"color-contrast"}, id="pale-text"),
        pytest.param(f"<div>{SMALL}{SMALL}</div>", {"target-size"}, id="small-targets"),
        pytest.param("<ul><div>x</div></ul>", {"list"}, id="a-list-of-something-else"),
    ],
)
def test_what_offends_is_named_and_nothing_else(page, body, rules):
    page.set_content(f"{HEAD}{STYLE}{body}</main></body></html>")
    assert {text.split(" ")[0] for text in violations(page)} == rules
