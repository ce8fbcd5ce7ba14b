"""Every kept input of the fuzzer again, without the fuzzer. Pure."""

from pathlib import Path

import pytest

from tests.fuzz.harnesses import HARNESSES

CORPUS = Path(__file__).parent / "corpus"
FILES_MAX = 200


@pytest.mark.parametrize("name", HARNESSES)
def test_what_the_fuzzer_kept_still_holds(name):
    files = sorted((CORPUS / name).iterdir())
    assert 10 <= len(files) <= FILES_MAX
    for path in files:
        HARNESSES[name](path.read_bytes())
