"""What of a batch is new."""

import pytest

from central.inbox.sequences import Verdict, classify, overlap_seq

# The chain of the ledger: digest "d3" after fact 3. The batch speaks the same chain unless said.
CASES = [
    pytest.param(0, 1, "123", {}, Verdict("accept", 0), id="an epoch begins"),
    pytest.param(0, 2, "23", {}, Verdict("gap"), id="an epoch cannot begin at 2"),
    pytest.param(3, 4, "456", {}, Verdict("accept", 0), id="it follows on"),
    pytest.param(3, 5, "56", {}, Verdict("gap"), id="one is missing"),
    pytest.param(3, 1, "123", {}, Verdict("duplicate"), id="all of it is known"),
    pytest.param(3, 2, "2", {}, Verdict("duplicate"), id="the middle is known"),
    pytest.param(3, 3, "345", {}, Verdict("accept", 1), id="its first fact is known"),
    pytest.param(3, 1, "12345", {}, Verdict("accept", 3), id="its first three are known"),
    pytest.param(3, 1, "123", {"digest": b"other"}, Verdict("fork"), id="other facts, all known"),
    pytest.param(3, 2, "2", {"digest": b"other"}, Verdict("fork"), id="other fact in the middle"),
    pytest.param(3, 2, "2345", {"digest": b"other"}, Verdict("fork"), id="other facts, then new"),
    pytest.param(3, 4, "45", {"head": b"other"}, Verdict("broken_chain"), id="it does not follow"),
    pytest.param(3, 2, "2", {"digest": None}, Verdict("fork"), id="the known fact is not there"),
]


@pytest.mark.parametrize(("acked", "first", "numbers", "ledger", "expected"), CASES)
def test_a_batch_is_judged_by_numbers_and_chain(acked, first, numbers, ledger, expected):
    digests = [f"d{number}".encode() for number in numbers]
    overlap = overlap_seq(acked=acked, first_seq=first, last_seq=first + len(digests) - 1)
    verdict = classify(
        acked=acked,
        head_digest=ledger.get("head", f"d{acked}".encode()),
        first_seq=first,
        previous_digest=f"d{first - 1}".encode(),
        digests=digests,
        known_digest=ledger.get("digest", f"d{overlap}".encode()),
    )
    assert verdict == expected
