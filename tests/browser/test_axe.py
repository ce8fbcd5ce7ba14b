"""The judge of pages finds what is wrong, and nothing where nothing is."""

from pathlib import Path

import pytest

from tests.browser.axe import violations

pytestmark = pytest.mark.browser

CHROMIUM = Path("/usr/bin/chromium")
HEAD = '<!doctype html><html lang="en"><head><title>T</title></head><body><main><h1>H</h1>'
GOOD = '<p>Text</p><label>Name <input></label><img alt="A box" src="data:,">'
SMALL = '<button class="small">x</button>'
STYLE = """<style>
.pale { color: #bbb; background: #fff }
.small { width: 12px; height: 12px; padding: 0; border: 0; margin: 0; display: block; color: #000 }
</style>"""


@pytest.fixture(scope="module")
def page():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser.new_page()
        browser.close()


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
