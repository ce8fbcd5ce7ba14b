"""Every threat of the table names tests that there are. Pure."""

import ast
import re

import pytest

from tests.house.source_tree import ROOT, test_sources

PAGE = ROOT / "provisioning" / "THREATS.md"
ROW = re.compile(r"^\| ([STRIDE])(\d+) \| (.+?) \| (.+?) \| (.+) \|$", re.MULTILINE)
NAMED = re.compile(r"`([^`]+)`")
LETTERS = "STRIDE"


def rows():
    """(number, tests) of each row of the table with tests."""
    tested = PAGE.read_text(encoding="utf-8").partition("## Without a test")[0]
    return [(f"{one[1]}{one[2]}", NAMED.findall(one[5])) for one in ROW.finditer(tested)]


@pytest.fixture(scope="module")
def names():
    """path::name of every test function, also of those in classes."""
    return {
        f"{source.path}::{node.name}"
        for source in test_sources()
        for node in source.nodes
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_every_row_names_tests_and_each_of_them_exists(names):
    for number, tests in rows():
        assert tests, f"{number} names no test"
        for test in tests:
            assert test in names, f"{number}: {test}"


def test_all_of_stride_is_there_numbered_without_gaps():
    text = PAGE.read_text(encoding="utf-8")
    every = [(one[1], int(one[2])) for one in ROW.finditer(text)]
    assert len(every) == text.count("\n| ") - 4, "a row that is not read as one"
    for letter in LETTERS:
        numbers = sorted(number for found, number in every if found == letter)
        assert numbers == list(range(1, len(numbers) + 1)), letter
        assert numbers, letter


def test_what_has_no_test_says_why():
    text = PAGE.read_text(encoding="utf-8").partition("## Without a test")[2]
    for row in ROW.finditer(text):
        assert len(row[5]) > 10, row[0]
        assert not NAMED.findall(row[5])
