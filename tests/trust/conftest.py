"""One installation for all tests of this folder: it takes seconds to make."""

import pytest

from tests.trust.stand import trusted_site


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """An installation with a broker and a central that run."""
    with trusted_site(tmp_path_factory.mktemp("site")) as made:
        yield made
