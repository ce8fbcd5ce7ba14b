"""Programs that end with the test that has started them. Edge of processes."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any


@contextmanager
def started(words: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """Yield a child of ours; kill it if it still runs at the end.

    Popen as a context waits for a child however long it runs: a test that fails while it does
    would hang, and never say why. options: those of Popen.
    """
    with subprocess.Popen(words, **options) as child:
        try:
            yield child
        finally:
            if child.poll() is None:
                child.kill()
