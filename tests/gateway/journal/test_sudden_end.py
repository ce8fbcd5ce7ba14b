"""A gateway that is killed while it appends has lost nothing it acknowledged. Edge of processes."""

import subprocess
import sys
from pathlib import Path

import pytest

from gateway.journal.reading import open_reader
from gateway.journal.verify import verify_journal
from tests.gateway.journal.samples import movement, opened

ROUNDS = 3
ACKNOWLEDGED_BEFORE_KILL = 120


@pytest.mark.chaos
def test_what_a_killed_gateway_acknowledged_is_in_its_journal(tmp_path):
    path = tmp_path / "journal.db"
    acknowledged = set()
    for start_count in range(1, ROUNDS + 1):
        seqs = _append_until_killed(path, nonce=start_count, count=ACKNOWLEDGED_BEFORE_KILL)
        acknowledged |= {(start_count, seq) for seq in seqs}
    with opened(path, nonce=99) as journal:
        journal.append([movement()])
        kept = {(fact_id.epoch.start_count, fact_id.seq) for fact_id, _ in journal.recent(99_999)}
    assert len(acknowledged) >= ROUNDS * ACKNOWLEDGED_BEFORE_KILL
    assert acknowledged <= kept
    reader = open_reader(path)
    assert verify_journal(reader).findings == ()
    reader.close()


def _append_until_killed(path: Path, *, nonce: int, count: int) -> list[int]:
    """Return the numbers that a child process had printed as durable when SIGKILL met it."""
    program = (
        "from pathlib import Path;"
        "from tests.gateway.journal.samples import movement, open_journal;"
        f"journal = open_journal(Path({str(path)!r}), nonce={nonce});\n"
        "while True:\n"
        "    for fact_id in journal.append([movement(), movement(item='flour')]).fact_ids:\n"
        "        print(fact_id.seq, flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as child:
        lines = [child.stdout.readline() for _ in range(count)]
        child.kill()
        lines += child.stdout.read().splitlines(keepends=True)
    return [int(line) for line in lines if line.endswith(b"\n")]
