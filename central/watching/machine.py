"""What only the machine knows: its disk. Edge of the operating system."""

import shutil
from pathlib import Path

from sqlalchemy.engine import make_url


def disk_used_percent(url: str) -> int | None:
    """Return how full the disk of an SQLite ledger is; None for a server's, which it must say."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return None
    try:
        usage = shutil.disk_usage(Path(str(parsed.database)).parent)
    except OSError:
        return None
    # As df says it: what is reserved for root is not there for us.
    there = usage.used + usage.free
    return -(-100 * usage.used // there) if there else None
