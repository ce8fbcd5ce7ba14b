"""Which version of central a gateway hears. Pure."""

import pytest

from central.contract.states import CentralState
from gateway.replication.central_software import lowest_software


def worker(software, *, online=True):
    return CentralState(worker="one", online=online, generation="g", software=software)


CASES = {
    "nobody was heard": ([], ""),
    "the one that works": ([worker("0.2.0"), worker("0.1.0", online=False)], "0.2.0"),
    "the oldest that works": ([worker("0.10.0"), worker("0.9.0")], "0.9.0"),
    "the last one heard": ([worker("0.1.0", online=False)], "0.1.0"),
    "one that does not say": ([worker("0.2.0"), worker("")], ""),
    "one that says something else": ([worker("0.2.0 or so")], ""),
}


@pytest.mark.parametrize(("workers", "version"), CASES.values(), ids=CASES)
def test_the_oldest_worker_counts(workers, version):
    assert lowest_software(workers) == version
