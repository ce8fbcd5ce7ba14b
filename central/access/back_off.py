"""How long somebody waits after failed attempts: longer and longer, never for ever. Pure."""

FREE_COUNT = 5  # Attempts before the first pause.
PAUSE_FIRST_MS = 60_000
PAUSE_MS_MAX = 3_600_000
FORGOTTEN_MS = 24 * 3_600_000  # Failures so long ago no longer count.


def pause_ms(failures_count: int) -> int:
    """Return how long after so many failures in a row nobody is listened to: 0, 1 min .. 1 h."""
    if failures_count < FREE_COUNT:
        return 0
    return int(min(PAUSE_FIRST_MS << min(failures_count - FREE_COUNT, 16), PAUSE_MS_MAX))
