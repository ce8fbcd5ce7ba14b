"""Every page of the menu explains itself in a few sentences."""

import pytest

from central.web.guides import GUIDES, guide_of
from central.web.menu import MENU

PATHS = [entry.path for section in MENU for entry in section.entries]


@pytest.mark.parametrize("path", PATHS)
def test_every_page_of_the_menu_has_a_guide_of_its_own(path):
    assert path in GUIDES


@pytest.mark.parametrize("path", GUIDES)
def test_a_guide_is_short(path):
    assert 3 <= len(GUIDES[path]) <= 6
    assert all(len(sentence) <= 160 and sentence.endswith(".") for sentence in GUIDES[path])


@pytest.mark.parametrize(
    ("path", "guide"),
    [
        pytest.param("/transfers", "/transfers", id="list"),
        pytest.param("/transfers/TR-1", "/transfers/", id="one-object"),
        pytest.param("/transfers/TR-1/close", "/transfers/", id="below-one-object"),
        pytest.param("/pick-lists/PW-1", "/pick-lists", id="object-without-a-guide"),
        pytest.param("/pick-lists/now", "/pick-lists/now", id="page-of-its-own"),
        pytest.param("/", "/", id="first-page"),
        pytest.param("/nowhere", None, id="no-such-page"),
        pytest.param("/nowhere/at/all", None, id="nothing-above"),
    ],
)
def test_a_page_has_its_own_guide_or_that_of_the_page_above(path, guide):
    assert guide_of(path) == (GUIDES[guide] if guide else ())
